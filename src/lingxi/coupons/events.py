"""What became of a coupon, as events for the log. They carry its number, never its code."""

from datetime import datetime

from lingxi.schema import Event, Name, Scalar

SOURCE = "coupons"


def coupon_event(
    name: Name,
    coupon: int,
    offer: str,
    customer: int | None,
    now: datetime,
    *,
    part: str = "",
    order_id: str | None = None,
    **properties: Scalar,
) -> Event:
    """An act on a coupon; the same act always has the same ``event_id``.

    ``part`` tells acts apart that may happen to a coupon more than once.

    >>> from datetime import UTC
    >>> moment = datetime(2026, 1, 1, tzinfo=UTC)
    >>> coupon_event(Name.COUPON_ISSUED, 7, "spring", 3, moment).event_id
    'coupon-7-issued'
    """
    act = name.rpartition(" ")[2].lower()
    return Event(
        event_id=f"coupon-{coupon}-{act}{part}",
        name=name,
        occurred_at=now,
        received_at=now,
        subject=customer,
        order_id=order_id,
        properties={"offer": offer, "coupon": coupon, **properties},
        source=SOURCE,
    )
