"""Many histories against the parts of a learnt model: what ``alone`` does for one of them.

Rows of an operator are gathered for many histories in one step, and whatever follows once the
candidates are known is done for all of them; only sums and marks are as wide as the catalogue.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.alone import Table, Whole, cut_each, cut_scores
from lingxi.recommend.gathered import Linear, Room, find_linear
from lingxi.recommend.heard import Kept, hear_linear, list_met
from lingxi.recommend.histories import Histories
from lingxi.recommend.kernels import Cells, gather_rows, list_once
from lingxi.recommend.largest import find_floor
from lingxi.recommend.matrix import Csr, build_csr, count_ends, row_blocks
from lingxi.recommend.scorer import Scorer, as_listing, as_listing_many
from lingxi.recommend.scratch import Scratch

BLOCK = 256
"""Histories that are best answered together: what they touch stays within some tens of MB."""
_CELLS = 500_000
"""Cells gathered in one step: what fits into a cache."""


def join_rows(
    rows: Sequence[tuple[Whole, NDArray[np.float32]]],
) -> tuple[Whole, Whole, NDArray[np.float32]]:
    """Items and scores of each row as ``ListingMany`` tells them: what is above 0."""
    kept = [_drop_silent(items, scores) for items, scores in rows]
    if len(kept) == 1:
        return np.array([0, len(kept[0][0])]), *kept[0]
    ends = np.concatenate(([0], np.cumsum([len(items) for items, _ in kept], dtype=np.int64)))
    items = np.concatenate([np.empty(0, np.int64), *[items for items, _ in kept]])
    return ends, items, np.concatenate([np.empty(0, np.float32), *[each for _, each in kept]])


def _drop_silent(items: Whole, scores: Table) -> tuple[Whole, Table]:
    """What is above 0."""
    if len(scores) and scores.min() > 0:
        return items, scores
    kept = scores > 0
    return items[kept], scores[kept]


def hear_part(
    part: Scorer, histories: Histories, scratch: Scratch
) -> Sequence[tuple[Whole | None, NDArray[np.float32]]]:
    """The items of each history that a part scores above 0, each once, and their scores; no items
    but the scores of all where a part looks at all of them."""
    if find_linear(part) is None and as_listing(part) is None:
        return [(None, row) for row in part.score(histories)]
    return list_part(part, histories, scratch)


def list_part(
    part: Scorer, histories: Histories, scratch: Scratch
) -> list[tuple[Whole, NDArray[np.float32]]]:
    """The items of each history that a part scores above 0, each once, and their scores."""
    linear = find_linear(part)
    if linear is not None:
        gathered = _gather(linear, histories)
        return [_list_linear(cells, weights, scratch) for _, cells, weights in gathered]
    many, listing = as_listing_many(part), as_listing(part)
    if many is not None:
        ends, items, scores = many.list_many(histories)
        return [(items[a:b], scores[a:b]) for a, b in pairwise(ends.tolist())]
    if listing is not None:
        single = [histories.take(np.array([row])) for row in range(histories.n_rows)]
        return [listing.list_scores(each) for each in single]
    rows = list[tuple[Whole, NDArray[np.float32]]]()
    for row in part.score(histories):
        met = (row > 0).nonzero()[0]
        rows.append((met, row.take(met)))
    return rows


def _list_linear(
    cells: Cells, weights: NDArray[np.float64], scratch: Scratch
) -> tuple[Whole, NDArray[np.float32]]:
    items, sums = scratch.sum_columns(cells, weights)
    return _drop_silent(items, sums.astype(np.float32))


def hear_parts(
    parts: Sequence[Scorer],
    histories: Histories,
    depth: int,
    scratch: Scratch,
    room: Room,
) -> tuple[Whole, Whole, Table, Kept]:
    """What any part has among the first ``depth`` of a history: its row, rising, its item, rising
    within the row, and each part's share of its best (``cut_scores``), shape (n_parts, n); and of
    each history the cells of operators that are kept of it, where it is one of a few."""
    linear = [find_linear(part) for part in parts]
    known = [each for each in linear if each is not None]
    keep = histories.n_rows <= BLOCK
    told, kept = hear_linear(known, histories, depth, scratch, room, keep=keep)
    ready = iter(told)
    heads = [
        _hear(part, histories, depth, scratch) if each is None else next(ready)
        for part, each in zip(parts, linear, strict=True)
    ]
    cells = list_once(np.concatenate([cells for cells, _ in heads])).astype(np.int64, copy=False)
    said = np.zeros((len(heads), len(cells)), dtype=np.float32)
    for row, (own, shares) in zip(said, heads, strict=True):
        row[np.searchsorted(cells, own)] = shares
    if histories.n_rows == 1:
        return np.zeros(len(cells), dtype=np.int64), cells, said, kept
    owners, items = np.divmod(cells, max(histories.n_items, 1))
    return owners, items, said, kept


def _hear(part: Scorer, histories: Histories, depth: int, scratch: Scratch) -> tuple[Whole, Table]:
    """The heads of a part that is no operator: cells, row · n_items + item, and their shares."""
    if as_listing(part) is None:
        heads = cut_each(part.score(histories), histories.seen(), depth)
    else:
        heads = _cut_listed(list_part(part, histories, scratch), histories, depth, scratch)
    named = [items + row * histories.n_items for row, (items, _) in enumerate(heads)]
    return np.concatenate(named), np.concatenate([shares for _, shares in heads])


def _cut_listed(
    rows: Sequence[tuple[Whole, Table]], histories: Histories, depth: int, scratch: Scratch
) -> list[tuple[Whole, Table]]:
    """The head of each row of a part that knows what it scores above 0."""
    heads = []
    for (items, scores), met in zip(rows, list_met(histories), strict=True):
        floor = find_floor(scores, depth + len(met))
        if floor > 0:
            kept = (scores >= floor).nonzero()[0]
            items, scores = items.take(kept), scores.take(kept)
        known = scratch.are_among(items, met)
        heads.append(cut_scores(items, scores, known, depth, histories.n_items))
    return heads


def _gather(part: Linear, histories: Histories) -> Iterator[tuple[int, Cells, NDArray[np.float64]]]:
    """Each history's rows of an operator and their weights; many are gathered in one step."""
    if histories.n_rows == 1:
        items, heard = histories.hear(part.heard)
        cells = gather_rows(part.rows, items)
        yield 0, Cells(cells.columns, cells.values.astype(np.float64), cells.ends), heard
        return
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
