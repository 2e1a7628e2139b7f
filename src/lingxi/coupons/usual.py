"""The usual offers: what the plan chooses from until a shop says what it would rather give."""

from datetime import datetime

import sqlalchemy as sa

from lingxi.coupons.book import find_offer, list_offers, put_offer
from lingxi.coupons.offer import FreeShipping, Limits, Offer, Percent, PlanUse, Privilege, Validity
from lingxi.coupons.vault import Vault

ACTOR = "the plan"
_OFTEN = Limits(per_customer=None)
_MONTH = Validity(days=30)

USUAL_OFFERS = (
    Offer(
        name="early_access",
        benefit=Privilege(),
        title={"en": "Early access to new items", "zh": "新品优先购"},
        validity=_MONTH,
        limits=_OFTEN,
        plan=PlanUse(occasions=("loyalty_thanks",)),
        personal=True,
    ),
    Offer(
        name="free_shipping",
        benefit=FreeShipping(),
        title={"en": "Free shipping", "zh": "包邮"},
        validity=_MONTH,
        limits=_OFTEN,
        plan=PlanUse(occasions=("welcome", "win_back")),
        personal=True,
    ),
    Offer(
        name="percent_10",
        benefit=Percent(percent=10),
        title={"en": "10% off", "zh": "九折"},
        validity=_MONTH,
        limits=_OFTEN,
        plan=PlanUse(occasions=("second_order", "win_back_valued")),
        personal=True,
    ),
)
"""Offers like any others once they are the shop's: to be changed, paused, exported."""


def put_usual_offers(tx: sa.Connection, vault: Vault, now: datetime) -> int:
    """Give the usual offers to a shop that has none for the plan; how many were put.

    An offer that is meant for the plan and paused counts as one; one of the same name stays as it
    is.
    """
    if any(kept.offer.plan.occasions for kept in list_offers(tx)):
        return 0
    missing = [offer for offer in USUAL_OFFERS if find_offer(tx, offer.name) is None]
    for offer in missing:
        put_offer(tx, vault, offer, now, actor=ACTOR)
    return len(missing)
