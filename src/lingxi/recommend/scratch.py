"""Arrays as wide as a catalogue, kept from one history to the next: one set for every thread.

Whatever asks about a history adds its cells up in them and leaves them as it found them, so models
of one width share them, and what one history costs does not grow with the catalogue.
"""

from dataclasses import dataclass
from threading import local
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.kernels import Cells, add_rows, list_once
from lingxi.recommend.largest import find_floor

Whole = NDArray[np.int64]
Table = NDArray[np.float32]
Vector = NDArray[np.float64]
_MOST_WIDTHS = 8
_NARROW = 20_000
"""With fewer items, looking at all of them costs no more than looking at cells."""
_SPARSE = 4
"""Items for each cell, up to which the same holds in a wide catalogue."""
_SPARSE_TO_CLEAR = 6
"""The same of writing zeros."""
BUSIEST = 4096
"""Columns with the most cells, whose sums say how high the best ones of a history are at least."""

_SPARSE_TO_SORT = 48
"""The same of sorting them."""
LESS = 1.0 - 1e-6
"""So much lower a bound in double precision leaves out nothing that rounding may lift."""


class _Arrays:
    """All 0, or -1, between two uses but for ``first``, of which only what was just written is
    read."""

    def __init__(self, width: int) -> None:
        self.sums = np.zeros(width)
        self.total = np.zeros(width, dtype=np.float32)
        self.flags = np.zeros(width, dtype=np.bool_)
        self.places = np.full(width, -1, dtype=np.int32)
        self.first = np.zeros(width, dtype=np.int32)


class _Held(local):
    def __init__(self) -> None:
        self.by_width: dict[int, _Arrays] = {}


_held = _Held()


def _borrow(width: int) -> _Arrays:
    by_width = _held.by_width
    found = by_width.get(width)
    if found is None:
        if len(by_width) >= _MOST_WIDTHS:
            del by_width[next(iter(by_width))]
        found = by_width[width] = _Arrays(width)
    return found


@dataclass(frozen=True)
class Gains:
    """What the sum of each item is multiplied by, at least 0 and at most ``top``."""

    values: Table
    top: float


class Best(NamedTuple):
    """Items, each once, in no order, and their scores; and which ``cells`` were of them, and
    perhaps of others, where cells were looked at."""

    items: Whole
    scores: Table
    cells: Whole | None


