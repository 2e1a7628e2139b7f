"""The way to the log over Kafka: a request is answered once all replicas have its messages."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from typing import Protocol

import structlog

from lingxi.config import CollectSettings
from lingxi.errors import LingxiError, StoreBusy, StoreUnavailable
from lingxi.ingest.draining import Sealer
from lingxi.ingest.message import Message
from lingxi.server.collect.counts import Counts
from lingxi.server.collect.room import Room
from lingxi.store.topics.writer import Written

_MOST_JOBS = 200
"""Requests whose messages are sealed together."""
_POLL_SECONDS = 0.1
_STOP_SECONDS = 15.0


class Writer(Protocol):
    """Writes records for good; ``lingxi.store.topics.TopicWriter``."""

    def send(self, key: bytes | None, value: bytes, written: Written) -> None:
        """Put a record on its way, or raise StoreBusy."""

    def poll(self, seconds: float) -> None:
        """Tell what was written meanwhile."""

    def close(self, seconds: float) -> None:
        """Wait so long for what is on its way."""


@dataclass(slots=True)
class _Job:
    """One request that waits; ``left`` of its messages are not acknowledged yet."""

    future: "asyncio.Future[LingxiError | None]"
    source: str
    messages: Sequence[Message]
    size: int
    left: int
    error: LingxiError | None = None


class TopicQueue:
    """Stands where ``Queue`` does when ``collect.queue`` is kafka.

    One thread seals and sends, another hears what was written.
    """

    def __init__(
        self, writer: Writer, sealer: Sealer, settings: CollectSettings, counts: Counts
    ) -> None:
        self._writer, self._sealer, self._counts = writer, sealer, counts
        self._room = Room(settings, counts)
        self._inbox: SimpleQueue[_Job | None] = SimpleQueue()
        self._stop = Event()
        self._lock = Lock()
        self._threads: Sequence[Thread] = ()

    async def store(self, source: str, messages: Sequence[Message], size: int) -> None:
        """Wait until all replicas have the messages.

        Raises
        ------
        RateLimited
            If too much waits already.
        StoreBusy
            If Kafka did not acknowledge all of them in time. Some may be written; whoever sends
            them again does no harm.
        """
        if not messages:
            return
        self._room.admit(source, len(messages), size)
        self._start()
        loop = asyncio.get_running_loop()
        job = _Job(loop.create_future(), source, messages, size, len(messages))
        self._inbox.put(job)
        error = await job.future
        if error is not None:
            self._counts.refuse(error.code, len(messages))
            raise error

    def close(self) -> None:
        """Send what waits, hear of it, and stop; what takes longer than 15 seconds is given up."""
        if not self._threads:
            return
        sender, hearer = self._threads
        self._inbox.put(None)
        sender.join(_STOP_SECONDS)
        self._stop.set()
        hearer.join(_STOP_SECONDS)
        self._writer.close(_STOP_SECONDS)
        self._threads = ()

    def _start(self) -> None:
        if not self._threads:
            self._stop.clear()
            self._threads = (
                Thread(target=self._send_all, name="lingxi-kafka-send", daemon=True),
                Thread(target=self._hear_all, name="lingxi-kafka-hear", daemon=True),
            )
            for thread in self._threads:
                thread.start()

    def _send_all(self) -> None:
        while (jobs := self._collect()) is not None:
            self._send(jobs)

    def _hear_all(self) -> None:
        while not self._stop.is_set():
            self._writer.poll(_POLL_SECONDS)

    def _collect(self) -> list[_Job] | None:
        """Everything that waits, at least one; nothing once told to stop."""
        job = self._inbox.get()
        jobs = []
        try:
            while job is not None:
                jobs.append(job)
                if len(jobs) == _MOST_JOBS:
                    return jobs
                job = self._inbox.get_nowait()
        except Empty:
            return jobs
        self._inbox.put(None)  # the end comes again after these
        return jobs or None

    def _send(self, jobs: Sequence[_Job]) -> None:
        try:
            sealed = self._sealer.seal([each for job in jobs for each in job.messages])
        except (StoreBusy, StoreUnavailable) as error:
            for job in jobs:
                job.error = error
                self._finish(job)
            return
        records = iter(sealed)
        for job in jobs:
            own = [next(records) for _ in job.messages]
            for place, (key, value) in enumerate(own):
                try:
                    self._writer.send(key, value, partial(self._hear, job))
                except StoreBusy as error:
                    self._hear(job, str(error), n=len(own) - place)
                    break

    def _hear(self, job: _Job, reason: str | None, n: int = 1) -> None:
        """Of some messages of a job: they are written, or why not."""
        with self._lock:  # the sender says of what it could not send
            job.left -= n
            last = not job.left
            if reason is not None:
                job.error = StoreBusy(f"Kafka did not take the events: {reason}.")
        if last:
            self._finish(job)

    def _finish(self, job: _Job) -> None:
        if job.error is not None:
            structlog.get_logger().error(
                "events_not_sent", n=len(job.messages), error=str(job.error)
            )
        loop = job.future.get_loop()
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._settle, job)

    def _settle(self, job: _Job) -> None:
        self._room.leave(job.source, len(job.messages), job.size)
        if not job.future.done():
            job.future.set_result(job.error)
