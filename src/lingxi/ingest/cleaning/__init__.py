"""Cleaning of one message: its event, whose it is, and what of it is private.

A first, small form: names, moments, ids and product lines.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import uuid4

import msgspec

from lingxi.config import Settings
from lingxi.ingest.event_names import is_reserved, name_event
from lingxi.ingest.message import Cleaned, Dropped, Identifier, IdKind, Link, Message
from lingxi.ingest.reasons import DropReason
from lingxi.schema import Event, Line

_LINKS = {"identify": Link.IDENTIFY, "alias": Link.ALIAS}
_VERBS = {"page": "Page Viewed", "screen": "Screen Viewed", "identify": "Identified"}


class Rules(msgspec.Struct, frozen=True):
    """What cleaning goes by."""

    currency: str

    @classmethod
    def of(cls, settings: Settings) -> "Rules":
        """The rules of a shop."""
        return cls(settings.shop.currency)


def clean(message: Message, rules: Rules) -> Cleaned | Dropped:
    """One message as an event, or set aside."""
    body = message.body
    if message.refused is not None:
        return Dropped(message=message, step="drop_refused", reason=message.refused)
    said = body.get("type")
    kind = said if isinstance(said, str) else "track"
    named = body.get("event")
    name = _VERBS.get(kind) or (name_event(named) if isinstance(named, str) and named else "")
    if not name and kind not in ("alias", "group"):
        return Dropped(message=message, step="drop_nameless", reason=DropReason.EVENT_MISSING)
    name = name or kind.capitalize()
    if is_reserved(name):
        return Dropped(message=message, step="drop_reserved", reason=DropReason.EVENT_MISSING)
    user, anonymous = _text(body.get("userId")), _text(body.get("anonymousId"))
    ids = [Identifier(IdKind.USER, user)] if user else []
    ids += [Identifier(IdKind.ANONYMOUS, anonymous)] if anonymous else []
    if not ids:
        return Dropped(message=message, step="drop_nobody", reason=DropReason.VISITOR_MISSING)
    previous = _text(body.get("previousId"))
    return Cleaned(
        message=message,
        event=_event(message, name, body.get("properties"), rules),
        identifiers=tuple(ids),
        previous=(Identifier(IdKind.ANONYMOUS, previous),) if previous else (),
        link=_LINKS.get(kind, Link.NONE),
    )


def _event(message: Message, name: str, said: object, rules: Rules) -> Event:
    body = message.body
    properties = said if isinstance(said, Mapping) else {}
    moment = _moment(body.get("timestamp")) or message.received_at
    products = properties.get("products")
    lines = [_line(p) for p in products] if isinstance(products, list) else [_line(properties)]
    total = properties.get("revenue", properties.get("total"))
    own = _text(body.get("messageId"))
    mark = hashlib.blake2b(message.raw, digest_size=16).hexdigest()
    event_id = f"web:{own}" if own else f"web-{mark if body.get('timestamp') else uuid4()}"
    return Event(
        event_id=event_id,
        name=name,
        occurred_at=moment,
        received_at=message.received_at,
        order_id=_text(properties.get("order_id")),
        query=_text(properties.get("query")),
        currency=rules.currency,
        amount_cents=round(total * 100) if isinstance(total, int | float) else None,
        lines=tuple(line for line in lines if line is not None),
        source=message.source,
    )


def _line(product: object) -> Line | None:
    if not isinstance(product, Mapping):
        return None
    item = _text(product.get("product_id"))
    quantity, price = product.get("quantity"), product.get("price")
    units = quantity if isinstance(quantity, int) else 1
    cents = round(price * 100) if isinstance(price, int | float) else None
    return Line(item, units, cents, None if cents is None else units * cents) if item else None


def _text(value: object) -> str | None:
    return str(value) if isinstance(value, str | int) and value != "" else None


def _moment(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found.astimezone(UTC) if found is not None and found.tzinfo is not None else None
