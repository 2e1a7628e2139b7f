"""A store with everything that messages need, and customers in it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lingxi.app.rooms import METADATAS, PROJECTIONS
from lingxi.clock import FixedClock
from lingxi.config import ConsentSettings, MessagingSettings, Settings
from lingxi.ingest import resolve_subjects
from lingxi.messaging import Message, message_id
from lingxi.store import Store
from messaging.sender_bench import Bench

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""A Monday."""


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of a shop on SQLite, in which nothing has happened."""
    return Settings(folder=tmp_path)


@pytest.fixture
def store(settings: Settings, clock: FixedClock) -> Iterator[Store]:
    opened = Store.open(settings, clock, projections=PROJECTIONS, tables=METADATAS)
    yield opened
    opened.close()


@pytest.fixture
def add_customer(store: Store) -> Callable[..., int]:
    """Makes a customer with these traits and answers the surrogate."""

    def add(name: str, **traits: str) -> int:
        from lingxi.profiles import put_traits

        customer = resolve_subjects(store, "user_id", [name], known=True)[name]
        if traits:
            put_traits(store, customer, traits)
        return customer

    return add


def make_message(customer: int, key: str = "1", **changes: object) -> Message:
    """A marketing e-mail, queued at noon."""
    values: dict[str, object] = {
        "id": message_id("run", key, 1),
        "customer": customer,
        "channel": "email",
        "template": "hello",
        "queued_at": NOON,
        "category": "news",
        **changes,
    }
    return Message(**values)  # type: ignore[arg-type]


@pytest.fixture
def bench(store: Store, clock: FixedClock) -> Iterator[Bench]:
    made = Bench(store, clock)
    yield made
    for sender in made.senders:
        sender.close()


@pytest.fixture
def remake(settings: Settings, clock: FixedClock) -> Iterator[Callable[..., Bench]]:
    """A bench whose settings of messages are others."""
    made: list[Bench] = []

    def make(consent: str = "assumed", **changes: Any) -> Bench:
        changed = replace(
            settings,
            messaging=replace(MessagingSettings(), **changes),
            consent=ConsentSettings(marketing=consent),
        )
        opened = Store.open(changed, clock, projections=PROJECTIONS, tables=METADATAS)
        made.append(Bench(opened, clock))
        return made[-1]

    yield make
    for each in made:
        each.sender.close()
        each.store.close()
