"""What other rooms know that keeps a message back at the moment of sending, and what fills it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from lingxi.app.messages import goods
from lingxi.catalogue import get_items
from lingxi.coupons import find_valid, get_offer
from lingxi.errors import UnknownCoupon, UnknownOffer, UnknownSegment
from lingxi.experiments import in_holdout
from lingxi.i18n import Translator
from lingxi.journeys.tables import run as runs
from lingxi.journeys.versions import get_version
from lingxi.messaging.nouns import Message, SkipReason
from lingxi.messaging.sending.judgement import SendCheck
from lingxi.messaging.templates.compose import Ask, ValueSource
from lingxi.store.keyed import fetch_by_keys
from lingxi.store.tables import identity

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

_MOMENT = timedelta(microseconds=1)
"""A coupon that ends at midnight can be used for the last time the day before."""
COUPON, SEGMENT = "coupon", "segment"
"""Keys of a message's context that are looked at when it is sent."""


def list_checks(shop: "Shop") -> Sequence[SendCheck]:
    """Everything that may keep a message of this shop back, beside what ``messaging`` knows."""
    return (
        SendCheck("stock", _check_stock),
        SendCheck("segment", partial(_check_segment, shop)),
        SendCheck("coupon", _check_coupon, transactional=True),
        SendCheck("holdout", _check_holdout, transactional=True),
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


def _check_stock(
    tx: sa.Connection, messages: Sequence[Message], now: datetime
) -> Mapping[str, SkipReason]:
    """Of messages about items those of which none is offered any more."""
    wanted = {each.id: goods.list_item_ids(each.context) for each in messages}
    known = get_items(tx, {item_id for ids in wanted.values() for item_id in ids})
    offered = {item_id for item_id, item in known.items() if item.is_offered(now)}
    gone = [key for key, ids in wanted.items() if ids and offered.isdisjoint(ids)]
    return dict.fromkeys(gone, SkipReason.OUT_OF_STOCK)


def _check_segment(
    shop: "Shop", tx: sa.Connection, messages: Sequence[Message], now: datetime
) -> Mapping[str, SkipReason]:
    """Of messages to a segment those whose customer is not in it any more."""
    named = {each.id: str(each.context.get(SEGMENT) or "") for each in messages}
    asked = [each for each in messages if named[each.id]]
    owners = _find_owners(tx, asked)
    found = {}
    for each in asked:
        customer = owners.get(each.customer)
        if customer is None:
            found[each.id] = SkipReason.NO_CUSTOMER
        elif not _is_member(shop, tx, named[each.id], customer, now):
            found[each.id] = SkipReason.LEFT_SEGMENT
    return found


def _is_member(shop: "Shop", tx: sa.Connection, segment: str, customer: int, now: datetime) -> bool:
    try:
        return shop.judge.is_member(tx, segment, customer, now)
    except UnknownSegment:
        return False


def _check_holdout(
    tx: sa.Connection, messages: Sequence[Message], _now: datetime
) -> Mapping[str, SkipReason]:
    """Of messages of journeys those whose customer is held out: by a merge of since, for who was
    held out at the beginning has none."""
    numbers = {(int(each.run),) for each in messages if each.journey and each.run.isdecimal()}
    c = runs.c
    begun = {
        str(number): (version, subject)
        for number, version, subject in fetch_by_keys(
            tx, [c.id], numbers, [c.id, c.version, c.subject]
        )
    }
    asked = [each for each in messages if each.run in begun]
    owners = _find_owners(tx, asked)
    found = {}
    for each in asked:
        version, began = begun[each.run]
        owner = owners.get(each.customer)
        if owner is None or owner == began:
            continue
        share = get_version(tx, each.journey, version).holdout
        if share > 0 and in_holdout(f"journey:{each.journey}", owner, share):
            found[each.id] = SkipReason.HOLDOUT
    return found


def _find_owners(tx: sa.Connection, messages: Sequence[Message]) -> dict[int, int]:
    """Who the customers of these messages are after all merges; who is gone is left out."""
    keys = {(each.customer,) for each in messages}
    c = identity.c
    return dict(fetch_by_keys(tx, [c.subject], keys, [c.subject, c.customer]))


def _coupon_of(message: Message) -> int | None:
    value = message.context.get(COUPON)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _check_coupon(
    tx: sa.Connection, messages: Sequence[Message], now: datetime
) -> Mapping[str, SkipReason]:
    """Of messages that bring a coupon those whose coupon is worth nothing any more."""
    brought = {each.id: _coupon_of(each) for each in messages if each.context.get(COUPON)}
    valid = find_valid(tx, {number for number in brought.values() if number is not None}, now)
    worthless = [key for key, number in brought.items() if number not in valid]
    return dict.fromkeys(worthless, SkipReason.COUPON_INVALID)


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
        "expires_on": None if ends is None else words.date(ends - _MOMENT),
    }
