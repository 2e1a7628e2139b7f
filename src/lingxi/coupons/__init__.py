"""Coupons: offers, the codes that carry them, and a ledger of what became of each."""

from typing import TYPE_CHECKING

from lingxi.doors import open_door

if TYPE_CHECKING:
    from lingxi.coupons.basket import Basket, BasketLine
    from lingxi.coupons.book import find_offer, get_offer, list_offers
    from lingxi.coupons.closing import find_valid
    from lingxi.coupons.erasure import forget
    from lingxi.coupons.issuing import Code
    from lingxi.coupons.offer import Offer
    from lingxi.coupons.redeeming import Redemption
    from lingxi.coupons.till import Coupons
    from lingxi.coupons.verdict import Verdict
else:
    __getattr__ = open_door(__name__, __file__)

__all__ = [
    "Basket",
    "BasketLine",
    "Code",
    "Coupons",
    "Offer",
    "Redemption",
    "Verdict",
    "find_offer",
    "find_valid",
    "forget",
    "get_offer",
    "list_offers",
]
