"""Items by their description: known answers, a dense oracle, tastes, items nobody ever met."""

from dataclasses import replace

import numpy as np
import pytest

from lingxi.errors import InvalidInput, NotEnoughData
from lingxi.recommend.content import Content, Descriptions, describe, list_terms
from lingxi.recommend.histories import Histories
from lingxi.recommend.history import LINEAR
from lingxi.recommend.matrix import densify
from lingxi.schema import Item
from lingxi.testing.scorer import N_ITEMS, N_TASTES, UNSEEN, ScorerContract

SHOP = [
    Item(item_id="a", name="Red lamp", category_path=("Home", "Lamps"), brand="Acme"),
    Item(item_id="b", name="Blue lamp", category_path=("Home", "Lamps"), brand="Acme"),
    Item(item_id="c", name="Garden chair", category_path=("Garden", "Chairs"), brand="Oak"),
    Item(item_id="d", name="Garden table", category_path=("Garden", "Tables"), brand="Oak"),
    None,
]


def _described(at):
    return None if at == UNSEEN else Item(item_id=str(at), category=f"taste {at % N_TASTES}")


class TestContent(ScorerContract):
    def make(self):
        return Content("mine")

    def _fit(self, taught):
        about = describe([_described(at) for at in range(N_ITEMS)])
        return super()._fit(replace(taught, about=about))


def _fit(shop=SHOP):
    scorer = Content("content", heard=LINEAR)
    nothing = np.empty(0, dtype=np.int64)
    empty = Histories.of_events(nothing, nothing, (0, len(shop)))
    scorer.fit(replace(empty, about=describe(shop)))
    return scorer


def _met(item):
    return Histories.of_events(np.zeros(1, int), np.array([item]), (1, len(SHOP)))


def test_an_item_that_nobody_ever_met_is_recommended_for_what_it_is():
    scores = _fit().score(_met(0))[0]
    assert scores.argmax() == 1
    assert scores[1] > 0.3
    assert scores[[2, 3, 4]].tolist() == [0.0, 0.0, 0.0]


def test_weights_are_cosines_of_all_terms():
    vectors = densify(describe(SHOP))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 1, 1, 1, 0], atol=1e-9)
    wanted = vectors @ vectors.T
    np.fill_diagonal(wanted, 0.0)
    np.testing.assert_allclose(densify(_fit().operator), wanted, atol=1e-6)


def test_rare_terms_count_more():
    """Lamps share the brand and the category with one; only the brand with the other."""
    shop = [
        Item(item_id="a", brand="Acme", category="Lamps"),
        Item(item_id="b", brand="Acme", category="Lamps"),
        *[Item(item_id=str(n), brand="Acme", category=f"other {n}") for n in range(8)],
    ]
    vectors = densify(describe(shop))
    used = np.flatnonzero(vectors[0])
    common = [column for column in used if (vectors[:, column] > 0).all()]
    rare = [column for column in used if (vectors[:, column] > 0).sum() == 2]
    assert vectors[0, rare[0]] > 2 * vectors[0, common[0]]


def test_a_new_customer_tells_a_taste():
    scorer = Descriptions.of(SHOP)
    scores = scorer.score_taste({"brand:Oak": 1.0, "word:table": 0.5})
    assert np.argsort(-scores)[:2].tolist() == [3, 2]
    assert scores[0] == 0.0
    assert scorer.score_taste({"brand:oak": -1.0})[2] < 0


def test_chinese_names_are_compared_by_pairs_of_characters():
    terms = set(list_terms(Item(item_id="a", name="红色台灯")))
    assert terms == {"word:红色", "word:色台", "word:台灯"}


def test_prices_fall_into_bands_two_a_doubling():
    bands = [next(list_terms(Item(item_id="a", price_cents=cents))) for cents in (100, 141, 200)]
    assert bands == ["price:0", "price:1", "price:2"]


def test_without_a_catalogue_it_says_so():
    with pytest.raises(NotEnoughData, match="catalogue"):
        Content("content").fit(Histories.of_events(np.zeros(1, int), np.zeros(1, int), (1, 3)))


def test_other_items_are_described_with_the_rarity_of_the_first():
    found = Descriptions.of(SHOP)
    np.testing.assert_allclose(densify(found.describe(SHOP)), densify(found.vectors))
    alone = densify(found.describe(SHOP[:1]))[0]
    np.testing.assert_allclose(alone, densify(found.vectors)[0])


def test_a_taste_scores_more_items_and_must_name_a_field():
    found = Descriptions.of(SHOP)
    more = [Item(item_id="e", name="Oak bench", brand="Oak"), None]
    scores = found.score_taste({"brand:Oak": 1.0}, more)
    assert len(scores) == len(SHOP) + 2
    assert scores[-2] > 0
    assert scores[-1] == 0
    for wrong in ("Oak", "colour:red"):
        with pytest.raises(InvalidInput, match="field:value"):
            found.score_taste({wrong: 1.0})
