"""The last messages taken in, in memory: what the live page shows and the trace of one of them."""

from collections.abc import Collection, Sequence
from threading import Lock

import msgspec

from lingxi.ingest.message import Cleaned, Dropped, Outcome

MOST_ENTRIES = 2_000
MOST_BYTES = 16 * 1024 * 1024
_OVERHEAD = 2_048
"""Bytes reckoned for an entry beside its raw bytes: the decoded body and the structs."""


class Seen(msgspec.Struct, frozen=True, gc=False):
    """One message with its number in this process; a later message has a greater number."""

    number: int
    outcome: Outcome
    size: int
    """Bytes that it is reckoned at."""


class Recent:
    """A ring bounded by entries and bytes; the oldest fall out first. Safe between threads.

    It is an observer of ``Intake``: call it with the outcomes of each commit.
    """

    def __init__(self, *, entries: int = MOST_ENTRIES, size_bytes: int = MOST_BYTES) -> None:
        self._entries, self._size = entries, size_bytes
        self._ring: dict[int, Seen] = {}
        self._new: list[tuple[int, Sequence[Outcome]]] = []
        self._waiting = self._waiting_bytes = 0
        self._bytes = 0
        self._last = 0
        self._lock = Lock()

    def __call__(self, outcomes: Sequence[Outcome]) -> None:
        """Remember a commit; of one larger than the ring only its last messages.

        Where many commits come between two looks, their messages are numbered and counted, and
        entered one by one only when somebody looks: most have fallen out by then.
        """
        latest = outcomes[-self._entries :]
        with self._lock:
            self._new.append((self._last, latest))
            self._last += len(latest)
            self._waiting += len(latest)
            self._waiting_bytes += _reckon(latest)
            while self._waiting - len(self._new[0][1]) >= self._entries:
                gone = self._new.pop(0)[1]
                self._waiting -= len(gone)
                self._waiting_bytes -= _reckon(gone)
            if self._waiting_bytes > self._size:
                self._enter()
            elif self._waiting >= self._entries:
                self._ring.clear()
                self._bytes = 0

    def _enter(self) -> None:
        """Put the commits that wait into the ring, and what is too old out of it."""
        ring, size = self._ring, self._bytes
        for number, outcomes in self._new:
            for outcome in outcomes:
                number += 1
                own = 4 * len(outcome.cleaned.message.raw) + _OVERHEAD
                ring[number] = Seen(number, outcome, own)
                size += own
        self._new.clear()
        self._waiting = self._waiting_bytes = 0
        oldest = iter(list(ring))
        while size > self._size or len(ring) > self._entries:
            size -= ring.pop(next(oldest)).size
        self._bytes = size

    def list(
        self,
        *,
        after: int = 0,
        source: str = "",
        name: str = "",
        result: str = "",
        customer: int | None = None,
        n: int = 100,
    ) -> Sequence[Seen]:
        """The newest ``n`` messages past the number ``after`` that fit, the newest first.

        ``name`` is the event's name; a dropped message has none.
        """
        with self._lock:
            self._enter()
            newest = list(reversed(self._ring.values()))
        found: list[Seen] = []
        for seen in newest:
            if seen.number <= after or len(found) == n:
                break
            outcome = seen.outcome
            if (
                (not source or outcome.cleaned.message.source == source)
                and (not result or outcome.result == result)
                and (customer is None or outcome.customer == customer)
                and (not name or _name(outcome) == name)
            ):
                found.append(seen)
        return found

    def get(self, number: int) -> Seen | None:
        """One message with its bytes and every step, or nothing once it fell out."""
        with self._lock:
            self._enter()
            return self._ring.get(number)

    def forget(self, subjects: Collection[int]) -> int:
        """Forget the messages of these subjects, and those that could not be attributed. How many.

        A dropped message says in its bytes whom it is about and nowhere else.
        """
        wanted = frozenset(subjects)
        with self._lock:
            self._enter()
            gone = [
                number
                for number, seen in self._ring.items()
                if seen.outcome.subject in wanted
                or seen.outcome.customer in wanted
                or seen.outcome.subject is None
            ]
            for number in gone:
                self._bytes -= self._ring.pop(number).size
        return len(gone)

    @property
    def size_bytes(self) -> int:
        """Bytes held, as reckoned against the bound."""
        with self._lock:
            self._enter()
            return self._bytes

    def __len__(self) -> int:
        with self._lock:
            self._enter()
            return len(self._ring)


def _reckon(outcomes: Sequence[Outcome]) -> int:
    raws = [outcome.cleaned.message.raw for outcome in outcomes]
    return 4 * sum(map(len, raws)) + _OVERHEAD * len(raws)


def _name(outcome: Outcome) -> str:
    match outcome.cleaned:
        case Cleaned(event=event):
            return event.name
        case Dropped():
            return ""
