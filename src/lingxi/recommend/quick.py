"""One history against a stored operator, at the cost of the cells that it touches."""

from dataclasses import dataclass
from threading import local
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.history import Weighting
from lingxi.recommend.kernels import Cells, Rows, add_rows, gather_rows
from lingxi.recommend.matrix import Csr
from lingxi.recommend.model import Model
from lingxi.recommend.newcomers import Mixture, StandIns

Whole = NDArray[np.int64]
_SPARSE = 30
"""Items for each cell, up to which looking at all sums costs less than marking cells."""
_WIDE = 20_000
"""With more items, looking at all of them costs more than finding those that are touched."""


class Terms(NamedTuple):
    """What a score is made of: their sum, the sum of those that speak for it, and the largest."""

    total: float
    support: float
    largest: list[tuple[int, float]]


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


@dataclass(frozen=True)
class Row:
    """A list, best first, and the terms of its scores: place in the list, item of the history."""

    listed: NDArray[np.integer]
    places: NDArray[np.int32]
    causes: Whole
    terms: NDArray[np.float64]


class _Scratch(local):
    """Arrays as wide as the catalogue, kept for the next request; each thread has its own."""

    def __init__(self, n_items: int) -> None:
        self.sums = np.zeros(n_items)
        self.places = np.zeros(n_items, dtype=np.int32)
        self.owners = np.zeros(n_items, dtype=np.int32)
        self.marks = np.zeros(n_items, dtype=np.int32)


