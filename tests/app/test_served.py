"""Lists that were shown on their way into the log."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from lingxi.app import served as module
from lingxi.app.shop import Shop
from lingxi.errors import StoreBusy
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


def test_lists_about_to_be_shown_share_a_commit_and_are_on_disk_when_it_returns() -> None:
    class Slow:
        """A log whose first commit ends when the other lists wait."""

        def append(self, events: list[Event]) -> None:
            end = time.monotonic() + 30
            while not committed and not have_come(events) and time.monotonic() < end:
                time.sleep(0.001)
            committed.append([each.event_id for each in events])

    def have_come(events: list[Event]) -> bool:
        return len(events) + len(mine._urgent) == 9

    def show(event_id: str) -> None:
        mine.commit(shown(event_id))
        assert any(event_id in batch for batch in committed)

    committed: list[list[str]] = []
    mine = module.ServedLog(SimpleNamespace(log=Slow()))
    with ThreadPoolExecutor(9) as pool:
        for job in [pool.submit(show, f"list:{at}") for at in range(9)]:
            job.result()
    mine.close()
    assert len(committed) <= 2
    assert sum(map(len, committed)) == 9
    mine.commit(shown("list:last"))  # after closing, alone
    assert committed[-1] == ["list:last"]


def test_a_list_that_cannot_be_committed_is_not_shown_and_the_next_one_is() -> None:
    class Failing:
        failures = 1

        def append(self, _events: list[Event]) -> None:
            if self.failures:
                self.failures -= 1
                raise StoreBusy("later")

    mine = module.ServedLog(SimpleNamespace(log=Failing()))
    with pytest.raises(StoreBusy, match="later"):
        mine.commit(shown("list:first"))
    mine.commit(shown("list:second"))
    assert mine.lost == 0
    mine.close()


def shown(event_id: str) -> Event:
    return Event(event_id=event_id, name="x", occurred_at=NOW, received_at=NOW)
