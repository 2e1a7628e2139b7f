"""A history that holds what was learnt from as well: its events count once."""

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]
_MOSTLY = 0.9
"""From this share of what was learnt from on, a history is taken for one from the beginning on."""


def find_told(
    past: tuple[Codes, Codes, Codes | None],
    later: tuple[Codes, Codes, Codes | None],
) -> NDArray[np.bool_]:
    """Which events of ``later`` ``past`` has already, each of its events taken once.

    Both are (row, item, moment) of each event, moment None where times are not known. With times an
    event is the same where row, item and moment are. Without them a pair met again may be a second
    event: only where ``later`` holds nearly all that ``past`` has of its rows is it the whole story
    told from the beginning, and what is in both is the same.

    Examples
    --------
    >>> a, b = np.array([0, 0]), np.array([5, 6])
    >>> find_told((a, b, None), (np.array([0, 0, 0]), np.array([5, 6, 5]), None)).tolist()
    [True, True, False]
    >>> find_told((a, b, None), (np.array([0, 0]), np.array([7, 5]), None)).tolist()
    [False, False]
    """
    timed = past[2] is not None and later[2] is not None
    rows = np.isin(past[0], later[0])
    columns = [
        np.concatenate((before[rows], since))
        for before, since in zip(past, later, strict=True)
        if before is not None and since is not None
    ]
    n_past = int(rows.sum())
    order = np.lexsort(columns)  # stable: events of the past come first among the same
    first = np.ones(len(order), dtype=np.bool_)
    for column in columns:
        first[1:] &= column[order][1:] == column[order][:-1]
    first[1:], first[:1] = ~first[1:], True
    group = np.cumsum(first) - 1
    old = order < n_past
    held = np.bincount(group[old], minlength=int(group[-1]) + 1 if len(group) else 0)
    place = np.arange(len(order)) - np.flatnonzero(first)[group]
    told = np.zeros(len(order), dtype=np.bool_)
    told[order] = ~old & (place < 2 * held[group])
    found = told[n_past:]
    if not timed and found.sum() < _MOSTLY * n_past:
        return np.zeros(len(found), dtype=np.bool_)
    return found
