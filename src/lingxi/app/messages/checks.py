"""What other rooms know that keeps a message back at the moment of sending, and what fills it."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from lingxi.app.messages import goods
from lingxi.catalogue import get_items
from lingxi.coupons import get_offer, is_valid
from lingxi.errors import UnknownCoupon, UnknownOffer, UnknownSegment
from lingxi.i18n import Translator
from lingxi.messaging.nouns import Message, SkipReason
from lingxi.messaging.sending.judgement import SendCheck
from lingxi.messaging.templates.compose import Ask, ValueSource
from lingxi.store.tables import identity

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

COUPON, SEGMENT = "coupon", "segment"
"""Keys of a message's context that are looked at when it is sent."""


def list_checks(shop: "Shop") -> Sequence[SendCheck]:
    """Everything that may keep a message of this shop back, beside what ``messaging`` knows."""
    return (
        SendCheck("stock", _check_stock),
        SendCheck("segment", partial(_check_segment, shop)),
        SendCheck("coupon", _check_coupon, transactional=True),
    )


def list_sources(shop: "Shop") -> Sequence[ValueSource]:
    """The values that templates of this shop may name."""
    readers = {
        "recommendations": goods.read_recommendations,
        "recently_viewed": goods.read_viewed,
        "cart": goods.read_cart,
        "item": goods.read_item,
        "items": goods.read_items,
        "price_drop": goods.read_drops,
        "coupon": _read_coupon,
    }
    return [ValueSource(name, partial(read, shop)) for name, read in readers.items()]


def _check_stock(tx: sa.Connection, message: Message, now: datetime) -> SkipReason | None:
    """Whether one of the items that the message is about is still offered."""
    wanted = goods.list_item_ids(message.context)
    if not wanted:
        return None
    offered = (item.is_offered(now) for item in get_items(tx, wanted).values())
    return None if any(offered) else SkipReason.OUT_OF_STOCK


def _check_segment(
    shop: "Shop", tx: sa.Connection, message: Message, now: datetime
) -> SkipReason | None:
    """Whether the customer is still in the segment that the message was queued for."""
    name = message.context.get(SEGMENT)
    if not name:
        return None
    owner = sa.select(identity.c.customer).where(identity.c.subject == message.customer)
    customer = tx.execute(owner).scalar()
    if customer is None:
        return SkipReason.NO_CUSTOMER
    try:
        member = shop.judge.is_member(tx, str(name), customer, now)
    except UnknownSegment:
        member = False
    return None if member else SkipReason.LEFT_SEGMENT


def _coupon_of(message: Message) -> int | None:
    value = message.context.get(COUPON)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _check_coupon(tx: sa.Connection, message: Message, now: datetime) -> SkipReason | None:
    if not message.context.get(COUPON):
        return None
    coupon = _coupon_of(message)
    valid = coupon is not None and is_valid(tx, coupon, now)
    return None if valid else SkipReason.COUPON_INVALID


def _read_coupon(shop: "Shop", tx: sa.Connection, ask: Ask) -> dict[str, object] | None:
    """The coupon that the message brings: its code, what it is, and its last day."""
    number = _coupon_of(ask.message)
    if number is None:
        return None
    try:
        code = shop.coupons.read(tx, number)
        offer = get_offer(tx, code.offer).offer
    except (UnknownCoupon, UnknownOffer):
        return None
    words = Translator(ask.language, ZoneInfo(ask.reader.timezone))
    ends = code.expires_at
    return {
        "code": code.text,
        "title": offer.title_in(ask.language),
        "offer": code.offer,
        "expires_at": None if ends is None else ends.isoformat(),
        "expires_on": None if ends is None else words.date(ends),
    }
