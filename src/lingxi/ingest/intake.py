"""Taking messages in: one transaction a batch, from cleaning to the counts."""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from itertools import chain
from threading import Lock
from typing import Protocol

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError, OperationalError

from lingxi.clock import Clock
from lingxi.config import Settings
from lingxi.errors import StoreBusy, StoreUnavailable
from lingxi.ingest.aside_keys import destroy_expired
from lingxi.ingest.carried import Judged
from lingxi.ingest.cleaning import Rules, clean
from lingxi.ingest.consent.stamped import leave_out_stamps
from lingxi.ingest.counts import HOUR, count_outcomes, expire_counts
from lingxi.ingest.kept import LASTING
from lingxi.ingest.merging import identify_people
from lingxi.ingest.merging.names import Names
from lingxi.ingest.message import AT_ONCE, Cleaned, Dropped, Identified, Message, Outcome
from lingxi.ingest.rates import RateBook
from lingxi.ingest.reasons import DropReason
from lingxi.ingest.sealed import list_told, seal_messages
from lingxi.ingest.settle import settle_orders
from lingxi.ingest.waiting import expire_waiting, put_aside, release, restate
from lingxi.schema import Event
from lingxi.store import Store
from lingxi.store.checkpoint import Checkpoints
from lingxi.store.log import find_known

Observer = Callable[[Sequence[Outcome]], None]


class Keeper(Protocol):
    """Who brings messages in bulk: keeps what was dropped, and how far it is, with the messages."""

    def keep(self, tx: Connection, outcomes: Sequence[Outcome], /) -> None:
        """Write, in the transaction that keeps the messages."""

    def kept(self, outcomes: Sequence[Outcome], /) -> None:
        """That transaction is on disk."""


