"""Which moment "now" is for a shop's data."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from lingxi.clock import Clock
from lingxi.lifecycle.thresholds import Thresholds
from lingxi.schema import SYSTEM_EVENTS
from lingxi.store import Store
from lingxi.store.tables import event, from_micros


def data_moment(last_event_at: datetime | None, now: datetime, horizon_days: int) -> datetime:
    """The moment to score customers at: now, or the end of data that are history.

    Data whose last event is more than a horizon old are an archive, not a shop that has gone
    silent: seen from today everybody in them would be lost. They are seen from their last event.

    >>> from datetime import UTC
    >>> now = datetime(2026, 1, 1, tzinfo=UTC)
    >>> data_moment(datetime(2011, 12, 9, tzinfo=UTC), now, 90).year
    2011
    >>> data_moment(datetime(2025, 12, 30, tzinfo=UTC), now, 90) == now
    True
    """
    if last_event_at is None or now - last_event_at <= timedelta(days=horizon_days):
        return now
    return last_event_at


def find_data_moment(store: Store, clock: Clock) -> datetime:
    """``data_moment`` of a store: its last event that is not one of our own."""
    own = [name.value for name in SYSTEM_EVENTS]
    query = sa.select(sa.func.max(event.c.occurred_at)).where(event.c.name.notin_(own))
    with store.read() as tx:
        last = tx.execute(query).scalar_one()
    horizon_days = load_thresholds(store).horizon_days
    return data_moment(None if last is None else from_micros(last), clock.now(), horizon_days)


def load_thresholds(store: Store) -> Thresholds:
    """The thresholds in use: those learned last, or the defaults before the first training."""
    artefact = store.artefacts.current("lifecycle")
    return Thresholds() if artefact is None else artefact.load_json("thresholds", Thresholds)
