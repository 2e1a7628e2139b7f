"""Whether times tell in which order each customer did things, and histories without that order."""

from dataclasses import replace

import numpy as np

from lingxi.recommend.histories import Histories
from lingxi.recommend.matrix import row_lengths

_FEWEST, _ENOUGH, _SHARE = 20, 200, 0.05
"""Customers that an order can be learnt from: of all with two items this share, from the first to
the second of these numbers."""


def tells_order(taught: Histories) -> bool:
    """Whether the moments of enough customers differ, of those who met two items.

    Where each has one moment (a table with one date for a session or a customer, a constant) there
    is no last event to hold back, though there is as much to learn as without times.

    Examples
    --------
    >>> rows, items = np.repeat(np.arange(50), 2), np.tile([0, 1], 50)
    >>> of = lambda moments: Histories.of_events(rows, items, (50, 2), moments=moments)
    >>> tells_order(of(np.arange(100))), tells_order(of(rows)), tells_order(of(None))
    (True, False, False)
    """
    if not taught.timed:
        return False
    able = int((row_lengths(taught.seen()) > 1).sum())
    full = taught.lengths > 0
    starts, ends = taught.indptr[:-1][full], taught.indptr[1:][full] - 1
    ordered = int((taught.moments[starts] != taught.moments[ends]).sum())
    needed = min(max(_FEWEST, int(_SHARE * able)), _ENOUGH)
    return ordered >= min(needed, able)


def forget_order(histories: Histories) -> Histories:
    """The same events without their moments."""
    moments = np.broadcast_to(np.int64(0), len(histories.items))
    return replace(histories, moments=moments, timed=False)
