"""Lists of many customers by one sum of operators: the cells of some of them in each step.

What NumPy takes to begin a step is paid once for some customers instead of for each. The lists are
those of ``QuickModel.list_row``, and their scores to the last bit: cells are added in its order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.kernels import Cells, add_rows, pick_rows
from lingxi.recommend.largest import find_floors
from lingxi.recommend.newcomers import StandIns
from lingxi.recommend.quick import QuickModel, Row
from lingxi.recommend.scratch import LESS, Scratch

Whole = NDArray[np.int64]
Vector = NDArray[np.float64]
Single = NDArray[np.float32]
_WIDTH = 2_000_000
"""Customers times items of a step, at most: what a processor's cache holds."""
_CELLS = 200_000
"""Cells of a step, about, for the same reason."""
_TOLD = 10
"""Places of a list times items of a history that take as much room as a cell."""


@dataclass(frozen=True)
class Crowd:
    """Histories one after the other: entries ``indptr[r]`` to ``indptr[r + 1]`` are customer r's,
    items that the model knows, rising, with weights above 0. ``barred``: theirs, rising."""

    indptr: Whole
    items: Whole
    weights: Vector
    barred: Sequence[Whole]

    def take(self, rows: slice) -> "Crowd":
        """Some of them, neighbours."""
        start, stop = int(self.indptr[rows.start]), int(self.indptr[rows.stop])
        return Crowd(
            self.indptr[rows.start : rows.stop + 1] - start,
            self.items[start:stop],
            self.weights[start:stop],
            self.barred[rows],
        )

    @property
    def owners(self) -> Whole:
        """Whose each entry is."""
        return np.repeat(np.arange(len(self.barred)), np.diff(self.indptr))


@dataclass(frozen=True)
class _Held:
    """Cells of all entries in all operators: entry e holds cells ``ends[e]`` to ``ends[e + 1]``."""

    columns: NDArray[np.int32]
    values: Vector
    ends: NDArray[np.int32]
    weights: Vector
    owners: Whole


@dataclass(frozen=True)
class _Near:
    """Some of the cells with their entries and columns, and keys: row · n_items + column."""

    cells: Whole
    entries: Whole
    columns: NDArray[np.int32]
    keys: NDArray[np.int32]


