"""Histories as batches of equally long sequences: windows, padding, ages."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.histories import DAY, Histories

Whole = NDArray[np.int64]

_MINUTE, _HOUR = DAY // 1440, DAY // 24
AGES: Whole = np.array(
    [_MINUTE, 10 * _MINUTE, _HOUR, 6 * _HOUR]
    + [days * DAY for days in (1, 2, 4, 7, 14, 30, 60, 90, 180, 365)],
    dtype=np.int64,
)
"""Where a class of time between two events ends, microseconds; the last class is open."""
N_AGES = len(AGES) + 1
N_KINDS = 3
NO_TARGET = -1


@dataclass(frozen=True)
class Batch:
    """Sequences side by side, padded behind their ends.

    Parameters
    ----------
    items, kinds
        Shape (n, length): what was met, and how; 0 behind the end.
    ages
        Shape (n, length, length): the class of the time from event ``j`` to event ``i`` at
        ``[:, i, j]``, 0 where j is not earlier.
    last
        Shape (n,): where each sequence ends.
    targets
        Shape (n, length): the item that came next, -1 where nothing is to be learnt.
    worth
        Shape (n, length), float32: how much that counts.
    """

    items: Whole
    kinds: Whole
    ages: Whole
    last: Whole
    targets: Whole
    worth: NDArray[np.float32]


def cut_windows(histories: Histories, length: int) -> Whole:
    """Windows of at most ``length + 1`` events in which each event but a row's first comes next.

    Answers first and last-but-one entry, shape (n_windows, 2), counted back from each row's end.

    Examples
    --------
    >>> rows, items = np.zeros(6, dtype=np.int64), np.arange(6)
    >>> six = Histories.of_events(rows, items, (1, 6), moments=items)
    >>> cut_windows(six, 3).tolist()
    [[2, 6], [0, 3]]
    """
    counts = np.maximum(-(-(histories.lengths - 1) // length), 0)
    owners = np.repeat(np.arange(histories.n_rows), counts)
    turns = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
    stops = histories.indptr[owners + 1] - turns * length
    starts = np.maximum(histories.indptr[owners], stops - length - 1)
    return np.stack((starts, stops), axis=1)


def newest_windows(histories: Histories, length: int) -> Whole:
    """Each row's newest ``length`` events, shape (n_rows, 2): first and last-but-one entry."""
    stops = histories.indptr[1:]
    return np.stack((np.maximum(histories.indptr[:-1], stops - length), stops), axis=1)


def group_windows(lengths: Whole, batch_events: int, rng: np.random.Generator) -> list[Whole]:
    """Windows of like length together, at most ``batch_events`` cells a group, in random order."""
    groups = list(_by_length(lengths + rng.random(len(lengths)), lengths, batch_events))
    return [groups[at] for at in rng.permutation(len(groups))]


def group_rows(lengths: Whole, cells: int) -> Iterator[Whole]:
    """Rows of like length together; the padded squares of a group hold at most ``cells`` cells."""
    return _by_length(lengths, lengths**2, cells)


def _by_length(keys: NDArray[np.number], sizes: Whole, most: int) -> Iterator[Whole]:
    order, start = np.argsort(-keys, kind="stable"), 0
    while start < len(order):  # the first of a group is the longest, so all are as wide as it
        stop = start + max(1, most // max(int(sizes[order[start]]), 1))
        yield order[start:stop]
        start = stop


def pad(histories: Histories, windows: Whole, worth: NDArray[np.float32] | None = None) -> Batch:
    """The batch of these windows.

    With ``worth`` (per event, shape (n_events,)) each event but a window's first is a target, and
    the last one is no input.
    """
    ahead = 0 if worth is None else 1
    lengths = np.diff(windows, axis=1)[:, 0] - ahead
    places = np.arange(int(lengths.max(initial=1)))
    inside = places < lengths[:, None]
    cells = np.where(inside, windows[:, :1] + places, 0)
    items = np.where(inside, histories.items[cells], 0)
    targets, counts = np.full(items.shape, NO_TARGET), np.zeros(items.shape, dtype=np.float32)
    if worth is not None:
        following = np.where(inside, cells + 1, 0)
        counts = np.where(inside, worth[following], np.float32(0))
        targets = np.where(counts > 0, histories.items[following], NO_TARGET)
    return Batch(
        items=items,
        kinds=np.where(inside, histories.kinds[cells], 0).astype(np.int64),
        ages=classify_ages(histories.moments[cells], inside),
        last=lengths - 1,
        targets=targets,
        worth=counts,
    )


def classify_ages(moments: Whole, inside: NDArray[np.bool_]) -> Whole:
    """The class of time between each two events, shape (n, length, length); 0 in the padding."""
    spans = moments[:, :, None] - moments[:, None, :]
    classes = np.searchsorted(AGES, spans.ravel(), side="right").reshape(spans.shape)
    return np.where(inside[:, :, None] & inside[:, None, :], classes, 0).astype(np.int64)
