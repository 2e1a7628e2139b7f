"""The event: one thing that happened, as the log keeps it."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

Scalar = str | int | float | bool | None
Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""A whole number that engines can hold; told where an event is read, not where one is made."""
Aware = Annotated[datetime, msgspec.Meta(tz=True)]
"""A moment that names its zone; told where an event is read."""


class Name(StrEnum):
    """Event names the product itself reads or writes.

    The shop's side is the Segment e-commerce specification v2 and the Segment spec's lifecycle
    events; the system's own side is everything that ``lingxi`` decides and does.
    """

    SIGNED_UP = "Signed Up"
    PRODUCTS_SEARCHED = "Products Searched"
    PRODUCT_VIEWED = "Product Viewed"
    PRODUCT_ADDED = "Product Added"
    PRODUCT_REMOVED = "Product Removed"
    WISH_ADDED = "Product Added to Wishlist"
    LIST_VIEWED = "Product List Viewed"
    PROMOTION_VIEWED = "Promotion Viewed"
    PROMOTION_CLICKED = "Promotion Clicked"
    CHECKOUT_STARTED = "Checkout Started"
    ORDER_COMPLETED = "Order Completed"
    ORDER_UPDATED = "Order Updated"
    ORDER_CANCELLED = "Order Cancelled"
    ORDER_REFUNDED = "Order Refunded"
    PAGE_VIEWED = "Page Viewed"
    SCREEN_VIEWED = "Screen Viewed"
    IDENTIFIED = "Identified"
    ALIASED = "Aliased"
    GROUP_JOINED = "Group Joined"
    CONSENT_GIVEN = "Consent Given"
    CONSENT_WITHDRAWN = "Consent Withdrawn"
    CUSTOMERS_MERGED = "Customers Merged"
    MERGE_UNDONE = "Merge Undone"
    STAGE_CHANGED = "Stage Changed"
    RECOMMENDATIONS_SERVED = "Recommendations Served"
    ARM_ASSIGNED = "Arm Assigned"
    COUPON_ISSUED = "Coupon Issued"
    COUPON_SEEN = "Coupon Seen"
    COUPON_REDEEMED = "Coupon Redeemed"
    COUPON_RELEASED = "Coupon Released"
    COUPON_EXPIRED = "Coupon Expired"
    COUPON_REVOKED = "Coupon Revoked"
    SEGMENT_ENTERED = "Segment Entered"
    SEGMENT_LEFT = "Segment Left"
    LIST_JOINED = "List Joined"
    LIST_LEFT = "List Left"
    ITEM_ADDED = "Item Added"
    ITEM_REMOVED = "Item Removed"
    ITEM_PRICE_CHANGED = "Item Price Changed"
    ITEM_STOCK_CHANGED = "Item Stock Changed"
    JOURNEY_STARTED = "Journey Started"
    JOURNEY_ENDED = "Journey Ended"
    MESSAGE_QUEUED = "Message Queued"
    MESSAGE_ACCEPTED = "Message Accepted"
    MESSAGE_FAILED = "Message Failed"
    MESSAGE_SKIPPED = "Message Skipped"
    MESSAGE_UNKNOWN = "Message Unknown"
    MESSAGE_SHOWN = "Message Shown"
    MESSAGE_CLOSED = "Message Closed"
    MESSAGE_OPENED = "Message Opened"
    MESSAGE_CLICKED = "Message Clicked"
    MESSAGE_BOUNCED = "Message Bounced"
    MESSAGE_COMPLAINED = "Message Complained"


ITEM_EVENTS = (
    Name.ITEM_ADDED,
    Name.ITEM_REMOVED,
    Name.ITEM_PRICE_CHANGED,
    Name.ITEM_STOCK_CHANGED,
)
"""What happened to an item of the catalogue; nobody's, so without a subject."""

MESSAGE_EVENTS = (
    Name.MESSAGE_QUEUED,
    Name.MESSAGE_ACCEPTED,
    Name.MESSAGE_FAILED,
    Name.MESSAGE_SKIPPED,
    Name.MESSAGE_UNKNOWN,
    Name.MESSAGE_SHOWN,
    Name.MESSAGE_CLOSED,
    Name.MESSAGE_OPENED,
    Name.MESSAGE_CLICKED,
    Name.MESSAGE_BOUNCED,
    Name.MESSAGE_COMPLAINED,
)
"""What became of a message, told by ``messaging``."""

AUTOMATION_EVENTS = (
    Name.ARM_ASSIGNED,
    Name.COUPON_ISSUED,
    Name.COUPON_SEEN,
    Name.COUPON_REDEEMED,
    Name.COUPON_RELEASED,
    Name.COUPON_EXPIRED,
    Name.COUPON_REVOKED,
    Name.SEGMENT_ENTERED,
    Name.SEGMENT_LEFT,
    Name.LIST_JOINED,
    Name.LIST_LEFT,
    Name.JOURNEY_STARTED,
    Name.JOURNEY_ENDED,
    *MESSAGE_EVENTS,
)
"""What automation has done about a customer: arms, coupons, segments, lists, journeys, messages."""

SYSTEM_EVENTS = (
    Name.STAGE_CHANGED,
    Name.IDENTIFIED,
    Name.ALIASED,
    Name.GROUP_JOINED,
    Name.CONSENT_GIVEN,
    Name.CONSENT_WITHDRAWN,
    Name.CUSTOMERS_MERGED,
    Name.MERGE_UNDONE,
    Name.RECOMMENDATIONS_SERVED,
    *AUTOMATION_EVENTS,
    *ITEM_EVENTS,
)
"""What the system itself notes, calls that only say who somebody is included; it is no sign of life
and no feature's input, and is not taken from outside as a track event."""


class Line(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One product in an event. Amounts are in minor units of the event's currency.

    ``amount_cents`` is quantity times the unrounded unit price, so it may differ from
    ``quantity * price_cents`` by rounding. On a refund quantity and amount are positive: what
    came back.
    """

    item_id: str
    quantity: Whole = 1
    price_cents: Whole | None = None
    amount_cents: Whole | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One event. ``properties`` holds nothing that identifies a person.

    ``event_id`` makes appending idempotent; ``position`` is 0 until the log has given one.
    ``subject`` is the surrogate of the raw identifier, or nothing for an anonymous basket.
    ``amount_cents`` is the event's whole goods value (orders and refunds), without ``cost_cents``
    (postage, fees and other non-product lines). Moments are aware and in UTC.
    """

    event_id: str
    name: str
    occurred_at: Aware
    received_at: Aware
    subject: Whole | None = None
    session_id: str | None = None
    order_id: str | None = None
    currency: str | None = None
    country: str | None = None
    category: str | None = None
    query: str | None = None
    amount_cents: Whole | None = None
    cost_cents: Whole | None = None
    lines: tuple[Line, ...] = ()
    properties: Mapping[str, Scalar] = {}
    source: str = ""
    position: int = 0
