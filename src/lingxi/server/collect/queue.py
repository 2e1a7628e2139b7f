"""The queue between the network and the disk: bounded, fair, committed in groups by one thread.

Requests put their messages in and wait; one thread takes everything that waits, up to a limit, and
gives it to the intake as one transaction, so that the price of one flush of the disk is shared.
Only once it returned are the requests answered. Sources take turns: one that sends thousands does
not hold up one that sends a few.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Protocol

import msgspec
import structlog
from sqlalchemy.exc import SQLAlchemyError

from lingxi.config import CollectSettings
from lingxi.errors import LingxiError, StoreBusy, StoreUnavailable
from lingxi.ingest.carried import Judged
from lingxi.ingest.message import Message, Outcome
from lingxi.ingest.reasons import DropReason
from lingxi.server.collect.counts import Counts
from lingxi.server.collect.room import Room

_TURN = 250
"""Messages of one source that are taken before the next source has its turn."""
_SWEEP_SECONDS = 0.25
_STOP_SECONDS = 15.0


class Taker(Protocol):
    """Takes messages in for good, in one transaction; ``lingxi.ingest.intake.Intake``."""

    def take(self, messages: Sequence[Message | Judged]) -> list[Outcome]:
        """Store all of them or raise StoreBusy or StoreUnavailable and store none."""
        ...


@dataclass(slots=True)
class Ticket:
    """One request that waits; its future gets nothing, or the error that kept it from the disk."""

    future: "asyncio.Future[LingxiError | None]"
    arrived: float
    remaining: int
    error: LingxiError | None = None


@dataclass(slots=True, frozen=True)
class Job:
    """Messages of one request, at most a turn's worth, on their way to the disk."""

    ticket: Ticket
    source: str
    messages: Sequence[Message | Judged]
    size: int


