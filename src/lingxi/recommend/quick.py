"""One history against a stored operator, at the cost of the cells that it touches."""

from dataclasses import dataclass
from threading import local
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.history import Weighting
from lingxi.recommend.kernels import Rows, add_rows, gather_rows
from lingxi.recommend.matrix import Csr
from lingxi.recommend.model import Model

Whole = NDArray[np.int64]


@runtime_checkable
class RowOperator(Protocol):
    """What a linear scorer shows so that a single history need not pass through its ``score``.

    ``score(h) = h.weigh(heard) @ operator``, both matrices float32 with sorted columns;
    ``columns`` is the operator's transpose.
    """

    heard: Weighting
    operator: Csr
    columns: Csr


@dataclass(frozen=True)
class Spread:
    """The items that a history touches, each once and in no order, and their scores."""

    items: NDArray[np.int32]
    scores: NDArray[np.float32]

    @property
    def memory_bytes(self) -> int:
        """How much memory it takes."""
        return self.items.nbytes + self.scores.nbytes + 200


class _Scratch(local):
    """Arrays as wide as the catalogue, kept for the next request; each thread has its own."""

    def __init__(self, n_items: int) -> None:
        self.sums = np.zeros(n_items)
        self.marks = np.zeros(n_items, dtype=np.int32)
        self.weights = np.zeros(n_items)


class QuickModel:
    """A model of one operator, asked for one history at a time.

    Its scores are those of ``Model.score`` to the last bit: each item's terms are added in the
    same order, in double precision.
    """

    def __init__(self, model: Model, linear: RowOperator) -> None:
        self.heard = linear.heard
        self._operator, self._columns = Rows.of(linear.operator), Rows.of(linear.columns)
        self._factors = model.trend
        self._trend = model.trend.astype(np.float32)
        self._scratch = _Scratch(len(model.trend))

    @staticmethod
    def of(model: Model) -> "QuickModel | None":
        """The model in this form, or nothing where it has none."""
        scorer = model.scorer
        if not isinstance(scorer, RowOperator) or scorer.operator.data.dtype != np.float32:
            return None
        return QuickModel(model, scorer)

    def spread(self, items: Whole, weights: NDArray[np.float64]) -> Spread:
        """Scores of everything that these items speak for."""
        sums, marks = self._scratch.sums, self._scratch.marks
        cells = gather_rows(self._operator, items)
        add_rows(cells, weights, sums)
        places = np.arange(len(cells.columns), dtype=np.int32)
        marks[cells.columns] = places
        touched = cells.columns[marks[cells.columns] == places]
        scores = sums[touched].astype(np.float32)
        sums[touched] = 0.0
        np.multiply(scores, self._trend[touched], out=scores)
        return Spread(touched, scores)

    def explain(
        self, items: Whole, weights: NDArray[np.float64], listed: Whole, reasons: int
    ) -> list[tuple[float, list[tuple[int, float]]]]:
        """For each listed item its score, and the largest terms of it: places in ``items``."""
        own = self._scratch.weights
        own[items] = weights
        cells = gather_rows(self._columns, listed)
        terms = own[cells.columns] * cells.values
        own[items] = 0.0
        met = np.flatnonzero(terms)
        rows = cells.owners[met]
        terms = terms[met] * self._factors[listed[rows]]
        table = np.zeros((len(listed), len(items)))
        table[rows, np.searchsorted(items, cells.columns[met])] = terms
        return list_largest(table, reasons)


def list_largest(
    table: NDArray[np.float64], reasons: int
) -> list[tuple[float, list[tuple[int, float]]]]:
    """Each row's sum, and the places and values of its largest terms; equal ones in their order.

    >>> list_largest(np.array([[1.0, 0.0, 3.0, 1.0]]), 2)
    [(5.0, [(2, 3.0), (0, 1.0)])]
    """
    totals = table.sum(axis=1).tolist()
    width = table.shape[1]
    least = np.full(len(table), 0.0)
    if 0 < reasons < width:
        least = np.partition(table, width - reasons, axis=1)[:, width - reasons]
    chosen = (table >= least[:, None]) & (table > 0)
    found: list[list[tuple[int, float]]] = [[] for _ in totals]
    rows, places = np.nonzero(chosen)
    values = table[rows, places].tolist()
    for row, place, value in zip(rows.tolist(), places.tolist(), values, strict=True):
        found[row].append((place, value))
    return [
        (total, sorted(terms, key=lambda term: -term[1])[:reasons])
        for total, terms in zip(totals, found, strict=True)
    ]


def sort_best(spread: Spread, n: int) -> list[int]:
    """The ``n`` items of the highest scores above 0, and what equals the last; equal ones by place.

    >>> sort_best(Spread(np.array([7, 3, 5]), np.array([2.0, 2.0, 1.0], np.float32)), 1)
    [3, 7]
    """
    scores = spread.scores
    least = np.float32(0)
    if n < len(scores):
        least = np.partition(scores, len(scores) - n)[len(scores) - n]
    kept = np.flatnonzero((scores >= least) & (scores > 0))
    items = spread.items[kept]
    found: list[int] = items[np.lexsort((items, -scores[kept]))].tolist()
    return found
