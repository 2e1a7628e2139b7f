"""What is due again, by hand; and what the next basket holds, against loops."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingxi.errors import InvalidInput
from lingxi.recommend import kernels
from lingxi.recommend.basket import Decays, NextBasket, share_baskets
from lingxi.recommend.histories import Histories
from lingxi.recommend.history import LINEAR
from lingxi.recommend.matrix import densify
from lingxi.recommend.repeat import Repeat
from lingxi.testing.scorer import ScorerContract

DAY = 86_400_000_000
N_ITEMS = 5


class TestRepeat(ScorerContract):
    def make(self):
        return Repeat("mine")


class TestDiscoveries(ScorerContract):
    def make(self):
        return NextBasket("mine", own=0.0, k=20)


class TestNextBasket(ScorerContract):
    def make(self):
        return NextBasket("mine", own=0.7, k=20)

    def test_a_customer_is_never_their_own_neighbour(self):
        """Own baskets speak by themselves: that is the repeat. See ``TestDiscoveries``."""

    def test_an_erased_customer_speaks_for_nobody(self):
        """The history asked with holds the item: that is the repeat. See ``TestDiscoveries``."""


def _orders(rows, items, days, n_rows=None):
    shape = (n_rows or max(rows) + 1, N_ITEMS)
    moments = (np.asarray(days) * DAY).astype(np.int64)
    return Histories.of_events(np.asarray(rows), np.asarray(items), shape, moments=moments)


def test_propensity_is_the_share_of_customers_who_came_back_with_a_prior():
    """Item 0: two customers, one of them twice; item 1: one customer once. 1 of 3 came back."""
    scorer = Repeat("mine", heard=LINEAR)
    scorer.fit(_orders([0, 0, 1, 1], [0, 0, 0, 1], [0, 10, 3, 4]))
    average = (1 + 1) / (3 + 2)
    assert scorer.again[0] == pytest.approx((1 + 5 * average) / (2 + 5))
    assert scorer.again[1] == pytest.approx((0 + 5 * average) / (1 + 5))
    assert scorer.again[2] == 0.0


def test_what_is_due_comes_before_what_was_just_bought():
    """Both customers have item 0 every 10 days; one had it 10 days ago, the other today."""
    taught = _orders([0] * 3 + [1] * 4, [0] * 7, [0, 10, 20, 0, 10, 20, 30])
    scorer = Repeat("mine", timing=1.0, heard=LINEAR)
    scorer.fit(taught)
    scores = scorer.score(taught)[:, 0]
    assert scores[0] > 0
    assert scores[1] == pytest.approx(0.0, abs=1e-9)
    assert scores[0] / scorer.again[0] == pytest.approx(3.0, rel=1e-6)  # x · again, fully due


def test_due_follows_the_formula_half_a_gap_after_the_last_time():
    taught = _orders([0, 0, 1], [0, 0, 1], [0, 10, 15])
    scorer = Repeat("mine", timing=0.4, heard=LINEAR)
    scorer.fit(taught)
    mean_gap = (10 + 5 * 10) / (1 + 5)  # one gap of 10 days, and a prior of as long
    ratio = 5 / ((mean_gap + 10) / 2)
    due = 0.6 + 0.4 * ratio * math.exp(1 - ratio)
    assert scorer.score(taught)[0, 0] == pytest.approx(2 * scorer.again[0] * due, rel=1e-6)


def test_nothing_new_is_ever_recommended():
    rng = np.random.default_rng(1)
    taught = _orders(rng.integers(0, 9, 60), rng.integers(0, N_ITEMS, 60), rng.integers(0, 90, 60))
    scorer = Repeat("mine")
    scorer.fit(taught)
    assert not scorer.score(taught)[densify(taught.seen()) == 0].any()


def _share_slowly(histories, decay, group, group_decay):
    shares = np.zeros(histories.shape)
    for row in range(histories.n_rows):
        cells = slice(histories.indptr[row], histories.indptr[row + 1])
        items, moments = histories.items[cells], histories.moments[cells]
        days = sorted(set(moments.tolist()), reverse=True)
        worth = [decay ** (b % group) * group_decay ** (b // group) for b in range(len(days))]
        for b, day in enumerate(days):
            for item in set(items[moments == day].tolist()):
                shares[row, item] += worth[b] / sum(worth)
    return shares


purchases = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, N_ITEMS - 1), st.integers(0, 12)),
    min_size=1,
    max_size=50,
)


@settings(max_examples=50, deadline=None)
@given(purchases, st.sampled_from([0.5, 1.0]), st.integers(1, 4), st.sampled_from([0.5, 1.0]))
def test_shares_of_baskets_equal_a_loop(rows, decay, group, group_decay):
    taught = _orders(*(np.array(part) for part in zip(*rows, strict=True)), n_rows=5)
    found = share_baskets(taught, Decays(decay, group, group_decay))
    wanted = _share_slowly(taught, decay, group, group_decay)
    np.testing.assert_allclose(densify(found), wanted, atol=1e-9)


def test_a_numbered_basket_is_one_whatever_its_moments():
    taught = Histories.of_events(
        np.zeros(3, int),
        np.array([0, 1, 2]),
        (1, N_ITEMS),
        moments=np.array([1, 2, 9]) * DAY,
        baskets=np.array([7, 7, 8]),
    )
    found = densify(share_baskets(taught, Decays(0.5, 7, 1.0)))
    np.testing.assert_allclose(found[0], [1 / 3, 1 / 3, 2 / 3, 0, 0])


def test_the_next_basket_is_own_shares_and_those_of_the_nearest():
    """Customer 0 had {0}; 1 had {0, 1}; 2 had {2}: only 1 is near, and brings item 1."""
    taught = _orders([0, 1, 1, 2], [0, 0, 1, 2], [0, 0, 0, 0])
    scorer = NextBasket("mine", own=0.6)
    scorer.fit(taught)
    np.testing.assert_allclose(scorer.score(taught)[0], [0.6 + 0.4, 0.4, 0, 0, 0], atol=1e-6)


def test_own_share_one_is_repeats_alone_and_zero_leaves_them_to_the_neighbours():
    rng = np.random.default_rng(2)
    taught = _orders(rng.integers(0, 9, 40), rng.integers(0, N_ITEMS, 40), rng.integers(0, 30, 40))
    repeats, rest = NextBasket("mine", own=1.0), NextBasket("mine", own=0.0)
    repeats.fit(taught)
    rest.fit(taught)
    shares = _share_slowly(taught, 0.9, 7, 0.7)
    np.testing.assert_allclose(repeats.score(taught), shares, atol=1e-6)
    bonds = shares / np.maximum(np.linalg.norm(shares, axis=1), 1e-12)[:, None]
    near = shares @ bonds.T
    np.fill_diagonal(near, 0)
    near /= np.maximum(near.sum(axis=1, keepdims=True), 1e-12)
    np.testing.assert_allclose(rest.score(taught), near @ shares, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(purchases, st.sampled_from([0.0, 0.3, 1.0]), st.integers(1, 5), st.booleans())
def test_one_history_is_answered_as_among_many(rows, own, k, compiled):
    taught = _orders(*(np.array(part) for part in zip(*rows, strict=True)), n_rows=5)
    with pytest.MonkeyPatch.context() as patch:
        if not compiled:  # a SciPy without its own loops
            for name in ("_add", "_pick"):
                patch.setattr(kernels, name, None)
        scorer = NextBasket("mine", own=own, k=k)
        scorer.fit(taught)
        among = scorer.score(taught)
        lists = np.argsort(-among, axis=1, kind="stable")[:, :3]
        reasons = densify(scorer.explain(taught, lists)).reshape(5, 3, N_ITEMS)
        for row in range(5):
            single = taught.take(np.array([row]))
            items, scores = scorer.list_scores(single)
            assert items.tolist() == np.flatnonzero(among[row] > 0).tolist()
            assert scores.tolist() == among[row, items].tolist()
            told = densify(scorer.explain(single, lists[row : row + 1]))
            np.testing.assert_allclose(told, reasons[row], rtol=1e-12, atol=1e-15)
            np.testing.assert_allclose(told.sum(axis=1), among[row, lists[row]], atol=1e-6)


def test_impossible_parameters_are_refused():
    with pytest.raises(InvalidInput, match="timing"):
        Repeat("mine", timing=2.0)
    with pytest.raises(InvalidInput, match="own must be"):
        NextBasket("mine", own=-1.0)
    with pytest.raises(InvalidInput, match="k and group"):
        NextBasket("mine", k=0)
