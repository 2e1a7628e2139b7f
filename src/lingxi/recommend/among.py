"""Many histories against the parts of a learnt model: what ``alone`` does for one of them.

Rows of an operator are gathered for many histories in one step, and whatever follows once the
candidates are known is done for all of them; only sums and marks are as wide as the catalogue.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.alone import Table, Whole, cut_each, cut_scores
from lingxi.recommend.gathered import Linear, find_linear
from lingxi.recommend.histories import Histories
from lingxi.recommend.kernels import Cells, add_rows, gather_rows, list_once
from lingxi.recommend.largest import find_floor
from lingxi.recommend.matrix import Csr, build_csr, count_ends, row_blocks
from lingxi.recommend.scorer import Listing, ListingMany, Scorer
from lingxi.recommend.scratch import Scratch

BLOCK = 256
"""Histories that are best answered together: what they touch stays within some tens of MB."""
_CELLS = 500_000
"""Cells gathered in one step: what fits into a cache."""


def join_rows(
    rows: Sequence[tuple[Whole, NDArray[np.float32]]],
) -> tuple[Whole, Whole, NDArray[np.float32]]:
    """Items and scores of each row as ``ListingMany`` tells them: what is above 0."""
    kept = [(items[scores > 0], scores[scores > 0]) for items, scores in rows]
    ends = np.concatenate(([0], np.cumsum([len(items) for items, _ in kept], dtype=np.int64)))
    items = np.concatenate([np.empty(0, np.int64), *[items for items, _ in kept]])
    return ends, items, np.concatenate([np.empty(0, np.float32), *[each for _, each in kept]])


def list_part(
    part: Scorer, histories: Histories, scratch: Scratch
) -> list[tuple[Whole, NDArray[np.float32]]]:
    """The items of each history that a part scores above 0, each once, and their scores."""
    linear = find_linear(part)
    if linear is not None:
        gathered = _gather(linear, histories)
        return [_list_linear(cells, weights, scratch) for _, cells, weights in gathered]
    if isinstance(part, ListingMany):
        ends, items, scores = part.list_many(histories)
        return [(items[a:b], scores[a:b]) for a, b in pairwise(ends.tolist())]
    if isinstance(part, Listing):
        single = [histories.take(np.array([row])) for row in range(histories.n_rows)]
        return [part.list_scores(each) for each in single]
    rows = list[tuple[Whole, NDArray[np.float32]]]()
    for row in part.score(histories):
        met = (row > 0).nonzero()[0]
        rows.append((met, row.take(met)))
    return rows


def _list_linear(
    cells: Cells, weights: NDArray[np.float64], scratch: Scratch
) -> tuple[Whole, NDArray[np.float32]]:
    items, sums = scratch.sum_columns(cells, weights)
    scores = sums.astype(np.float32)
    if scores.min(initial=np.float32(0)) >= 0:
        return items, scores
    return items[scores > 0], scores[scores > 0]


def hear_parts(
    parts: Sequence[Scorer], histories: Histories, depth: int, scratch: Scratch
) -> tuple[Whole, Whole, Table]:
    """What any part has among the first ``depth`` of a history: its row, rising, its item, rising
    within the row, and each part's share of its best (``cut_scores``), shape (n_parts, n)."""
    seen, n_items = histories.seen(), max(histories.n_items, 1)
    heads = [_hear(part, histories, seen, depth, scratch) for part in parts]
    cells = list_once(np.concatenate([cells for cells, _ in heads])).astype(np.int64, copy=False)
    said = np.zeros((len(heads), len(cells)), dtype=np.float32)
    for row, (own, shares) in zip(said, heads, strict=True):
        row[np.searchsorted(cells, own)] = shares
    owners, items = np.divmod(cells, n_items)
    return owners, items, said


