"""Documents become events: completed, refunded, charged."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from lingxi.ingest.documents import Document
from lingxi.ingest.refunds import Tied
from lingxi.ingest.stated import STATED
from lingxi.schema import Event, Name, Scalar

ORDER_CHARGED = "Order Charged"
"""A document of costs alone: money that moved, and no order of goods."""
SOURCE = "orders"


def to_order_event(document: Document, subject: int | None, received_at: datetime) -> Event:
    """One sale as one event, or a charge where nothing but costs was written."""
    charge = document.charge and document.amount_cents == 0
    prefix = "charge" if charge else "order"
    number = document.order_id if not document.refund else f"refund:{document.order_id}"
    return Event(
        event_id=f"{prefix}:{number}{document.suffix}",
        name=ORDER_CHARGED if charge else Name.ORDER_COMPLETED.value,
        occurred_at=document.occurred_at,
        received_at=received_at,
        subject=subject,
        order_id=document.order_id,
        currency=document.currency,
        country=document.country,
        amount_cents=document.amount_cents,
        cost_cents=document.cost_cents,
        lines=document.lines,
        properties=_tell_paid(document) | ({"part": document.suffix} if document.suffix else {}),
        source=SOURCE,
    )


def _tell_paid(document: Document) -> dict[str, Scalar]:
    """What was paid before it was converted."""
    if document.paid_in is None:
        return {}
    told: dict[str, Scalar] = {"original_currency": document.paid_in}
    if document.paid_cents is not None:
        told["original_total_cents"] = document.paid_cents
    return told


def to_refund_events(tied: Tied, subject: int | None, received_at: datetime) -> Iterator[Event]:
    """One event for each order that the refund belongs to; costs go with the first."""
    document = tied.document
    cost = document.cost_cents
    paid = _tell_paid(document) if len(tied.by_order) == 1 else {}
    for order_id, lines in tied.by_order.items():
        properties: dict[str, Scalar] = {"refund_id": document.order_id, **paid}
        yield Event(
            event_id=f"refund:{document.order_id}:{order_id or ''}{document.suffix}",
            name=Name.ORDER_REFUNDED.value,
            occurred_at=document.occurred_at,
            received_at=received_at,
            subject=subject,
            order_id=order_id,
            currency=document.currency,
            country=document.country,
            amount_cents=sum(line.amount_cents or 0 for line in lines),
            cost_cents=cost,
            lines=lines,
            properties=properties,
            source=SOURCE,
        )
        cost = 0 if cost is not None else None


def to_events(
    document: Document,
    tied: Tied | None,
    subject: int | None,
    received_at: datetime,
    *,
    told: bool = False,
) -> list[Event]:
    """The events of a document, of which a refund is ``tied``; of an order paid back that the log
    was ``told`` of before, the refund alone."""
    if told:
        return [_state_back(document, subject, received_at)]
    if tied is not None and not document.charge:
        return list(to_refund_events(tied, subject, received_at))
    events = [to_order_event(document, subject, received_at)]
    if document.paid_back and tied is None:
        events += _pay_back(document, subject, received_at)
    elif document.refunded_cents and tied is None:
        events.append(_state_back(document, subject, received_at))
    return events


def _pay_back(document: Document, subject: int | None, received_at: datetime) -> list[Event]:
    whole = Tied(document, {document.order_id: document.lines})
    return list(to_refund_events(whole, subject, received_at))


def _state_back(document: Document, subject: int | None, received_at: datetime) -> Event:
    """What came back of an order in all, of which the log may have a part: the goods are known of
    an order that came back whole, else the money alone."""
    (event,) = _pay_back(document, subject, received_at)
    stated = document.amount_cents + (document.cost_cents or 0)
    if not document.paid_back:
        stated = document.refunded_cents
        amount = min(stated, document.amount_cents)
        event = msgspec.structs.replace(
            event,
            event_id=f"{event.event_id}#{stated}",
            amount_cents=amount,
            cost_cents=stated - amount or None,
            lines=(),
        )
    told: dict[str, Scalar] = {**event.properties, STATED: stated}
    return msgspec.structs.replace(event, properties=told)
