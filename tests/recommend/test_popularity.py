"""Popularity's kin: what has become wanted, what is new, what each category's favourites are."""

from dataclasses import replace

import numpy as np
import pytest

from lingxi.errors import NotEnoughData
from lingxi.recommend.content import group_items
from lingxi.recommend.histories import DAY, Histories
from lingxi.recommend.history import LINEAR
from lingxi.recommend.popularity import CategoryPopularity, NewArrivals, Trending
from lingxi.schema import Item
from lingxi.testing.scorer import N_ITEMS, N_TASTES, UNSEEN, ScorerContract, make_taught

GROUPS = np.array([-1 if at == UNSEEN else at % N_TASTES for at in range(N_ITEMS)])


class TestTrending(ScorerContract):
    def make(self):
        return Trending("mine")


class TestNewArrivals(ScorerContract):
    def make(self):
        return NewArrivals("mine")


class TestCategoryPopularity(ScorerContract):
    def make(self):
        return CategoryPopularity("mine")

    def _fit(self, taught):
        return super()._fit(replace(taught, groups=GROUPS))


def _buy(bought, n_items):
    """One customer an event: (item, day)."""
    items, days = (np.array(each) for each in zip(*bought, strict=True))
    rows = np.arange(len(items))
    return Histories.of_events(rows, items, (len(items), n_items), moments=days * DAY)


def test_what_has_become_wanted_comes_before_what_always_was():
    """Item 0: ten orders long ago, three now; item 1: three, all of them now."""
    scorer = Trending("trending", taught=LINEAR)
    scorer.fit(_buy([(0, 0)] * 10 + [(0, 100)] * 3 + [(1, 100)] * 3, 3))
    assert scorer.weights[1] == 1.0
    recent, total, prior = np.array([3.0, 3.0]), np.array([13.0, 3.0]), 2.0
    average = recent.sum() / total.sum()
    wanted = recent * (recent + prior * average) / (total + prior) / average
    assert scorer.weights[:2] == pytest.approx(wanted / wanted.max(), rel=1e-3)
    assert scorer.weights[2] == 0.0


def test_the_latest_item_comes_first_and_of_equals_the_more_wanted():
    scorer = NewArrivals("new", half_life=10.0)
    scorer.fit(_buy([(0, 80), (1, 90), (1, 95), (2, 90)], 4))
    scores = np.array([2 ** (-15 / 10) * 1.0, 2 ** (-5 / 10) * np.log2(3), 2 ** (-5 / 10), 0.0])
    assert scorer.weights == pytest.approx(scores / scores.max())


def test_each_category_has_favourites_of_its_own():
    """Category 0: items 0 (3 orders), 1 (1); category 1: items 2 (2), 3 (2); item 4 has none."""
    taught = _buy([(0, 1)] * 3 + [(1, 1)] + [(2, 1)] * 2 + [(3, 1)] * 2 + [(4, 1)] * 9, 5)
    taught = replace(taught, groups=np.array([0, 0, 1, 1, -1]))
    scorer = CategoryPopularity("here", taught=LINEAR, heard=LINEAR)
    scorer.fit(taught)
    wanted = np.zeros((5, 5))
    wanted[0, 1], wanted[1, 0] = 1 / 4, 3 / 4
    wanted[2, 3] = wanted[3, 2] = 1 / 2
    np.testing.assert_allclose(scorer.operator.toarray(), wanted, rtol=1e-6)
    short = CategoryPopularity("here", length=1, taught=LINEAR, heard=LINEAR)
    short.fit(taught)
    assert short.operator.toarray()[1, 0] == pytest.approx(3 / 4)
    assert short.operator.toarray()[0].sum() == 0, "the favourite itself is the whole head"


def test_without_categories_it_says_so():
    with pytest.raises(NotEnoughData, match="categories"):
        CategoryPopularity("here").fit(make_taught())


def test_categories_are_numbered_by_their_whole_path():
    items = [
        Item(item_id="a", category_path=("Home", "Lamps")),
        Item(item_id="b", category_path=("Garden", "Lamps")),
        Item(item_id="c", category_path=("Home", "Lamps")),
        Item(item_id="d"),
        None,
    ]
    assert group_items(items).tolist() == [1, 0, 1, -1, -1]
    assert group_items([None, Item(item_id="d")]) is None
