"""Lists that were shown on their way into the log."""

import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from lingxi.app import served as module
from lingxi.app.shop import Shop
from lingxi.schema import Event

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_the_log_of_lists_drops_what_it_has_no_room_for(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 0)
    mine = module.ServedLog(shop.store)
    mine.put(shown("x"))
    assert mine.lost == 1
    mine.close()


def test_lists_that_come_while_others_are_committed_wait_for_the_next_commit() -> None:
    class Busy:
        """A log to which another list comes with every commit."""

        def append(self, events: list[Event]) -> None:
            committed.append([each.event_id for each in events])
            mine._waiting.append(events[0])

    committed: list[list[str]] = []
    mine = module.ServedLog(SimpleNamespace(log=Busy()))
    mine._waiting.extend(shown(str(at)) for at in range(150))
    mine.flush()
    assert [len(batch) for batch in committed] == [100, 50]
    assert committed[0][0] == "0"
    assert committed[1][-1] == "149"
    assert len(mine._waiting) == 2


def test_a_hundred_lists_are_committed_without_waiting(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 3600.0)
    mine, before = module.ServedLog(shop.store), shop.store.log.count()
    for at in range(100):
        mine.put(shown(f"list:hundred-{at}"))
    end = time.monotonic() + 30
    while shop.store.log.count() < before + 100 and time.monotonic() < end:
        time.sleep(0.01)
    assert shop.store.log.count() == before + 100
    mine.close()


def shown(event_id: str) -> Event:
    return Event(event_id=event_id, name="x", occurred_at=NOW, received_at=NOW)
