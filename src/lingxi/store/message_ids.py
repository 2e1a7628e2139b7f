"""Which messages are in the log already, exactly, without a tree of random ids on disk.

A message's id is random: in a tree of thirty million each new one changes a page of its own, which
is read, written to the write-ahead log and written again. So the log's own rows are the index's
last word, and what leads to them is kept in the order of arrival: the ids of each ``RUN`` positions
as one sorted block of hashes, written once, in memory as a few sorted arrays; those of the latest
ids in memory only, read from the log again at a start. A hash that is found says where to look;
whether the message is known is decided by comparing its id with the row's.

What is remembered follows from what is committed: ids that a transaction appends join it after the
commit, and what other processes appended is read from the log, under the write lock that keeps
anybody from adding more.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import RLock
from weakref import WeakKeyDictionary

import numpy as np
from sqlalchemy import Connection, Engine

from lingxi.store.counters import peek
from lingxi.store.engine import after_commit, is_writing
from lingxi.store.id_runs import RUN, Runs, digest, read_ids, to_words
from lingxi.store.keyed import fetch_by_keys
from lingxi.store.latest_ids import FEW, LatestIds
from lingxi.store.tables import event

_POSITIONS = "event"
_PENDING, _BASE = "lingxi_message_ids", "lingxi_log_base"
_OPEN = 2
"""Runs that may be full before the first of them is closed: who reads late finds them here."""
_WRITTEN_AT_ONCE = 2
_of_engines: "WeakKeyDictionary[Engine, MessageIds]" = WeakKeyDictionary()


@dataclass
class _Pending:
    """What one write transaction has asked and appended; nobody else appends before it ends."""

    transaction: object
    base: int
    last: int
    absent: dict[str, bytes] = field(default_factory=dict)
    """Messages that were not in the log before, with the hash that was looked for."""
    added: dict[str, int] = field(default_factory=dict)


class MessageIds:
    """The messages of one log, as one process knows them. Safe between threads."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._runs: Runs | None = None
        self._latest = LatestIds()
        self._upto = 0

    def find(self, connection: Connection, ids: Collection[str]) -> set[str]:
        """Those of these messages that are in the log, as this transaction sees it."""
        with self._lock:
            runs, pending = self._follow(connection)
            added, absent = (pending.added, pending.absent) if pending else ({}, {})
            wanted = set(ids)
            if not added and wanted <= absent.keys():
                return set()  # who appends asks again what was asked before
            places = {added[each] for each in wanted & added.keys()}
            strange = list(wanted - added.keys() - absent.keys())
            hashes = [digest(each) for each in strange]
            places.update(self._search(connection, runs, strange, hashes))
            keys = [(position,) for position in places]
            rows = fetch_by_keys(connection, [event.c.position], keys, [event.c.event_id])
            known = wanted.intersection([row[0] for row in rows])
            if pending is not None:
                absent.update(zip(strange, hashes, strict=True))
                for each in known.intersection(strange):
                    del absent[each]
            return known

    def _search(
        self, connection: Connection, runs: Runs, ids: Sequence[str], hashes: Sequence[bytes]
    ) -> Iterator[int]:
        """The positions where one of these ids may stand."""
        if ids:
            words = np.sort(to_words(hashes))
            yield from self._latest.find(ids, words)
            yield from runs.find(connection, words)

    def add(self, connection: Connection, places: Mapping[str, int], last: int) -> None:
        """Say at which positions this transaction has appended messages that ``find`` did not know,
        and the last position that it gave out."""
        with self._lock:
            runs, pending = self._follow(connection)
            if pending is None:
                raise RuntimeError("messages are appended by write transactions")
            if not pending.added:
                numbers = runs.write(connection, _WRITTEN_AT_ONCE)
                after_commit(connection, lambda: self._publish(pending, numbers))
            pending.added.update(places)
            pending.last = last

    def load(self, connection: Connection) -> None:
        """Read what it takes to answer, so that the first who asks need not wait for it."""
        with self._lock:
            self._follow(connection)

    def close_runs(self, connection: Connection) -> None:
        """Write every run that is full; of a log whose messages were not followed until now."""
        with self._lock:
            runs, _ = self._follow(connection)
            while numbers := runs.write(connection, _WRITTEN_AT_ONCE):
                runs.written(numbers)

    def _follow(self, connection: Connection) -> tuple[Runs, _Pending | None]:
        """Learn what was committed since; the note of this transaction, if it may append."""
        pending: _Pending | None = connection.info.get(_PENDING)
        transaction = connection.get_transaction()
        if self._runs is not None and pending and pending.transaction is transaction:
            return self._runs, pending
        base, writing = _read_base(connection), is_writing(connection)
        if self._runs is None or (writing and base < self._upto):
            self._latest = LatestIds()
            self._runs = Runs()
            self._runs.load(connection)
            self._upto = self._runs.closed * RUN
        self._runs.keep(connection)
        while self._upto < base:
            upto = min(base, self._upto + FEW)
            found = {i: position for position, i in read_ids(connection, self._upto, upto)}
            self._latest.put(found, list(map(digest, found)))
            self._move(self._runs, upto)
        if not writing:
            return self._runs, None
        pending = _Pending(transaction, base, base)
        connection.info[_PENDING] = pending
        return self._runs, pending

    def _move(self, runs: Runs, upto: int) -> None:
        """Everything up to a position is known; close the runs before the last full one."""
        self._upto = upto
        while upto // RUN - runs.closed >= _OPEN:
            runs.close(*self._latest.take((runs.closed + 1) * RUN))

    def _publish(self, pending: _Pending, numbers: Sequence[int]) -> None:
        """A transaction was committed: what it noted is so."""
        with self._lock:
            if self._runs is None:
                return
            self._runs.written(numbers)
            if self._upto == pending.base:  # else another thread has read them from the log
                hashes = list(map(pending.absent.__getitem__, pending.added))
                self._latest.put(pending.added, hashes)
                self._move(self._runs, pending.last)


def message_ids(connection: Connection) -> MessageIds:
    """The messages of the log that a connection leads to."""
    return _of_engines.setdefault(connection.engine, MessageIds())


def note_append(connection: Connection, last: int) -> None:
    """Say, before it appends, that the log ended at ``last`` when this transaction began."""
    transaction = connection.get_transaction()
    noted: tuple[object, int] | None = connection.info.get(_BASE)
    if noted is None or noted[0] is not transaction:
        connection.info[_BASE] = transaction, last


def _read_base(connection: Connection) -> int:
    """The last position that is committed, as this transaction sees it."""
    noted: tuple[object, int] | None = connection.info.get(_BASE)
    if noted is not None and noted[0] is connection.get_transaction():
        return noted[1]
    return peek(connection, _POSITIONS)
