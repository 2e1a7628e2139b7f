"""Which offers can be given at this moment, and how much of each is left."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from lingxi.coupons.book import list_offers
from lingxi.coupons.issuing import check_open
from lingxi.coupons.ledger import OUTSTANDING, Account, Totals, read_all_totals
from lingxi.coupons.offer import Offer, PoolCode
from lingxi.coupons.tables import coupon_redemption
from lingxi.errors import OfferClosed
from lingxi.store.tables import identity


@dataclass(frozen=True)
class OpenOffer:
    """An offer that can be given now: ``left`` times, and for ``budget_cents`` in all; nothing
    stands for no limit."""

    offer: Offer
    left: int | None = None
    budget_cents: int | None = None


def list_open(tx: sa.Connection, now: datetime) -> list[OpenOffer]:
    """The offers that count now and have something left, by name.

    What is issued and may still be redeemed is reserved: it is no longer left of ``redemptions``.
    """
    totals, found = read_all_totals(tx), []
    for kept in list_offers(tx):
        offer, starts = kept.offer, kept.offer.validity.starts_at
        if starts is not None and starts > now:
            continue
        try:
            check_open(tx, offer, now)
        except OfferClosed:
            continue
        each = measure(offer, totals.get(offer.name, Totals({}, 0)))
        if each.left != 0:
            found.append(each)
    return found


def measure(offer: Offer, totals: Totals) -> OpenOffer:
    """How much is left of an offer, by its limits and its pool."""
    limits, bounds = offer.limits, []
    if limits.issued is not None:
        bounds.append(limits.issued - totals.issued)
    if limits.redemptions is not None:
        bounds.append(limits.redemptions - totals.count(Account.REDEEMED, *OUTSTANDING))
    if isinstance(offer.code, PoolCode):
        bounds.append(totals.count(Account.FREE))
    left = max(0, min(bounds)) if bounds else None
    budget = limits.budget_cents
    return OpenOffer(offer, left, None if budget is None else budget - totals.spent_cents)


def read_used_up(tx: sa.Connection, offers: Iterable[Offer]) -> Mapping[int, frozenset[str]]:
    """The offers that each customer has used as often as one may, whatever merged since."""
    c, n = coupon_redemption.c, sa.func.count()
    who = sa.func.coalesce(identity.c.customer, c.customer)
    query = (
        sa.select(who, c.offer, n)
        .select_from(coupon_redemption.outerjoin(identity, identity.c.subject == c.customer))
        .where(c.voided_at.is_(None), c.customer.is_not(None))
        .group_by(who, c.offer)
    )
    most = {offer.name: offer.limits.per_customer for offer in offers}
    found: dict[int, set[str]] = {}
    for customer, name, times in tx.execute(query):
        limit = most.get(name)
        if limit is not None and times >= limit:
            found.setdefault(customer, set()).add(name)
    return {customer: frozenset(names) for customer, names in found.items()}
