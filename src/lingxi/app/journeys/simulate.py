"""A journey tried on the past: who would have entered, what would have been sent, and why not.

The log is replayed into the shop's twin under a simulated clock, and the very code that runs
journeys, sends messages and issues coupons works there; only the channels carry nothing. What
customers did is what they did: nobody orders, clicks or leaves because of a simulated message.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from lingxi.app.journeys.outcome import Simulation, read_outcome
from lingxi.app.journeys.twin import open_twin, read_past
from lingxi.app.messages.checks import list_checks
from lingxi.app.runs.hands import make_hands
from lingxi.clock import FixedClock
from lingxi.errors import InvalidInput
from lingxi.journeys import Journey, Runner, consume_log, goods
from lingxi.journeys import versions as book
from lingxi.journeys.tables import run
from lingxi.journeys.timetable import Timetable
from lingxi.journeys.trigger import (
    BackInStockTrigger,
    ChurnTrigger,
    DateTrigger,
    PriceDropTrigger,
    ScheduleTrigger,
    ScoreTrigger,
    SegmentTrigger,
)
from lingxi.journeys.versions import Live
from lingxi.journeys.vocabulary import list_names
from lingxi.messaging.nouns import CHANNELS, Accepted, Content, Message, Outcome, Parcel, SkipReason
from lingxi.messaging.sending.judgement import Composed, Links, Reader, Skip
from lingxi.messaging.sending.sender import Sender
from lingxi.messaging.tables import message as messages
from lingxi.messaging.templates.book import find_published
from lingxi.schema import Event
from lingxi.store.tables import from_micros

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

LONGEST_DAYS = 366
_SLICE = timedelta(minutes=5)
_HOUR = timedelta(hours=1)
_MOST_TURNS = 1_000
_TIMED = (DateTrigger, ScheduleTrigger, ScoreTrigger, ChurnTrigger)
_OF_GOODS = (PriceDropTrigger, BackInStockTrigger)


def simulate(
    shop: "Shop", journey: Journey, *, days: int, until: datetime | None = None
) -> Simulation:
    """What the journey would have done alone in the last ``days`` days, until the log's last event
    unless another end is given.

    Events of five minutes count together; steps come at their exact moments. Deterministic: the
    same shop, journey and days give the same answer.

    Raises
    ------
    InvalidInput
        If ``days`` is not 1 to 366, or the shop has no events.
    NotEnoughData
        If the log is too long to be replayed.
    """
    if not 1 <= days <= LONGEST_DAYS:
        raise InvalidInput(f"Simulate 1 to {LONGEST_DAYS} days, not {days}.")
    end = until or _find_end(shop)
    start = end - timedelta(days=days)
    clock = FixedClock(start)
    with open_twin(shop, clock) as twin:
        _Play(twin, journey, clock).play(read_past(shop, since=start, until=end), start, end)
        return read_outcome(twin, journey, start, end)


class _Play:
    """One journey, live in a twin."""

    def __init__(self, twin: "Shop", journey: Journey, clock: FixedClock) -> None:
        self._twin, self._journey, self._clock = twin, journey, clock
        store = twin.store
        hands = make_hands(twin)
        self._hands = hands
        self._runner = Runner(store, hands, "simulation", sleep=lambda _: None)
        self._timetable = Timetable(store, hands)
        self._sender = Sender(
            store,
            {name: _Nowhere(name) for name in CHANNELS},
            _NoWords(),
            checks=list_checks(twin),
            worker="simulation",
        )
        now = clock.now()
        with store.write() as tx:
            version = book.publish(tx, journey, actor="simulation", note="", now=now)
            store.log.move_cursor(tx, "journeys", store.log.position())
        self._names = list_names([Live(journey.name, version, journey)])

    def play(self, past: Iterator[list[Event]], start: datetime, end: datetime) -> None:
        """Let everything happen from ``start`` to ``end``."""
        self._work(start)
        waiting: list[Event] = []
        for batch in past:
            for event in batch:
                if waiting and event.occurred_at >= waiting[0].occurred_at + _SLICE:
                    self._happen(waiting)
                    waiting = []
                waiting.append(event)
        if waiting:
            self._happen(waiting)
        self._advance(end)
        self._sender.close()

    def _happen(self, events: list[Event]) -> None:
        """What is due comes first, then what happened."""
        self._advance(events[0].occurred_at)
        self._twin.store.log.append(events)
        last = events[-1].occurred_at
        if self._is_about(events):
            self._work(last)

    def _is_about(self, events: list[Event]) -> bool:
        if isinstance(self._journey.trigger, (SegmentTrigger, *_OF_GOODS)):
            return True
        return any(event.name in self._names for event in events)

    def _advance(self, until: datetime) -> None:
        """Go from one due moment to the next."""
        while True:
            moment = self._next_due(until)
            if moment is None:
                return
            self._work(moment)

    def _next_due(self, until: datetime) -> datetime | None:
        now = self._clock.now()
        with self._twin.store.read() as tx:
            step = tx.execute(sa.select(sa.func.min(run.c.due_at))).scalar()
            sending = tx.execute(sa.select(sa.func.min(messages.c.due_at))).scalar()
        moments = [] if step is None else [from_micros(step)]
        if sending is not None:
            moments.append(sending)
        if isinstance(self._journey.trigger, _TIMED):
            hour = now.replace(minute=0, second=0, microsecond=0)
            moments.append(hour + _HOUR)
        later = [max(moment, now + timedelta(microseconds=1)) for moment in moments]
        return min((moment for moment in later if moment <= until), default=None)

    def _work(self, moment: datetime) -> None:
        """Everything that is to be done at a moment, until nothing is."""
        store = self._twin.store
        now = self._clock.moment = max(moment, self._clock.now())
        trigger = self._journey.trigger
        for _ in range(_MOST_TURNS):
            done = 0
            if isinstance(trigger, SegmentTrigger):
                done += self._twin.segments.keeper.run_once(now)
            done += consume_log(store, self._hands, now)
            if isinstance(trigger, _TIMED):
                done += self._timetable.run_once(now)
            if isinstance(trigger, _OF_GOODS):
                done += goods.read_goods(store, self._hands, now)
            done += self._runner.run_once(now)
            done += sum(self._sender.run_once(now).values())
            if not done:
                return


class _Nowhere:
    """A channel that takes everything and carries nothing."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.address_trait = "email" if name == "email" else ""

    def deliver(self, parcel: Parcel) -> Outcome:
        """Taken."""
        return Accepted(parcel.message_id)

    def close(self) -> None:
        """Nothing to let go of."""


class _NoWords:
    """Makes no text: only whether there is a template to send is looked at."""

    def compose(
        self,
        tx: sa.Connection,
        message: Message,
        reader: Reader,
        links: Links,
        now: datetime,
    ) -> Composed | Skip:
        """An empty text of the version that would be sent."""
        del reader, links, now  # asked for by whoever writes texts
        version = message.template_version or find_published(tx, message.template)
        if not version and message.channel != "webhook":
            return Skip(SkipReason.NO_TEMPLATE, message.template)
        return Composed(Content(), version)


def _find_end(shop: "Shop") -> datetime:
    """Just past the last thing that happened, or now, whichever is earlier."""
    from lingxi.store.tables import event

    with shop.store.read() as tx:
        last = tx.execute(sa.select(sa.func.max(event.c.occurred_at))).scalar()
    if last is None:
        raise InvalidInput("The shop has no events yet: there is nothing to try a journey on.")
    return min(from_micros(last) + timedelta(seconds=1), shop.clock.now())
