"""What the operators of a model have among their first for each history, and the cells it is of.

All rows of a history are gathered in one step; the cells of what may be a candidate are kept where
few of a wide catalogue are, so that reasons need not gather them again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.alone import Heads, Table, Vector, Whole, cut_scores, find_met, to_rows
from lingxi.recommend.gathered import Gathered, Linear, Room, gather
from lingxi.recommend.histories import Histories
from lingxi.recommend.matrix import Csr, sum_pairs
from lingxi.recommend.scratch import Best, Scratch


@dataclass(frozen=True)
class KeptCells:
    """Cells of one history: an item, what speaks for it, and what that gives to the sum.

    Those of operator p stand from ``bounds[p]`` to ``bounds[p + 1]``.
    """

    items: Whole
    causes: Whole
    terms: Vector
    bounds: Whole

    @staticmethod
    def of(rows: Gathered, best: Sequence[Best]) -> "KeptCells | None":
        """The cells that may be of what is best by each operator; nothing where they were not
        looked at."""
        found = []
        for part, each in enumerate(best):
            if each.cells is None:
                return None
            found.append(each.cells + rows.ends[rows.bounds[part]])
        cells = np.concatenate(found)
        entries = rows.ends.searchsorted(cells, side="right") - 1
        terms = rows.weights.take(entries) * rows.values.take(cells)
        bounds = np.cumsum([0, *map(len, found)])
        return KeptCells(rows.index.take(cells), rows.items.take(entries), terms, bounds)


Kept = list[KeptCells | None]
Terms = tuple[Whole, Whole, Vector]
"""Places of all lists in order (row · n + place), items of the history, and what they give."""


def hear_linear(
    linear: Sequence[Linear],
    histories: Histories,
    depth: int,
    scratch: Scratch,
    room: Room,
    *,
    keep: bool,
) -> tuple[list[tuple[Whole, Table]], Kept]:
    """The heads of each operator: cells, row · n_items + item, and shares of its best
    (``cut_scores``); and, to ``keep``, the kept cells of each history."""
    heads: list[list[tuple[Whole, Table]]] = [[] for _ in linear]
    kept: Kept = []
    if not linear:
        return [], kept
    own = list_met(histories)
    for row, (voices, met) in enumerate(zip(_listen(linear, histories), own, strict=True)):
        rows, sums, best = gather(linear, voices, room), scratch.sums, list[Best]()
        for part, each in enumerate(linear):
            columns = rows.add(range(part, part + 1), rows.weights, sums)
            best.append(scratch.take_best(sums, columns, depth + len(met), each.busiest))
            items, scores, _ = best[-1]
            known = scratch.are_among(items, met)
            items, shares = cut_scores(items, scores, known, depth, histories.n_items)
            heads[part].append((items + row * histories.n_items, shares))
        if keep:
            kept.append(KeptCells.of(rows, best))
    return [_join(each) for each in heads], kept


def find_kept(kept: Sequence[KeptCells], lists: Whole, scratch: Scratch) -> list[Terms]:
    """The terms of the listed items by each operator."""
    told, n = list[list[Terms]](), lists.shape[1]
    for row, (cells, listed) in enumerate(zip(kept, lists, strict=True)):
        met, at = scratch.find(cells.items, listed)
        slots = at.astype(np.int64) + row * n
        ends = met.searchsorted(cells.bounds).tolist()
        own, given = cells.causes.take(met), cells.terms.take(met)
        told.append([(slots[a:b], own[a:b], given[a:b]) for a, b in pairwise(ends)])
    return [_concatenate(rows) for rows in zip(*told, strict=True)]


def _concatenate(rows: Sequence[Terms]) -> Terms:
    places, causes, values = zip(*rows, strict=True)
    return np.concatenate(places), np.concatenate(causes), np.concatenate(values)


def list_met(histories: Histories) -> Iterator[Whole]:
    """The items of each history, rising."""
    if histories.n_rows == 1:
        yield find_met(histories)
        return
    seen: Csr = histories.seen()
    for start, stop in pairwise(seen.indptr.tolist()):
        yield seen.indices[start:stop].astype(np.int64)


def _listen(
    linear: Sequence[Linear], histories: Histories
) -> Iterator[list[tuple[Whole, NDArray[np.float64]]]]:
    """What each operator hears of each history."""
    if histories.n_rows == 1:
        yield [histories.hear(each.heard) for each in linear]
        return
    weights = {each.heard: histories.weigh(each.heard) for each in linear}
    told = [
        (found.indptr.tolist(), found.indices.astype(np.int64), found.data)
        for found in (weights[each.heard] for each in linear)
    ]
    for row in range(histories.n_rows):
        yield [(items[p[row] : p[row + 1]], worth[p[row] : p[row + 1]]) for p, items, worth in told]


def _join(heads: Heads) -> tuple[Whole, Table]:
    if len(heads) == 1:
        return heads[0]
    cells = np.concatenate([np.empty(0, np.int64), *[items for items, _ in heads]])
    return cells, np.concatenate([np.empty(0, np.float32), *[shares for _, shares in heads]])


def to_terms(given: Csr) -> Terms:
    """What ``Scorer.explain`` gives, as terms."""
    owners = np.repeat(np.arange(given.shape[0]), np.diff(given.indptr))
    return owners, given.indices.astype(np.int64), given.data.astype(np.float64)


def share_terms(terms: Terms, sums: Vector) -> Terms:
    """What is above 0 for each place, scaled to the sum given; places of no sum get nothing.

    >>> places, causes = np.array([0, 0, 1]), np.array([4, 7, 4])
    >>> share_terms((places, causes, np.array([1.0, 3.0, -1.0])), np.array([8.0, 2.0]))[2].tolist()
    [2.0, 6.0, 0.0]
    """
    places, causes, values = terms
    data = np.maximum(values, 0.0)
    found = np.bincount(places, weights=data, minlength=len(sums))
    factors = np.divide(sums, found, out=np.zeros(len(found)), where=found > 0)
    return places, causes, data * factors[places]


def join_terms(told: Sequence[Terms], sums: Vector, n_items: int, met: Whole | None = None) -> Csr:
    """All terms as a row for each place, scaled to its sum; ``met``: what all causes are among,
    rising, where there is a single history."""
    none = np.empty(0, dtype=np.int64)
    places = np.concatenate([none, *[each[0] for each in told]])
    causes = np.concatenate([none, *[each[1] for each in told]])
    values = np.concatenate([np.empty(0), *[each[2] for each in told]])
    _, _, values = share_terms((places, causes, values), sums)
    if met is None:
        return sum_pairs(places, causes, values, (len(sums), n_items))
    cells = places * len(met) + np.searchsorted(met, causes)
    table = np.bincount(cells, weights=values, minlength=len(sums) * len(met))
    return to_rows(table.astype(np.float64).reshape(len(sums), len(met)), met, n_items)
