"""Items: a page of many with what they sold, and everything known of one."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lingxi import catalogue
from lingxi.app.cursors import check_size, decode_cursor, encode_cursor
from lingxi.app.queries.cached import Cached
from lingxi.app.queries.recommendations import Shelf
from lingxi.app.views import BoughtTogether, ItemRow, ItemsView, ItemView
from lingxi.catalogue import get_items
from lingxi.catalogue.history import price_history, stock_history
from lingxi.errors import InvalidInput, NotTrained, UnknownItem, did_you_mean
from lingxi.schema import Item, Name

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

_NEIGHBOURS = 10
_ALL = 10_000_000

SORTS = ("revenue", "orders", "customers", "price", "name", "item_id")


@dataclass(frozen=True)
class Sold:
    """What an item sold, refunds taken off the revenue."""

    orders: int
    customers: int
    revenue_cents: int


_NOTHING = Sold(0, 0, 0)


class Sales:
    """What every item sold, kept while it is fresh."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop
        self._cached = Cached(self._read)

    def get(self) -> dict[str, Sold]:
        """Sales by item id."""
        position = self._shop.store.log.position()
        return self._cached.get(position, "", self._shop.clock.now())

    def _read(self) -> dict[str, Sold]:
        with self._shop.store.analytics() as analytics:
            events = analytics.events
            lines = events.filter(
                events.item_id.notnull(),
                events.name.isin([Name.ORDER_COMPLETED.value, Name.ORDER_REFUNDED.value]),
            )
            bought = lines.name == Name.ORDER_COMPLETED.value
            amount = lines.amount_cents.fill_null(0)
            rows = lines.group_by("item_id").aggregate(
                orders=lines.order_id.nunique(where=bought),
                customers=lines.customer.nunique(where=bought),
                revenue_cents=amount.sum(where=bought).fill_null(0)
                - amount.sum(where=~bought).fill_null(0),
            )
            table = analytics.to_arrow(rows)
        return {
            row["item_id"]: Sold(row["orders"], row["customers"], int(row["revenue_cents"]))
            for row in table.to_pylist()
        }


def list_items(
    shop: "Shop",
    sales: Sales,
    *,
    search: str,
    category: str,
    sort: str,
    cursor: str | None,
    n: int,
) -> ItemsView:
    """A page of the catalogue in the order of ``sort``; unknown values come last."""
    check_size(n)
    name, descending = sort.removeprefix("-"), sort.startswith("-")
    if name not in SORTS:
        near = did_you_mean(name, SORTS)
        raise InvalidInput(f"sort must be one of {', '.join(SORTS)}, not {name[:40]!r}{near}.")
    with shop.store.read() as tx:
        found = catalogue.list_items(tx, search=search, category=category, n=_ALL)
    sold = sales.get()
    rows = [to_item_row(item, sold.get(item.item_id, _NOTHING)) for item in found]
    ordered = _order(rows, name, descending=descending)
    start = _find_start(ordered, cursor)
    page = ordered[start : start + n]
    more = len(ordered) > start + n
    return ItemsView(
        currency=shop.settings.shop.currency,
        total=len(ordered),
        rows=tuple(page),
        next_cursor=encode_cursor([page[-1].item_id]) if more else None,
    )


def _order(rows: list[ItemRow], name: str, *, descending: bool) -> list[ItemRow]:
    fields = {"revenue": "revenue_cents", "price": "price_cents"}
    field = fields.get(name, name)
    rows = sorted(rows, key=lambda row: row.item_id)
    known = [row for row in rows if getattr(row, field) is not None]
    unknown = [row for row in rows if getattr(row, field) is None]
    known.sort(key=lambda row: getattr(row, field), reverse=descending)
    return known + unknown


def _find_start(rows: list[ItemRow], cursor: str | None) -> int:
    if cursor is None:
        return 0
    (after,) = decode_cursor(cursor, 1)
    for place, row in enumerate(rows):
        if row.item_id == after:
            return place + 1
    raise InvalidInput("cursor is not one that this list gave; begin without it.")


def to_item_row(item: Item, sold: Sold) -> ItemRow:
    """An item with what it sold."""
    return ItemRow(
        item_id=item.item_id,
        name=item.name,
        category=item.category,
        price_cents=item.price_cents,
        stock=item.stock,
        orders=sold.orders,
        customers=sold.customers,
        revenue_cents=sold.revenue_cents,
    )


def get_item(shop: "Shop", shelf: Shelf, sales: Sales, item_id: str) -> ItemView:
    """Everything known of one item; without a trained model it has no neighbours yet.

    Raises
    ------
    UnknownItem
        If there is no such item.
    """
    with shop.store.read() as tx:
        found = get_items(tx, [item_id])
        if item_id not in found:
            raise UnknownItem(f"There is no item {item_id[:80]!r}.")
    try:
        similar = shelf.similar(shop, item_id, n=_NEIGHBOURS).items
        pairs = shelf.get().bought_together(item_id, _NEIGHBOURS)
    except NotTrained:
        similar, pairs = (), ()
    with shop.store.read() as tx:
        names = get_items(tx, [pair.item_id for pair in pairs])
        prices, stocks = price_history(tx, item_id), stock_history(tx, item_id)
    together = tuple(
        BoughtTogether(
            pair.item_id,
            names[pair.item_id].name if pair.item_id in names else "",
            pair.orders,
            pair.confidence,
            pair.lift,
        )
        for pair in pairs
    )
    row = to_item_row(found[item_id], sales.get().get(item_id, _NOTHING))
    return ItemView(
        row,
        shop.settings.shop.currency,
        similar,
        together,
        found[item_id],
        tuple(prices),
        tuple(stocks),
    )
