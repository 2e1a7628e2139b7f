"""Items as columns: everything that a rule can ask of all of them at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.expressions.facts import Facts
from lingxi.recommend.expressions.nodes import Kind
from lingxi.recommend.expressions.vectorised import Column, to_column
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


def build_table(
    known_ids: Sequence[str],
    items: Mapping[str, Item],
    *,
    popularity: Vector | None = None,
    totals: Totals | None = None,
    first_days: Mapping[str, float] | None = None,
    units: int = 100,
    stamp: str = "",
) -> ItemTable:
    """The table of the items that the model knows and of those that the catalogue lists besides.

    Parameters
    ----------
    known_ids
        The model's items in its order.
    items
        The catalogue by item id.
    popularity, totals
        Of the model's items, shape (n_known,).
    first_days
        When each item was first offered or met, in days since 1970.
    units
        Minor units in a whole unit of the shop's currency.

    Examples
    --------
    >>> table = build_table(["b"], {"a": Item(item_id="a", price_cents=250)})
    >>> [facts.item_id for facts in table.facts], table.numbers("price").tolist()
    (['b', 'a'], [nan, 2.5])
    """
    met = set(known_ids)
    others = sorted(item_id for item_id, item in items.items() if item_id not in met)
    first = first_days or {}
    facts = []
    for place, item_id in enumerate((*known_ids, *others)):
        mine = place < len(known_ids)
        facts.append(
            Facts(
                item_id,
                items.get(item_id),
                popularity=float(popularity[place]) if mine and popularity is not None else None,
                orders=float(totals.orders[place]) if mine and totals is not None else None,
                views=float(totals.views[place]) if mine and totals is not None else None,
                first_day=first.get(item_id),
                units=units,
            )
        )
    return ItemTable(tuple(facts), len(known_ids), stamp)
