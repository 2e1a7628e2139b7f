"""What a strategy says: some items with a value each, and what each value is made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Cause:
    """A part of a value: ``item_id`` of the history, or "" for what belongs to the item alone.

    ``kind`` says what it is: history, item (looked at), cart, query, demand, age, category.
    """

    kind: str
    item_id: str
    value: float


Explain = Callable[[int], Sequence[Cause]]
"""The causes of one item's value, by its place in the table; they sum to it."""


@dataclass(frozen=True)
class Scored:
    """Items that a strategy would show, in rising order of place, with values above 0.

    ``model`` names what computed them.
    """

    places: Places
    values: Vector
    model: str
    explain: Explain


def nothing(model: str) -> Scored:
    """No items at all."""
    return Scored(np.zeros(0, dtype=np.int64), np.zeros(0), model, lambda _place: ())


def keep_positive(values: Vector, model: str, explain: Explain) -> Scored:
    """The items whose value is above 0; ``values``: shape (n_items,)."""
    places = np.flatnonzero(values > 0)
    return Scored(places, values[places], model, explain)
