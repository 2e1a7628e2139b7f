"""How often a promotion is clicked by those who see it.

``rate(i) = (clicks_i + c ρ) / (views_i + c)``, at most 1: ρ is the share of all views of
promotions that were clicked, by Laplace's rule of succession, and c a prior, so that a few views
say little and one that nobody has seen yet stands where the average does.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lingxi.schema import Event, Name

PRIOR_VIEWS = 50.0
KINDS = ("offer", "promotion")
"""The attribute ``kind`` of items that are promotions."""
NAMES = (Name.PROMOTION_VIEWED.value, Name.PROMOTION_CLICKED.value)
Counts = Mapping[str, tuple[int, int]]
"""Views and clicks of each promotion, by its item id."""


def add_events(counts: Counts, events: Sequence[Event]) -> dict[str, tuple[int, int]]:
    """The counts with the views and clicks of these events.

    >>> from datetime import UTC, datetime
    >>> from lingxi.schema import Line
    >>> now = datetime(2026, 1, 1, tzinfo=UTC)
    >>> event = Event(event_id="1", name="Promotion Clicked", occurred_at=now, received_at=now,
    ...               lines=(Line("SALE"),))
    >>> add_events({"SALE": (7, 2)}, [event])
    {'SALE': (7, 3)}
    """
    new = dict(counts)
    for event in events:
        for item_id in {line.item_id for line in event.lines}:
            views, clicks = new.get(item_id, (0, 0))
            clicked = event.name == Name.PROMOTION_CLICKED
            new[item_id] = (views + (not clicked), clicks + clicked)
    return new


def find_rates(counts: Counts, item_ids: Sequence[str]) -> NDArray[np.float64]:
    """The rate of each of these, shape (n,); see the module.

    >>> find_rates({"a": (100, 30), "b": (98, 8)}, ["a", "b", "new"]).round(3).tolist()
    [0.265, 0.12, 0.195]
    """
    pairs = np.array([counts.get(item_id, (0, 0)) for item_id in item_ids], dtype=np.float64)
    views, clicks = pairs.reshape(-1, 2).T
    total = np.array(list(counts.values()), dtype=np.float64).reshape(-1, 2).sum(axis=0)
    average = (total[1] + 1.0) / (total[0] + 2.0)
    rates: NDArray[np.float64] = (clicks + PRIOR_VIEWS * average) / (views + PRIOR_VIEWS)
    return np.minimum(rates, 1.0)
