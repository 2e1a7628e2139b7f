"""Ranking measures on lists worked out by hand, and what must hold for any list."""

from math import log2

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lingxi.errors import InvalidInput
from lingxi.stats import ranking

HITS = np.array([[True, False, True], [False, False, False], [False, True, False]])
WANTED = np.array([2, 1, 5])


def test_measures_by_hand():
    assert ranking.recall(HITS, WANTED).tolist() == [1.0, 0.0, 0.2]
    assert ranking.precision(HITS, WANTED) == pytest.approx([2 / 3, 0, 1 / 3])
    assert ranking.hit_rate(HITS, WANTED).tolist() == [1.0, 0.0, 1.0]
    assert ranking.reciprocal_rank(HITS, WANTED).tolist() == [1.0, 0.0, 0.5]
    assert ranking.average_precision(HITS, WANTED) == pytest.approx([(1 + 2 / 3) / 2, 0, 0.5 / 3])
    first = (1 + 1 / 2) / (1 + 1 / log2(3))  # places 1 and 3; ideal places 1 and 2
    third = (1 / log2(3)) / (1 + 1 / log2(3) + 1 / 2)  # place 2; ideal: three places filled
    assert ranking.ndcg(HITS, WANTED) == pytest.approx([first, 0, third])


def test_coverage_and_novelty_leave_empty_places_out():
    lists = np.array([[0, 1], [2, -1], [-1, -1]])
    assert ranking.coverage(lists, 4) == 0.75
    shares = np.array([0.5, 0.25, 0.0, 1.0])  # item 2 counts as the rarest seen
    assert ranking.novelty(lists, shares).tolist() == [1.5, 2.0, 0.0]


MEASURES = [
    ranking.recall,
    ranking.precision,
    ranking.hit_rate,
    ranking.ndcg,
    ranking.reciprocal_rank,
    ranking.average_precision,
]


@pytest.mark.parametrize("measure", MEASURES)
@settings(max_examples=50, deadline=None)
@given(hits=arrays(np.bool_, (3, 6)), spare=st.integers(0, 4))
def test_every_measure_lies_in_0_to_1_and_grows_with_a_hit_more(measure, hits, spare):
    wanted = np.full(3, 6 + spare)
    values = measure(hits, wanted)
    assert ((values >= 0) & (values <= 1 + 1e-12)).all()
    better = hits.copy()
    better[:, 0] = True
    assert (measure(better, wanted) >= values - 1e-12).all()
    assert (values == 0).tolist() == (~hits.any(axis=1)).tolist()


def test_a_perfect_list_has_ndcg_and_map_of_1():
    for wanted in (1, 3, 9):
        hits = (np.arange(5) < wanted)[None, :]
        assert ranking.ndcg(hits, np.array([wanted])) == pytest.approx([1.0])
        assert ranking.average_precision(hits, np.array([wanted])) == pytest.approx([1.0])


def test_shapes_that_do_not_fit_and_customers_who_wanted_nothing_are_refused():
    with pytest.raises(InvalidInput, match="do not fit"):
        ranking.recall(HITS, np.array([1]))
    with pytest.raises(InvalidInput, match="Leave such customers out"):
        ranking.ndcg(HITS, np.array([1, 0, 1]))
    with pytest.raises(InvalidInput, match="at least one item"):
        ranking.coverage(np.array([[0]]), 0)
