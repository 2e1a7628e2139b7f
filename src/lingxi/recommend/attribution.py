"""What each signal of a model made of others gives to an item, and what the model is made of.

A linear model's reasons are the items of the history (``Scorer.explain``). A learnt blend and a
ranker have signals as well: what each part says of an item, how many met it, how near it is to the
history. They add to a logit, and the logit orders the list.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.histories import Histories
from lingxi.recommend.makeup import Makeup, PartWeights, Signal
from lingxi.recommend.recipe import Recipe

BASE = "base"
"""What every candidate gets: the mean of the trees."""
FLOOR = 0.02
"""Added to a part's share before its logarithm is taken, so that silence is finite."""
_OF_PARTS = ("share", "place")
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Attribution:
    """What each signal gives to the logits of some candidates.

    ``values``: shape (n, n_names); they and ``base`` sum to ``logits``.
    """

    names: tuple[str, ...]
    values: Vector
    base: Vector
    logits: Vector


@runtime_checkable
class Attributing(Protocol):
    """A scorer that knows what each signal gives to the logit of an item."""

    def attribute(self, histories: Histories, lists: NDArray[np.int64]) -> Attribution:
        """Of each listed item, exactly; ``lists``: shape (n_rows, n), all of them candidates."""


def tell_signals(
    scorer: Attributing, recipe: Recipe, history: Histories, item: int
) -> tuple[Signal, ...]:
    """What each signal gives to one item of one history, largest first; they sum to its logit."""
    found = scorer.attribute(history, np.array([[item]]))
    pairs = [*zip(found.names, found.values[0].tolist(), strict=True), (BASE, float(found.base[0]))]
    told = [name_signal(recipe, name, value) for name, value in pairs if value]
    return tuple(sorted(told, key=lambda each: (-abs(each.value), each.name, each.model)))


def name_signal(recipe: Recipe, name: str, value: float) -> Signal:
    """A signal by what it tells of: ``share_1`` is that of the second part.

    >>> parts = (Recipe(name="als"), Recipe(name="rp3beta"))
    >>> name_signal(Recipe(name="learned", parts=parts), "share_1", 0.5)
    Signal(name='share', model='rp3beta', value=0.5)
    """
    kind, _, number = name.partition("_")
    if kind in _OF_PARTS and number.isdecimal():
        return Signal(kind, recipe.parts[int(number)].name, value)
    return Signal(name, "", value)


def describe_makeup(recipe: Recipe, gains: Sequence[tuple[str, float]] = ()) -> Makeup | None:
    """What a recipe is made of, ``gains`` being those of its trees; nothing of a single model."""
    if not recipe.parts:
        return None
    if recipe.name == "blend":
        pairs = zip(recipe.parts, recipe.shares, strict=True)
        return Makeup(tuple(PartWeights(part.name, share=share) for part, share in pairs))
    n = len(recipe.parts)
    weights = zip(recipe.parts, recipe.shares[:n], recipe.shares[n : 2 * n], strict=True)
    parts = tuple(
        PartWeights(part.name, None, a, b, a + b * log((1.0 + FLOOR) / FLOOR))
        for part, a, b in weights
    )
    signals = tuple(name_signal(recipe, name, gain) for name, gain in gains if gain > 0)
    return Makeup(parts, recipe.shares[-2], recipe.shares[-1], signals)
