"""What a consent manager writes on every message: kept where it says something new."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from lingxi.ingest.message import Cleaned
from lingxi.ingest.tables import consent
from lingxi.schema import Event, Name
from lingxi.store.keyed import fetch_typed

_SAID = frozenset({Name.IDENTIFIED.value, Name.CONSENT_GIVEN.value, Name.CONSENT_WITHDRAWN.value})
"""Messages that are about the person: what they say of consent is said, and no stamp."""


def list_said(
    tx: Connection, messages: Sequence[Cleaned], customers: Sequence[int | None]
) -> list[Sequence[Event]]:
    """The events of consent to append with each message.

    A stamp that repeats what holds is left out, or the log would hold one for every page view;
    so is one of nobody.
    """
    stamped = [bool(each.also) and each.event.name not in _SAID for each in messages]
    if not any(stamped):
        return [each.also for each in messages]
    pairs = zip(customers, stamped, strict=True)
    holds = _read(tx, {customer for customer, is_stamp in pairs if is_stamp and customer})
    said: list[Sequence[Event]] = []
    for each, customer, is_stamp in zip(messages, customers, stamped, strict=True):
        if is_stamp:
            said.append([e for e in each.also if customer and _is_news(holds, customer, e)])
        else:
            said.append(each.also)
    return said


_Holds = dict[tuple[int, str, str], tuple[bool, datetime]]


def _read(tx: Connection, customers: set[int]) -> _Holds:
    c = consent.c
    wanted = [c.customer, c.purpose, c.channel, c.granted, c.at]
    rows = fetch_typed(tx, [c.customer], [(each,) for each in customers], wanted)
    return {
        (customer, purpose, channel): (granted, at)
        for customer, purpose, channel, granted, at in rows
    }


def _is_news(holds: _Holds, customer: int, event: Event) -> bool:
    key = (customer, str(event.properties["purpose"]), str(event.properties["channel"]))
    granted = event.name == Name.CONSENT_GIVEN
    known = holds.get(key)
    if known is not None and (known[0] == granted or event.occurred_at <= known[1]):
        return False
    holds[key] = (granted, event.occurred_at)
    return True
