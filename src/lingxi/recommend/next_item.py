"""Items as directions, taught so that what a customer did of late points at what comes next.

Linear in the history once it is learnt, so that an event counts at once and reasons are exact.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import InvalidInput
from lingxi.recommend.histories import Histories
from lingxi.recommend.history import USUAL, Weighting
from lingxi.recommend.matrix import Csr, row_lengths, scale, sum_pairs
from lingxi.recommend.smooth import Factored
from lingxi.recommend.transitions import REACH, count_steps, find_worths

Table = NDArray[np.float32]
Whole = NDArray[np.int64]
_LEAST = 1e-3
"""A weight of the history below which an item is not heard."""
_WARM_UP = 0.05
_BETAS = (0.9, 0.98)
_BAND_CELLS = 1_000_000
"""Logits held at a time: what stays in a processor's cache."""


@dataclass(frozen=True)
class Teaching:
    """How ``NextItem`` is taught.

    Parameters
    ----------
    epochs
        Passes over all events that have one before them.
    batch_events
        Events of one step.
    dropout
        The share of a history's numbers put to 0 while learning.
    reg
        Decoupled weight decay, times the learning rate.
    learning_rate
        Its peak; it rises over the first twentieth and falls by half a cosine.
    temperature
        Logits are cosines divided by this.
    negatives
        Items drawn for each step, by the root of their popularity, to compare the one that came
        next with; 0: all items.
    seed
        Of all that is random.
    """

    epochs: int = 12
    batch_events: int = 2048
    dropout: float = 0.5
    reg: float = 1.0
    learning_rate: float = 0.0015
    temperature: float = 0.05
    negatives: int = 2048
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.epochs, self.batch_events) < 1 or min(self.negatives, self.reg) < 0:
            raise InvalidInput(
                f"epochs and batch_events must be at least 1, negatives and reg at least 0: {self}."
            )
        if not 0 <= self.dropout < 1 or min(self.learning_rate, self.temperature) <= 0:
            raise InvalidInput(
                f"dropout must be below 1, learning_rate and temperature above 0: {self}."
            )


class NextItem(Factored):
    """``score(u, i) = <sum_j x(u, j) e(j) (I + M), e(i) / |e(i)|>``: how far u points at item i.

    e(i) is a row of numbers for each item, M a square matrix that tells what comes next from what
    is alike, x the weights of the history, the newest counting most. Both are taught by the softmax
    over all items of the cosine between ``sum_j x(u, j) e(j) (I + M)`` and ``e(i)`` divided by a
    temperature, for every event from those before it.

    Parameters
    ----------
    size
        Numbers of an item.
    teaching
        See ``Teaching``.
    taught
        How much an event counts as something to foresee.
    heard
        The weights of the history, while learning and when asked.

    Source
    ------
    The weighted history and a matrix of transitions: Rendle, Freudenthaler & Schmidt-Thieme (2010),
    WWW (FPMC); softmax over the catalogue: Klenitskiy & Vasilev (2023), RecSys.
    """

    def __init__(
        self,
        name: str,
        *,
        size: int = 256,
        teaching: Teaching | None = None,
        taught: Weighting = USUAL,
        heard: Weighting = USUAL,
    ) -> None:
        super().__init__(name, heard)
        self.size, self.teaching, self.taught = size, teaching or Teaching(), taught

    def fit(self, taught: Histories) -> None:
        """Learn what came next."""
        before, targets, worths = gather_steps(taught, self.heard, self.taught)
        met = np.bincount(taught.items, minlength=taught.n_items) > 0
        draw = Draw.by_popularity(taught) if 0 < self.teaching.negatives < taught.n_items else None
        learner = _Learner(taught.n_items, self.size, self.teaching, draw)
        for rows, share in _plan(len(targets), learner.rng, self.teaching):
            learner.step(before[rows], targets[rows], worths[rows], share)
        turned = learner.items + learner.items @ learner.matrix
        units, _ = _to_units(learner.items)
        self.left = np.where(met[:, None], turned, np.float32(0))
        self.right = np.where(met[:, None], units, np.float32(0))


