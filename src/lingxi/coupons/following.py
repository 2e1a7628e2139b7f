"""Codes that a shop's own checkout took: an order that tells of one redeems it in our ledger.

The order has been made and the discount given, so nothing is judged: what happened is written down,
once. Codes that are not ours, or could not be used any more, are counted.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import sqlalchemy as sa

from lingxi.coupons.book import find_shared
from lingxi.coupons.codes import LONGEST
from lingxi.coupons.events import coupon_event
from lingxi.coupons.ledger import OUTSTANDING, Account
from lingxi.coupons.redeeming import is_of, look_up, secure, write_redemption
from lingxi.coupons.tables import coupon_redemption, coupon_stray
from lingxi.coupons.verdict import Right, Verdict
from lingxi.errors import OfferClosed
from lingxi.i18n.translator import minor_units
from lingxi.ingest.order_names import is_gone, list_numbers
from lingxi.schema import Event, Name
from lingxi.store.keyed import insert_or_ignore
from lingxi.store.tables import identity

if TYPE_CHECKING:
    from lingxi.coupons.till import Coupons

KEEP = timedelta(days=90)
"""How long codes that were not redeemed are counted."""
_MOST_CODES = 10


class Stray(StrEnum):
    """Why an order's code redeemed nothing: it is not ours, or it was used or closed before."""

    UNKNOWN = "unknown"
    SPENT = "spent"


def follow_order(
    till: "Coupons", tx: sa.Connection, event: Event, now: datetime
) -> tuple[int, list[Event]]:
    """Redeem the codes that an order names; how many were, and their events.

    An order that was cancelled or sent back as a whole redeems nothing.
    """
    codes = list(read_order_codes(event, till.currency))
    if not codes or not event.order_id or is_gone(tx, event.order_id):
        return 0, []
    query = sa.select(identity.c.customer).where(identity.c.subject == event.subject)
    customer = tx.execute(query).scalar()
    done, events = 0, []
    for code, cents in codes:
        found = _follow_one(till, tx, event, code, cents, customer, now)
        done += bool(found)
        events += found
    return done, events


def read_order_codes(event: Event, currency: str) -> Iterator[tuple[str, int]]:
    """The codes of an order with what each took off, in minor units of the shop's currency.

    They stand in ``coupon``, ``coupon_2``, ... and ``coupon_discount``, ``coupon_2_discount``, ...,
    the latter in units of the order's currency.
    """
    said = event.properties
    factor = _find_factor(event, currency)
    for place in range(1, _MOST_CODES + 1):
        name = "coupon" if place == 1 else f"coupon_{place}"
        code, off = said.get(name), said.get(f"{name}_discount")
        if isinstance(code, str) and 3 <= len(code.strip()) <= LONGEST:
            amount = off if isinstance(off, int | float) and off > 0 else 0
            yield code.strip(), round(amount * factor)


def _find_factor(event: Event, currency: str) -> float:
    """Minor units of the shop's currency for one unit of the order's, as its total was turned."""
    said = event.properties
    total, code = said.get("original_total_cents"), said.get("original_currency")
    if not isinstance(total, int) or not total or not isinstance(code, str):
        return float(10 ** minor_units(currency))
    own = (event.amount_cents or 0) + (event.cost_cents or 0)
    return float(own / total * 10 ** minor_units(code))


def _follow_one(
    till: "Coupons",
    tx: sa.Connection,
    event: Event,
    code: str,
    cents: int,
    customer: int | None,
    now: datetime,
) -> list[Event]:
    order_id, found_by = str(event.order_id), till.vault.find_by(code)
    key = f"order:{till.store.keyring.blind(f'coupons: order {order_id} {found_by}')}"
    if _is_done(till, tx, order_id, key, code):
        return []
    found = look_up(till, tx, found_by, customer, now)
    if found is None:
        ours = find_shared(tx, found_by) is not None
        _count(tx, key, Stray.SPENT if ours else Stray.UNKNOWN, now)
        return []
    kept, right = found
    if not _was_open(right, event.occurred_at):
        _count(tx, key, Stray.SPENT, now)
        return []
    try:
        number, source, events = secure(till, tx, kept, right, customer, key, now)
    except OfferClosed:  # a shared code whose limits are reached, which the shop took all the same
        number, source, events = None, right.state, []
    if number is None:
        _count(tx, key, Stray.SPENT, now)
        return []
    verdict = Verdict(
        valid=True,
        offer=kept.offer.name,
        coupon=number,
        discount_cents=cents,
        cost_cents=cents,
        currency=till.currency,
        expires_at=right.expires_at,
    )
    holder = customer or right.customer or None
    redemption = write_redemption(tx, verdict, holder, source, order_id, key, now)
    told = coupon_event(
        Name.COUPON_REDEEMED,
        number,
        kept.offer.name,
        holder,
        now,
        part=f"-{redemption}",
        order_id=order_id,
        redemption=redemption,
        discount_cents=cents,
        cost_cents=cents,
    )
    return [*events, told]


def _is_done(till: "Coupons", tx: sa.Connection, order_id: str, key: str, code: str) -> bool:
    """Whether this code of this order was followed before, or redeemed by the checkout itself."""
    c = coupon_redemption.c
    if tx.execute(sa.select(c.redemption).where(c.key == key)).first():
        return True
    numbers = list_numbers(tx, order_id)
    query = sa.select(c.coupon).where(c.order_id.in_(numbers), c.voided_at.is_(None))
    return any(is_of(till.vault, tx, number, code) for number in tx.execute(query).scalars().all())


def _was_open(right: Right, at: datetime) -> bool:
    """Whether a coupon could be redeemed when the order was made: news of it may come later than
    the end of the coupon."""
    if right.state in OUTSTANDING:
        return True
    ends = right.expires_at
    return right.state == Account.EXPIRED and ends is not None and at < ends


def _count(tx: sa.Connection, key: str, kind: Stray, now: datetime) -> None:
    row = {"key": key, "kind": str(kind), "at": now}
    tx.execute(insert_or_ignore(tx, coupon_stray), [row])


def count_strays(tx: sa.Connection, now: datetime) -> Mapping[str, int]:
    """Codes of orders that redeemed nothing in the last 90 days, by why; each order's code once."""
    c = coupon_stray.c
    query = sa.select(c.kind, sa.func.count()).where(c.at > now - KEEP).group_by(c.kind)
    held = {str(kind): int(n) for kind, n in tx.execute(query)}
    return {str(kind): held.get(kind, 0) for kind in Stray}


def drop_old_strays(tx: sa.Connection, now: datetime) -> None:
    """Forget what is no longer counted."""
    tx.execute(sa.delete(coupon_stray).where(coupon_stray.c.at <= now - KEEP))
