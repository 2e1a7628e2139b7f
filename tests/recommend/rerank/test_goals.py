"""The knob between clicks, orders and margin."""

import numpy as np
import pytest

from lingxi.errors import InvalidInput
from lingxi.recommend.item_table import Totals, build_table
from lingxi.recommend.rerank import Goal, find_goal_factors
from lingxi.schema import Item

ITEMS = {
    "a": Item(item_id="a", margin_cents=100),
    "b": Item(item_id="b", margin_cents=300),
    "c": Item(item_id="c", margin_cents=200),
    "d": Item(item_id="d"),
}
TABLE = build_table(
    list(ITEMS),
    list(ITEMS.values()),
    n_known=4,
    totals=Totals(np.array([950.0, 950, 950, 950]), np.array([95.0, 47.5, 47.5, 0.0])),
)


def test_clicks_are_interest_alone() -> None:
    assert find_goal_factors(TABLE, Goal(0.0)).tolist() == [1, 1, 1, 1]


def test_orders_count_how_often_a_look_becomes_an_order() -> None:
    average = 190 / 3800
    expected = (np.array([95, 47.5, 47.5, 0]) + 50 * average) / 1000 / average
    assert find_goal_factors(TABLE, Goal(0.5)) == pytest.approx(np.clip(expected, 0.1, 10))


def test_margin_counts_what_an_order_leaves_and_unknown_is_average() -> None:
    ratio = find_goal_factors(TABLE, Goal(1.0)) / find_goal_factors(TABLE, Goal(0.5))
    assert ratio == pytest.approx([0.5, 1.5, 1.0, 1.0])


def test_between_two_goals_lies_what_is_between() -> None:
    half = find_goal_factors(TABLE, Goal(0.25))
    assert half == pytest.approx(np.sqrt(find_goal_factors(TABLE, Goal(0.5))))


def test_without_views_nothing_is_known_of_conversion() -> None:
    table = build_table(list(ITEMS), list(ITEMS.values()), n_known=4)
    assert find_goal_factors(table, Goal(0.5)).tolist() == [1, 1, 1, 1]


def test_a_loss_is_held_to_the_least_factor() -> None:
    items = [Item(item_id="a", margin_cents=-500), Item(item_id="b", margin_cents=100)]
    assert find_goal_factors(build_table("ab", items, n_known=2), Goal(1.0)) == pytest.approx(
        [0.1, 1.0]
    )


def test_an_aim_outside_of_its_range_is_refused() -> None:
    with pytest.raises(InvalidInput, match="aim"):
        Goal(1.2)
