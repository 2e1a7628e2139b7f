"""From consent events to what holds now, purely; and the event for a word given to us directly."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import cast
from uuid import uuid4

from sqlalchemy import Table

from lingxi.errors import InvalidInput
from lingxi.ingest.tables import consent
from lingxi.schema import Event, Name
from lingxi.store.keyed import Key

PURPOSES = ("marketing", "personalisation", "analytics")
"""``marketing``: messages that advertise; ``personalisation``: recommendations from one's own
history; ``analytics``: training on one's events, and scores."""
EVERY = "*"
CHANNELS = (EVERY, "email", "sms", "push", "on_site", "wechat", "post")
_NAMES = (Name.CONSENT_GIVEN, Name.CONSENT_WITHDRAWN)
Row = Mapping[str, object]


def narrow(purpose: str, category: str) -> str:
    """The name of a purpose for one category of messages alone.

    >>> narrow("marketing", "offers")
    'marketing/offers'
    """
    return f"{purpose}/{category[:30]}"


class ConsentProjection:
    """One row a customer, purpose and channel: what was said last.

    The order in which events arrive does not matter, only when they were said; of two at one
    moment the withdrawal counts.
    """

    name = "consent"
    table: Table = consent

    def keys(self, event: Event, customer: int, /) -> Iterable[Key]:
        """One key for an event of consent; none for any other."""
        if event.name not in _NAMES:
            return ()
        purpose, channel = event.properties.get("purpose"), event.properties.get("channel")
        category = event.properties.get("category")
        about = str(purpose) if category is None else narrow(str(purpose), str(category))
        return ((customer, about[:40], str(channel or EVERY)[:40]),)

    def update(self, row: Row | None, event: Event, _customer: int, _key: Key, /) -> Row:
        """What holds after one word more."""
        granted = event.name == Name.CONSENT_GIVEN
        if row is not None:
            known = cast(datetime, row["at"])
            if event.occurred_at < known or (event.occurred_at == known and granted):
                return row
        version = event.properties.get("text_version")
        return {
            "granted": granted,
            "at": event.occurred_at,
            "source": str(event.properties.get("source") or event.source),
            "text_version": None if version is None else str(version),
        }


def consent_event(
    subject: int,
    purpose: str,
    channel: str,
    *,
    granted: bool,
    now: datetime,
    source: str,
    text_version: str = "",
    category: str = "",
) -> Event:
    """The event of a word that a customer gave to the shop directly; with ``category`` it is of
    messages of that category alone.

    Raises
    ------
    InvalidInput
        If there is no such purpose or channel.
    """
    if purpose not in PURPOSES:
        raise InvalidInput(f"There is no purpose {purpose!r}; choose one of {', '.join(PURPOSES)}.")
    if channel not in CHANNELS:
        raise InvalidInput(f"There is no channel {channel!r}; choose one of {', '.join(CHANNELS)}.")
    properties: dict[str, str | int | float | bool | None] = {
        "purpose": purpose,
        "channel": channel,
        "source": source[:60],
    }
    if category:
        properties["category"] = category[:30]
    if text_version:
        properties["text_version"] = text_version[:100]
    return Event(
        event_id=f"consent:{uuid4().hex}",
        name=(Name.CONSENT_GIVEN if granted else Name.CONSENT_WITHDRAWN).value,
        occurred_at=now,
        received_at=now,
        subject=subject,
        properties=properties,
        source=source[:60],
    )
