"""The item: one thing a shop sells."""

import msgspec


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """What the catalogue knows of an item; ``None`` means unknown, never zero.

    ``stock`` is units on hand: an item with 0 is out of stock, one with ``None`` is taken as sold.
    """

    item_id: str
    name: str = ""
    category: str | None = None
    price_cents: int | None = None
    margin_cents: int | None = None
    stock: int | None = None
    brand: str | None = None
    active: bool = True