def gather_steps(
    taught: Histories, heard: Weighting, worth: Weighting
) -> tuple[Csr, Whole, NDArray[np.float64]]:
    """For each event with one at an earlier moment: the weights of those, its item, its worth."""
    steps, worths, owners = count_steps(taught), find_worths(taught, worth), taught.owners
    kinds = np.array([heard.view, heard.cart, heard.order])[taught.kinds]
    rows, columns, weights = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0)]
    for back in range(1, REACH + 1):
        later = np.flatnonzero(owners[back:] == owners[:-back]) + back
        gone = steps[later] - steps[later - back]
        weight = np.where(gone > 0, heard.position_decay ** (gone - 1.0), 0.0) * kinds[later - back]
        kept = weight >= _LEAST
        rows.append(later[kept])
        columns.append(taught.items[later[kept] - back])
        weights.append(weight[kept])
    shape = (len(taught.items), taught.n_items)
    whole = sum_pairs(np.concatenate(rows), np.concatenate(columns), np.concatenate(weights), shape)
    some = np.flatnonzero((row_lengths(whole) > 0) & (worths > 0))
    before: Csr = whole[some]
    single = scale(before, before.data.astype(np.float32))
    return single, taught.items[some], worths[some]


def _plan(n: int, rng: np.random.Generator, teaching: Teaching) -> Iterator[tuple[Whole, float]]:
    """The rows of each step, and the share of the training that is done before it."""
    starts = np.arange(0, n, teaching.batch_events)
    for epoch in range(teaching.epochs):
        order = rng.permutation(n)
        for at, start in enumerate(starts.tolist()):
            share = (epoch + at / len(starts)) / teaching.epochs
            yield order[start : start + teaching.batch_events], share


class _Learner:
    """The tables while they are learnt, and their optimisers."""

    def __init__(
        self, n_items: int, size: int, teaching: Teaching, draw: "Draw | None" = None
    ) -> None:
        self.teaching, self.draw = teaching, draw
        self.rng = np.random.default_rng(teaching.seed)
        self.items = self.rng.standard_normal((n_items, size), dtype=np.float32) * np.float32(
            size**-0.5
        )
        self.matrix = np.zeros((size, size), dtype=np.float32)
        self._of_items = _AdamW(self.items, teaching.reg)
        self._of_matrix = _AdamW(self.matrix, teaching.reg)

    def step(self, before: Csr, targets: Whole, worths: NDArray[np.float64], share: float) -> None:
        """One step of the optimisers on these events."""
        stays = self.rng.random((len(targets), self.items.shape[1]), dtype=np.float32)
        mask = (stays >= self.teaching.dropout) / np.float32(1 - self.teaching.dropout)
        heard = (before @ self.items) * mask
        to_heard, to_matrix, to_items = self._find_slopes(heard, targets, worths)
        to_items += before.T @ (to_heard * mask)
        rise, fall = min((share + 1e-3) / _WARM_UP, 1.0), 0.5 * (1 + np.cos(np.pi * share))
        rate = float(self.teaching.learning_rate * rise * fall)
        self._of_items.step(to_items, rate)
        self._of_matrix.step(to_matrix, rate)

    def _find_slopes(
        self, heard: Table, targets: Whole, worths: NDArray[np.float64]
    ) -> tuple[Table, Table, Table]:
        """How the loss changes with what is heard, with the matrix and with the items."""
        directions, lengths = _to_units(heard + heard @ self.matrix)
        units, sizes = _to_units(self.items)
        shares = (worths / worths.sum()).astype(np.float32)
        heat = np.float32(self.teaching.temperature)
        asked = (directions / heat, units, targets, shares)
        if self.draw is None:
            by_direction, by_unit = find_slopes(*asked)
        else:
            drawn, offsets = self.draw.draw(self.rng, self.teaching.negatives)
            by_direction, by_unit = find_slopes_among(*asked, drawn, offsets)
        by_sum = _project(by_direction / heat, directions, lengths)
        to_items = _project(by_unit, units, sizes)
        return by_sum + by_sum @ self.matrix.T, heard.T @ by_sum, to_items


