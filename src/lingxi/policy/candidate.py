"""What a rule may look at: one customer, and the shop that customer belongs to."""

from dataclasses import dataclass

from lingxi.coupons.openness import OpenOffer
from lingxi.coupons.usual import USUAL_OFFERS
from lingxi.i18n import Sentence

NO_OFFER = "none"


@dataclass(frozen=True)
class Due:
    """An item that a customer buys again and again, and whose turn has come.

    ``gap_days`` is the customer's own mean gap between purchases of it, ``since_days`` the time
    since the last one.
    """

    item_id: str
    name: str
    purchases: int
    gap_days: float
    since_days: float


@dataclass(frozen=True)
class ShopFacts:
    """The shop's own yardsticks, learned from its data. Amounts are in minor units.

    ``gap_days`` is the median gap between two orders of one customer; ``value_median_cents`` the
    median expected yearly value of customers who have ordered; ``horizon_days`` the churn horizon;
    ``delivery_cents`` what one delivery costs the shop; ``offers`` what it gives at present.
    """

    currency: str
    gap_days: float
    horizon_days: int
    order_cents: int
    value_median_cents: int
    delivery_cents: int
    offers: tuple[OpenOffer, ...] = tuple(OpenOffer(offer) for offer in USUAL_OFFERS)


@dataclass(frozen=True)
class Candidate:
    """One customer as the rules see it; ``None`` means that it cannot be known.

    ``value_cents`` is the revenue expected over the next 365 days, ``order_cents`` the customer's
    expected order value, ``churn_probability`` that of no order within the shop's horizon.
    """

    customer: int
    stage: str
    segment: str | None
    orders: int
    net_revenue_cents: int
    tenure_days: float
    recency_days: float | None
    gap_days: float | None
    return_rate: float | None
    churn_probability: float | None
    churn_level: str | None
    value_cents: int
    order_cents: int
    item_ids: tuple[str, ...] = ()
    due: Due | None = None
    refuses: frozenset[str] = frozenset()
    """Channels on which the customer may not be sent advertising."""
    segments: frozenset[str] = frozenset()
    """Those of the shop's segments that an offer asks for, and the customer is in."""
    used_offers: frozenset[str] = frozenset()
    """Offers that the customer has used as often as one may."""
    margin_share: float | None = None
    """Margin by price of the items proposed, else of the shop's; unknown where no item has one."""

    def usual_gap_days(self, shop: ShopFacts) -> float:
        """The customer's own gap between orders where it is known, else the shop's."""
        return self.gap_days if self.gap_days is not None else shop.gap_days


@dataclass(frozen=True)
class Proposal:
    """What one rule would do for one customer, and why."""

    action: str
    offer: str
    channel: str
    reason: Sentence
    item_ids: tuple[str, ...] = ()