def _hear(
    part: Scorer, histories: Histories, seen: Csr, depth: int, scratch: Scratch
) -> tuple[Whole, Table]:
    """A part's heads: cells, row · n_items + item, and their shares."""
    linear = find_linear(part)
    if linear is None:
        if isinstance(part, Listing):
            heads = _cut_listed(
                list_part(part, histories, scratch), histories, seen, depth, scratch
            )
        else:
            heads = cut_each(part.score(histories), seen, depth)
        named = [items + row * histories.n_items for row, (items, _) in enumerate(heads)]
        return np.concatenate(named), np.concatenate([shares for _, shares in heads])
    found, told = [np.empty(0, np.int64)], [np.empty(0, np.float32)]
    for row, cells, weights in _gather(linear, histories):
        met = seen.indices[seen.indptr[row] : seen.indptr[row + 1]]
        sums, columns = scratch.sums, cells.columns.astype(np.int64)
        add_rows(cells, weights, sums)
        best = scratch.take_best(sums, columns, depth + len(met), linear.busiest)
        known = scratch.are_among(best.items, met)
        own, shares = cut_scores(best.items, best.scores, known, depth, histories.n_items)
        found.append(own + row * histories.n_items)
        told.append(shares)
    return np.concatenate(found), np.concatenate(told)


def _cut_listed(
    rows: Sequence[tuple[Whole, Table]],
    histories: Histories,
    seen: Csr,
    depth: int,
    scratch: Scratch,
) -> list[tuple[Whole, Table]]:
    """The head of each row of a part that knows what it scores above 0."""
    heads = []
    for (items, scores), (start, stop) in zip(rows, pairwise(seen.indptr.tolist()), strict=True):
        met = seen.indices[start:stop]
        floor = find_floor(scores, depth + len(met))
        if floor > 0:
            kept = (scores >= floor).nonzero()[0]
            items, scores = items.take(kept), scores.take(kept)
        known = scratch.are_among(items, met)
        heads.append(cut_scores(items, scores, known, depth, histories.n_items))
    return heads


def _gather(part: Linear, histories: Histories) -> Iterator[tuple[int, Cells, NDArray[np.float64]]]:
    """Each history's rows of an operator and their weights; many are gathered in one step."""
    weights = histories.weigh(part.heard)
    for rows in row_blocks(weights, part.operator, _CELLS):
        entries = slice(int(weights.indptr[rows.start]), int(weights.indptr[rows.stop]))
        cells = gather_rows(part.rows, weights.indices[entries])
        values, ends, worth = cells.values.astype(np.float64), cells.ends, weights.data[entries]
        bounds = (weights.indptr[rows.start : rows.stop + 1] - entries.start).tolist()
        for row, (start, stop) in enumerate(pairwise(bounds), rows.start):
            first, last = ends[start], ends[stop]
            own = Cells(
                cells.columns[first:last], values[first:last], ends[start : stop + 1] - first
            )
            yield row, own, worth[start:stop]


def explain_part(part: Scorer, histories: Histories, lists: Whole, scratch: Scratch) -> Csr:
    """What ``part.explain`` gives, for different items in each list.

    Of an operator by the rows of the histories: the columns of items that everybody is led to are
    as long as the catalogue.
    """
    linear = find_linear(part)
    if linear is None:
        return part.explain(histories, lists)
    weights, n = histories.weigh(linear.heard), lists.shape[1]
    starts = weights.indptr.tolist()
    keys, values = [np.empty(0, np.int64)], [np.empty(0)]
    for row, cells, own in _gather(linear, histories):
        places = scratch.locate(cells.columns, lists[row])
        met = (places >= 0).nonzero()[0]
        owners = cells.ends.searchsorted(met, side="right") - 1
        causes = weights.indices[starts[row] : starts[row + 1]].take(owners)
        keys.append((row * n + places.take(met).astype(np.int64)) * histories.n_items + causes)
        values.append(own.take(owners) * cells.values.take(met))
    cells_of = np.concatenate(keys)
    order = np.argsort(cells_of)
    listed, causes_of = np.divmod(cells_of[order], max(histories.n_items, 1))
    shape = (lists.size, histories.n_items)
    return build_csr(
        np.concatenate(values)[order], causes_of, count_ends(listed, lists.size), shape
    )
