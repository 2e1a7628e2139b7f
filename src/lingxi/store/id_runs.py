"""Runs of hashed ids: the ids of so many positions of the log, sorted by hash, written once.

A run in the database holds each id's hash of 64 bits and its place in the run: ten bytes an id. In
memory only the hash's first 44 bits are kept with the number of the run, in a few arrays whose
sizes are powers of eight: eight bytes an id, each sorted some times in its life.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from threading import Thread

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, bindparam, select

from lingxi.store.id_snapshot import digest_run, find_place, read_snapshot, write_beside
from lingxi.store.keyed import insert_or_ignore
from lingxi.store.prepared import Prepared
from lingxi.store.tables import event, id_run, is_message

RUN = 65_536
"""Positions of a run; run ``n`` holds those from ``n * RUN + 1`` on."""
_WIDTH = 8
_NUMBER_BITS = 20
_HASH_BITS = 2**64 - 2**_NUMBER_BITS
_HASH = np.uint64(_HASH_BITS)
_NUMBER = np.uint64(2**_NUMBER_BITS - 1)
_FAN = 8
FEW_ASKED = 16
"""Ids that are faster looked for one by one than all at once in numpy's steps."""
_KEPT_EVERY = 32
"""Runs that are closed, two million ids, before the snapshot is written anew."""
_REMEMBERED = 16
"""Runs read from the database that are kept: who sends again sends what came together."""
Words = npt.NDArray[np.uint64]
_ONE = Prepared(select(id_run.c.ids).where(id_run.c.number == bindparam("number")), "number")
_SOME = Prepared(
    select(id_run.c.number, id_run.c.ids)
    .where(id_run.c.number >= bindparam("first"))
    .order_by(id_run.c.number)
    .limit(bindparam("most")),
    "first",
    "most",
)
_IDS = Prepared(
    select(event.c.position, event.c.event_id)
    .where(event.c.position > bindparam("after"), event.c.position <= bindparam("upto"))
    .order_by(event.c.position),
    "after",
    "upto",
)


def digest(event_id: str) -> bytes:
    """Eight bytes that stand for an id."""
    try:
        text = event_id.encode()
    except UnicodeEncodeError:
        text = event_id.encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=_WIDTH).digest()


def to_words(digests: Iterable[bytes]) -> Words:
    """Digests as numbers: shape (n,), uint64."""
    return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64, copy=False)


def pack_run(words: Words, positions: npt.ArrayLike) -> bytes:
    """A run as it is written: the hashes in their order, then the place of each in the run."""
    order = np.argsort(words, kind="stable")
    places = ((np.asarray(positions, dtype=np.int64) - 1) % RUN).astype("<u2")
    return words[order].astype("<u8").tobytes() + places[order].tobytes()


def unpack_run(number: int, ids: bytes) -> tuple[Words, npt.NDArray[np.int64]]:
    """The hashes of a run, sorted, and the position of each."""
    n = len(ids) // (_WIDTH + 2)
    words = np.frombuffer(ids, "<u8", count=n).astype(np.uint64, copy=False)
    places = np.frombuffer(ids, "<u2", count=n, offset=n * _WIDTH)
    return words, places.astype(np.int64) + number * RUN + 1


def write_run(connection: Connection, number: int, ids: bytes) -> None:
    """Keep a run; one that is there already stays."""
    row = {"number": number, "ids": ids}
    connection.execute(insert_or_ignore(connection, id_run, key=id_run.c.number), [row])


def read_ids(connection: Connection, after: int, upto: int) -> Iterator[tuple[int, str]]:
    """Positions and ids of the messages past one position up to another, in their order."""
    for position, event_id in _IDS.fetch(connection, after, upto):
        if is_message(event_id):
            yield position, event_id


def read_runs(connection: Connection, number: int = 0) -> Iterator[tuple[int, bytes]]:
    """The runs from one on, the first if not told, as far as none is missing."""
    most = 16
    while rows := _SOME.fetch(connection, number, most):
        for found, ids in rows:
            if found != number:
                return
            yield number, ids
            number += 1


