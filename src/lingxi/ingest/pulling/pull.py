"""Pulling: page after page into the log, each page's cursor in the transaction of its messages."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from lingxi.clock import Clock
from lingxi.errors import SourceUnavailable
from lingxi.ingest.files.told import adopt
from lingxi.ingest.intake import Intake
from lingxi.ingest.message import Dropped, Message, Outcome
from lingxi.ingest.pulling.source import Page, Source
from lingxi.ingest.pulling.state import PullRow, find_pull, put_pull
from lingxi.ingest.waiting import put_aside
from lingxi.ingest.wire.parcel import Body, read_part
from lingxi.ingest.wire.segment import normalise
from lingxi.store import Progress, Store, silent

SIZE = 500
_LONGEST_CURSOR = 4_000


class Pulled(msgspec.Struct, frozen=True):
    """What one pull came to; ``cursor`` is where the next goes on."""

    name: str
    stored: int
    duplicates: int
    dropped: int
    cursor: str


class _PageKeeper:
    """Keeps a page's cursor with the last of its messages; see ``lingxi.ingest.intake.Keeper``."""

    def __init__(self, store: Store, before: PullRow, page: Page, now: datetime) -> None:
        self.row = before
        self._store = store
        self._taken = 0
        self._n = len(page.messages)
        self._after = PullRow(
            before.name, page.cursor, now, before.messages + self._n, behind=page.behind
        )

    def keep(self, tx: Connection, outcomes: Sequence[Outcome], /) -> None:
        """What was dropped goes to quarantine; the cursor moves once all of the page is in."""
        dropped = [each.cleaned for each in outcomes if isinstance(each.cleaned, Dropped)]
        put_aside(self._store, tx, dropped)
        if self._taken + len(outcomes) == self._n:
            put_pull(tx, self._after)

    def kept(self, outcomes: Sequence[Outcome], /) -> None:
        """That part of the page is on disk."""
        self._taken += len(outcomes)
        if self._taken == self._n:
            self.row = self._after


def pull_source(
    store: Store,
    intake: Intake,
    clock: Clock,
    name: str,
    source: Source,
    *,
    n: int = SIZE,
    progress: Progress = silent,
) -> Pulled:
    """Pull everything that the source has now; each message counts once.

    Raises
    ------
    SourceUnavailable
        If it cannot be reached, or breaks its contract; what was pulled before stays.
    StoreBusy, StoreUnavailable
        If the database cannot be written.
    """
    with store.read() as tx:
        row = find_pull(tx, name) or PullRow(name, "", clock.now(), 0)
    results: list[str] = []
    more = True
    while more:
        try:
            page = check_page(source.pull(row.cursor, n), row.cursor, n)
        except SourceUnavailable as error:
            with store.write() as tx:
                put_pull(tx, msgspec.structs.replace(row, pulled_at=clock.now(), error=str(error)))
            raise
        keeper = _PageKeeper(store, row, page, clock.now())
        if page.messages:
            messages = [to_message(raw, name, clock.now()) for raw in page.messages]
            results += [each.result for each in intake.take(messages, keeper=keeper)]
        else:
            with store.write() as tx:
                keeper.keep(tx, ())
            keeper.kept(())
        row, more = keeper.row, page.more
        progress(f"Pulling {name}", len(results), None)
    return Pulled(
        name,
        stored=results.count("stored"),
        duplicates=results.count("duplicate"),
        dropped=results.count("dropped"),
        cursor=row.cursor,
    )


def to_message(raw: bytes, source: str, now: datetime) -> Message:
    """One pulled message, as the collector's door takes it."""
    part = read_part(raw, _adopt)
    return Message(
        body=part.body,
        raw=part.raw,
        received_at=now,
        source=source,
        trusted=True,
        recorded=True,
        refused=part.refused,
    )


def _adopt(body: Body) -> Body:
    return adopt(normalise(body, ""))


def check_page(page: Page, cursor: str, n: int) -> Page:
    """The page, if it keeps the contract.

    Raises
    ------
    SourceUnavailable
        If it does not; the message says how.
    """
    if len(page.messages) > n:
        problem = f"it gave {len(page.messages)} messages where at most {n} were asked for"
    elif len(page.cursor) > _LONGEST_CURSOR:
        problem = f"its cursor is longer than {_LONGEST_CURSOR:,} characters"
    elif page.more and page.cursor == cursor:
        problem = "it says that there is more, but its cursor does not move"
    elif page.messages and page.cursor == cursor:
        problem = "it gave messages, but its cursor does not move"
    else:
        return page
    raise SourceUnavailable(
        f"The source breaks its contract: {problem}. This is its author's to mend."
    )
