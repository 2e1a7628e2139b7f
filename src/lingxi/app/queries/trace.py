"""The whole way of one message: bytes in, each step, stored event, whose, what it changed."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from lingxi.app.collect_views import TraceStep, TraceView
from lingxi.app.queries.shown import mask, name_raw, reveal, show_bytes
from lingxi.errors import UnknownEvent
from lingxi.i18n import Sentence
from lingxi.ingest import customer_ids
from lingxi.ingest.cleaning import STEPS
from lingxi.ingest.message import Cleaned, Dropped, Outcome
from lingxi.schema import Event, Name
from lingxi.store.log import read_events
from lingxi.store.projection import find_customers

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

_MOST_DERIVED = 4
"""Events that follow one that tells of an order: its refund, and what was added."""
_EMPTY: tuple[object, ...] = (None, "", (), {}, 0)
_STEPS = tuple(step.__name__ for step in STEPS)


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
    changes: list[Sentence] = []
    if event is not None and outcome.result == "stored":
        event, *derived = _read_stored(shop, event, outcome.position)
        if outcome.subject is not None:
            every = [each for told in (*derived, event) for each in list_changes(told)]
            changes += [each for place, each in enumerate(every) if each not in every[:place]]
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
            TraceStep(s.name, s.reason.value, s.field, _shown(s.before), _shown(s.after))
            for s in cleaned.steps
        ),
        event=show_event(event) if event else {"name": name_raw(message.body)},
        position=outcome.position,
        customer_id=_owner(shop, outcome.subject),
        identifiers=()
        if kept is None
        else tuple((i.kind.value, mask(i.kind, i.value)) for i in kept.identifiers),
        changes=tuple(changes),
        passed=list_passed(cleaned),
        apart=() if kept is None else tuple(sorted({*kept.private, *kept.traits})),
    )


def _read_stored(shop: "Shop", event: Event, position: int | None) -> list[Event]:
    """The event as the log has it, which may know its order already, and what it changed of that
    order; as it was cleaned where the log no longer has it."""
    if not position:
        return [event]
    with shop.store.read() as tx:
        found = read_events(tx, after=position - 1, limit=_MOST_DERIVED + 1)
    if not found or found[0].event_id != event.event_id:
        return [event]
    told = [e for e in found[1:] if e.properties.get("told_by") == event.event_id]
    return [found[0], *told]


def _shown(value: str | None) -> str | None:
    return None if value is None else reveal(value)


def list_passed(cleaned: Cleaned | Dropped) -> tuple[str, ...]:
    """The steps that a message went through without a change, in their order."""
    ran = _STEPS
    if isinstance(cleaned, Dropped) and cleaned.step in _STEPS:
        ran = _STEPS[: _STEPS.index(cleaned.step)]
    changed = {step.name for step in cleaned.steps}
    return tuple(name for name in ran if name not in changed)


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