class CrowdLists:
    """Makes the lists of a crowd by a model of which all terms are added up in one go.

    Parameters
    ----------
    gains
        The model's trend, 0 where an item is not open, shape (n_items,).
    opened
        Which places are open, the new items of ``stand_ins`` included.
    """

    def __init__(
        self,
        quick: QuickModel,
        gains: Single,
        n: int,
        stand_ins: StandIns | None,
        opened: NDArray[np.bool_],
    ) -> None:
        self._quick, self._gains, self._n = quick, gains, n
        self._stand_ins, self._opened = stand_ins, opened
        self._n_items = len(gains)
        self._most = max(1, _WIDTH // max(self._n_items, 1))
        width = self._most * self._n_items
        self._scratch = Scratch(self._n_items)
        self._first = np.empty(width, dtype=np.int32)
        self._places = np.full(width, -1, dtype=np.int32)

    def make(self, crowd: Crowd) -> list[Row | None]:
        """The list of each customer, with every term of its scores; nothing for one in whose list
        a new item belongs."""
        rows = list[Row | None]()
        cells = np.zeros(len(crowd.items) + 1, dtype=np.int64)
        for part in self._quick.linear:
            cells[1:] += np.cumsum(part.rows.count(crowd.items))
        told = np.diff(crowd.indptr) * self._n // _TOLD
        ends = np.cumsum(np.maximum(np.diff(cells[crowd.indptr]), told))
        start = 0
        while start < len(ends):
            before = ends[start - 1] if start else 0
            stop = max(int(ends.searchsorted(before + _CELLS, side="right")), start + 1)
            stop = min(stop, start + self._most)
            rows += self._make(crowd.take(slice(start, stop)))
            start = stop
        return rows

    def _make(self, crowd: Crowd) -> list[Row | None]:
        held = self._gather(crowd)
        own, known, lent = self._add_up(crowd, held)
        near, keys, scores = self._find_best(held, own, known)
        lists, least = self._cut(keys, scores, len(crowd.barred))
        found = self._explain(crowd, held, near, lists)
        return [
            None if most > 0 and most >= low else row
            for row, most, low in zip(found, lent, least, strict=True)
        ]

    def _add_up(self, crowd: Crowd, held: _Held) -> tuple[Vector, Vector, list[float]]:
        """The sum of each cell's item, those of the busiest items, and the most that a new item is
        lent. One customer after the other: a catalogue's sums stay at hand."""
        busiest, n, sums = self._quick.busiest, len(crowd.items), self._scratch.sums
        own, lent = np.empty(len(held.columns)), list[float]()
        known = np.empty((len(crowd.barred), len(busiest)))
        bounds = crowd.indptr.tolist()
        for row, barred in enumerate(crowd.barred):
            cells = list[tuple[slice, Whole]]()
            for part in range(0, len(held.weights), max(n, 1)):
                start, stop = part + bounds[row], part + bounds[row + 1]
                ends = held.ends[start : stop + 1]
                rows = Cells(held.columns, held.values, ends)
                add_rows(rows, held.weights[start:stop], sums)
                place = slice(int(ends[0]), int(ends[-1]))
                cells.append((place, held.columns[place].astype(np.int64)))
            lent.append(self._lend(sums))
            sums[barred[: barred.searchsorted(self._n_items)]] = 0.0
            sums.take(busiest, out=known[row], mode="clip")
            for place, columns in cells:
                sums.take(columns, out=own[place], mode="clip")
            for _, columns in cells:
                self._scratch.clear(sums, columns)
        return own, known, lent

    def _lend(self, sums: Vector) -> float:
        """The most that any open new item is lent."""
        lent = self._quick.lend(self._stand_ins, sums)
        if lent is None:
            return 0.0
        return float((lent * self._opened[self._n_items : self._n_items + len(lent)]).max())

    def _gather(self, crowd: Crowd) -> _Held:
        """The rows of all entries, by operator."""
        linear, n = self._quick.linear, len(crowd.items)
        ends = np.zeros(len(linear) * n + 1, dtype=np.int32)
        lengths = np.concatenate([part.rows.count(crowd.items) for part in linear])
        np.cumsum(lengths, out=ends[1:])
        columns, read = np.empty(ends[-1], np.int32), np.empty(ends[-1], np.float32)
        for at, part in enumerate(linear):
            cells = slice(ends[at * n], ends[(at + 1) * n])
            pick_rows(part.rows, crowd.items, columns[cells], read[cells])
        owners = np.tile(crowd.owners, len(linear))
        weights = np.tile(crowd.weights, len(linear)) * np.repeat(self._quick.shares, n)
        return _Held(columns, read.astype(np.float64), ends, weights, owners)

    def _find_best(
        self, held: _Held, own: Vector, known: Vector
    ) -> tuple[_Near, NDArray[np.int32], Single]:
        """What may be of a customer's best; each item of it once, by its key, with its score.

        ``own``: the sum of each cell's item; ``known``: those of the busiest items, which say how
        high the best are at least.
        """
        gains, told = self._gains, known.astype(np.float32)
        told *= gains.take(self._quick.busiest)
        floors = find_floors(told, self._n)
        least = np.finfo(np.float64).tiny
        bounds = floors.astype(np.float64) * (LESS / max(self._quick.top_gain, least))
        bounds = np.maximum(bounds, least)
        lengths = np.diff(held.ends)
        cells: Whole = (own >= np.repeat(bounds.take(held.owners), lengths)).nonzero()[0]
        entries: Whole = held.ends.searchsorted(cells, side="right") - 1
        columns, owners = held.columns.take(cells), held.owners.take(entries)
        keys = columns + owners.astype(np.int32) * np.int32(self._n_items)
        order = np.arange(len(cells), dtype=np.int32)
        self._first[keys] = order
        once = (self._first.take(keys) == order).nonzero()[0]
        scores = own.take(cells.take(once)).astype(np.float32)
        scores *= gains.take(columns.take(once))
        high = (scores > 0) & (scores >= floors.take(owners.take(once)))
        return _Near(cells, entries, columns, keys), keys.take(once)[high], scores[high]

    def _cut(
        self, keys: NDArray[np.int32], scores: Single, n_rows: int
    ) -> tuple[list[Whole], list[float]]:
        """The ``n`` best of each customer, best first, equal ones by their place; and the score of
        the last, 0 where there are fewer."""
        owners = keys // self._n_items
        order = np.lexsort((keys, -scores, owners))
        owners, scores = owners.take(order), scores.take(order)
        items = keys.take(order).astype(np.int64) - owners * self._n_items
        lists, least = list[Whole](), list[float]()
        for start, stop in pairwise(owners.searchsorted(np.arange(n_rows + 1)).tolist()):
            last = min(start + self._n, stop)
            lists.append(items[start:last])
            least.append(float(scores[last - 1]) if last == start + self._n else 0.0)
        return lists, least

    def _explain(self, crowd: Crowd, held: _Held, near: _Near, lists: Sequence[Whole]) -> list[Row]:
        """The lists with their terms, those of an item and a cause in one."""
        n, n_items = self._n, self._n_items
        listed = np.concatenate([items + row * n_items for row, items in enumerate(lists)])
        slots = [np.arange(len(items)) + row * n for row, items in enumerate(lists)]
        self._places[listed] = np.concatenate(slots)
        places = self._places.take(near.keys)
        self._places[listed] = -1
        met = (places >= 0).nonzero()[0]
        places, entries = places.take(met).astype(np.int64), near.entries.take(met)
        terms = held.weights.take(entries) * held.values.take(near.cells.take(met))
        terms *= self._quick.factors.take(near.columns.take(met))
        rows, lengths = held.owners.take(entries), np.diff(crowd.indptr)
        within = entries % max(len(crowd.items), 1) - crowd.indptr.take(rows)
        starts = n * crowd.indptr  # of the terms of each customer: by place, then by entry
        codes = starts.take(rows) + (places - rows * n) * lengths.take(rows) + within
        sums = np.bincount(codes, terms, n * len(crowd.items))
        told: Whole = sums.nonzero()[0]
        rows = starts.searchsorted(told, side="right") - 1
        slot, entry = np.divmod(told - starts.take(rows), np.maximum(lengths.take(rows), 1))
        causes = crowd.items.take(crowd.indptr.take(rows) + entry)
        values = sums.take(told).astype(np.float64, copy=False)
        ends = rows.searchsorted(np.arange(len(lists) + 1)).tolist()
        return [
            Row(items, slot[a:b], causes[a:b], values[a:b])
            for items, (a, b) in zip(lists, pairwise(ends), strict=True)
        ]
