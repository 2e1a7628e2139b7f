"""An order that names a customer by id and by address joins the two."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from lingxi.errors import UnknownCustomer
from lingxi.ingest import find_customer, joining
from lingxi.ingest.tables import identifier
from lingxi.schema import Name
from lingxi.store.keyring import Keyring
from lingxi.store.projection import find_customers
from lingxi.store.tables import identity

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingest.conftest import Bench

HEAD = "order,customer,email,sku,qty,price,date\n"
GUEST = "1,,ann@x.com,A,1,10,2024-01-05\n"
NAMED = "2,k1,Ann@x.com,A,1,10,2024-01-06\n"


def owners(bench: Bench) -> list[int]:
    """Whose each order is."""
    told = [e.subject for e in bench.log() if e.name == Name.ORDER_COMPLETED]
    with bench.store.read() as tx:
        found = find_customers(tx, {s for s in told if s is not None})
    return [found[s] for s in told if s is not None]


@pytest.mark.parametrize("files", [(GUEST + NAMED,), (GUEST, NAMED), (NAMED, GUEST)])
def test_a_guests_order_is_the_customers_who_orders_by_that_address(
    make_bench: Callable[[], Bench], files: tuple[str, ...]
) -> None:
    bench = make_bench()
    for text in files:
        bench.orders(HEAD + text)
    assert len(owners(bench)) == 2
    assert len(set(owners(bench))) == 1
    with bench.store.read() as tx:
        who = find_customer(tx, "k1")
        assert find_customer(tx, "ann@x.com", store=bench.store) == who == owners(bench)[0]
    before = bench.log()
    for text in files:
        assert bench.orders(HEAD + text).events_new == 0
    assert bench.log() == before


def test_a_line_of_events_by_that_address_is_the_customers(bench: Bench) -> None:
    bench.orders(HEAD + NAMED)
    bench.events("time,event,email,product_id\n2024-02-01,Product Viewed,ann@x.com,A\n")
    subjects = {e.subject for e in bench.log() if e.subject is not None}
    with bench.store.read() as tx:
        assert len(set(find_customers(tx, subjects).values())) == 1


def test_two_identified_customers_of_one_address_stay_two(bench: Bench) -> None:
    bench.orders(HEAD + NAMED + NAMED.replace("2,k1", "3,k2") + GUEST)
    with bench.store.read() as tx:
        one, two = (find_customer(tx, who) for who in ("k1", "k2"))
    assert one != two
    assert sorted(owners(bench)) == sorted([one, two, one])


def test_an_address_of_nobody_joins_nobody(bench: Bench) -> None:
    bench.orders(HEAD + NAMED.replace("Ann@", "no-reply@"))
    with bench.store.read() as tx, pytest.raises(UnknownCustomer):
        find_customer(tx, "no-reply@x.com", store=bench.store)


def owners_of(bench: Bench) -> set[frozenset[str]]:
    """Which identifiers are one customer's."""
    query = sa.select(identity.c.customer, identifier.c.value).join(
        identifier, identifier.c.subject == identity.c.subject
    )
    found: dict[int, set[str]] = {}
    with bench.store.read() as tx:
        for customer, value in tx.execute(query):
            found.setdefault(customer, set()).add(value)
    return {frozenset(values) for values in found.values()}


@pytest.mark.parametrize("seed", range(4))
def test_addresses_are_given_as_the_rules_of_messages_give_them(
    make_bench: Callable[[], Bench], monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Those that nobody has yet are given without asking for every rule."""
    monkeypatch.setattr(Keyring, "blind", lambda _self, text: f"blind {text}")
    rng = Random(seed)
    lines = [
        f"{n},{rng.choice(['', f'k{rng.randrange(40)}'])},"
        f"{rng.choice('ab')}{rng.randrange(60)}@x.com,A,1,10,2024-01-{n % 28 + 1:02}\n"
        for n in range(120)
    ]
    quick, ruled = make_bench(), make_bench()
    for start in (0, 80):
        quick.orders(HEAD + "".join(lines[start : start + 80]))
    monkeypatch.setattr(joining, "_attach", lambda *_: set())
    for start in (0, 80):
        ruled.orders(HEAD + "".join(lines[start : start + 80]))
    assert owners_of(quick) == owners_of(ruled)
    assert any(len(names) > 2 for names in owners_of(quick))


def test_a_customer_gets_as_many_addresses_as_the_shop_allows(bench: Bench) -> None:
    lines = [f"{n},k1,a{n}@x.com,A,1,10,2024-01-0{n}\n" for n in range(1, 8)]
    bench.orders(HEAD + "".join(lines[:3]))
    bench.orders(HEAD + "".join(lines))
    (names,) = [names for names in owners_of(bench) if "k1" in names]
    assert len(names) == 1 + bench.settings.identity.emails
    assert len(set(owners(bench))) == 1
