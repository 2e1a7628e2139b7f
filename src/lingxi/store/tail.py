"""The log's end, past the lake, as Arrow: remembered, so that only what is new is converted."""

from threading import Lock
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, func, select

from lingxi.schema import EVENT_ROWS
from lingxi.store.codec import to_arrow
from lingxi.store.log import log_position, read_events
from lingxi.store.tables import event

_EVERYTHING = 2**62
_MOST_BYTES = 64 * 1024 * 1024


class _Held(NamedTuple):
    """The events past ``start`` up to ``end``: how many, the id of the last, and their rows."""

    start: int
    end: int
    events: int
    last: str | None
    rows: pa.Table


_NOTHING = _Held(0, 0, 0, None, pa.Table.from_batches([], schema=EVENT_ROWS))


class Tail:
    """What this process has converted of the log's end; for any number of threads.

    A log only grows, but for events that are taken back or erased: these are missed when the rest
    is counted, and everything is converted again. What is answered is always what the transaction
    itself holds.
    """

    def __init__(self) -> None:
        self._held = _NOTHING
        self._lock = Lock()

    def read(self, tx: Connection, after: int) -> pa.Table:
        """``EVENT_ROWS`` of the events past a position, as the transaction sees them."""
        end = log_position(tx)
        with self._lock:
            held = self._held
        known = self._reuse(tx, held, after, end)
        new = read_events(tx, after=known.end, limit=_EVERYTHING)
        if not new:
            found = known._replace(end=end)
        else:
            rows = pa.concat_tables([known.rows, to_arrow(new)]).combine_chunks()
            found = _Held(after, end, known.events + len(new), new[-1].event_id, rows)
        with self._lock:
            if found.rows.nbytes > _MOST_BYTES:
                self._held = _NOTHING
            elif self._held.end <= found.end:
                self._held = found
        return found.rows

    @staticmethod
    def _reuse(tx: Connection, held: _Held, after: int, end: int) -> _Held:
        """What is held, from ``after`` on, if it is all that the transaction sees there."""
        nothing = _Held(after, after, 0, None, _NOTHING.rows)
        if not held.start <= after < held.end <= end:
            return nothing
        rows, events = held.rows, held.events
        if held.start < after:
            rows = rows.filter(pc.field("position") > after).combine_chunks()
            events = rows.filter(pc.field("line") == 0).num_rows
        if events == 0:
            return nothing
        c = event.c
        there = select(func.count(), func.max(c.position))
        count, last = tx.execute(there.where(c.position > after, c.position <= held.end)).one()
        if count != events:
            return nothing
        name = tx.execute(select(c.event_id).where(c.position == last)).scalar()
        return (
            held._replace(start=after, events=events, rows=rows) if name == held.last else nothing
        )
