"""Stores to test with: on SQLite, and on a PostgreSQL that lives as long as the session."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec import structs
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Integer,
    MetaData,
    String,
    Table,
)

from lingxi.clock import FixedClock
from lingxi.config import Settings, StoreSettings
from lingxi.schema import Event, Line
from lingxi.store import Store
from lingxi.store.tables import Moment

START = datetime(2026, 3, 1, tzinfo=UTC)
metadata = MetaData()
profile = Table(
    "test_profile",
    metadata,
    Column("customer", BigInteger, primary_key=True, autoincrement=False),
    Column("events", Integer, nullable=False),
    Column("cents", Integer, nullable=False),
    Column("last_at", Moment, nullable=False),
    Column("trail", String, nullable=False),
)
history = Table(
    "test_history",
    metadata,
    Column("customer", BigInteger, primary_key=True, autoincrement=False),
    Column("item_id", String, primary_key=True),
    Column("quantity", Integer, nullable=False),
)
note = Table(
    "test_note",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("body", JSON),
    Column("at", Moment),
)


class Profile:
    """Depends on the order of the fold (``trail``), so that a wrong order shows."""

    name = "test_profile"
    table = profile

    def keys(self, _event: Event, customer: int) -> Iterable[tuple[int | str, ...]]:
        return [(customer,)]

    def update(
        self,
        row: Mapping[str, object] | None,
        event: Event,
        _customer: int,
        _key: tuple[int | str, ...],
    ) -> Mapping[str, object]:
        old = row or {"events": 0, "cents": 0, "trail": ""}
        return {
            "events": int(str(old["events"])) + 1,
            "cents": int(str(old["cents"])) + (event.amount_cents or 0),
            "last_at": event.occurred_at,
            "trail": f"{old['trail']}{event.event_id},",
        }


class History:
    """One row a customer and item."""

    name = "test_history"
    table = history

    def keys(self, event: Event, customer: int) -> Iterable[tuple[int | str, ...]]:
        return [(customer, line.item_id) for line in event.lines]

    def update(
        self,
        row: Mapping[str, object] | None,
        event: Event,
        _customer: int,
        key: tuple[int | str, ...],
    ) -> Mapping[str, object]:
        quantity = 0 if row is None else int(str(row["quantity"]))
        return {"quantity": quantity + sum(x.quantity for x in event.lines if x.item_id == key[1])}


_BLANK = Event(event_id="", name="", occurred_at=START, received_at=START)


def make_event(n: int, *, subject: int | None = 1, **fields: object) -> Event:
    """The n-th event, an hour after the one before it."""
    at = START + timedelta(hours=n)
    defaults: dict[str, object] = {
        "event_id": f"e{n}",
        "name": "Order Completed",
        "occurred_at": at,
        "received_at": at,
        "subject": subject,
        "amount_cents": 100 + n,
        "lines": tuple(Line(f"item{(n + k) % 5}", k + 1, 50, 50 * (k + 1)) for k in range(n % 3)),
    }
    event: Event = structs.replace(_BLANK, **{**defaults, **fields})
    return event


OpenStore = Callable[..., Store]


@pytest.fixture(scope="session")
def events() -> Callable[..., Event]:
    return make_event


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


def open_store(folder: Path, clock: FixedClock, url: str = "", timeout: float = 30.0) -> Store:
    settings = Settings(folder=folder, store=StoreSettings(url=url, lock_timeout_seconds=timeout))
    return Store.open(settings, clock, projections=[Profile(), History()], tables=[metadata])


@pytest.fixture
def sqlite_store(tmp_path: Path, clock: FixedClock) -> Iterator[Store]:
    store = open_store(tmp_path, clock)
    yield store
    store.close()


@pytest.fixture
def hasty_store(tmp_path: Path, clock: FixedClock) -> Iterator[Store]:
    """Waits a tenth of a second for a lock."""
    store = open_store(tmp_path, clock, timeout=0.1)
    yield store
    store.close()


@pytest.fixture
def postgres_url(new_database: Callable[[], str]) -> str:
    """A new, empty database."""
    return new_database()


@pytest.fixture
def postgres_store(tmp_path: Path, clock: FixedClock, postgres_url: str) -> Iterator[Store]:
    store = open_store(tmp_path, clock, postgres_url)
    yield store
    store.close()
