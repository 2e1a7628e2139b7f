"""May this code be used on this basket? Purely: from the offer, the coupon and what is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import msgspec

from lingxi.coupons.basket import Basket, BasketLine
from lingxi.coupons.discount import Discount, compute_discount
from lingxi.coupons.ledger import Account
from lingxi.coupons.offer import Conditions, Gift, Offer
from lingxi.i18n import Sentence


class Refusal(StrEnum):
    """Why a code is not taken; the sentence is ``coupons.refusal.<reason>``."""

    UNKNOWN = "unknown"
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    REDEEMED = "redeemed"
    REVOKED = "revoked"
    PAUSED = "paused"
    CURRENCY = "currency"
    NOTHING_COUNTS = "nothing_counts"
    MINIMUM = "minimum"
    FIRST_ORDER = "first_order"
    SEGMENT = "segment"
    WHO = "who"
    NOT_YOURS = "not_yours"
    PER_CUSTOMER = "per_customer"
    ALL_USED = "all_used"
    BUDGET = "budget"
    STACKING = "stacking"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a checkout: may the code be used, why not, and what it takes off.

    Amounts are minor units of ``currency`` and zero where the code is not valid; ``lines`` are the
    shares of ``goods_cents`` for each line of the basket.
    """

    valid: bool
    reasons: tuple[Sentence, ...] = ()
    offer: str = ""
    coupon: int | None = None
    discount_cents: int = 0
    goods_cents: int = 0
    shipping_cents: int = 0
    lines: tuple[int, ...] = ()
    gift: Gift | None = None
    points: int = 0
    cost_cents: int = 0
    currency: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Right:
    """What the holder of a code has: a coupon, or the right to one of a shared code."""

    state: Account
    coupon: int | None = None
    customer: int | None = None
    starts_at: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Facts:
    """What the shop knows at this moment. ``orders`` and ``in_segment`` of nobody are unknown.

    ``spent_cents``, ``redeemed`` and ``issued`` are the offer's; ``categories`` those of items,
    from widest to narrowest; ``others`` the offers of the codes that are on the basket already.
    """

    currency: str
    customer: int | None = None
    orders: int | None = None
    in_segment: bool | None = None
    redeemed_by_customer: int = 0
    spent_cents: int = 0
    redeemed: int = 0
    issued: int = 0
    categories: Mapping[str, Sequence[str]] = field(default_factory=dict)
    others: Sequence[Offer | None] = ()


_STATES = {
    Account.REDEEMED: Refusal.REDEEMED,
    Account.EXPIRED: Refusal.EXPIRED,
    Account.REVOKED: Refusal.REVOKED,
}


def judge(
    terms: Offer, current: Offer, right: Right, basket: Basket, facts: Facts, now: datetime
) -> Verdict:
    """The verdict on a code.

    Parameters
    ----------
    terms
        The offer as it was when the coupon was issued: its benefit and conditions hold.
    current
        The offer as it is now: its limits and its pause hold.
    """
    counting = [_counts(line, terms.conditions, facts) for line in basket.lines]
    discount = compute_discount(terms.benefit, basket, counting)
    reasons = [
        *_judge_time(current, right, now),
        *_judge_holder(terms, right, facts),
        *_judge_basket(terms.conditions, basket, counting, facts),
        *_judge_limits(current, right, discount, facts),
        *_judge_stacking(current, facts),
    ]
    if reasons:
        return Verdict(
            valid=False,
            reasons=tuple(reasons),
            offer=terms.name,
            coupon=right.coupon,
            currency=facts.currency,
            expires_at=right.expires_at,
        )
    return _accept(terms, right, discount, facts)


def _accept(terms: Offer, right: Right, discount: Discount, facts: Facts) -> Verdict:
    return Verdict(
        valid=True,
        offer=terms.name,
        coupon=right.coupon,
        discount_cents=discount.cents,
        goods_cents=discount.goods_cents,
        shipping_cents=discount.shipping_cents,
        lines=discount.lines,
        gift=discount.gift,
        points=discount.points,
        cost_cents=discount.cost_cents,
        currency=facts.currency,
        expires_at=right.expires_at,
    )


