"""Says in the log which arm somebody is in, once, when it first makes a difference to them."""

from collections.abc import Collection
from datetime import datetime
from hashlib import blake2b

import sqlalchemy as sa

from lingxi.schema import Event, Name
from lingxi.store import Log

SOURCE = "experiments"


def log_arm(
    log: Log, tx: sa.Connection, experiment: str, customer: int, arm: str, now: datetime
) -> bool:
    """Note the arm of a customer in the log, unless it was noted before; whether it was new."""
    return log_arms(log, tx, experiment, [(customer, arm)], now) == 1


def log_arms(
    log: Log,
    tx: sa.Connection,
    experiment: str,
    assigned: Collection[tuple[int, str]],
    now: datetime,
) -> int:
    """Note the arms of many customers; how many had not been noted before."""
    events = [arm_event(experiment, customer, arm, now) for customer, arm in assigned]
    return log.append(events, tx=tx).inserted if events else 0


def arm_event(experiment: str, customer: int, arm: str, now: datetime) -> Event:
    """That a customer is in an arm, as an event; there is one of it in the log, whatever the arm.

    >>> from datetime import UTC
    >>> moment = datetime(2026, 1, 1, tzinfo=UTC)
    >>> dict(arm_event("journey:win-back", 7, "holdout", moment).properties)
    {'experiment': 'journey:win-back', 'arm': 'holdout'}
    """
    digest = blake2b(experiment.encode(), digest_size=8).hexdigest()
    return Event(
        event_id=f"arm-{digest}-{customer}",
        name=Name.ARM_ASSIGNED,
        occurred_at=now,
        received_at=now,
        subject=customer,
        properties={"experiment": experiment, "arm": arm},
        source=SOURCE,
    )
