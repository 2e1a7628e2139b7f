"""What a customer is about to buy, as the shop's checkout tells it."""

from typing import Annotated

import msgspec
from msgspec import Meta

from lingxi.coupons.offer import MOST_CENTS, Cents


class BasketLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One item of a basket; ``categories`` may be left out where the catalogue knows them."""

    item_id: Annotated[str, Meta(min_length=1, max_length=200)]
    price_cents: Cents
    quantity: Annotated[int, Meta(ge=1, le=100_000)] = 1
    categories: Annotated[tuple[str, ...], Meta(max_length=50)] = ()

    @property
    def amount_cents(self) -> int:
        """What the line costs."""
        return self.price_cents * self.quantity


class Basket(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A basket, before any discount. Amounts are minor units of ``currency``, the shop's if empty.

    ``codes`` are the other codes that are on the basket already.
    """

    lines: Annotated[tuple[BasketLine, ...], Meta(max_length=1_000)] = ()
    shipping_cents: Annotated[int, Meta(ge=0, le=MOST_CENTS)] = 0
    currency: Annotated[str, Meta(max_length=3)] = ""
    codes: Annotated[tuple[Annotated[str, Meta(max_length=64)], ...], Meta(max_length=20)] = ()
