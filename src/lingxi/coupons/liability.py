"""What outstanding coupons may still cost the shop: at most, and as past coupons let expect."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from lingxi.coupons.book import list_offers
from lingxi.coupons.ledger import OUTSTANDING, Account, Totals, read_all_totals
from lingxi.coupons.offer import Amount, Benefit, Gift, Offer, Points, Privilege, SharedCode
from lingxi.coupons.tables import coupon
from lingxi.stats.bootstrap import Interval

ENOUGH_CLOSED = 30
"""Coupons that must have been redeemed or expired before an expectation is worth telling."""
SPANS: Mapping[str, timedelta | None] = {
    "week": timedelta(days=7),
    "month": timedelta(days=30),
    "quarter": timedelta(days=90),
    "later": None,
}


@dataclass(frozen=True)
class Liability:
    """What the outstanding coupons of one offer may cost.

    ``most_cents`` is nothing where nothing bounds it. ``expected`` is nothing before 30 coupons are
    closed, and for a code that anybody may use. ``by_expiry`` counts the outstanding coupons by
    when they end: within a week, a month, a quarter, later, or never.
    """

    offer: Offer
    totals: Totals
    outstanding: int
    by_expiry: Mapping[str, int]
    most_cents: int | None
    expected: Interval | None


def report_liability(tx: sa.Connection, now: datetime) -> list[Liability]:
    """The liability of every offer, by name."""
    totals = read_all_totals(tx)
    spans = _count_by_expiry(tx, now)
    nothing = Totals({}, 0)
    return [
        assess(kept.offer, totals.get(kept.offer.name, nothing), spans.get(kept.offer.name, {}))
        for kept in list_offers(tx)
    ]


def assess(offer: Offer, totals: Totals, by_expiry: Mapping[str, int]) -> Liability:
    """The liability of one offer, from its totals."""
    outstanding = totals.count(*OUTSTANDING)
    return Liability(
        offer=offer,
        totals=totals,
        outstanding=outstanding,
        by_expiry=by_expiry,
        most_cents=bound_cost(offer, totals, outstanding),
        expected=expect_cost(offer, totals, outstanding),
    )


def bound_cost(offer: Offer, totals: Totals, outstanding: int) -> int | None:
    """The most that could still be spent on the offer; nothing where nothing bounds it."""
    limits, bounds = offer.limits, []
    each = _most_per_coupon(offer.benefit)
    left = outstanding
    anybody = isinstance(offer.code, SharedCode) and not offer.code.only_issued
    if limits.redemptions is not None:
        to_come = max(0, limits.redemptions - totals.count(Account.REDEEMED))
        left = to_come if anybody else min(outstanding, to_come)
    if each is not None and (limits.redemptions is not None or not anybody):
        bounds.append(each * left)
    if limits.budget_cents is not None:
        bounds.append(max(0, limits.budget_cents - totals.spent_cents))
    if left == 0 and not anybody:
        return 0
    return min(bounds, default=None)


def expect_cost(offer: Offer, totals: Totals, outstanding: int) -> Interval | None:
    """What outstanding coupons will cost if as many of them are redeemed as of those that are
    closed, each at the mean cost so far; the interval is Wilson's for the share redeemed."""
    from lingxi.stats.difference import wilson_interval

    if isinstance(offer.code, SharedCode) and not offer.code.only_issued:
        return None
    redeemed = totals.count(Account.REDEEMED)
    closed = redeemed + totals.count(Account.EXPIRED)
    if closed < ENOUGH_CLOSED or redeemed == 0:
        return None
    each = totals.spent_cents / redeemed
    share = wilson_interval(redeemed, closed)
    low, value, high = (outstanding * part * each for part in (share.low, share.value, share.high))
    return Interval(value, low, high)


def _most_per_coupon(benefit: Benefit) -> int | None:
    if isinstance(benefit, Amount):
        return benefit.cents
    if isinstance(benefit, Gift):
        return benefit.worth_cents * benefit.quantity
    if isinstance(benefit, Points | Privilege):
        return benefit.worth_cents
    return benefit.at_most_cents


def _count_by_expiry(tx: sa.Connection, now: datetime) -> dict[str, dict[str, int]]:
    c = coupon.c
    whens = [(c.expires_at < now + span, name) for name, span in SPANS.items() if span is not None]
    span = sa.case((c.expires_at.is_(None), "never"), *whens, else_="later")
    query = (
        sa.select(c.offer, span.label("span"), sa.func.count())
        .where(c.state.in_([str(each) for each in OUTSTANDING]))
        .group_by(c.offer, span)
    )
    found: dict[str, dict[str, int]] = {}
    for offer, name, n in tx.execute(query):
        found.setdefault(offer, {})[name] = n
    return found
