"""Draining: records of the topic in front of the log, through the intake, into the log."""

import time
from collections.abc import Sequence

import msgspec
import structlog
from sqlalchemy import Connection

from lingxi.clock import Clock
from lingxi.config import KafkaSettings
from lingxi.errors import StoreBusy, StoreUnavailable
from lingxi.ingest.draining.envelope import open_records
from lingxi.ingest.intake import Intake, QuarantineKeeper
from lingxi.ingest.message import Outcome
from lingxi.store import Store
from lingxi.store.topics import Moved, Record, TopicGroup, find_offsets, move_offsets

_WAIT_SECONDS = 0.1
_PAUSE_SECONDS = 1.0


class Drained(msgspec.Struct, frozen=True):
    """What draining came to."""

    stored: int = 0
    duplicates: int = 0
    dropped: int = 0

    @property
    def records(self) -> int:
        """All of them."""
        return self.stored + self.duplicates + self.dropped

    def __add__(self, other: "Drained") -> "Drained":
        return Drained(
            self.stored + other.stored,
            self.duplicates + other.duplicates,
            self.dropped + other.dropped,
        )


def _count(outcomes: Sequence[Outcome]) -> Drained:
    results = [each.result for each in outcomes]
    return Drained(results.count("stored"), results.count("duplicate"), results.count("dropped"))


class _TopicKeeper(QuarantineKeeper):
    """Moves the offsets in the transaction that keeps the messages; see ``Keeper``.

    Where the intake takes a batch in parts, each part moves them past its own records alone.
    """

    def __init__(
        self, store: Store, clock: Clock, topic: str, group: TopicGroup, records: Sequence[Record]
    ) -> None:
        super().__init__(store)
        self._clock, self._topic, self._group, self._records = clock, topic, group, records
        self._taken = 0
        self._moves: Sequence[Moved] = ()

    def keep(self, tx: Connection, outcomes: Sequence[Outcome], /) -> None:
        """Put aside what was dropped, and move the offsets."""
        super().keep(tx, outcomes)
        part = self._records[self._taken : self._taken + len(outcomes)]
        self._moves = self._group.plan_moves(part)
        move_offsets(tx, self._topic, self._moves, self._clock.now())

    def kept(self, outcomes: Sequence[Outcome], /) -> None:
        """That part is on disk."""
        self._taken += len(outcomes)
        self._group.moved(self._moves)


class Drainer:
    """One member of the group that brings the topic into the log.

    A record's event, its projections and its offset are written in one transaction: killed at any
    moment, a record is either in the log and passed, or neither. Two processes that believe a
    partition to be theirs cannot both keep it.

    Parameters
    ----------
    n
        The most records a transaction takes.

    Raises
    ------
    MissingExtra, InvalidSetting
        If there is no client library, or the settings cannot be used.
    """

    def __init__(
        self, store: Store, intake: Intake, clock: Clock, settings: KafkaSettings, *, n: int
    ) -> None:
        self._store, self._intake, self._clock, self._n = store, intake, clock, n
        self._topic = settings.topic
        self._group = TopicGroup(settings, self._find)

    def step(self) -> Drained:
        """Drain what is there now, one transaction at most.

        A database that is busy or full is waited for: the records stay where they are.

        Raises
        ------
        SourceUnavailable
            If the topic cannot be read.
        """
        try:
            records = self._group.read(self._n, _WAIT_SECONDS)
            return self._take(records) if records else Drained()
        except (StoreBusy, StoreUnavailable) as error:
            structlog.get_logger().warning("drain_waits", error=str(error))
            time.sleep(_PAUSE_SECONDS)
            self._group.rewind()
            return Drained()

    def is_at_end(self) -> bool:
        """Whether nothing waits in the partitions that are ours; false before any is."""
        return self._group.is_at_end(time.monotonic() + 5)

    def has_part(self) -> bool:
        """Whether any partition is ours now."""
        return bool(self._group.partitions)

    def close(self) -> None:
        """Leave the group, so that others take over at once."""
        self._group.close()

    def _take(self, records: Sequence[Record]) -> Drained:
        messages = open_records(self._store.keyring, records, self._clock.now())
        keeper = _TopicKeeper(self._store, self._clock, self._topic, self._group, records)
        return _count(self._intake.take(messages, keeper=keeper))

    def _find(self) -> dict[int, int]:
        with self._store.read() as tx:
            return find_offsets(tx, self._topic)