class QuickModel:
    """A model of one operator, asked for one history at a time.

    Its scores are those of ``Model.score`` to the last bit: each item's terms are added in the
    same order, in double precision.
    """

    def __init__(self, model: Model, linear: RowOperator) -> None:
        self.heard = linear.heard
        self._operator, self._columns = Rows.of(linear.operator), Rows.of(linear.columns)
        self._factors = np.asarray(model.trend).view(np.ndarray)
        self._trend = model.trend.astype(np.float32)
        self._scratch = _Scratch(len(model.trend))

    @staticmethod
    def of(model: Model) -> "QuickModel | None":
        """The model in this form, or nothing where it has none."""
        scorer = model.scorer
        if not isinstance(scorer, RowOperator) or scorer.operator.data.dtype != np.float32:
            return None
        return QuickModel(model, scorer)

    def spread(
        self, items: Whole, weights: NDArray[np.float64], stand_ins: StandIns | None = None
    ) -> Spread:
        """Scores of everything that these items speak for, new items behind the known ones."""
        cells = gather_rows(self._operator, items)
        add_rows(cells, weights, self._scratch.sums)
        lent = self._lend(stand_ins)
        known = self._take_sums(cells, self._trend)
        if lent is None or stand_ins is None:
            return known
        new = np.flatnonzero(lent > 0)
        places = (new + stand_ins.n_known).astype(np.int32)
        return Spread(
            np.concatenate((known.items, places)), np.concatenate((known.scores, lent[new]))
        )

    def _lend(self, stand_ins: StandIns | None) -> NDArray[np.float32] | None:
        """What the sums of the known items lend to the new ones."""
        if stand_ins is None or not len(stand_ins):
            return None
        used = stand_ins.shares.indices
        return stand_ins.lend(self._scratch.sums[used].astype(np.float32) * self._trend[used])

    def _take_sums(self, cells: Cells, gains: NDArray[np.float32]) -> Spread:
        """What was added up for these cells, which is 0 again afterwards, times the gains."""
        sums, marks = self._scratch.sums, self._scratch.marks
        if len(sums) <= _WIDE:
            whole = sums.astype(np.float32)
            sums.fill(0.0)
            whole *= gains
            met = np.flatnonzero(whole != 0).astype(np.int32)
            return Spread(met, whole[met])
        if len(sums) <= _SPARSE * len(cells.columns):
            touched = np.flatnonzero(sums != 0).astype(np.int32)
        else:
            places = np.arange(len(cells.columns), dtype=np.int32)
            marks[cells.columns] = places
            touched = cells.columns[marks[cells.columns] == places]
        scores = sums[touched].astype(np.float32)
        sums[touched] = 0.0
        np.multiply(scores, gains[touched], out=scores)
        return Spread(touched, scores)

    def explain(
        self, items: Whole, weights: NDArray[np.float64], listed: Whole, reasons: int
    ) -> list[Terms]:
        """For each listed item the terms of its score: places in ``items``."""
        return list_largest(self.find_table(items, weights, listed), reasons)

    def find_table(
        self, items: Whole, weights: NDArray[np.float64], listed: Whole
    ) -> NDArray[np.float64]:
        """The terms of the listed items' scores, shape (n_listed, n_items of the history)."""
        table = np.zeros((len(listed), len(items)))
        places: NDArray[np.integer]
        owners: NDArray[np.integer]
        if self._is_shorter(listed, items):
            cells = gather_rows(self._columns, listed)
            own = self._scratch.owners
            own[items] = np.arange(1, len(items) + 1, dtype=np.int32)
            marked = own[cells.columns]
            own[items] = 0
            met = np.flatnonzero(marked)
            owners = marked[met] - 1
            places = np.searchsorted(cells.ends, met, side="right") - 1
            terms = weights[owners] * cells.values[met] * self._factors[listed[places]]
        else:
            rows = gather_rows(self._operator, items)
            places, owners, terms = self._find_terms(rows, weights, listed)
        table[places, owners] = terms
        return table

    def _is_shorter(self, listed: Whole, items: Whole) -> bool:
        """Whether the columns of the listed items hold fewer cells than the history's rows."""
        ends, starts = self._columns.indptr[listed + 1], self._columns.indptr[listed]
        rows = self._operator.indptr[items + 1] - self._operator.indptr[items]
        return int((ends - starts).sum()) < int(rows.sum())

    def _find_terms(
        self, cells: Cells, weights: NDArray[np.float64], listed: NDArray[np.integer]
    ) -> tuple[NDArray[np.int32], Whole, NDArray[np.float64]]:
        """The terms of the listed items' scores: places in the list, places in the history, values.

        They are looked for in the rows of the history: the column of an item that everybody speaks
        for may be as long as the catalogue.
        """
        marks = self._scratch.places
        marks[listed] = np.arange(1, len(listed) + 1, dtype=np.int32)
        marked = marks[cells.columns]
        marks[listed] = 0
        met = np.flatnonzero(marked)
        places = marked[met] - 1
        owners = np.searchsorted(cells.ends, met, side="right") - 1
        terms = weights[owners] * cells.values[met] * self._factors[listed[places]]
        return places, owners, terms

    def list_row(
        self,
        items: Whole,
        weights: NDArray[np.float64],
        gains: NDArray[np.float32],
        barred: Whole,
        n: int,
        stand_ins: StandIns | None = None,
        opened: NDArray[np.bool_] | None = None,
    ) -> Row:
        """The ``n`` best of one history with every term of their scores; for lists of everyone.

        ``gains``, shape (n_items,): the model's trend, 0 where an item is not open; ``opened``,
        shape (n_places,): which items are, the new ones of ``stand_ins`` included.
        """
        heard, weights, mixture = items, weights, None
        if stand_ins is not None:
            heard, weights, mixture = stand_ins.hear(items, weights)
        sums = self._scratch.sums
        cells = gather_rows(self._operator, heard)
        add_rows(cells, weights, sums)
        lent = self._lend(stand_ins)
        known = barred[barred < len(sums)]
        if len(sums) <= _WIDE:
            scores = sums.astype(np.float32)
            sums.fill(0.0)
            scores *= gains
            scores[known] = 0
            listed: NDArray[np.integer] = _take_best(scores, n)
            values = scores[listed] if lent is not None else scores
        else:
            sums[known] = 0.0
            spread = self._take_sums(cells, gains)
            listed = np.array(sort_best(spread, n)[:n], dtype=np.int64)
            values = _find_scores(spread, listed) if lent is not None else spread.scores
        if lent is not None and opened is not None:
            lent *= opened[len(sums) : len(sums) + len(lent)]
            listed = _put_new(listed, values, lent, barred, len(sums), n)
        if stand_ins is None or (mixture is None and not (listed >= len(sums)).any()):
            places, owners, terms = self._find_terms(cells, weights, listed)
            return Row(listed, places, heard[owners], terms)
        return self._mix_row(heard, weights, listed.astype(np.int64), items, stand_ins, mixture)

    def _mix_row(
        self,
        heard: Whole,
        weights: NDArray[np.float64],
        listed: Whole,
        items: Whole,
        stand_ins: StandIns,
        mixture: Mixture | None,
    ) -> Row:
        """The terms of a list in which new items stand, or that new items speak for."""
        asked, mixed = stand_ins.ask(listed)
        table = mix_table(self.find_table(heard, weights, asked), mixed, len(listed))
        table = mix_causes(table, mixture, len(items))
        places, owners = np.nonzero(table)
        return Row(listed, places.astype(np.int32), items[owners], table[places, owners])

    @property
    def trend(self) -> NDArray[np.float32]:
        """How much each item is wanted now, shape (n_items,)."""
        return self._trend


