"""Projections are folds whose order does not matter: rows equal a batch recomputation."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from sqlalchemy import delete, insert, select, update

from lingxi import profiles
from lingxi.clock import FixedClock
from lingxi.config import Settings
from lingxi.features import compute_features
from lingxi.ingest.tables import metadata as ingest_metadata
from lingxi.profiles.ledger import sum_entries
from lingxi.profiles.tables import customer_profile, item_history
from lingxi.schema import SYSTEM_EVENTS, Event, Line, Name
from lingxi.store import Store
from lingxi.store.tables import event, identity

START = datetime(2026, 1, 1, tzinfo=UTC)
IDENTITY: Mapping[int, int] = {1: 1, 2: 2, 3: 1}
MONEY = (Name.ORDER_COMPLETED, Name.ORDER_REFUNDED)

LINES = st.lists(
    st.builds(
        lambda item, n, price: Line(item, n, price, n * price),
        st.sampled_from(["cup", "dish", "lamp"]),
        st.integers(1, 3),
        st.sampled_from([0, 100, 250]),
    ),
    max_size=3,
).map(tuple)
EVENTS = st.builds(
    lambda name, day, subject, order_id, country, lines: Event(
        event_id="",
        name=name,
        occurred_at=START + timedelta(days=day),
        received_at=START,
        subject=subject,
        order_id=order_id if name in MONEY else None,
        country=country,
        amount_cents=sum(x.amount_cents for x in lines) if lines and name in MONEY else None,
        lines=lines,
    ),
    st.sampled_from([*Name, *[Name.ORDER_COMPLETED] * 5, *[Name.ORDER_REFUNDED] * 5, "Custom"]),
    st.integers(0, 9),
    st.sampled_from([None, 1, 2, 3, 4]),
    st.sampled_from([None, "A", "B", "C"]),
    st.sampled_from([None, "FR", "UK"]),
    LINES,
)
HISTORIES = st.lists(EVENTS, max_size=30).map(
    lambda events: [structs.replace(e, event_id=f"e{n}") for n, e in enumerate(events)]
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    made = Store.open(
        Settings(tmp_path_factory.mktemp("shop")),
        FixedClock(START),
        projections=profiles.PROJECTIONS,
        tables=[profiles.metadata, ingest_metadata],
    )
    yield made
    made.close()


def empty(store: Store) -> None:
    """Without events; the next one has a position of its own, for none is ever given out twice."""
    with store.write() as tx:
        for table in (event, identity, customer_profile, item_history):
            tx.execute(delete(table))
        people = [{"subject": s, "customer": c, "known": True} for s, c in IDENTITY.items()]
        tx.execute(insert(identity), people)


def read_rows(store: Store) -> tuple[dict[int, object], dict[tuple[int, str], object]]:
    with store.read() as tx:
        people = tx.execute(select(customer_profile)).mappings().all()
        items = tx.execute(select(item_history)).mappings().all()
    for row in people:
        kept = row["ledger"]
        assert kept.standing == sum_entries(kept.entries.values())
        assert (row["orders"], row["cancelled_orders"]) == (
            kept.standing.orders,
            kept.standing.cancelled,
        )
    return (
        {row["customer"]: {k: v for k, v in row.items() if k != "ledger"} for row in people},
        {(row["customer"], row["item_id"]): dict(row) for row in items},
    )


def recompute_profile(customer: int, events: Sequence[Event]) -> dict[str, object]:
    """The profile from the whole history at once."""
    orders = [e for e in events if e.name == Name.ORDER_COMPLETED]
    refunds = [e for e in events if e.name == Name.ORDER_REFUNDED]

    def is_cancelled(order: Event) -> bool:
        if order.order_id is None:
            return False
        ordered = [e.amount_cents for e in orders if e.order_id == order.order_id]
        back = sum(e.amount_cents or 0 for e in refunds if e.order_id == order.order_id)
        known = [x for x in ordered if x is not None]
        return bool(known) and back > 0 and back >= sum(known)

    first: dict[object, Event] = {}
    for each in sorted(orders, key=lambda e: e.occurred_at):  # parts of one order are one order
        first.setdefault(each.order_id or id(each), each)
    kept = [e.occurred_at for e in first.values() if not is_cancelled(e)]
    places = [(e.occurred_at, e.country) for e in events if e.country]
    newest = max((at for at, _ in places), default=None)
    back = sum(e.amount_cents or 0 for e in refunds)
    return {
        "customer": customer,
        "events": len(events),
        "views": sum(e.name == Name.PRODUCT_VIEWED for e in events),
        "carts": sum(e.name == Name.PRODUCT_ADDED for e in events),
        "searches": sum(e.name == Name.PRODUCTS_SEARCHED for e in events),
        "orders": len(kept),
        "cancelled_orders": len(first) - len(kept),
        "refunds": len(refunds),
        "revenue_cents": sum(e.amount_cents or 0 for e in orders) - back,
        "refund_cents": back,
        "first_seen_at": min(e.occurred_at for e in events),
        "last_seen_at": max(e.occurred_at for e in events),
        "first_order_at": min(kept, default=None),
        "last_order_at": max(kept, default=None),
        "country": min((c for at, c in places if at == newest), default=None),
        "country_at": newest,
    }


def recompute_history(customer: int, item_id: str, events: Sequence[Event]) -> dict[str, object]:
    """What a customer did with one item, from the whole history at once."""
    touched = [e for e in events if any(x.item_id == item_id for x in e.lines)]

    def pick(name: Name) -> list[Event]:
        return [e for e in touched if e.name == name]

    def units(name: Name) -> int:
        return sum(x.quantity for e in pick(name) for x in e.lines if x.item_id == item_id)

    bought = pick(Name.ORDER_COMPLETED)
    wanted = [*pick(Name.PRODUCT_ADDED), *pick(Name.WISH_ADDED)]
    seen = [*bought, *pick(Name.PRODUCT_VIEWED), *wanted]
    returned = units(Name.ORDER_REFUNDED)
    return {
        "customer": customer,
        "item_id": item_id,
        "views": len(pick(Name.PRODUCT_VIEWED)),
        "carts": len(wanted),
        "orders": len(bought),
        "quantity": units(Name.ORDER_COMPLETED) - returned,
        "returned": returned,
        "last_at": max((e.occurred_at for e in seen), default=None),
        "last_order_at": max((e.occurred_at for e in bought), default=None),
    }


def recompute(
    events: Sequence[Event], owner: Mapping[int, int]
) -> tuple[dict[int, object], dict[tuple[int, str], object]]:
    people: dict[int, object] = {}
    items: dict[tuple[int, str], object] = {}
    subjects = [e for e in events if e.subject is not None and e.name not in SYSTEM_EVENTS]
    for customer in {owner.get(e.subject, e.subject) for e in subjects}:
        mine = [e for e in subjects if owner.get(e.subject, e.subject) == customer]
        people[customer] = recompute_profile(customer, mine)
        kinds = (Name.PRODUCT_VIEWED, Name.PRODUCT_ADDED, Name.WISH_ADDED, *MONEY)
        for item_id in {x.item_id for e in mine if e.name in kinds for x in e.lines}:
            items[customer, item_id] = recompute_history(customer, item_id, mine)
    return people, items


@settings(max_examples=60, deadline=None)
@given(history=HISTORIES, data=st.data())
def test_rows_equal_a_batch_recomputation_in_any_order_of_arrival(
    store: Store, history: list[Event], data: st.DataObject
):
    empty(store)
    arrived = data.draw(st.permutations(history))
    cut = data.draw(st.integers(0, len(arrived)))
    store.log.append(arrived[:cut])
    store.log.append(arrived[cut:])
    assert read_rows(store) == recompute(history, IDENTITY)


@settings(max_examples=20, deadline=None)
@given(history=HISTORIES)
def test_rebuild_after_a_merge_equals_a_batch_recomputation(store: Store, history: list[Event]):
    empty(store)
    store.log.append(history)
    with store.write() as tx:
        tx.execute(update(identity).where(identity.c.subject == 2).values(customer=1))
        store.rebuild(profiles.PROJECTIONS, [1, 2], tx)
    assert read_rows(store) == recompute(history, {**IDENTITY, 2: 1})


@settings(max_examples=15, deadline=None)
@given(history=HISTORIES)
def test_profile_and_features_agree_on_orders_and_money(store: Store, history: list[Event]):
    empty(store)
    store.log.append(history)
    names = ["frequency", "first_order_days", "recency_days", "country", "tenure_days"]
    end = START + timedelta(days=10)
    with store.analytics(engine="duckdb") as analytics:
        table = compute_features(analytics, end, names=names).to_pylist()
    people, _ = read_rows(store)
    known = {c: row for c, row in people.items() if c in IDENTITY.values()}
    assert {row["customer"] for row in table} == known.keys()
    for row in table:
        profile = known[row["customer"]]
        assert row["frequency"] == profile["orders"]
        assert row["country"] == profile["country"]
        for feature, column in (
            ("recency_days", "last_order_at"),
            ("first_order_days", "first_order_at"),
            ("tenure_days", "first_seen_at"),
        ):
            moment = profile[column]
            expected = None if moment is None else (end - moment) / timedelta(days=1)
            assert row[feature] == expected


def test_a_refund_that_arrives_before_its_order_cancels_it_all_the_same(store: Store):
    empty(store)
    line = (Line("cup", 3, 100, 300),)
    order = Event(
        event_id="o",
        name=Name.ORDER_COMPLETED,
        occurred_at=START,
        received_at=START,
        subject=1,
        order_id="A",
        amount_cents=300,
        lines=line,
    )
    refund = structs.replace(
        order, event_id="r", name=Name.ORDER_REFUNDED, occurred_at=START + timedelta(days=1)
    )
    store.log.append([refund])
    store.log.append([order])
    with store.read() as tx:
        profile = profiles.get_profile(tx, 1)
        (item,) = profiles.read_history(tx, 1, 10)
    assert profile is not None
    assert (profile.orders, profile.cancelled_orders, profile.revenue_cents) == (0, 1, 0)
    assert profile.last_order_at is None
    assert (item.orders, item.quantity, item.last_at) == (1, 0, START)
