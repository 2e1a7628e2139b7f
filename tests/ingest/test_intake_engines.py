"""The intake on both engines: what it keeps and derives is the same, and equals the log folded."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from ingest.conftest import NOW
from lingxi.app.rooms import METADATAS, PROJECTIONS
from lingxi.clock import FixedClock
from lingxi.config import Settings, StoreSettings
from lingxi.ingest.counts import last_seen, list_counts
from lingxi.ingest.intake import Intake
from lingxi.ingest.message import Message
from lingxi.store import Store
from lingxi.store.tables import identity

Rows = dict[str, list[tuple[object, ...]]]


def open_store(folder: Path, url: str = "") -> Store:
    settings = Settings(folder=folder, store=StoreSettings(url=url))
    return Store.open(settings, FixedClock(NOW), projections=PROJECTIONS, tables=METADATAS)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.engine)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    make: Callable[[], str] = str
    if request.param == "postgresql":
        make = request.getfixturevalue("new_database")
    made = open_store(tmp_path / "shop", make())
    yield made
    made.close()


def make_history(seed: int) -> list[Message]:
    """Visits of a few people over some days: views, carts, orders, refunds, logins, repetitions."""
    rng = random.Random(seed)
    bodies: list[dict[str, object]] = []
    for number in range(300):
        who = rng.randrange(12)
        at = f"2026-02-{rng.randint(1, 27):02d}T{rng.randint(0, 23):02d}:00:00Z"
        products = [
            {"product_id": f"p{rng.randrange(6)}", "price": 5.0, "quantity": rng.randint(1, 3)}
            for _ in range(rng.randint(1, 3))
        ]
        body: dict[str, object] = {
            "messageId": f"m{number}",
            "timestamp": at,
            "anonymousId": f"a{who}",
            "userId": f"u{who}" if rng.random() < 0.4 else None,
            "context": {"location": {"country": rng.choice(["GB", "FR"])}},
        }
        order = {"order_id": f"o{rng.randrange(30)}", "products": products}
        kinds: list[dict[str, object]] = [
            {"type": "track", "event": "Product Viewed", "properties": products[0]},
            {"type": "track", "event": "Product Added", "properties": products[0]},
            {"type": "track", "event": "Products Searched", "properties": {"query": "cup"}},
            {"type": "page", "name": "Home"},
            {"type": "identify", "userId": f"u{who}", "traits": {"plan": "gold"}},
            {"type": "track", "event": "Order Completed", "properties": order},
            {"type": "track", "event": "Order Refunded", "properties": order},
            {"type": "track", "event": ""},
        ]
        bodies.append(body | rng.choices(kinds, [8, 4, 2, 3, 1, 3, 1, 1])[0])
    bodies += rng.choices(bodies, k=60)
    return [
        Message(body=body, raw=msgspec.json.encode(body), received_at=NOW, source=f"s{len(body)}")
        for body in bodies
    ]


def read_projections(store: Store) -> Rows:
    found: Rows = {}
    with store.read() as tx:
        for projection in PROJECTIONS:
            keys = list(projection.table.primary_key.columns)
            rows = tx.execute(sa.select(projection.table).order_by(*keys)).all()
            found[projection.name] = [tuple(row) for row in rows]
    return found


def take_all(store: Store, messages: list[Message], rng: random.Random) -> Intake:
    intake = Intake(store, store.settings, FixedClock(NOW))
    while messages:
        cut = rng.randint(1, 60)
        intake.take(messages[:cut])
        messages = messages[cut:]
    return intake


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_is_derived_in_batches_equals_the_log_folded_anew(store: Store, seed: int) -> None:
    take_all(store, make_history(seed), random.Random(seed))
    before = read_projections(store)
    assert all(before[name] for name in ("customer_profile", "item_history"))
    with store.write() as tx:
        everybody = set(tx.execute(sa.select(identity.c.customer)).scalars())
        store.rebuild(PROJECTIONS, everybody, tx)
    assert read_projections(store) == before


def test_counts_tell_what_became_of_every_message(store: Store) -> None:
    messages = make_history(4)
    take_all(store, messages, random.Random(4))
    with store.read() as tx:
        rows = list_counts(tx, since=NOW.replace(minute=0, second=0, microsecond=0))
        assert set(last_seen(tx)) == {m.source for m in messages}
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.outcome] = counts.get(row.outcome, 0) + row.n
    assert sum(counts.values()) == len(messages)
    messageids = {e.event_id for e in store.log.read() if e.event_id.startswith("web:m")}
    assert counts["stored"] == len({e for e in messageids if "#" not in e})
    assert min(counts[name] for name in ("stored", "duplicate", "dropped")) > 0


@pytest.mark.engine
def test_both_engines_derive_the_same(tmp_path: Path, new_database: Callable[[], str]) -> None:
    found = []
    for url in ("", new_database()):
        made = open_store(tmp_path / f"shop{len(found)}", url)
        take_all(made, make_history(5), random.Random(5))
        found.append(read_projections(made))
        made.close()
    assert found[0] == found[1]
