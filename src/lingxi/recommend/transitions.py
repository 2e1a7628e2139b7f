"""What follows what: decayed counts of one item met after another, as item-item operators."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import InvalidInput
from lingxi.recommend.histories import Histories
from lingxi.recommend.history import USUAL, Weighting
from lingxi.recommend.matrix import Csr, keep_best, row_lengths, row_sums, scale, sum_pairs
from lingxi.recommend.operators import ListedOperator
from lingxi.recommend.pairs import drop_self

REACH = 60
"""Events back that are looked at, however few steps those are."""
_CELLS = 4_000_000
_DAY = 86_400_000_000
Whole = NDArray[np.int64]
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Following:
    """How much it counts that item i is met ``d`` steps after item j.

    A step is another moment of the same history: what happens at one moment (a basket) is together,
    neither before nor after. The count is ``d^-power``, ``together`` at one moment and
    ``reverse · d^-power`` for j after i, each times ``2^(-gap / gap_half_life)``, the gap in days
    (0: it does not matter). ``itself``: whether an item met again follows itself; of use where what
    was seen may be recommended.
    """

    window: int = 10
    power: float = 1.0
    reverse: float = 0.0
    together: float = 1.0
    gap_half_life: float = 0.0
    itself: bool = False

    def __post_init__(self) -> None:
        if self.window < 1:
            raise InvalidInput(f"window must be at least 1 step, but is {self.window}.")
        parts = (self.power, self.reverse, self.together, self.gap_half_life)
        if not all(np.isfinite(parts)) or min(parts) < 0:
            raise InvalidInput(f"What counts transitions must be at least 0: {self}.")


DECAYED = Following()
"""The reciprocal of the steps, ten of them at most, one way."""


def count_following(taught: Histories, following: Following, weighting: Weighting) -> Csr:
    """The counts, row j: what follows item j; shape (n_items, n_items), float64.

    Each pair counts as the later event's kind does and fades with the later event's age, by
    ``weighting``. At most ``REACH`` events back are looked at.
    """
    shape = (taught.n_items, taught.n_items)
    steps, worths = count_steps(taught), find_worths(taught, weighting)
    owners = taught.owners
    total: Csr = sum_pairs(*_nothing(), shape)
    held: list[tuple[Whole, Whole, Vector]] = []
    size = 0
    for back in range(1, REACH + 1):
        later = np.flatnonzero(owners[back:] == owners[:-back]) + back
        later = later[steps[later] - steps[later - back] <= following.window]
        if not len(later):
            break
        for pair in _weigh_pairs(taught, steps, worths, later, back, following):
            held.append(pair)
            size += len(pair[0])
        if size > _CELLS:
            total, held, size = (total + _add_up(held, shape)).tocsr(), [], 0
    if held:
        total = (total + _add_up(held, shape)).tocsr()
    return total if following.itself else drop_self(total, 0)


def _weigh_pairs(
    taught: Histories,
    steps: Whole,
    worths: Vector,
    later: Whole,
    back: int,
    following: Following,
) -> list[tuple[Whole, Whole, Vector]]:
    """From, to and weight of the pairs of events ``back`` apart."""
    first = later - back
    gone = steps[later] - steps[first]
    base: Vector = worths[later]
    if following.gap_half_life > 0 and taught.timed:
        days = (taught.moments[later] - taught.moments[first]) / _DAY
        base = base * 2.0 ** (-days / following.gap_half_life)
    forth = base * np.where(gone > 0, np.maximum(gone, 1.0) ** -following.power, following.together)
    contrary = base * np.where(
        gone > 0,
        following.reverse * np.maximum(gone, 1.0) ** -following.power,
        following.together,
    )
    before, after = taught.items[first], taught.items[later]
    pairs = [(before, after, forth)]
    if contrary.any():
        pairs.append((after, before, contrary))
    return pairs


def count_steps(taught: Histories) -> Whole:
    """Which of its history's moments each event has; the order given where times are unknown."""
    fresh = np.ones(len(taught.items), dtype=np.int64)
    if taught.timed:
        same = (taught.owners[1:] == taught.owners[:-1]) & (
            taught.moments[1:] == taught.moments[:-1]
        )
        fresh[1:][same] = 0
    return np.cumsum(fresh)


def find_worths(taught: Histories, weighting: Weighting) -> Vector:
    """How much each event counts as what came later: by its kind and age, shape (n_events,)."""
    kinds = np.array([weighting.view, weighting.cart, weighting.order])
    worths = kinds[taught.kinds]
    if weighting.half_life_days > 0 and taught.timed:
        days = (taught.newest - taught.moments) / _DAY
        worths = worths * 2.0 ** (-days / weighting.half_life_days)
    return worths.astype(np.float64)


def _nothing() -> tuple[Whole, Whole, Vector]:
    return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)


def _add_up(pairs: list[tuple[Whole, Whole, Vector]], shape: tuple[int, int]) -> Csr:
    rows, columns, weights = (np.concatenate(part) for part in zip(*pairs, strict=True))
    return sum_pairs(rows, columns, weights, shape)


def damp(counts: Csr, source: float, target: float) -> Csr:
    """``c(j, i) · out(j)^-source · in(i)^-target``, out and in being the sums of row and column."""
    outward = np.maximum(row_sums(counts), 1e-12) ** -source
    sums = np.bincount(counts.indices, weights=counts.data, minlength=counts.shape[1])
    inward = np.maximum(sums, 1e-12) ** -target
    owners = np.repeat(np.arange(counts.shape[0]), row_lengths(counts))
    return scale(counts, counts.data * outward[owners] * inward[counts.indices])


class Transitions(ListedOperator):
    """``W(j, i)`` is how often, and how soon, item i followed item j.

    ``W = c(j, i) · out(j)^-source · in(i)^-target`` with c of ``count_following``; the ``length``
    highest of each row are kept. With ``heard.position_decay`` below 1 the newest items speak most.

    Parameters
    ----------
    following
        What counts how much.
    source, target
        How much the frequent are damped, as an item met before and as one met after.

    Source
    ------
    Association and sequential rules: Ludewig & Jannach (2018), UMUAI 28, section 3.1.

    Examples
    --------
    >>> from lingxi.recommend.history import LINEAR
    >>> items, moments = np.array([0, 1, 2]), np.array([1, 2, 3])
    >>> seen = Histories.of_events(np.zeros(3, int), items, (1, 3), moments=moments)
    >>> scorer = Transitions("transitions", heard=LINEAR)
    >>> scorer.fit(seen)
    >>> scorer.operator.toarray().tolist()
    [[0.0, 1.0, 0.5], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    """

    def __init__(
        self,
        name: str,
        following: Following = DECAYED,
        *,
        source: float = 0.0,
        target: float = 0.0,
        length: int = 400,
        taught: Weighting = USUAL,
        heard: Weighting = USUAL,
    ) -> None:
        super().__init__(name, taught, heard)
        self.following, self.source, self.target = following, source, target
        self.length = length

    def fit(self, taught: Histories) -> None:
        """Count what followed what."""
        counts = count_following(taught, self.following, self.taught)
        self._keep(keep_best(damp(counts, self.source, self.target), self.length))
