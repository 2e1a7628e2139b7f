"""Ranks against SciPy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata, spearmanr

from lingxi.errors import NotEnoughData
from lingxi.stats.ranks import rank_average, rank_correlation

LISTS = st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=2, max_size=40)


@given(LISTS)
def test_ranks_and_their_correlation_equal_scipy(pairs):
    first, second = np.array(pairs, dtype=np.float64).T
    assert rank_average(first) == pytest.approx(rankdata(first))
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        with pytest.raises(NotEnoughData):
            rank_correlation(first, second)
    else:
        assert rank_correlation(first, second) == pytest.approx(spearmanr(first, second).statistic)


def test_nothing_to_rank_is_no_error_but_has_no_correlation():
    assert len(rank_average(np.zeros(0))) == 0
    with pytest.raises(NotEnoughData):
        rank_correlation(np.zeros(1), np.zeros(1))