def refuse(reason: Refusal, **params: str | int) -> Sentence:
    """The sentence of a refusal."""
    return Sentence(f"coupons.refusal.{reason}", params)


def _counts(line: BasketLine, conditions: Conditions, facts: Facts) -> bool:
    if line.item_id in conditions.without_items:
        return False
    if not conditions.items and not conditions.categories:
        return True
    held = line.categories or facts.categories.get(line.item_id, ())
    return line.item_id in conditions.items or not set(held).isdisjoint(conditions.categories)


def _judge_time(current: Offer, right: Right, now: datetime) -> list[Sentence]:
    found = []
    if right.state in _STATES:
        found.append(refuse(_STATES[right.state]))
    elif right.expires_at is not None and right.expires_at <= now:
        found.append(refuse(Refusal.EXPIRED))
    if right.starts_at is not None and now < right.starts_at:
        found.append(refuse(Refusal.NOT_YET, starts_at=right.starts_at.isoformat()))
    if current.paused:
        found.append(refuse(Refusal.PAUSED))
    return found


def _judge_holder(terms: Offer, right: Right, facts: Facts) -> list[Sentence]:
    conditions = terms.conditions
    named = conditions.first_order or conditions.segment or terms.personal
    if facts.customer is None:
        return [refuse(Refusal.WHO)] if named else []
    found = []
    if terms.personal and right.customer not in (None, facts.customer):
        found.append(refuse(Refusal.NOT_YOURS))
    if conditions.first_order and facts.orders:
        found.append(refuse(Refusal.FIRST_ORDER))
    if conditions.segment and not facts.in_segment:
        found.append(refuse(Refusal.SEGMENT))
    return found


def _judge_basket(
    conditions: Conditions, basket: Basket, counting: Sequence[bool], facts: Facts
) -> list[Sentence]:
    if basket.currency and basket.currency != facts.currency:
        return [refuse(Refusal.CURRENCY, currency=facts.currency)]
    if not any(counting):
        return [refuse(Refusal.NOTHING_COUNTS)]
    amounts = zip(basket.lines, counting, strict=True)
    total = sum(line.amount_cents for line, counts in amounts if counts)
    if total < conditions.minimum_cents:
        missing = conditions.minimum_cents - total
        return [
            refuse(
                Refusal.MINIMUM,
                minimum_cents=conditions.minimum_cents,
                missing_cents=missing,
                currency=facts.currency,
            )
        ]
    return []


def _judge_limits(current: Offer, right: Right, discount: Discount, facts: Facts) -> list[Sentence]:
    limits = current.limits
    found = []
    all_issued = limits.issued is not None and facts.issued >= limits.issued
    all_redeemed = limits.redemptions is not None and facts.redeemed >= limits.redemptions
    if all_redeemed or (all_issued and right.coupon is None):
        found.append(refuse(Refusal.ALL_USED))
    if limits.budget_cents is not None:
        left = limits.budget_cents - facts.spent_cents
        if left <= 0 or discount.cost_cents > left:
            found.append(refuse(Refusal.BUDGET))
    most = limits.per_customer
    if most is not None and facts.customer is not None and facts.redeemed_by_customer >= most:
        found.append(refuse(Refusal.PER_CUSTOMER, n=most))
    return found


def _judge_stacking(current: Offer, facts: Facts) -> list[Sentence]:
    for other in facts.others:
        if other is None or not (_allows(current, other) and _allows(other, current)):
            return [refuse(Refusal.STACKING, other="" if other is None else other.name)]
    return []


def _allows(one: Offer, other: Offer) -> bool:
    return "*" in one.stacks_with or other.name in one.stacks_with
