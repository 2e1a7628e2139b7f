"""Recency, frequency and money as scores from 1 to 5, and the named segments made of them."""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from lingxi.stats.ranks import rank_average

SCORES = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Cells:
    """A segment's block of score cells: every combination of the scores listed."""

    segment: str
    recency: tuple[int, ...]
    frequency: tuple[int, ...]
    monetary: tuple[int, ...]


SEGMENT_CELLS: tuple[Cells, ...] = (
    Cells("champions", (4, 5), (4, 5), (4, 5)),
    Cells("loyal_customers", (4, 5), (4, 5), (1, 2, 3)),
    Cells("loyal_customers", (3,), (4, 5), SCORES),
    Cells("potential_loyalists", (4, 5), (2, 3), SCORES),
    Cells("new_customers", (5,), (1,), SCORES),
    Cells("promising", (4,), (1,), SCORES),
    Cells("need_attention", (3,), (3,), SCORES),
    Cells("need_attention", (3,), (1, 2), (4, 5)),
    Cells("about_to_sleep", (3,), (1, 2), (1, 2, 3)),
    Cells("at_risk", (2,), (3, 4, 5), SCORES),
    Cells("at_risk", (1,), (3, 4, 5), (1, 2, 3)),
    Cells("cannot_lose", (1,), (3, 4, 5), (4, 5)),
    Cells("hibernating", (2,), (1, 2), SCORES),
    Cells("hibernating", (1,), (2,), SCORES),
    Cells("hibernating", (1,), (1,), (4, 5)),
    Cells("lost", (1,), (1,), (1, 2, 3)),
)
"""All 125 cells, each exactly once."""

SEGMENTS: tuple[str, ...] = tuple(dict.fromkeys(c.segment for c in SEGMENT_CELLS))

_BY_CELL = {
    cell: c.segment for c in SEGMENT_CELLS for cell in product(c.recency, c.frequency, c.monetary)
}


def name_segment(r: int, f: int, m: int) -> str:
    """The segment of three scores.

    >>> name_segment(5, 5, 5), name_segment(1, 1, 1)
    ('champions', 'lost')
    """
    return _BY_CELL[r, f, m]


def score_quintiles(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Scores from 1 (lowest fifth) to 5 (highest fifth) by mean rank, shape as ``values``.

    Equal values get equal scores, so that a fifth may be larger or empty where many are equal:
    with fewer than five different values some scores do not occur, and if all are equal each is 3.

    Examples
    --------
    >>> score_quintiles(np.array([1.0, 1.0, 1.0, 2.0, 9.0])).tolist()
    [2, 2, 2, 4, 5]
    """
    if not len(values):
        return np.zeros(0, dtype=np.int64)
    middle = (rank_average(values) - 0.5) / len(values)
    scores: NDArray[np.int64] = np.minimum(np.floor(5 * middle) + 1, 5).astype(np.int64)
    return scores


@dataclass(frozen=True)
class RfmScores:
    """Scores and segments of customers who have ordered, one entry each; 5 is best."""

    recency: NDArray[np.int64]
    frequency: NDArray[np.int64]
    monetary: NDArray[np.int64]
    segments: tuple[str, ...]

    @property
    def total(self) -> NDArray[np.int64]:
        """The three added up, from 3 to 15."""
        return self.recency + self.frequency + self.monetary


def score_rfm(
    recency_days: NDArray[np.float64],
    orders: NDArray[np.float64],
    revenue_cents: NDArray[np.float64],
) -> RfmScores:
    """RFM scores of customers relative to each other; the shorter ago, the higher.

    Source
    ------
    Hughes (1994), "Strategic Database Marketing": quintile scores of recency, frequency, money.

    Examples
    --------
    >>> found = score_rfm(np.array([1.0, 300.0]), np.array([9.0, 1.0]), np.array([9e4, 1e3]))
    >>> found.segments
    ('champions', 'hibernating')
    """
    r = score_quintiles(-recency_days)
    f = score_quintiles(orders)
    m = score_quintiles(revenue_cents)
    names = tuple(_BY_CELL[cell] for cell in zip(r.tolist(), f.tolist(), m.tolist(), strict=True))
    return RfmScores(r, f, m, names)
