"""Shops whose truth is known: event makers, and stores filled with them."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from lingxi.clock import FixedClock
from lingxi.config import LearningSettings, Settings
from lingxi.ingest.tables import metadata as ingest_metadata
from lingxi.lifecycle.history import build_history
from lingxi.lifecycle.tables import metadata
from lingxi.schema import Event, Name
from lingxi.store import Store
from lingxi.store.tables import identity, to_micros

START = datetime(2025, 1, 1, tzinfo=UTC)


def day(number):
    return START + timedelta(days=float(number))


def day_us(number):
    return to_micros(day(number))


def order(customer, at, cents=1000, number=None):
    number = number or f"{customer}-{at}"
    return Event(
        event_id=f"o-{number}",
        name=Name.ORDER_COMPLETED,
        occurred_at=day(at),
        received_at=day(at),
        subject=customer,
        order_id=number,
        currency="GBP",
        amount_cents=cents,
    )


def refund(customer, at, cents, of=None):
    return Event(
        event_id=f"r-{customer}-{at}",
        name=Name.ORDER_REFUNDED,
        occurred_at=day(at),
        received_at=day(at),
        subject=customer,
        order_id=of,
        currency="GBP",
        amount_cents=cents,
    )


def sign_up(customer, at):
    return Event(
        event_id=f"s-{customer}",
        name=Name.SIGNED_UP,
        occurred_at=day(at),
        received_at=day(at),
        subject=customer,
    )


def history_of(events):
    """A ``History`` without a store."""
    people = {}
    for e in events:
        at = to_micros(e.occurred_at)
        first, last = people.get(e.subject, (at, at))
        people[e.subject] = (min(first, at), max(last, at))
    money = [e for e in events if e.name in (Name.ORDER_COMPLETED, Name.ORDER_REFUNDED)]
    ints = pa.int64()
    return build_history(
        pa.table(
            {
                "customer": pa.array(list(people), ints),
                "first": pa.array([v[0] for v in people.values()], ints),
                "last": pa.array([v[1] for v in people.values()], ints),
            }
        ),
        pa.table(
            {
                "customer": pa.array([e.subject for e in money], ints),
                "at_us": pa.array([to_micros(e.occurred_at) for e in money], ints),
                "position": pa.array(range(len(money)), ints),
                "order_id": pa.array([e.order_id for e in money], pa.string()),
                "event_amount_cents": pa.array([e.amount_cents for e in money], ints),
                "name": pa.array([str(e.name) for e in money], pa.string()),
            }
        ),
    )


def open_store(folder, events, *, now=None, horizon_days=0):
    """Store, settings and clock of a shop with these events; all customers are known."""
    clock = FixedClock(now or max((e.occurred_at for e in events), default=START))
    folder.mkdir(parents=True, exist_ok=True)
    settings = Settings(folder=folder, learning=LearningSettings(horizon_days=horizon_days))
    store = Store.open(settings, clock, tables=[metadata, ingest_metadata])
    people = sorted({e.subject for e in events})
    with store.write() as tx:
        if people:
            rows = [{"subject": c, "customer": c, "known": True} for c in people]
            tx.execute(sa.insert(identity), rows)
    store.log.append(sorted(events, key=lambda e: e.occurred_at))
    return store, settings, clock


def draw_shop(n=500, days=400, seed=0):
    """Customers who order at their own rate until they leave; leaving is at random."""
    rng = np.random.default_rng(seed)
    events = []
    for customer in range(1, n + 1):
        first = rng.uniform(0, days * 0.7)
        gap = rng.lognormal(3.2, 0.6)
        leaves = first + rng.exponential(150)
        at = first
        while at < min(leaves, days):
            events.append(order(customer, round(at, 3), int(rng.lognormal(8, 0.5))))
            at += max(0.5, rng.gamma(2.0, gap / 2))
    return events