class Runs:
    """The closed runs of a log, in memory."""

    def __init__(self) -> None:
        self.closed = 0
        """How many runs there are; they are numbered from 0."""
        self._sorted: list[tuple[int, Words]] = []
        self._held: dict[int, bytes] = {}
        self._read: dict[int, bytes] = {}
        self._place: Path | None = None
        self._kept = 0
        self._keeping: Thread | None = None

    def load(self, connection: Connection) -> None:
        """Read all that are written, those before the last few from the snapshot beside them."""
        self._place = find_place(connection.engine)
        self._load_snapshot(connection)
        parts = []
        for number, ids in read_runs(connection, self.closed):
            parts.append(_mark(unpack_run(number, ids)[0], number))
            self.closed = number + 1
        if parts:
            words = np.concatenate(parts)
            words.sort()
            level = 0
            while _FAN ** (level + 1) * RUN <= len(words):
                level += 1
            self._sorted.append((level, words))
            self._sorted.sort(key=lambda part: -part[0])
            self._merge()

    def _load_snapshot(self, connection: Connection) -> None:
        found = None if self._place is None else read_snapshot(self._place)
        if found is None or not found[0]:
            return
        runs, last, parts = found
        rows = _ONE.fetch(connection, runs - 1)
        if rows and digest_run(rows[0][0]) == last:
            self.closed = self._kept = runs
            self._sorted = parts

    def keep(self, connection: Connection) -> None:
        """Have the snapshot written anew, in a thread, once many runs were closed since; from a
        transaction that sees them."""
        if self._place is None or self._held or self.closed - self._kept < _KEPT_EVERY:
            return
        if self._keeping is not None and self._keeping.is_alive():
            return
        rows = _ONE.fetch(connection, self.closed - 1)
        if rows:
            self._kept = self.closed
            last = digest_run(rows[0][0])
            self._keeping = write_beside(self._place, self.closed, last, list(self._sorted))

    def close(self, words: Words, positions: npt.ArrayLike) -> None:
        """Add the next run; it is kept here until ``write`` has put it into the database."""
        number = self.closed
        self._held[number] = pack_run(words, positions)
        self.closed += 1
        marked = _mark(words, number)
        marked.sort()
        self._sorted.append((0, marked))
        self._merge()

    def _merge(self) -> None:
        while self._count_last() == _FAN:
            level = self._sorted[-1][0] + 1
            merged = np.concatenate([part for _, part in self._sorted[-_FAN:]])
            merged.sort()
            self._sorted[-_FAN:] = [(level, merged)]

    def _count_last(self) -> int:
        level = self._sorted[-1][0]
        return sum(each == level for each, _ in self._sorted[-_FAN:])

    def write(self, connection: Connection, most: int) -> list[int]:
        """Write runs that are not in the database yet; call ``written`` after the commit."""
        numbers = sorted(self._held)[:most]
        for number in numbers:
            write_run(connection, number, self._held[number])
        return numbers

    def written(self, numbers: Iterable[int]) -> None:
        """These runs are on disk: they need not be held any longer."""
        for number in numbers:
            self._held.pop(number, None)

    def find(self, connection: Connection, words: Words) -> Iterator[int]:
        """The positions of ids with one of these hashes, which are sorted."""
        if len(words) <= FEW_ASKED:
            yield from self._find_few(connection, words)
            return
        probes = words & _HASH
        for _, part in self._sorted:
            if not len(part):
                continue
            places = np.searchsorted(part, probes)
            # past the end nothing can equal what is greater than the last
            nearest = part[np.minimum(places, len(part) - 1)]
            hits = np.flatnonzero(nearest & _HASH == probes)
            for hit in hits.tolist():
                place = int(places[hit])
                while place < len(part) and part[place] & _HASH == probes[hit]:
                    number = int(part[place] & _NUMBER)
                    yield from self._locate(connection, number, words[hit])
                    place += 1

    def _find_few(self, connection: Connection, words: Words) -> Iterator[int]:
        parts = [part.data for _, part in self._sorted]
        for word in words:
            probe = int(word & _HASH)
            for part in parts:
                place = bisect_left(part, probe)
                while place < len(part) and part[place] & _HASH_BITS == probe:
                    number = part[place] & ~_HASH_BITS
                    yield from self._locate(connection, number, word)
                    place += 1

    def _locate(self, connection: Connection, number: int, word: np.uint64) -> Iterator[int]:
        words, positions = unpack_run(number, self._get(connection, number))
        first, last = np.searchsorted(words, word), np.searchsorted(words, word, side="right")
        yield from positions[first:last].tolist()

    def _get(self, connection: Connection, number: int) -> bytes:
        ids = self._held.get(number) or self._read.get(number)
        if ids is None:
            rows = _ONE.fetch(connection, number)
            if not rows:  # this transaction began before the run was written
                found = list(read_ids(connection, number * RUN, (number + 1) * RUN))
                return pack_run(to_words(digest(i) for _, i in found), [p for p, _ in found])
            ids = rows[0][0]
            while len(self._read) >= _REMEMBERED:
                del self._read[next(iter(self._read))]
            self._read[number] = ids
        return ids


def _mark(words: Words, number: int) -> Words:
    return (words & _HASH) | np.uint64(number)
