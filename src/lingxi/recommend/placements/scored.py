"""What a strategy says: some items with a value each, and what each value is made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.makeup import Signal

Places = NDArray[np.int64]
Vector = NDArray[np.float64]


class Cause(msgspec.Struct, frozen=True, gc=False):
    """A part of a value: ``item_id`` of the history, or "" for what belongs to the item alone.

    ``kind`` says what it is: history, item (looked at), together, query, demand, age, clicks,
    unseen (the average of clicks), or model: what a model adds that no item of the history speaks
    for.
    """

    kind: str
    item_id: str
    value: float


Attribute = Callable[[int], Sequence[Signal]]
"""What each signal gives to one item's logit, by its place; of models that have signals."""

Explain = Callable[[int], Sequence[Cause]]
"""The causes of one item's value, by its place in the table; they sum to it."""


Largest = tuple[float, float, list[Cause]]
"""A value, the sum of all that speaks for it, and its largest causes."""

Brief = Callable[[Sequence[int], int], list[Largest]]
"""For some places at once, each with no more than so many causes."""


@dataclass(frozen=True)
class Scored:
    """Items that a strategy would show, in rising order of place, with values above 0.

    ``model`` names what computed them; ``brief`` is a faster ``explain`` where there is one;
    ``signals`` tells more where the model was learnt.
    """

    places: Places
    values: Vector
    model: str
    explain: Explain
    brief: Brief | None = None
    signals: Attribute | None = None

    def explain_largest(self, places: Sequence[int], most: int) -> list[Largest]:
        """For each place its value, what speaks for it, and its largest causes."""
        if self.brief is not None:
            return self.brief(places, most)
        found = []
        for place in places:
            causes = sorted(self.explain(place), key=lambda each: (-each.value, each.item_id))
            for_it = sum(each.value for each in causes if each.value > 0)
            found.append((sum(each.value for each in causes), for_it, causes[:most]))
        return found


def nothing(model: str) -> Scored:
    """No items at all."""
    return Scored(np.zeros(0, dtype=np.int64), np.zeros(0), model, lambda _place: ())


def keep_positive(values: Vector, model: str, explain: Explain) -> Scored:
    """The items whose value is above 0; ``values``: shape (n_items,)."""
    places = np.flatnonzero(values > 0)
    return Scored(places, values[places], model, explain)
