"""Quintile scores and the table of segments."""

from collections import Counter
from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lingxi.lifecycle.rfm import (
    SCORES,
    SEGMENT_CELLS,
    SEGMENTS,
    name_segment,
    score_quintiles,
    score_rfm,
)

NAMES = [
    "champions",
    "loyal_customers",
    "potential_loyalists",
    "new_customers",
    "promising",
    "need_attention",
    "about_to_sleep",
    "at_risk",
    "cannot_lose",
    "hibernating",
    "lost",
]


def test_every_cell_belongs_to_exactly_one_segment():
    cells = Counter(
        cell for c in SEGMENT_CELLS for cell in product(c.recency, c.frequency, c.monetary)
    )
    assert set(cells) == set(product(SCORES, SCORES, SCORES))
    assert set(cells.values()) == {1}
    assert sorted(SEGMENTS) == sorted(NAMES)


def test_segments_mean_what_their_names_say():
    assert name_segment(5, 5, 5) == "champions"
    assert name_segment(5, 1, 3) == "new_customers"
    assert name_segment(1, 5, 5) == "cannot_lose"
    assert name_segment(2, 4, 2) == "at_risk"
    assert name_segment(1, 1, 1) == "lost"


def test_distinct_values_fall_into_fifths():
    assert score_quintiles(np.arange(10.0)).tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_fewer_than_five_values_are_still_scored():
    assert score_quintiles(np.full(7, 2.0)).tolist() == [3] * 7
    assert score_quintiles(np.array([1.0, 1.0, 2.0, 2.0])).tolist() == [2, 2, 4, 4]
    assert score_quintiles(np.array([5.0])).tolist() == [3]
    assert score_quintiles(np.zeros(0)).tolist() == []


@given(st.lists(st.integers(0, 20), min_size=1, max_size=60))
def test_equal_values_score_alike_and_more_never_scores_less(values):
    scores = score_quintiles(np.array(values, dtype=np.float64))
    assert ((scores >= 1) & (scores <= 5)).all()
    by_value = {}
    for value, score in zip(values, scores.tolist(), strict=True):
        assert by_value.setdefault(value, score) == score
    ordered = [by_value[v] for v in sorted(by_value)]
    assert ordered == sorted(ordered)


def test_recency_is_better_the_shorter_ago():
    days = np.array([1.0, 10.0, 50.0, 100.0, 300.0])
    scores = score_rfm(days, np.full(5, 2.0), np.full(5, 10.0))
    assert scores.recency.tolist() == [5, 4, 3, 2, 1]
    assert scores.total.tolist() == [11, 10, 9, 8, 7]
