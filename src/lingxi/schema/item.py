"""The item: one thing a shop sells."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from lingxi.schema.event import Scalar


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """What the catalogue knows of an item; ``None`` means unknown, never zero.

    Amounts are in minor units of the shop's currency. ``category`` is the last part of
    ``category_path``, which is empty where only that part is known. ``stock`` is units on hand: an
    item with 0 is out of stock, one with ``None`` is taken as sold. ``margin_cents`` is price less
    cost where both are known. Items of one ``group_id`` are variants of one product (size, colour).
    Outside of ``available_from`` (included) to ``available_until`` (excluded) an item is not
    offered. A ``removed`` item is kept for the names in old orders, and is never active.
    """

    item_id: str
    name: str = ""
    category: str | None = None
    price_cents: int | None = None
    margin_cents: int | None = None
    stock: int | None = None
    brand: str | None = None
    active: bool = True
    category_path: tuple[str, ...] = ()
    cost_cents: int | None = None
    attributes: Mapping[str, Scalar] = {}
    image: str | None = None
    url: str | None = None
    available_from: datetime | None = None
    available_until: datetime | None = None
    group_id: str | None = None
    removed: bool = False

    @property
    def path(self) -> tuple[str, ...]:
        """The categories from the widest to the narrowest.

        >>> Item(item_id="a", category="Lamps").path
        ('Lamps',)
        """
        return self.category_path or ((self.category,) if self.category else ())

    def is_offered(self, now: datetime) -> bool:
        """Whether the shop sells it at this moment, as far as anyone has said.

        >>> from datetime import UTC
        >>> may, june = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
        >>> Item(item_id="a", available_from=june).is_offered(may)
        False
        """
        return (
            self.active
            and (self.stock is None or self.stock > 0)
            and (self.available_from is None or self.available_from <= now)
            and (self.available_until is None or now < self.available_until)
        )
