"""Items, price and stock: what the shop sells, now and as of any moment."""

from typing import TYPE_CHECKING

from lingxi.catalogue.tables import metadata
from lingxi.doors import open_door

if TYPE_CHECKING:
    from lingxi.catalogue.change import ItemChange, apply_change
    from lingxi.catalogue.feed import import_items
    from lingxi.catalogue.history import (
        first_added,
        item_as_of,
        price_history,
        stock_history,
    )
    from lingxi.catalogue.items import (
        count_items,
        forget,
        get_items,
        list_items,
        read_changes,
        read_items,
        read_revision,
    )
    from lingxi.catalogue.retry import retry_items
    from lingxi.catalogue.write import (
        learn_from_orders,
        merge_items,
        put_items,
        remove_items,
    )
else:
    __getattr__ = open_door(__name__, __file__)

__all__ = [
    "ItemChange",
    "apply_change",
    "count_items",
    "first_added",
    "forget",
    "get_items",
    "import_items",
    "item_as_of",
    "learn_from_orders",
    "list_items",
    "merge_items",
    "metadata",
    "price_history",
    "put_items",
    "read_changes",
    "read_items",
    "read_revision",
    "remove_items",
    "retry_items",
    "stock_history",
]