class QuarantineKeeper:
    """A keeper of messages that need none: what was dropped goes to quarantine with its bytes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def keep(self, tx: Connection, outcomes: Sequence[Outcome], /) -> None:
        """Put aside what was dropped."""
        dropped = [each.cleaned for each in outcomes if isinstance(each.cleaned, Dropped)]
        put_aside(self._store, tx, dropped)

    def kept(self, _outcomes: Sequence[Outcome], /) -> None:
        """Nothing is left to do."""


class AgainKeeper:
    """A keeper of messages that are in quarantine: those that failed again stay as they are there,
    under the reason of today unless somebody ``mended`` them in vain."""

    def __init__(self, store: Store, *, mended: bool) -> None:
        self._store = store
        self._mended = mended

    def keep(self, tx: Connection, outcomes: Sequence[Outcome], /) -> None:
        """Write the reasons of today."""
        if not self._mended:
            dropped = [
                each.cleaned
                for each in outcomes
                if isinstance(each.cleaned, Dropped) and each.cleaned.message.refused not in LASTING
            ]
            restate(self._store, tx, dropped)

    def kept(self, _outcomes: Sequence[Outcome], /) -> None:
        """Nothing is left to do."""


STORED, DUPLICATE, DROPPED = "stored", "duplicate", "dropped"
_put = msgspec.structs.force_setattr


class Intake:
    """The one door into the log for messages, whoever sent them.

    Parameters
    ----------
    observer
        Called with the outcomes of each commit, after it: what watches the stream live.
    """

    def __init__(
        self, store: Store, settings: Settings, clock: Clock, *, observer: Observer | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._rates = RateBook(store)
        self._rules = Rules.of(settings, self._rates.rate)
        self._aside = QuarantineKeeper(store)
        self._observer = observer
        self._checkpoints = Checkpoints(store.engine)
        self._names = Names()
        self._tidied_at: datetime | None = None
        self._keys: ThreadPoolExecutor | None = None
        self._lock = Lock()

    def take(
        self, messages: Sequence[Message | Judged], *, keeper: Keeper | None = None
    ) -> list[Outcome]:
        """Clean and keep messages, each once, in one transaction; what became of each.

        Those that were cleaned elsewhere, by the rules of this shop, are kept as they are.
        When it returns, everything is on disk. Taking the same messages again changes nothing.
        ``keeper`` writes in the same transaction, and is then the one who keeps what was dropped.

        Raises
        ------
        StoreBusy, StoreUnavailable
            If the database cannot be written; then nothing was kept.
        """
        self._rates.refresh(self._clock.now())
        rules = self._rules
        judged = [
            each if not isinstance(each, Message) else clean(each, rules) for each in messages
        ]
        return self.keep(judged, keeper=keeper)

    def keep(self, judged: Sequence[Judged], *, keeper: Keeper | None = None) -> list[Outcome]:
        """Keep messages that are cleaned already, by the rules of this shop; as ``take``."""
        with self._lock:  # the collector's thread and a webhook's share what is remembered
            return self._keep(judged, (), keeper or self._aside)

    def retake(
        self, messages: Sequence[tuple[int, Message]], *, mended: bool = False
    ) -> list[Outcome]:
        """Take messages out of quarantine, by their ids there; those that pass leave it.

        A message that fails again stays where it is, with the bytes that it came with, under the
        reason of today; where somebody has ``mended`` it in vain, under the reason it had.

        Raises
        ------
        StoreBusy, StoreUnavailable
            If the database cannot be written; then nothing was changed.
        """
        self._rates.refresh(self._clock.now(), at_once=True)
        judged = [clean(message, self._rules) for _, message in messages]
        numbers = [number for number, _ in messages]
        with self._lock:
            return self._keep(judged, numbers, AgainKeeper(self._store, mended=mended))

    def _keep(
        self, judged: Sequence[Judged], numbers: Sequence[int], keeper: Keeper
    ) -> list[Outcome]:
        tidied_at = self._tidied_at
        try:
            with self._store.write(eager=True) as tx:
                outcomes = self._keep_all(tx, judged, again=bool(numbers))
                told = zip(numbers, outcomes, strict=False)
                release(tx, [number for number, each in told if each.result != DROPPED])
                keeper.keep(tx, outcomes)
        except (StoreBusy, StoreUnavailable):
            self._names.clear()
            raise
        except (IntegrityError, OperationalError) as error:  # no message's fault
            self._names.clear()
            raise StoreUnavailable(
                "The shop's database did not take the events; see 'lingxi doctor'."
            ) from error
        except Exception as error:  # whatever one message provokes, the others are not its hostages
            self._names.clear()
            if len(judged) > 1:
                middle = len(judged) // 2
                return [
                    *self._keep(judged[:middle], numbers[:middle], keeper),
                    *self._keep(judged[middle:], numbers[middle:], keeper),
                ]
            if not judged or isinstance(judged[0], Dropped):
                raise
            return self._keep([_refuse(judged[0], error)], numbers, keeper)
        self._names.keep()
        if self._tidied_at != tidied_at:
            destroy_expired(self._store, self._clock.now())
        keeper.kept(outcomes)
        self._checkpoints.note(len(outcomes))
        if self._observer is not None:
            self._observer(outcomes)
        return outcomes

    def close(self) -> None:
        """Let go of the threads that work beside the commits."""
        self._checkpoints.close()
        if self._keys is not None:
            self._keys.shutdown()
            self._keys = None

    def _keep_all(self, tx: Connection, judged: Sequence[Judged], *, again: bool) -> list[Outcome]:
        if len(judged) <= AT_ONCE:
            return self._keep_in(tx, judged, again=again)
        starts = range(0, len(judged), AT_ONCE)
        parts = (self._keep_in(tx, judged[n : n + AT_ONCE], again=again) for n in starts)
        return list(chain.from_iterable(parts))

    def _keep_in(self, tx: Connection, judged: Sequence[Judged], *, again: bool) -> list[Outcome]:
        now = self._clock.now()
        fresh = _find_fresh(tx, judged)
        new = [each for each in fresh if each is not None]
        identified = identify_people(self._store, tx, new, now, known=self._names)
        kept = leave_out_stamps(tx, new, identified.customers)
        told = list_told(kept, identified.subjects)
        ready = self._make_keys({subject for _, subject in told})
        positions = self._append(tx, kept, identified)
        if ready is not None:
            ready.result()
        seal_messages(self._store, tx, told)
        outcomes = _tell(judged, fresh, kept, identified, positions)
        count_outcomes(tx, [each for each in outcomes if not again or each.result != DROPPED])
        if self._tidied_at is None or now - self._tidied_at >= HOUR:
            expire_waiting(tx, now)
            expire_counts(tx, now)
            self._tidied_at = now
        return outcomes

    def _make_keys(self, subjects: Collection[int]) -> Future[None] | None:
        """Have the keys of these made while their events are written: they lie in a file of their
        own, and must be there before what they seal."""
        if not subjects:
            return None
        if self._keys is None:
            self._keys = ThreadPoolExecutor(1, "lingxi-keys")
        return self._keys.submit(self._store.keyring.make_keys, subjects)

    def _append(
        self, tx: Connection, new: Sequence[Cleaned], identified: Identified
    ) -> Mapping[str, int]:
        events: list[Event] = []
        for each, subject in zip(new, identified.subjects, strict=True):
            for event in (each.event, *each.also):
                if subject is not None:
                    _put(event, "subject", subject)
                events.append(event)
        events = settle_orders(self._store, tx, events)
        events.extend(identified.events)
        owners = {
            s: c
            for s, c in zip(identified.subjects, identified.customers, strict=True)
            if s is not None and c is not None
        }
        positions = self._store.log.append(events, tx=tx, owners=owners).positions
        if identified.rebuild:
            self._store.rebuild(self._store.projections, identified.rebuild, tx)
        return positions


def _find_fresh(tx: Connection, judged: Sequence[Judged]) -> list[Cleaned | None]:
    """Each message that is cleaned and new; of those with one id in a batch the first."""
    ids = {each.event.event_id for each in judged if isinstance(each, Cleaned)}
    seen = find_known(tx, ids)
    fresh: list[Cleaned | None] = []
    for each in judged:
        if isinstance(each, Dropped):
            fresh.append(None)
            continue
        event_id = each.event.event_id
        if event_id in seen:
            fresh.append(None)
        else:
            seen.add(event_id)
            fresh.append(each)
    return fresh


def _tell(
    judged: Sequence[Judged],
    fresh: Sequence[Cleaned | None],
    kept: Sequence[Cleaned],
    identified: Identified,
    positions: Mapping[str, int],
) -> list[Outcome]:
    outcomes = []
    place = 0
    for each, new in zip(judged, fresh, strict=True):
        if new is None:
            result = DROPPED if isinstance(each, Dropped) else DUPLICATE
            outcomes.append(Outcome(cleaned=each, result=result))
            continue
        outcomes.append(
            Outcome(
                cleaned=kept[place],
                result=STORED,
                subject=identified.subjects[place],
                customer=identified.customers[place],
                position=positions.get(new.event.event_id),
                changes=identified.changes.get(place, ()),
            )
        )
        place += 1
    return outcomes


def _refuse(cleaned: Cleaned, error: Exception) -> Dropped:
    message = cleaned.message
    return Dropped(
        message=msgspec.structs.replace(message, body=dict(message.body)),
        step="take",
        reason=DropReason.LINE_MALFORMED,
        detail=f"{type(error).__name__}: {error}"[:200],
        steps=cleaned.steps,
    )
