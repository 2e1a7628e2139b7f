"""Who did what with which item, and when: read once from the log, seen as of any moment."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lingxi.ingest.consent import keep_permitted
from lingxi.recommend.histories import CART, ORDER, VIEW, Histories
from lingxi.recommend.matrix import Csr, sum_pairs
from lingxi.schema import Name
from lingxi.store import Analytics

KINDS: Mapping[str, int] = {
    Name.PRODUCT_VIEWED: VIEW,
    Name.PRODUCT_ADDED: CART,
    Name.WISH_ADDED: CART,
    Name.ORDER_COMPLETED: ORDER,
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Interactions:
    """One entry per event and different item, in order of time.

    ``rows``: who, an index into ``customers`` (shape (n_rows,), -1 for an anonymous basket);
    ``items``: an index into ``item_ids`` (sorted); ``kinds``: VIEW, CART or ORDER; ``moments``:
    microseconds since 1970 in UTC; ``orders``: an index of the order, -1 where it is not one;
    ``about``: what the catalogue says of the items (``content.Descriptions``), where it does;
    ``groups``: each item's narrowest category, -1 for none.
    """

    rows: NDArray[np.int64]
    items: NDArray[np.int64]
    kinds: NDArray[np.int64]
    moments: NDArray[np.int64]
    orders: NDArray[np.int64]
    customers: NDArray[np.int64]
    item_ids: tuple[str, ...]
    about: Csr | None = None
    groups: NDArray[np.int64] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and items."""
        return len(self.customers), len(self.item_ids)

    @property
    def last_moment(self) -> datetime:
        """The moment of the newest entry."""
        return to_moment(int(self.moments[-1]))

    @property
    def first_moment(self) -> datetime:
        """The moment of the oldest entry."""
        return to_moment(int(self.moments[0]))

    def between(self, start: datetime | None, end: datetime) -> "Interactions":
        """The entries of ``[start, end)``, over the same rows and items."""
        low = 0 if start is None else int(np.searchsorted(self.moments, to_micros(start)))
        high = int(np.searchsorted(self.moments, to_micros(end)))
        part = slice(low, high)
        return replace(
            self,
            rows=self.rows[part],
            items=self.items[part],
            kinds=self.kinds[part],
            moments=self.moments[part],
            orders=self.orders[part],
        )

    def histories(self) -> Histories:
        """Every row's events in order of time; the rows of the answer are these rows."""
        histories = Histories.of_events(
            self.rows,
            self.items,
            self.shape,
            moments=self.moments,
            kinds=self.kinds,
            baskets=self.orders,
        )
        return replace(histories, about=self.about, groups=self.groups)

    def bought(self) -> Csr:
        """1 for every row and item ordered at least once, shape (n_rows, n_items)."""
        ordered = self.kinds == ORDER
        cells = np.unique(self.rows[ordered] * len(self.item_ids) + self.items[ordered])
        rows, items = np.divmod(cells, max(len(self.item_ids), 1))
        return sum_pairs(rows, items, np.ones(len(cells)), self.shape)


def read_interactions(analytics: Analytics, as_of: datetime | None = None) -> Interactions:
    """All views, cart and wish list additions and orders, before ``as_of`` if one is given.

    An anonymous basket is a row of its own (its order), so that it teaches item-item models. What
    customers did who refused personalisation or analytics teaches nothing.
    """
    events = keep_permitted(analytics, analytics.events, "personalisation", "analytics")
    wanted = events.filter(events.name.isin(list(KINDS)), events.item_id.notnull())
    if as_of is not None:
        wanted = wanted.filter(wanted.occurred_at < ibis.literal(as_of))
    wanted = wanted.filter(wanted.customer.notnull() | wanted.order_id.notnull())
    basket = ibis.ifelse(wanted.customer.isnull(), wanted.order_id, ibis.null("string"))
    rows = wanted.select(
        "position", "customer", "item_id", "name", "occurred_at", "order_id", basket=basket
    )
    return from_table(analytics.to_arrow(rows.distinct()))


def from_table(table: pa.Table) -> Interactions:
    """Interactions from columns customer, basket, item_id, name, occurred_at, order_id, position.

    One row per event and item; ``customer`` or ``basket`` says who.
    """
    table = table.sort_by(
        [("occurred_at", "ascending"), ("position", "ascending"), ("item_id", "ascending")]
    )
    kinds = _encode_kinds(table["name"])
    moments = table["occurred_at"].cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy()
    item_ids, items = _encode(table["item_id"])
    customers = np.array(table["customer"].fill_null(pa.scalar(-1, pa.int64())))
    known, rows = np.unique(customers, return_inverse=True)
    first = 1 if len(known) and known[0] == -1 else 0
    known = known[first:]
    baskets, basket = _encode(table["basket"])
    rows = np.where(basket >= 0, len(known) + basket, rows - first)
    _, orders = _encode(table["order_id"])
    kinds, orders = promote(kinds, np.where(kinds == ORDER, orders, -1))
    return Interactions(
        rows=rows.astype(np.int64),
        items=items,
        kinds=kinds,
        moments=moments,
        orders=orders,
        customers=np.concatenate((known, np.full(len(baskets), -1, dtype=np.int64))),
        item_ids=item_ids,
    )


def promote(kinds: NDArray[np.int64], orders: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    """Kinds and orders where nothing was ever ordered: the strongest sign there is stands for it.

    Somewhere that sells nothing (a reader's likes, a library's loans) is taught what is liked, else
    what is looked at. Each event is then an order of its own.

    >>> promote(np.array([VIEW, CART]), np.array([-1, -1]))
    (array([0, 2]), array([-1,  1]))
    """
    if (orders >= 0).any() or not len(kinds):
        return kinds, orders
    strongest = kinds == kinds.max()
    return np.where(strongest, ORDER, kinds), np.where(strongest, np.arange(len(kinds)), -1)


def _encode_kinds(column: "pa.ChunkedArray[pa.StringScalar]") -> NDArray[np.int64]:
    names, codes = _encode(column)
    return np.array([KINDS[name] for name in names], dtype=np.int64)[codes]


def _encode(
    column: "pa.ChunkedArray[pa.StringScalar]",
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Distinct texts, sorted, and each entry's index among them, -1 for none."""
    names = sorted(name for name in pc.unique(column).to_pylist() if name is not None)
    places = pc.index_in(column, value_set=pa.array(names, column.type))
    codes = np.array([-1 if at is None else at for at in places.to_pylist()], dtype=np.int64)
    return tuple(names), codes


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970 in UTC."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def to_moment(micros: int) -> datetime:
    """The moment of so many microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=micros)
