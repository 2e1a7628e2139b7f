"""What every ``Source`` that is pulled from keeps to."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from lingxi.clock import FixedClock
from lingxi.config import Settings
from lingxi.ingest.cleaning import Rules, clean
from lingxi.ingest.intake import Intake
from lingxi.ingest.message import Cleaned
from lingxi.ingest.pulling import Page, Source, pull_source
from lingxi.ingest.pulling.pull import check_page, to_message
from lingxi.ingest.pulling.state import find_pull
from lingxi.ingest.tables import metadata
from lingxi.store import Store

NOW = datetime(2030, 1, 1, tzinfo=UTC)
_MOST_PAGES = 10_000


class SourceContract(ABC):
    """Subclass it, make your source in ``make`` and let ``add`` put a message more into it."""

    @abstractmethod
    def make(self) -> Source:
        """A source that holds five messages or more and, but for ``add``, does not change.

        Each call makes a new one over the same messages.
        """

    @abstractmethod
    def add(self) -> None:
        """Put one message more where the source finds it, after all others."""

    def walk(self, n: int, cursor: str = "") -> tuple[Sequence[bytes], str]:
        """Every message past a cursor, pulled ``n`` at a time, and the cursor at the end."""
        source = self.make()
        found: list[bytes] = []
        for _ in range(_MOST_PAGES):
            page = check_page(source.pull(cursor, n), cursor, n)
            found += page.messages
            cursor = page.cursor
            if not page.more:
                source.close()
                return found, cursor
        raise AssertionError(f"after {_MOST_PAGES:,} pages the source still has more")

    def test_it_holds_five_messages_or_more(self) -> None:
        """The contract says nothing of a source that gives nothing."""
        assert len(self.walk(100)[0]) >= 5

    def test_the_same_cursor_gives_the_same_page(self) -> None:
        """After a crash the last page is asked for again."""
        source = self.make()
        first = source.pull("", 2)
        assert source.pull("", 2) == first
        second = source.pull(first.cursor, 2)
        assert source.pull(first.cursor, 2) == second
        assert len(first.messages) <= 2
        source.close()

    @pytest.mark.parametrize("n", [1, 2, 3, 7])
    def test_the_size_of_pages_changes_neither_messages_nor_order(self, n: int) -> None:
        """Pages are a matter of convenience."""
        assert self.walk(n)[0] == self.walk(1_000)[0]

    def test_another_instance_goes_on_where_a_cursor_stands(self) -> None:
        """The cursor is all that is remembered from one process to the next."""
        whole = self.walk(1_000)[0]
        page = self.make().pull("", 3)
        assert isinstance(page, Page)
        rest, _ = self.walk(2, page.cursor)
        assert [*page.messages, *rest] == list(whole)

    def test_at_the_end_nothing_comes_twice(self) -> None:
        """Who asks at the end hears nothing, and may ask again."""
        _, cursor = self.walk(4)
        assert self.walk(4, cursor) == ([], cursor)

    def test_what_is_added_comes_next_and_alone(self) -> None:
        """The end is only the end so far."""
        whole, cursor = self.walk(4)
        self.add()
        more, after = self.walk(4, cursor)
        assert len(more) == 1
        assert self.walk(4, after)[0] == []
        assert self.walk(1_000)[0] == [*whole, *more]

    def test_every_message_is_one_that_cleaning_keeps(self) -> None:
        """A JSON object with a type or an event, whose it is, and when it was."""
        rules = Rules(currency="GBP", digits=2)
        for raw in self.walk(100)[0]:
            judged = clean(to_message(raw, "contract", NOW), rules)
            assert isinstance(judged, Cleaned), (
                f"cleaning sets this message aside ({judged.reason.value}, at {judged.step}): "
                f"{raw[:200]!r}"
            )

    def test_no_two_messages_count_as_one(self) -> None:
        """Each has a ``messageId`` of its own, or bytes that no other has."""
        messages = [to_message(raw, "contract", NOW) for raw in self.walk(100)[0]]
        ids = [str(message.body["messageId"]) for message in messages]
        assert len(set(ids)) == len(ids)

    def test_pulled_by_halves_each_message_is_in_the_log_once(self, tmp_path: Path) -> None:
        """One process stops after a page, another goes on, a third begins anew."""
        settings, clock = Settings(folder=tmp_path), FixedClock(NOW)
        store = Store.open(settings, clock, tables=[metadata])
        intake = Intake(store, settings, clock)
        first = self.make()
        messages = [to_message(raw, "contract", NOW) for raw in first.pull("", 2).messages]
        intake.take(messages)  # on disk, but the cursor was lost
        first.close()
        for _ in range(2):
            source = self.make()
            pull_source(store, intake, clock, "contract", source, n=2)
            source.close()
        stored = [event.event_id for event in store.log.read(limit=100_000)]
        wanted = [to_message(raw, "c", NOW).body["messageId"] for raw in self.walk(100)[0]]
        missing = {f"web:{each}" for each in wanted} - set(stored)
        assert not missing, f"{len(missing)} messages are not in the log, such as {min(missing)}"
        assert len(stored) == len(set(stored))
        with store.read() as tx:
            kept = find_pull(tx, "contract")
        assert kept is not None
        assert len(msgspec.json.encode(kept.cursor)) <= 4_002
        intake.close()
        store.close()
