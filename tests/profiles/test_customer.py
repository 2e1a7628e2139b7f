"""Reading, naming and forgetting a customer."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from lingxi import profiles
from lingxi.clock import FixedClock
from lingxi.config import Settings
from lingxi.errors import Conflict, InvalidInput
from lingxi.i18n.catalogue import LANGUAGES, load_catalogue
from lingxi.ingest.tables import metadata as ingest_metadata
from lingxi.ingest.tables import trait
from lingxi.profiles.read import NO_COUNTS, read_count_columns, read_counts
from lingxi.schema import Event, Line, Name
from lingxi.store import Store

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store.open(
        Settings(tmp_path),
        FixedClock(START),
        projections=profiles.PROJECTIONS,
        tables=[profiles.metadata, ingest_metadata],
    )
    yield made
    made.close()


def view(day: int, item_id: str = "cup", customer: int = 1) -> Event:
    at = START + timedelta(days=day)
    return Event(
        event_id=f"{customer}-{day}-{item_id}",
        name=Name.PRODUCT_VIEWED,
        occurred_at=at,
        received_at=at,
        subject=customer,
        lines=(Line(item_id),),
    )


def test_timeline_pages_meet_without_gap_or_overlap(store: Store):
    events = [view(day) for day in (3, 1, 4, 2, 0)] + [view(2, "dish")]
    store.log.append(events)
    seen, before = [], None
    while True:
        page = profiles.get_timeline(store, 1, before, 2)
        seen += page.events
        before = page.before
        if before is None:
            break
    days = ["4-cup", "3-cup", "2-dish", "2-cup", "1-cup", "0-cup"]
    assert [e.event_id for e in seen] == [f"1-{day}" for day in days]


def test_history_gives_the_latest_items_first_and_no_more_than_asked(store: Store):
    store.log.append([view(1, "cup"), view(5, "dish"), view(3, "lamp"), view(6, "fork", 2)])
    with store.read() as tx:
        history = profiles.read_history(tx, 1, 2)
    assert [(item.item_id, item.views) for item in history] == [("dish", 1), ("lamp", 1)]


def test_nobody_has_no_profile(store: Store):
    with store.read() as tx:
        assert profiles.get_profile(tx, 7) is None
        assert profiles.read_history(tx, 7, 5) == []
    assert profiles.get_timeline(store, 7) == profiles.Timeline((), None)


def test_traits_are_kept_encrypted_and_come_back(store: Store):
    profiles.put_traits(store, 1, {"name": "王芳", "email": "fang@example.org"})
    profiles.put_traits(store, 1, {"email": "", "phone": "+44 1"})
    assert profiles.get_traits(store, 1) == {"name": "王芳", "phone": "+44 1"}
    with store.read() as tx:
        kept = tx.execute(select(trait.c.value)).scalars().all()
    assert all("王芳".encode() not in (value or b"") for value in kept)
    assert all(b"+44" not in (value or b"") for value in kept)
    assert profiles.get_traits(store, 2) == {}


def test_traits_cannot_be_read_once_the_key_is_destroyed(store: Store):
    profiles.put_traits(store, 1, {"name": "Ann"})
    store.keyring.destroy([1])
    assert profiles.get_traits(store, 1) == {}
    with pytest.raises(Conflict):
        profiles.put_traits(store, 1, {"name": "Ann"})


@pytest.mark.parametrize("name", ["", "x" * 65])
def test_a_trait_needs_a_name_that_fits(store: Store, name: str):
    with pytest.raises(InvalidInput, match="1 to 64 characters"):
        profiles.put_traits(store, 1, {name: "Ann"})


def test_forget_leaves_nothing_of_some_and_all_of_others(store: Store):
    store.log.append([view(1), view(2, customer=2), view(1, "dish")])
    with store.write() as tx:
        assert profiles.forget(tx, frozenset({1, 9})) == 3
    with store.read() as tx:
        for table in profiles.metadata.sorted_tables:
            assert set(tx.execute(select(table.c.customer)).scalars()) == {2}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_column_of_the_profile_has_a_name(language: str):
    words = load_catalogue(language)
    shown = set(profiles.Profile.__dataclass_fields__) - {"customer"}
    assert all(words[f"profile.{name}"].singular for name in shown)


@pytest.mark.parametrize("n", [100, 5, 4, 2])
def test_a_history_by_column_holds_what_it_holds_by_row(store: Store, n: int) -> None:
    ids = ["cup", 'it\'s "quoted"', "\u83f6\\u0041", "pot", "bowl"]
    store.log.append([view(day, item_id) for day, item_id in enumerate(ids)])
    with store.read() as tx:
        rows = read_counts(tx, 1, n)
        columns = read_count_columns(tx, 1, n)
        assert sorted(zip(columns.item_ids, *columns.numbers.tolist(), strict=True)) == sorted(rows)
        assert len(rows) == min(n, len(ids))
        assert {row[0] for row in rows} == set(ids[-n:])
        assert read_count_columns(tx, 2, n) is NO_COUNTS
