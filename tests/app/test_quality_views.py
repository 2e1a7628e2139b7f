"""What the recommender shows of a shop, and an item among its neighbours."""

import pytest

from lingxi.app.shop import Shop
from lingxi.errors import UnknownItem


def test_coverage_adds_up(demo_shop: Shop) -> None:
    view = demo_shop.answers.coverage()
    assert 0 < view.shown <= view.items
    assert 0 <= view.gini <= 1
    assert [group.name for group in view.groups] == ["head", "middle", "tail"]
    assert sum(group.history for group in view.groups) == pytest.approx(1)
    assert sum(group.shown for group in view.groups) == pytest.approx(1)
    shares = [item.share for item in view.most_shown]
    assert shares == sorted(shares, reverse=True)
    assert sum(category.shown for category in view.categories) == view.shown
    assert sum(category.items for category in view.categories) == view.items


def test_most_shown_is_what_the_lists_hold(demo_shop: Shop) -> None:
    view = demo_shop.answers.coverage()
    first = view.most_shown[0]
    found = 0
    for row in demo_shop.answers.customers(n=100).rows:
        listed = demo_shop.answers.recommendations(row.customer_id, n=view.length).items
        found += first.item_id in [item.item_id for item in listed]
    assert found > 0


def test_a_neighbourhood_is_the_similar_items_and_their_ties(demo_shop: Shop) -> None:
    item_id = demo_shop.answers.items(n=1).rows[0].item_id
    view = demo_shop.answers.neighbourhood(item_id, n=6)
    similar = demo_shop.answers.similar(item_id, n=6)
    assert [one.item.item_id for one in view.neighbours] == [i.item_id for i in similar.items]
    assert item_id not in [one.item.item_id for one in view.neighbours]
    for tie in view.ties:
        assert 0 <= tie.one < tie.other < len(view.neighbours)
        assert tie.score > 0
    with pytest.raises(UnknownItem):
        demo_shop.answers.neighbourhood("no-such-item")