class Queue:
    """Bounded by count and by bytes; every method but the thread's own runs on the event loop."""

    def __init__(self, taker: Taker, settings: CollectSettings, counts: Counts) -> None:
        self._taker = taker
        self._settings = settings
        self._counts = counts
        self._room = Room(settings, counts)
        self._inbox: SimpleQueue[Job | None] = SimpleQueue()
        self._lines: dict[str, deque[Job]] = {}
        self._waiting: deque[Ticket] = deque()
        self._sweeping = False
        self._thread: Thread | None = None

    async def store(self, source: str, messages: Sequence[Message | Judged], size: int) -> None:
        """Wait until the messages are on disk, whether they are cleaned already or not.

        Parameters
        ----------
        size
            Bytes that they take.

        Raises
        ------
        RateLimited
            If the queue has no room, at once and without taking any of them.
        StoreBusy, StoreUnavailable
            If they could not be stored, or not within the patience of the settings. Some may have
            been; whoever sends them again does no harm.
        """
        if not messages:
            return
        self._room.admit(source, len(messages), size)
        self._start()
        loop = asyncio.get_running_loop()
        turns = range(0, len(messages), _TURN)
        ticket = Ticket(loop.create_future(), monotonic(), len(turns))
        self._waiting.append(ticket)
        if len(turns) == 1:
            self._inbox.put(Job(ticket, source, messages, size))
        else:
            for start in turns:
                part = messages[start : start + _TURN]
                self._inbox.put(Job(ticket, source, part, size * len(part) // len(messages)))
        if not self._sweeping:
            self._sweeping = True
            loop.call_later(_SWEEP_SECONDS, self._sweep)
        error = await ticket.future
        if error is not None:
            raise error

    def close(self) -> None:
        """Store what waits, then stop; what takes longer than 15 seconds is given up."""
        if self._thread is not None:
            self._inbox.put(None)
            self._thread.join(_STOP_SECONDS)
            self._thread = None

    def _start(self) -> None:
        if self._thread is None:
            self._thread = Thread(target=self._run, name="lingxi-collect", daemon=True)
            self._thread.start()

    def _sweep(self) -> None:
        """Give up on requests that have waited too long; their clients send again."""
        waiting, limit = self._waiting, monotonic() - self._settings.patience_seconds
        while waiting and (waiting[0].future.done() or waiting[0].arrived <= limit):
            ticket = waiting.popleft()
            if not ticket.future.done():
                self._counts.refuse("too_slow", 1)
                ticket.future.set_result(
                    StoreBusy("The shop's database takes too long to store the events.")
                )
        self._sweeping = bool(waiting)
        if waiting:
            asyncio.get_running_loop().call_later(_SWEEP_SECONDS, self._sweep)

    def _settle(self, jobs: Sequence[Job], error: LingxiError | None) -> None:
        for job in jobs:
            self._room.leave(job.source, len(job.messages), job.size)
            ticket = job.ticket
            ticket.remaining -= 1
            ticket.error = ticket.error or error
            if not ticket.remaining and not ticket.future.done():
                ticket.future.set_result(ticket.error)

    def _run(self) -> None:
        """The thread: take what waits, store it, let its requests go; until told to stop."""
        going = True
        while going or self._lines:
            going = self._collect() and going
            jobs = self._choose()
            if jobs:
                error = self._commit([job for job in jobs if not job.ticket.future.done()])
                self._release(jobs, error)

    def _collect(self) -> bool:
        """Stand every job in its source's line; wait for one if there is none. False: stop."""
        try:
            job = self._inbox.get(block=not self._lines)
            while job is not None:
                line = self._lines.get(job.source)
                if line is None:
                    self._lines[job.source] = deque((job,))
                else:
                    line.append(job)
                job = self._inbox.get_nowait()
        except Empty:
            return True
        return False

    def _choose(self) -> list[Job]:
        """Jobs for one commit, the sources in turn; a line that is left goes to the end."""
        chosen: list[Job] = []
        room = self._settings.commit_events
        while self._lines and room > 0:
            source = next(iter(self._lines))
            line = self._lines.pop(source)
            turn = min(room, _TURN) if self._lines else room
            while line and turn > 0:
                job = line.popleft()
                chosen.append(job)
                turn -= len(job.messages)
                room -= len(job.messages)
            if line:
                self._lines[source] = line
        return chosen

    def _commit(self, jobs: Sequence[Job]) -> LingxiError | None:
        messages = [message for job in jobs for message in job.messages]
        if not messages:
            return None
        started = monotonic()
        try:
            outcomes = take_safely(self._taker, messages)
        except (StoreBusy, StoreUnavailable) as error:
            self._counts.refuse(error.code, len(messages))
            structlog.get_logger().error("events_not_stored", n=len(messages), error=str(error))
            return error
        self._counts.commit(outcomes, monotonic() - started)
        return None

    def _release(self, jobs: Sequence[Job], error: LingxiError | None) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[Job]] = {}
        for job in jobs:
            by_loop.setdefault(job.ticket.future.get_loop(), []).append(job)
        for loop, own in by_loop.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._settle, own, error)


def take_safely(taker: Taker, messages: Sequence[Message | Judged]) -> list[Outcome]:
    """Take messages; one that the intake chokes on is set aside with its bytes, the others stay.

    Raises
    ------
    StoreBusy, StoreUnavailable
        If the store refuses; some of the messages may be stored.
    """
    try:
        return taker.take(messages)
    except (StoreBusy, StoreUnavailable):
        raise
    except Exception as error:
        if len(messages) > 1:
            middle = len(messages) // 2
            first = take_safely(taker, messages[:middle])
            return first + take_safely(taker, messages[middle:])
        message = messages[0] if isinstance(messages[0], Message) else messages[0].message
        if message.refused is not None or isinstance(error, SQLAlchemyError):
            raise StoreUnavailable("The shop's database did not take an event.") from error
        structlog.get_logger().error("event_choked_on", exc_info=error)
        refused = msgspec.structs.replace(message, body={}, refused=DropReason.LINE_MALFORMED)
        return take_safely(taker, [refused])