def find_slopes(
    directions: Table, vectors: Table, targets: Whole, shares: Table
) -> tuple[Table, Table]:
    """Slopes of the cross-entropy of each target's logit among those of all items.

    Parameters
    ----------
    directions, vectors
        Shape (n, size) and (n_items, size): logits are their products.
    shares
        Shape (n,): how much each counts.

    Returns
    -------
    By the directions, and by the vectors.
    """
    band = max(1, _BAND_CELLS // max(len(vectors), 1))
    to_directions, to_vectors = np.empty_like(directions), np.zeros_like(vectors)
    for start in range(0, len(directions), band):
        part = slice(start, start + band)
        odds = directions[part] @ vectors.T
        odds -= odds.max(axis=1, keepdims=True)
        np.exp(odds, out=odds)
        odds *= (shares[part] / odds.sum(axis=1))[:, None]
        odds[np.arange(len(odds)), targets[part]] -= shares[part]
        to_directions[part] = odds @ vectors
        to_vectors += odds.T @ directions[part]
    return to_directions, to_vectors


@dataclass(frozen=True)
class Draw:
    """Items with their chance of being drawn; ``ends``: where each one's part of (0, 1) ends."""

    chances: NDArray[np.float64]
    ends: NDArray[np.float64]

    @staticmethod
    def by_popularity(taught: Histories) -> "Draw":
        """By the root of how often each is met."""
        roots = np.sqrt(np.bincount(taught.items, minlength=taught.n_items))
        chances = roots / max(float(roots.sum()), 1.0)
        return Draw(chances, np.cumsum(chances))

    def draw(self, rng: np.random.Generator, count: int) -> tuple[Whole, Table]:
        """Different items of so many draws, and what is added to the logit of each.

        An item drawn k times of K with the chance q stands for ``k / (K q)`` items, so that the sum
        of the softmax estimates that over all.

        Source
        ------
        Bengio & Senécal (2008), IEEE TNN 19(4); as a correction of logits: Yi et al. (2019),
        RecSys.
        """
        places = np.searchsorted(self.ends, rng.random(count) * self.ends[-1], side="right")
        drawn, counts = np.unique(np.minimum(places, len(self.ends) - 1), return_counts=True)
        return drawn, np.log(counts / (count * self.chances[drawn])).astype(np.float32)


def find_slopes_among(
    directions: Table,
    vectors: Table,
    targets: Whole,
    shares: Table,
    drawn: Whole,
    offsets: Table,
) -> tuple[Table, Table]:
    """The slopes of ``find_slopes`` with the target and the items drawn in place of all."""
    near, far = vectors[targets], vectors[drawn]
    odds = directions @ far.T
    odds += offsets
    odds[drawn[None, :] == targets[:, None]] = -np.inf
    right = (directions * near).sum(axis=1)
    top = np.maximum(odds.max(axis=1), right)
    odds -= top[:, None]
    np.exp(odds, out=odds)
    own = np.exp(right - top)
    rest = odds.sum(axis=1)
    odds *= (shares / (rest + own))[:, None]
    own = -shares * rest / (rest + own)
    to_vectors = np.zeros_like(vectors)
    np.add.at(to_vectors, targets, own[:, None] * directions)
    to_vectors[drawn] += odds.T @ directions
    return odds @ far + own[:, None] * near, to_vectors


class _AdamW:
    """Adam with decoupled weight decay; it changes the table that it is given.

    Source
    ------
    Loshchilov & Hutter (2019), ICLR, algorithm 2.
    """

    def __init__(self, table: Table, reg: float) -> None:
        self.table, self.reg, self.steps = table, reg, 0
        self.mean, self.square = np.zeros_like(table), np.zeros_like(table)

    def step(self, slope: Table, rate: float) -> None:
        """Move the table against the slope."""
        self.steps += 1
        first, second = _BETAS
        self.mean += np.float32(1 - first) * (slope - self.mean)
        self.square += np.float32(1 - second) * (slope * slope - self.square)
        size = np.sqrt(self.square / np.float32(1 - second**self.steps)) + np.float32(1e-8)
        self.table *= np.float32(1 - rate * self.reg)
        self.table -= np.float32(rate / (1 - first**self.steps)) * self.mean / size


def _to_units(rows: Table) -> tuple[Table, Table]:
    """Each row with length 1, and the lengths, shape (n, 1)."""
    lengths = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-12))
    return rows / lengths, lengths


def _project(slopes: Table, units: Table, lengths: Table) -> Table:
    """Slopes by the rows, from those by their units."""
    along = (units * slopes).sum(axis=1, keepdims=True)
    answer: Table = (slopes - units * along) / lengths
    return answer
