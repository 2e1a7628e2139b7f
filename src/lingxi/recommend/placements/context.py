"""Who asks for a list, where, and in view of what."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from lingxi.profiles.read import CountColumns
from lingxi.recommend.expressions import Facts, Moment
from lingxi.recommend.expressions.nodes import Scalar
from lingxi.recommend.item_table import ItemTable
from lingxi.store.tables import from_micros, to_micros

if TYPE_CHECKING:
    from lingxi.recommend.kept import Told
    from lingxi.recommend.past import Past


@dataclass(frozen=True)
class Met:
    """What a customer did with one item: how often, and when last."""

    views: int
    carts: int
    orders: int
    last_at: datetime


class LazyPast(Mapping[str, Met]):
    """What a customer did with items, by item id; each is made when the first one is asked for.

    What is only known as sent back is not in it.
    """

    def __init__(self, columns: CountColumns) -> None:
        self._columns = columns
        self._made: dict[str, Met] | None = None

    def __getitem__(self, item_id: str) -> Met:
        return self._make()[item_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._make())

    def __len__(self) -> int:
        return int((self._columns.numbers[-1] != 0).sum())

    def _make(self) -> dict[str, Met]:
        if self._made is None:
            rows = zip(self._columns.item_ids, *self._columns.numbers.tolist(), strict=True)
            self._made = {
                item_id: Met(views, carts, orders, from_micros(at))
                for item_id, views, carts, orders, at in rows
                if at
            }
        return self._made


@dataclass(frozen=True)
class Context:
    """A request for a list.

    Parameters
    ----------
    now
        The moment of the request.
    customer
        Canonical subject, or nothing for a visitor.
    past
        What the customer did with items, by item id.
    told
        The same as the profile keeps it, by the places of the table, where the quick way is wanted.
    history
        Items looked at in this session, newest last.
    item
        The item that is looked at.
    cart
        Items in the cart.
    category
        The category page: the list keeps to it. A category's name, or a path "Home > Lamps".
    candidates
        What a query found, best first: the list keeps to these.
    country
        Two letters of the country asked from.
    age
        Years, where the shop knows that its visitor is at least so old.
    ignored
        How often each item was shown since the customer last looked at it.
    promoted
        Views and clicks of promotions, by item id, where a strategy asks.
    unit
        What the experiment's hash is taken of: the customer or the browser; "" for neither.
    """

    now: datetime
    customer: int | None = None
    past: Mapping[str, Met] = field(default_factory=dict)
    told: "Told | None" = None
    history: tuple[str, ...] = ()
    item: str | None = None
    cart: tuple[str, ...] = ()
    category: str | None = None
    candidates: tuple[str, ...] = ()
    country: str | None = None
    age: int | None = None
    ignored: Mapping[str, int] = field(default_factory=dict)
    promoted: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    unit: str = ""

    @property
    def looked_at(self) -> tuple[str, ...]:
        """What was looked at just now or lies in the cart, each once, newest last."""
        ordered = (*self.cart, *self.history, *((self.item,) if self.item else ()))
        return tuple(dict.fromkeys(reversed(ordered)))[::-1]

    @property
    def seeds(self) -> tuple[str, ...]:
        """What a list of similar or complementary items starts from.

        The item that is looked at; else the cart; else what was looked at last; else what was
        bought last.
        """
        if self.item:
            return (self.item,)
        if self.cart or self.history:
            return self.cart or self.history[-1:]
        bought = {item_id: met for item_id, met in self.past.items() if met.orders}
        newest = max((met.last_at for met in bought.values()), default=None)
        return tuple(sorted(i for i, met in bought.items() if met.last_at == newest))

    def read_past(self, table: ItemTable) -> "Past":
        """The past by the places of the table, without what is looked at just now."""
        if self.told is not None:
            return self.told.past.within(len(table))  # an item may have come since it was made
        from lingxi.recommend.past import Past  # a server starts without it

        rows = [
            (item_id, met.views, met.carts, met.orders, to_micros(met.last_at))
            for item_id, met in self.past.items()
        ]
        return Past.read(CountColumns.of(rows), table.index, table.n_known)

    def moment(self, table: ItemTable) -> Moment:
        """What conditions can ask of this request."""
        values: dict[str, Scalar] = {"request.cart_items": float(len(set(self.cart)))}
        if self.country:
            values["request.country"] = self.country
        if self.category:
            values["request.category"] = self.category
        prices = [_price(table, item_id) for item_id in self.cart]
        if all(price is not None for price in prices):
            values["request.cart_value"] = sum(price or 0.0 for price in prices)
        current = self._find(table, self.item) if self.item else None
        return Moment(self.now, values, current)

    @staticmethod
    def _find(table: ItemTable, item_id: str) -> Facts:
        place = table.index.get(item_id)
        return Facts(item_id) if place is None else table.facts[place]


def _price(table: ItemTable, item_id: str) -> float | None:
    place = table.index.get(item_id)
    item = None if place is None else table.facts[place].item
    cents = None if item is None else item.price_cents
    return None if cents is None or place is None else cents / table.facts[place].units