class Scratch:
    """Sums and marks for a catalogue of ``n_items``."""

    def __init__(self, n_items: int) -> None:
        self.n_items = n_items

    @property
    def sums(self) -> NDArray[np.float64]:
        """Where rows are added up; all 0 before and after."""
        return _borrow(self.n_items).sums

    @property
    def total(self) -> Table:
        """The same in single precision, for what several parts say together."""
        return _borrow(self.n_items).total

    def are_among(
        self, items: NDArray[np.integer], others: NDArray[np.integer]
    ) -> NDArray[np.bool_]:
        """Which of the items are among the others."""
        flags = _borrow(self.n_items).flags
        flags[others] = True
        found: NDArray[np.bool_] = flags.take(items)
        flags[others] = False
        return found

    def locate(self, items: NDArray[np.integer], among: NDArray[np.integer]) -> NDArray[np.int32]:
        """The place of each item among others, all of them different; -1 for one that is not."""
        places = _borrow(self.n_items).places
        places[among] = np.arange(len(among), dtype=np.int32)
        found: NDArray[np.int32] = places.take(items)
        places[among] = -1
        return found

    def find(
        self, items: Whole, among: NDArray[np.integer], marks: NDArray[np.bool_] | None = None
    ) -> tuple[Whole, NDArray[np.int32]]:
        """Which of many items are among a few others, all of them different, and their places
        among these; ``marks``: room for as many marks as items."""
        held = _borrow(self.n_items)
        flags, first = held.flags, held.first
        flags[among] = True
        found = flags.take(items) if marks is None else flags.take(items, out=marks, mode="clip")
        met: Whole = found.nonzero()[0]
        flags[among] = False
        first[among] = np.arange(len(among), dtype=np.int32)
        places: NDArray[np.int32] = first.take(items.take(met))
        return met, places

    def is_few(self, cells: int) -> bool:
        """Whether looking at so many cells costs less than looking at all items."""
        return self.n_items > _NARROW and self.n_items > _SPARSE * cells

    def clear(self, sums: NDArray[np.floating], columns: Whole) -> None:
        """Put the sums of these columns, all that are not 0, back to 0."""
        if self.n_items > _SPARSE_TO_CLEAR * len(columns):
            sums[columns] = 0
        else:
            sums.fill(0)

    def keep_first(self, items: NDArray[np.integer]) -> NDArray[np.bool_]:
        """One entry of each item."""
        first, own = _borrow(self.n_items).first, np.arange(len(items), dtype=np.int32)
        first[items] = own
        found: NDArray[np.bool_] = first.take(items) == own
        return found

    def find_first(self, items: NDArray[np.integer]) -> Whole:
        """Where each item stands for the first time, rising."""
        held, own = _borrow(self.n_items).first, np.arange(len(items), dtype=np.int32)
        held[items[::-1]] = own[::-1]  # what is written last stays
        found: Whole = (held.take(items) == own).nonzero()[0]
        return found

    def sum_columns(self, cells: Cells, weights: NDArray[np.float64]) -> tuple[Whole, Vector]:
        """The columns whose weighted sum over the rows is not 0, rising, and these sums."""
        sums = self.sums
        add_rows(cells, weights, sums)
        items = self.list_met(sums, cells.columns)
        found = sums.take(items)
        self.clear(sums, items)
        return items, found

    def list_met(self, sums: NDArray[np.floating], columns: NDArray[np.integer]) -> Whole:
        """These columns, rising, each once; those whose sum is 0 may be missing."""
        if self.n_items > _SPARSE_TO_SORT * len(columns):
            return list_once(columns).astype(np.int64, copy=False)
        found: Whole = (sums != 0).nonzero()[0]  # of a mask, which takes a tenth of the time
        return found

    def take_best(
        self,
        sums: NDArray[np.floating],
        columns: Whole,
        most: int,
        busiest: Whole,
        gains: Gains | None = None,
    ) -> Best:
        """The items whose sum times its gain is above 0, in single precision, as far as they may
        be among the ``most`` highest.

        ``sums`` are those of the ``columns``, in which an item may stand often, and are 0 again
        afterwards; ``busiest``: some columns whose highest sums are high, rising.
        """
        known = _to_scores(sums.take(busiest), gains, busiest)
        floor = find_floor(known, most)
        bound = floor * LESS / (1.0 if gains is None else gains.top) if floor > 0 else 0.0
        if not self.is_few(len(columns)):
            items = (sums >= bound if bound > 0 else sums > 0).nonzero()[0]
            scores = _to_scores(sums.take(items), gains, items)
            sums.fill(0)
            return Best(*_cut(items, scores, most), None)
        own = sums.take(columns)
        self.clear(sums, columns)
        cells = (own >= bound if bound > 0 else own > 0).nonzero()[0]
        items = columns.take(cells)
        once = self.keep_first(items).nonzero()[0]
        found = items.take(once)
        scores = _to_scores(own.take(cells.take(once)), gains, found)
        return Best(*_cut(found, scores, most), cells)


def _to_scores(
    sums: NDArray[np.floating], gains: Gains | None, items: NDArray[np.integer]
) -> Table:
    """The sums of these items times their gains in single precision."""
    scores = sums.astype(np.float32)
    if gains is not None:
        scores *= gains.values.take(items)
    return scores


def _cut(items: Whole, scores: Table, most: int) -> tuple[Whole, Table]:
    """What is above 0, without most of what is not among the ``most`` highest."""
    floor = find_floor(scores, most)
    kept = (scores >= floor if floor > 0 else scores > 0).nonzero()[0]
    return items.take(kept), scores.take(kept)
