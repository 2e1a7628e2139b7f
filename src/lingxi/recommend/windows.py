"""Splitting the past: what was known at a moment, and what was first bought after it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import NotEnoughData
from lingxi.recommend.histories import ORDER
from lingxi.recommend.interactions import Interactions
from lingxi.recommend.matrix import Csr, row_lengths, sum_pairs

FEWEST_DAYS, MOST_DAYS = 5, 30
_SPAN_SHARE = 6


@dataclass(frozen=True)
class Window:
    """A cut-off, all before it, and the discoveries of the days after it.

    ``wanted``: items that a customer with a history bought for the first time in the window.
    ``bought``: what each had bought before, never recommended. ``repeats``: purchases in the window
    of items bought before, which are counted but no target.
    """

    cutoff: datetime
    before: Interactions
    wanted: Csr
    bought: Csr
    repeats: int

    @property
    def customers(self) -> int:
        """Customers with something to find."""
        return int((row_lengths(self.wanted) > 0).sum())


@dataclass(frozen=True)
class Split:
    """``inner`` chooses; ``outer``, later, is never seen by the choice; ``end`` closes the data."""

    days: int
    inner: Window
    outer: Window
    end: datetime


def split_by_time(interactions: Interactions) -> Split:
    """The last days as outer test, as many before them as inner validation.

    A window is a sixth of the data's span, at least 5 and at most 30 days.

    Raises
    ------
    NotEnoughData
        If there are no orders, or their span has no room for two windows and a past.
    """
    ordered = interactions.kinds == ORDER
    if not ordered.any():
        raise NotEnoughData(
            "There are no orders of products yet, so there is nothing to recommend from. "
            "Import orders first with 'lingxi import orders FILE'."
        )
    span = interactions.last_moment - interactions.first_moment
    days = min(max(span.days // _SPAN_SHARE, FEWEST_DAYS), MOST_DAYS)
    if span < timedelta(days=3 * days):
        raise NotEnoughData(
            f"The data spans {span.days} days; comparing models takes at least {3 * days}."
        )
    end = interactions.last_moment + timedelta(microseconds=1)
    width = timedelta(days=days)
    return Split(
        days=days,
        inner=cut_window(interactions, end - 2 * width, end - width),
        outer=cut_window(interactions, end - width, end),
        end=end,
    )


def cut_window(interactions: Interactions, cutoff: datetime, end: datetime) -> Window:
    """The window ``[cutoff, end)`` with what was known before it."""
    before = interactions.between(None, cutoff)
    bought, later = before.bought(), interactions.between(cutoff, end).bought()
    rows = np.repeat(np.arange(later.shape[0]), row_lengths(later))
    known = np.bincount(before.rows, minlength=later.shape[0]) > 0
    eligible = known[rows] & (interactions.customers[rows] >= 0)
    again = np.isin(_cells(later), _cells(bought))
    new = eligible & ~again
    wanted = sum_pairs(rows[new], later.indices[new], np.ones(int(new.sum())), later.shape)
    return Window(cutoff, before, wanted, bought, int((eligible & again).sum()))


def _cells(matrix: Csr) -> NDArray[np.int64]:
    rows = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), row_lengths(matrix))
    cells: NDArray[np.int64] = rows * matrix.shape[1] + matrix.indices
    return cells
