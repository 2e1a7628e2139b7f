"""Live events and the whole way of one message."""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import msgspec

from lingxi.app.collect_views import LiveRow, LiveView, TraceStep, TraceView
from lingxi.errors import UnknownEvent
from lingxi.i18n import Sentence
from lingxi.ingest import customer_ids
from lingxi.ingest.message import Cleaned, IdKind, Outcome
from lingxi.ingest.recent import Seen
from lingxi.schema import Event, Name
from lingxi.store.log import read_events
from lingxi.store.projection import find_customers

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

_SHOWN_BYTES = 20_000
_EMPTY: tuple[object, ...] = (None, "", (), {}, 0)
_MASKED = (IdKind.EMAIL, IdKind.PHONE)


def list_live(shop: "Shop", *, search: str, source: str, result: str, n: int) -> LiveView:
    """The latest messages that fit, newest first."""
    seen = shop.recent.list(source=source, result=result, n=len(shop.recent) or 1)
    with shop.store.read() as tx:
        owners = {s.outcome.customer for s in seen if s.outcome.customer is not None}
        ids = customer_ids(tx, owners)
    rows = [_to_row(each, ids) for each in seen]
    wanted = search.casefold()
    if wanted:
        rows = [
            row
            for row, each in zip(rows, seen, strict=True)
            if any(wanted in text.casefold() for text in _texts(row, each))
        ]
    return LiveView(
        as_of=shop.clock.now(),
        rows=tuple(rows[:n]),
        newest=seen[0].number if seen else 0,
        held=len(shop.recent),
    )


def _to_row(seen: Seen, ids: Mapping[int, str]) -> LiveRow:
    outcome = seen.outcome
    cleaned = outcome.cleaned
    name = cleaned.event.name if isinstance(cleaned, Cleaned) else name_raw(cleaned.message.body)
    return LiveRow(
        id=seen.number,
        at=cleaned.message.received_at,
        event=name,
        source=cleaned.message.source,
        result=outcome.result,
        reason=None if isinstance(cleaned, Cleaned) else cleaned.reason.value,
        customer_id=None if outcome.customer is None else ids.get(outcome.customer),
        changed_steps=len(cleaned.steps),
    )


def name_raw(body: Mapping[str, object]) -> str:
    """What a message that was set aside called itself."""
    for field in ("event", "name", "type"):
        value = body.get(field)
        if isinstance(value, str) and value:
            return value[:100]
    return ""


def _texts(row: LiveRow, seen: Seen) -> Iterator[str]:
    yield row.event
    yield row.customer_id or ""
    cleaned = seen.outcome.cleaned
    yield cleaned.event.event_id if isinstance(cleaned, Cleaned) else ""


def get_trace(shop: "Shop", number: int) -> TraceView:
    """The way of a message that this server remembers.

    Raises
    ------
    UnknownEvent
        If it fell out of memory, or never was.
    """
    seen = shop.recent.get(number)
    if seen is None:
        raise UnknownEvent(
            "This server no longer remembers that message; it keeps the latest few thousand. "
            "Look the event up in its customer's timeline."
        )
    return _to_trace(shop, seen.outcome)


def get_event_trace(shop: "Shop", position: int) -> TraceView:
    """The way of an event of the log, with its bytes where they are still remembered.

    Raises
    ------
    UnknownEvent
        If the log holds no event there.
    """
    for seen in shop.recent.list(n=len(shop.recent) or 1):
        if seen.outcome.position == position:
            return _to_trace(shop, seen.outcome)
    with shop.store.read() as tx:
        found = read_events(tx, after=position - 1, limit=1)
    if not found or found[0].position != position:
        raise UnknownEvent(f"The log holds no event at position {position}.")
    event = found[0]
    customer = _owner(shop, event.subject)
    return TraceView(
        event_id=event.event_id,
        source=event.source,
        received_at=event.received_at,
        result="stored",
        reason=None,
        step=None,
        raw=None,
        raw_bytes=0,
        steps=(),
        event=show_event(event),
        position=position,
        customer_id=customer,
        identifiers=(),
        changes=tuple(list_changes(event)) if event.subject is not None else (),
    )


def _owner(shop: "Shop", subject: int | None) -> str | None:
    if subject is None:
        return None
    with shop.store.read() as tx:
        customer = find_customers(tx, [subject])[subject]
        return customer_ids(tx, [customer]).get(customer)


def _to_trace(shop: "Shop", outcome: Outcome) -> TraceView:
    cleaned = outcome.cleaned
    message = cleaned.message
    kept = cleaned if isinstance(cleaned, Cleaned) else None
    event = None if kept is None else kept.event
    fresh = outcome.result == "stored" and event is not None and outcome.subject is not None
    changes = [*(list_changes(event) if fresh and event is not None else ())]
    changes += [Sentence(f"trace.change.{change}") for change in outcome.changes]
    return TraceView(
        event_id=None if event is None else event.event_id,
        source=message.source,
        received_at=message.received_at,
        result=outcome.result,
        reason=None if isinstance(cleaned, Cleaned) else cleaned.reason.value,
        step=None if isinstance(cleaned, Cleaned) else cleaned.step,
        raw=show_bytes(message.raw),
        raw_bytes=len(message.raw),
        steps=tuple(
            TraceStep(s.name, s.reason.value, s.field, s.before, s.after) for s in cleaned.steps
        ),
        event=show_event(event) if event else {"name": name_raw(message.body)},
        position=outcome.position,
        customer_id=_owner(shop, outcome.subject),
        identifiers=()
        if kept is None
        else tuple((i.kind.value, mask(i.kind, i.value)) for i in kept.identifiers),
        changes=tuple(changes),
    )


def mask(kind: IdKind, value: str) -> str:
    """What may be shown of an identifier: of an e-mail address or phone number only its ends.

    >>> mask(IdKind.EMAIL, "ada@shop.example"), mask(IdKind.USER, "17850")
    ('a…e', '17850')
    """
    return f"{value[:1]}…{value[-1:]}" if kind in _MASKED else value


def show_bytes(raw: bytes) -> str:
    """Bytes as a reader sees them: JSON laid out, anything else as it is, cut at 20,000."""
    text = raw[:_SHOWN_BYTES].decode("utf-8", "replace")
    if len(raw) > _SHOWN_BYTES:
        return text + "…"
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return text


def show_event(event: Event) -> dict[str, object]:
    """The fields of an event that say something, as the log keeps them."""
    plain: dict[str, object] = msgspec.to_builtins(event)
    shown = {field: value for field, value in plain.items() if value not in _EMPTY}
    for field in ("lines", "properties"):
        if field in shown:
            shown[field] = json.dumps(shown[field], ensure_ascii=False)
    return shown


_NAMES = frozenset(Name)
_COUNTED = {
    Name.PRODUCT_VIEWED: "trace.change.viewed",
    Name.PRODUCT_ADDED: "trace.change.added",
    Name.ORDER_COMPLETED: "trace.change.ordered",
    Name.ORDER_REFUNDED: "trace.change.refunded",
}


def list_changes(event: Event) -> Iterator[Sentence]:
    """What an event changed of its customer, in the order of importance."""
    code = _COUNTED.get(Name(event.name)) if event.name in _NAMES else None
    for line in event.lines if code else ():
        yield Sentence(str(code), {"item": line.item_id, "n": line.quantity})
    if event.query:
        yield Sentence("trace.change.searched", {"query": event.query})
    yield Sentence("trace.change.seen")
