"""What a consent manager writes on every message: kept where it says something new."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from lingxi.ingest.cleaning.consents import EVERY, ON_SITE
from lingxi.ingest.message import Cleaned
from lingxi.ingest.tables import consent
from lingxi.schema import Event, Name
from lingxi.store.keyed import fetch_typed

_SAID = frozenset({Name.IDENTIFIED.value, Name.CONSENT_GIVEN.value, Name.CONSENT_WITHDRAWN.value})
"""Messages that are about the person: what they say of consent is said, and no stamp."""


def leave_out_stamps(
    tx: Connection, messages: Sequence[Cleaned], customers: Sequence[int | None]
) -> Sequence[Cleaned]:
    """The messages without the events of consent that say nothing new.

    A stamp that repeats what holds would fill the log with one for every page view; one of nobody
    says nothing.
    """
    stamped = [bool(each.also) and each.event.name not in _SAID for each in messages]
    if not any(stamped):
        return messages
    pairs = zip(customers, stamped, strict=True)
    holds = _read(tx, {customer for customer, is_stamp in pairs if is_stamp and customer})
    kept: list[Cleaned] = []
    for each, customer, is_stamp in zip(messages, customers, stamped, strict=True):
        if is_stamp:
            news = [e for e in each.also if customer and _is_news(holds, customer, e)]
            kept.append(msgspec.structs.replace(each, also=tuple(news)))
        else:
            kept.append(each)
    return kept


_Holds = dict[tuple[int, str], tuple[datetime, bool]]
"""Customer and purpose → when was last spoken of what stamps speak of, and whether it was no."""


def _read(tx: Connection, customers: set[int]) -> _Holds:
    c = consent.c
    wanted = [c.customer, c.purpose, c.granted, c.at]
    keys = [(each, channel) for each in customers for channel in (EVERY, ON_SITE)]
    holds: _Holds = {}
    for customer, purpose, granted, at in fetch_typed(tx, [c.customer, c.channel], keys, wanted):
        word = (at, not granted)
        holds[customer, purpose] = max(word, holds.get((customer, purpose), word))
    return holds


def _is_news(holds: _Holds, customer: int, event: Event) -> bool:
    if event.properties["channel"] not in (EVERY, ON_SITE):
        return True  # who unsubscribes says so, and bears no stamp
    key = (customer, str(event.properties["purpose"]))
    word = (event.occurred_at, event.name == Name.CONSENT_WITHDRAWN)
    known = holds.get(key)
    if known is not None and (known[1] == word[1] or word[0] <= known[0]):
        return False
    holds[key] = word
    return True
