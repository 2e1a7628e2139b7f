"""The rows of one history in several operators, gathered once: for scores, then for reasons."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.kernels import Cells, RowOperator, Rows, add_rows, pick_rows
from lingxi.recommend.scorer import Scorer
from lingxi.recommend.scratch import BUSIEST, Scratch

Whole = NDArray[np.int64]
Vector = NDArray[np.float64]


class Linear:
    """An operator of float32 as one history at a time meets it."""

    def __init__(self, part: RowOperator) -> None:
        self.heard = part.heard
        self.rows, self.columns = Rows.of(part.operator), Rows.of(part.columns)
        self.operator = part.operator

    def is_of(self, part: RowOperator) -> bool:
        """Whether the part is still what this was made of."""
        return part.operator is self.operator and part.heard == self.heard

    @cached_property
    def speaks_against(self) -> bool:
        """Whether it has cells below 0."""
        return bool(self.rows.data.min(initial=np.float32(0)) < 0)

    @cached_property
    def longest(self) -> Whole:
        """The columns with the most cells, the longest first."""
        lengths = np.diff(self.columns.indptr)
        return np.argsort(-lengths, kind="stable")[:BUSIEST]

    @cached_property
    def busiest(self) -> Whole:
        """The same, rising."""
        return np.sort(self.longest)


_LINEAR: WeakKeyDictionary[Scorer, Linear] = WeakKeyDictionary()
_SHOWN = ("heard", "operator", "columns")
"""What ``RowOperator`` asks for; a look at each is cheaper than asking the protocol."""


def find_linear(part: Scorer) -> Linear | None:
    """The part, if it is an operator of float32.

    Its class does not tell: a graph filter becomes an operator only by being stored.
    """
    if not all(hasattr(part, name) for name in _SHOWN):
        return None
    operator = cast("RowOperator", part)
    if operator.operator.data.dtype != np.float32:
        return None
    found = _LINEAR.get(part)
    if found is None or not found.is_of(operator):
        found = _LINEAR[part] = Linear(operator)
    return found


class Room:
    """Arrays for the cells of one history; they grow, and the next history's are written over."""

    def __init__(self) -> None:
        self.columns = np.empty(0, dtype=np.int32)
        self.read = np.empty(0, dtype=np.float32)
        self.index, self.values = np.empty(0, dtype=np.int64), np.empty(0)
        self.marks = np.empty(0, dtype=np.bool_)

    def grow(self, n: int) -> None:
        """Room for so many cells."""
        if len(self.columns) < n:
            size = n + n // 4
            self.columns, self.read = np.empty(size, np.int32), np.empty(size, np.float32)
            self.index, self.values = np.empty(size, np.int64), np.empty(size)
            self.marks = np.empty(size, np.bool_)


@dataclass(frozen=True)
class Gathered:
    """Cells of a history's rows: entry e, item ``items[e]`` with ``weights[e]``, holds cells
    ``ends[e]`` to ``ends[e + 1]``; operator p holds entries ``bounds[p]`` to ``bounds[p + 1]``.

    ``index`` are the ``columns`` as NumPy would make them of indices each time. All but the first
    two are in a room that the next history takes.
    """

    items: Whole
    weights: Vector
    ends: NDArray[np.int32]
    columns: NDArray[np.int32]
    index: Whole
    values: Vector
    bounds: list[int]
    marks: NDArray[np.bool_]

    def add(self, parts: range, weights: Vector, sums: NDArray[np.float64]) -> Whole:
        """Add rows of some operators up, each times its weight, of which there is one for each
        entry; the columns that they hold, each as often as it is there."""
        start, stop = self.bounds[parts.start], self.bounds[parts.stop]
        ends = self.ends[start : stop + 1]
        add_rows(Cells(self.columns, self.values, ends), weights[start:stop], sums)
        return self.index[ends[0] : ends[-1]]

    def find_terms(
        self, listed: NDArray[np.integer], scratch: Scratch, cells: Whole | None = None
    ) -> tuple[NDArray[np.int32], Whole, Vector]:
        """The terms of listed items' sums: places in the list, entries (which rise), values.

        They are looked for in the rows of the history: the column of an item that everybody speaks
        for may be as long as the catalogue. ``cells``: all that can be theirs, rising.
        """
        if cells is None:
            met, places = scratch.find(self.index, listed, self.marks)
        else:
            found, places = scratch.find(self.index.take(cells), listed)
            met = cells.take(found)
        entries = self.ends.searchsorted(met, side="right") - 1
        return places, entries, self.weights.take(entries) * self.values.take(met)


def gather(
    linear: Sequence[Linear], voices: Sequence[tuple[Whole, Vector]], room: Room
) -> Gathered:
    """The rows of each operator that its voice names: items, and their weights."""
    bounds, lengths = [0], []
    for part, (items, _) in zip(linear, voices, strict=True):
        bounds.append(bounds[-1] + len(items))
        lengths.append(part.rows.count(items))
    one = len(linear) == 1
    ends = np.zeros(bounds[-1] + 1, dtype=np.int32)
    np.cumsum(lengths[0] if one else np.concatenate(lengths), out=ends[1:])
    count = int(ends[-1])
    room.grow(count)
    columns, read = room.columns[:count], room.read[:count]
    for at, (part, (items, _)) in enumerate(zip(linear, voices, strict=True)):
        cells = slice(ends[bounds[at]], ends[bounds[at + 1]])
        pick_rows(part.rows, items, columns[cells], read[cells])
    index, values = room.index[:count], room.values[:count]
    index[:], values[:] = columns, read
    items = voices[0][0] if one else np.concatenate([each for each, _ in voices])
    weights = voices[0][1] if one else np.concatenate([each for _, each in voices])
    return Gathered(items, weights, ends, columns, index, values, bounds, room.marks[:count])