def mix_table(
    table: NDArray[np.float64], mixture: Mixture | None, n_listed: int
) -> NDArray[np.float64]:
    """The terms of listed items from those of the items that stand in for them."""
    if mixture is None:
        return table
    spoken = np.where(table.sum(axis=1, keepdims=True) > 0, table, 0.0)
    return mixture.mix_rows(spoken, n_listed)


def mix_causes(
    table: NDArray[np.float64], mixture: Mixture | None, n_items: int
) -> NDArray[np.float64]:
    """The terms by what the history holds, from those by the items that it was heard as."""
    return table if mixture is None else mixture.mix_rows(table.T, n_items).T


def _find_scores(spread: Spread, listed: NDArray[np.integer]) -> NDArray[np.float32]:
    """The scores of some items that a spread holds."""
    order = np.argsort(spread.items)
    found: NDArray[np.float32] = spread.scores[
        order[np.searchsorted(spread.items, listed, sorter=order)]
    ]
    return found


def _put_new(
    listed: NDArray[np.integer],
    values: NDArray[np.float32],
    lent: NDArray[np.float32],
    barred: Whole,
    n_known: int,
    n: int,
) -> Whole:
    """The ``n`` best of the listed and of the new items; equal ones by their place."""
    lent[barred[(barred >= n_known) & (barred < n_known + len(lent))] - n_known] = 0
    new = np.flatnonzero(lent > 0)
    places = np.concatenate((listed.astype(np.int64), new + n_known))
    scores = np.concatenate((values, lent[new]))
    best: Whole = places[np.lexsort((places, -scores))[:n]]
    return best


def list_largest(table: NDArray[np.float64], reasons: int) -> list[Terms]:
    """Each row's terms, the largest of them with their places; equal ones in their order.

    >>> list_largest(np.array([[1.0, -2.0, 3.0, 1.0]]), 2)
    [Terms(total=3.0, support=5.0, largest=[(2, 3.0), (0, 1.0)])]
    """
    totals = table.sum(axis=1).tolist()
    supports = np.maximum(table, 0.0).sum(axis=1).tolist()
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
        Terms(total, support, sorted(terms, key=lambda term: -term[1])[:reasons])
        for total, support, terms in zip(totals, supports, found, strict=True)
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


def _take_best(scores: NDArray[np.float32], n: int) -> NDArray[np.int64]:
    """Places of the ``n`` highest scores above 0, best first; equal ones in their order."""
    least = np.float32(0)
    if n < len(scores):
        least = np.partition(scores, len(scores) - n)[len(scores) - n]
    kept = np.flatnonzero(scores >= least) if least > 0 else np.flatnonzero(scores > 0)
    found: NDArray[np.int64] = kept[np.argsort(-scores[kept], kind="stable")[:n]]
    return found
