"""What was shown goes into the log: at once where chance had a say, within a second otherwise.

A list without exploration is put into a bounded queue that a thread of its own commits; one that a
crash takes with it was never an exposure. A list with exploration is committed before it is shown,
since its propensities must not be lost.
"""

import logging
import math
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from threading import Condition, Lock, Thread
from typing import TYPE_CHECKING

from lingxi.errors import LingxiError
from lingxi.schema import Event, Line, Name, Scalar

if TYPE_CHECKING:
    from datetime import datetime

    from lingxi.app.views import RecommendedItem
    from lingxi.recommend.placements.listing import Listed
    from lingxi.store import Store

log = logging.getLogger(__name__)

MOST_WAITING = 20_000
_BATCH = 100
_PAUSE_SECONDS = 0.5
_STOP_SECONDS = 10.0


class ServedLog:
    """Takes lists that were shown, or are about to be; closed, it commits what waits."""

    def __init__(self, store: "Store") -> None:
        self._store = store
        self._waiting: deque[Event] = deque()
        self._urgent: deque[tuple[Event, Future[None]]] = deque()
        self._wake, self._flushing = Condition(), Lock()
        self._thread: Thread | None = None
        self._closing = False
        self.lost = 0
        """Lists that there was no room for, or that the store refused."""

    def put(self, event: Event) -> None:
        """Take a list without exploration; it is dropped and counted where there is no room."""
        with self._wake:
            if len(self._waiting) >= MOST_WAITING:
                self.lost += 1
                return
            self._waiting.append(event)
            if not self._start() and len(self._waiting) == _BATCH:
                self._wake.notify()  # a few now hold requests up less than many at once later

    def commit(self, event: Event) -> None:
        """Put a list on disk before it is shown; those that come together share a commit.

        Raises
        ------
        StoreBusy, StoreUnavailable
            If it cannot be: then it must not be shown.
        """
        with self._wake:
            promise = None if self._closing else Future[None]()
            if promise is not None:
                self._urgent.append((event, promise))
                self._start()
                self._wake.notify()
        if promise is None:
            self._store.log.append([event])
        else:
            promise.result()

    def flush(self) -> None:
        """Commit what waits now; on return it is in the log, in the order in which it came.

        What comes meanwhile waits for the next time: under load there would be no end of it, in
        commits of a few lists each, every one of which makes readers ask everything again.
        """
        with self._flushing:
            left = len(self._waiting)
            while self._urgent or left > 0:
                promised, batch = self._take(left)
                left -= len(batch)
                self._append(promised, batch)

    def _append(
        self, promised: Sequence[tuple[Event, "Future[None]"]], batch: Sequence[Event]
    ) -> None:
        try:
            self._store.log.append([*(event for event, _ in promised), *batch])
        except Exception as error:
            for _, promise in promised:
                promise.set_exception(error)
            self.lost += len(batch)
            if batch or not isinstance(error, LingxiError):
                log.warning("%d lists shown are not in the log: %s", len(batch), error)
        else:
            for _, promise in promised:
                promise.set_result(None)

    def _take(self, most: int) -> tuple[list[tuple[Event, "Future[None]"]], list[Event]]:
        """What is committed next: lists that are about to be shown, then those that were."""
        with self._wake:
            promised = [self._urgent.popleft() for _ in range(min(_BATCH, len(self._urgent)))]
            room = min(_BATCH - len(promised), most, len(self._waiting))
            return promised, [self._waiting.popleft() for _ in range(room)]

    def _start(self) -> bool:
        """Start the thread, if it is not there yet."""
        if self._thread is not None:
            return False
        self._thread = Thread(target=self._run, name="lingxi-served", daemon=True)
        self._thread.start()
        return True

    def close(self) -> None:
        """Commit what waits and stop."""
        with self._wake:
            self._closing = True
            self._wake.notify()
            thread = self._thread
        if thread is not None:
            thread.join(_STOP_SECONDS)
        self.flush()

    def _run(self) -> None:
        while True:
            with self._wake:
                if not self._closing and not self._urgent and len(self._waiting) < _BATCH:
                    self._wake.wait(_PAUSE_SECONDS)
                closing = self._closing
            self.flush()
            if closing:
                return


def describe_list(listed: "Listed") -> dict[str, Scalar]:
    """What the log keeps of a placement's list, besides its items and whose it was.

    ``propensities`` are those of the positions, as texts that read back exactly; ``explored`` the
    positions (from 1) that exploration filled; ``sources`` what found each item.
    """
    entries = listed.entries
    told: dict[str, Scalar] = {
        "propensities": " ".join([repr(entry.propensity) for entry in entries]),
        "sources": " ".join([str(entry.strategy or "pin") for entry in entries]),
    }
    explored = [str(at) for at, entry in enumerate(entries, 1) if entry.explored]
    if explored:
        told["explored"] = " ".join(explored)
    if listed.log_propensity < 0:
        told["propensity"] = math.exp(listed.log_propensity)
    return told


def to_placement_event(
    list_id: str,
    placement: str,
    lines: tuple[Line, ...],
    told: Mapping[str, Scalar],
    *,
    subject: int | None,
    now: "datetime",
    version: str,
    experiment: str | None = None,
    arm: str | None = None,
) -> Event:
    """The event of a placement's list; the lines stand in the order of the positions, ``told`` is
    what ``describe_list`` tells."""
    properties: dict[str, Scalar] = {"placement": placement, "model": version, **told}
    if arm is not None:
        properties |= {"experiment": experiment, "arm": arm}
    return _to_event(list_id, lines, properties, subject, now)


def to_plain_event(
    list_id: str,
    items: "Sequence[RecommendedItem]",
    *,
    subject: int | None,
    now: "datetime",
    version: str,
) -> Event:
    """The event of a list that no placement made: nothing in it is left to chance."""
    properties: dict[str, Scalar] = {
        "model": version,
        "propensities": " ".join(["1.0"] * len(items)),
        "sources": " ".join([item.model for item in items]),
    }
    lines = tuple([Line(item.item_id) for item in items])
    return _to_event(list_id, lines, properties, subject, now)


def _to_event(
    list_id: str,
    lines: tuple[Line, ...],
    properties: dict[str, Scalar],
    subject: int | None,
    now: "datetime",
) -> Event:
    return Event(
        event_id=f"list:{list_id}",
        name=Name.RECOMMENDATIONS_SERVED.value,
        occurred_at=now,
        received_at=now,
        subject=subject,
        lines=lines,
        properties=properties,
        source="recommend",
    )
