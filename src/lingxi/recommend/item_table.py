"""Items as columns: everything that a rule can ask of all of them at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.expressions.compare import fold
from lingxi.recommend.expressions.facts import Facts
from lingxi.recommend.expressions.nodes import Kind, Scalar
from lingxi.recommend.expressions.vectorised import Column, Numbers, Truths, Words, to_column
from lingxi.schema import Item

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Totals:
    """What all customers did with each item: views and orders, shape (n_items,)."""

    views: Vector
    orders: Vector


@dataclass(frozen=True)
class ItemTable:
    """All items that may be recommended: those of the model first, in its order, then the others.

    A place in the table is an item's index in the model where that is below ``n_known``. Columns
    are made when they are first asked for and kept. ``stamp`` names the state of the catalogue.
    """

    facts: tuple[Facts, ...]
    n_known: int
    stamp: str = ""
    _columns: dict[tuple[str, Kind], Column] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.facts)

    @cached_property
    def index(self) -> Mapping[str, int]:
        """The place of each item id."""
        return {facts.item_id: place for place, facts in enumerate(self.facts)}

    @cached_property
    def has_catalogue(self) -> bool:
        """Whether any catalogue knows any of the items."""
        return any(facts.item is not None for facts in self.facts)

    def column(self, name: str, kind: Kind) -> Column:
        """A column of ``kind``, one value an item."""
        found = self._columns.get((name, kind))
        if found is None:
            found = to_column([facts.read(name, kind) for facts in self.facts], kind)
            self._columns[name, kind] = found
        return found

    def numbers(self, name: str, unknown: float = np.nan) -> Vector:
        """A column of numbers with ``unknown`` where there is none, shape (n_items,)."""
        column = self.column(name, Kind.NUMBER)
        values: Vector = np.where(column.known, column.values, unknown)  # type: ignore[union-attr]
        return values

    def change(
        self, items: Mapping[int, Item | None], new: Sequence[Facts], stamp: str
    ) -> "ItemTable":
        """The table with other items at some places and new ones at its end; this one stays."""
        facts = list(self.facts)
        for place, item in items.items():
            facts[place] = replace(facts[place], item=item)
        facts += new
        places = np.array([*items, *range(len(self.facts), len(facts))], dtype=np.int64)
        columns = {
            key: _change_column(column, places, [facts[at].read(*key) for at in places.tolist()])
            for key, column in list(self._columns.items())
        }
        return ItemTable(tuple(facts), self.n_known, stamp, columns)


def _change_column(
    column: Column, places: NDArray[np.int64], values: list[Scalar | None]
) -> Column:
    """The column with other values at some places, some of them past its end."""
    size = max(len(column.known), int(places.max(initial=-1)) + 1)
    known = np.resize(column.known, size)
    known[places] = [value is not None for value in values]
    if isinstance(column, Numbers):
        numbers = np.resize(column.values, size)
        numbers[places] = [0.0 if value is None else cast(float, value) for value in values]
        return Numbers(numbers, known)
    if isinstance(column, Truths):
        truths = np.resize(column.values, size)
        truths[places] = [value is True for value in values]
        return Truths(truths, known)
    words = {word: code for code, word in enumerate(column.words)}
    codes = np.resize(column.codes, size)
    codes[places] = [
        -1 if value is None else words.setdefault(fold(value), len(words)) for value in values
    ]
    return Words(codes, tuple(words))


def build_table(
    ids: Sequence[str],
    items: Sequence[Item | None],
    *,
    n_known: int,
    popularity: Vector | None = None,
    totals: Totals | None = None,
    first_days: Mapping[str, float] | None = None,
    units: int = 100,
    stamp: str = "",
) -> ItemTable:
    """The table of these items; the first ``n_known`` are the model's, in its order.

    Parameters
    ----------
    ids, items
        Of the same order; nothing where no catalogue knows the item.
    popularity, totals
        Of the model's items, shape (n_known,).
    first_days
        When each item was first offered or met, in days since 1970.
    units
        Minor units in a whole unit of the shop's currency.

    Examples
    --------
    >>> table = build_table(["b", "a"], [None, Item(item_id="a", price_cents=250)], n_known=1)
    >>> [facts.item_id for facts in table.facts], table.numbers("price").tolist()
    (['b', 'a'], [nan, 2.5])
    """
    first = first_days or {}
    facts = [
        Facts(
            item_id,
            item,
            popularity=_at(popularity, place),
            orders=_at(totals.orders if totals else None, place),
            views=_at(totals.views if totals else None, place),
            first_day=first.get(item_id),
            units=units,
        )
        for place, (item_id, item) in enumerate(zip(ids, items, strict=False))
    ]
    return ItemTable(tuple(facts), n_known, stamp)


def _at(values: Vector | None, place: int) -> float | None:
    return float(values[place]) if values is not None and place < len(values) else None
