"""Items, price and stock: what the shop sells, as it is now."""

from typing import TYPE_CHECKING

from lingxi.catalogue.tables import metadata
from lingxi.doors import open_door

if TYPE_CHECKING:
    from lingxi.catalogue.feed import import_items
    from lingxi.catalogue.items import (
        count_items,
        forget,
        get_items,
        learn_from_orders,
        learn_items,
        list_items,
        put_items,
        read_items,
    )
else:
    __getattr__ = open_door(__name__, __file__)

__all__ = [
    "count_items",
    "forget",
    "get_items",
    "import_items",
    "learn_from_orders",
    "learn_items",
    "list_items",
    "metadata",
    "put_items",
    "read_items",
]
