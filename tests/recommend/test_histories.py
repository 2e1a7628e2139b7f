"""Histories against a plain loop over events, recipes checked against their families."""

from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingxi.errors import InvalidInput
from lingxi.recommend import histories
from lingxi.recommend.families import FAMILIES, build_scorer, make_recipe, vary
from lingxi.recommend.histories import CART, ORDER, VIEW, Histories
from lingxi.recommend.history import LINEAR, REPEATS, USUAL, Weighting
from lingxi.recommend.matrix import densify
from lingxi.recommend.ratings import read_ratings
from lingxi.recommend.recipe import Recipe

DAY = 86_400_000_000
N_ROWS, N_ITEMS = 3, 4
EVENTS = st.lists(
    st.tuples(
        st.integers(0, N_ROWS - 1),
        st.integers(0, N_ITEMS - 1),
        st.integers(0, 5),
        st.sampled_from([VIEW, CART, ORDER]),
        st.sampled_from([0.0, 1.0, 2.5]),
    ),
    max_size=20,
)
WEIGHTINGS = st.builds(
    Weighting,
    half_life_days=st.sampled_from([0.0, 2.0]),
    position_decay=st.sampled_from([1.0, 0.5]),
    repeats=st.sampled_from(REPEATS),
)


def _build(events, timed=True):
    table = np.array(events, dtype=np.float64).reshape(-1, 5)
    return Histories.of_events(
        table[:, 0].astype(int),
        table[:, 1].astype(int),
        (N_ROWS, N_ITEMS),
        moments=table[:, 2].astype(np.int64) * DAY if timed else None,
        kinds=table[:, 3].astype(int),
        weights=table[:, 4],
    )


@given(
    events=EVENTS,
    weighting=WEIGHTINGS,
    timed=st.booleans(),
    most=st.integers(1, 8),
    now=st.booleans(),
)
def test_many_events_are_weighed_in_parts_and_come_to_the_same(events, weighting, timed, most, now):
    whole = _build(events, timed)
    moment = whole.newest if now else None
    wanted = [densify(whole.weigh(weighting, now=moment)), densify(whole.seen())]
    kinds = densify(whole.seen(ORDER))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(histories, "AT_ONCE", most)
        parts = list(_build(events, timed)._cut())
        assert sum(part.n_rows for part in parts) == N_ROWS
        assert all(part.n_rows == 1 or len(part.items) <= most for part in parts)
        found = [densify(whole.weigh(weighting, now=moment)), densify(whole.seen())]
        np.testing.assert_array_equal(densify(whole.seen(ORDER)), kinds)
    np.testing.assert_array_equal(found, wanted)


def _weigh_by_hand(events, weighting, timed, now=None):
    worth = {VIEW: weighting.view, CART: weighting.cart, ORDER: weighting.order}
    answer = np.zeros((N_ROWS, N_ITEMS))
    for row in range(N_ROWS):
        mine = [e for e in events if e[0] == row]
        last = {item: max(e[2] for e in mine if e[1] == item) for item in {e[1] for e in mine}}
        for item, day in last.items():
            worths = [worth[e[3]] for e in mine if e[1] == item]
            total = sum(worth[e[3]] * e[4] for e in mine if e[1] == item)
            value = {"log": log2(1 + total), "linear": total, "once": max(worths)}
            answer[row, item] = value[weighting.repeats]
            if timed and weighting.half_life_days:
                end = max(last.values()) if now is None else now
                answer[row, item] *= 2 ** (-(end - day) / weighting.half_life_days)
            if timed:
                later = sum(other > day for other in last.values())
                answer[row, item] *= weighting.position_decay**later
    return answer


@given(
    events=EVENTS,
    weighting=WEIGHTINGS,
    timed=st.booleans(),
    now=st.sampled_from([None, 7]),
)
def test_weights_are_those_of_a_loop_over_events(events, weighting, timed, now):
    found = _build(events, timed).weigh(weighting, now=None if now is None else now * DAY)
    wanted = _weigh_by_hand(events, weighting, timed, now)
    np.testing.assert_allclose(densify(found), wanted, rtol=1e-6)
    assert (found.data > 0).all()
    assert found.has_sorted_indices


@given(events=EVENTS, rows=st.lists(st.integers(0, N_ROWS - 1), max_size=5))
def test_taking_rows_is_taking_rows_of_the_weights(events, rows):
    histories = _build(events)
    taken = histories.take(np.array(rows, dtype=np.int64))
    weighting = Weighting(half_life_days=3.0, position_decay=0.8)
    np.testing.assert_array_equal(
        densify(taken.weigh(weighting)), densify(histories.weigh(weighting))[rows]
    )
    assert taken.rows.tolist() == rows
    assert (taken.of_nobody().rows == -1).all()


@given(first=EVENTS, second=EVENTS)
def test_merging_is_building_from_all_events(first, second):
    merged, wanted = _build(first).merge(_build(second)), _build(first + second)
    for name in ("indptr", "items", "moments", "kinds", "weights", "baskets", "rows"):
        assert getattr(merged, name).tolist() == getattr(wanted, name).tolist()


@given(events=EVENTS)
def test_seen_and_kept_and_popular_agree_with_the_weights(events):
    histories = _build(events)
    assert densify(histories.seen()).tolist() == [
        [float(any(e[:2] == (r, i) for e in events)) for i in range(N_ITEMS)] for r in range(N_ROWS)
    ]
    orders = histories.keep(histories.kinds == ORDER)
    assert densify(orders.seen()).tolist() == densify(histories.seen(ORDER)).tolist()
    last_day = max((e[2] for e in events), default=0)
    wanted = _weigh_by_hand(events, Weighting(half_life_days=2.0), True, last_day).sum(axis=0)
    np.testing.assert_allclose(
        histories.popularity(Weighting(half_life_days=2.0)), wanted, rtol=1e-6
    )


def test_a_matrix_is_histories_without_time():
    table = np.array([[0, 2.5, 0], [1, 0, 1]])
    histories = Histories.of_matrix(read_ratings(table))
    assert not histories.timed
    np.testing.assert_array_equal(densify(histories.weigh(LINEAR)), table)
    ageing = Weighting(half_life_days=1.0, position_decay=0.5)
    np.testing.assert_array_equal(densify(histories.weigh(ageing)), densify(histories.weigh(USUAL)))


def test_merging_other_shapes_is_refused():
    with pytest.raises(InvalidInput, match="do not fit"):
        _build([]).merge(Histories.of_matrix(read_ratings([[1, 0]])))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"order": -1.0}, "at least 0"),
        ({"half_life_days": float("nan")}, "at least 0"),
        ({"position_decay": 0.0}, "position_decay"),
        ({"position_decay": 1.1}, "position_decay"),
        ({"repeats": "logs"}, "did you mean 'log'"),
    ],
)
def test_weightings_that_mean_nothing_are_refused(wrong, words):
    with pytest.raises(InvalidInput, match=words):
        Weighting(**wrong)


def test_recipes_are_checked_against_their_family():
    assert make_recipe("rp3beta", {"alpha": 1}).params == {"alpha": 1.0}
    assert vary(make_recipe("rp3beta", {"k": 7}), beta=0.5).params == {"k": 7, "beta": 0.5}
    for name, params, words in (
        ("rp3bета", {}, "no model"),
        ("rp3beta", {"alfa": 1.0}, "did you mean 'alpha'"),
        ("rp3beta", {"k": 1.5}, "of type int"),
        ("popularity", {"k": 1}, "no parameter"),
    ):
        with pytest.raises(InvalidInput, match=words):
            make_recipe(name, params)
        with pytest.raises(InvalidInput, match=words):
            build_scorer(Recipe(name=name, params=params))


@pytest.mark.parametrize("name", FAMILIES)
def test_what_a_family_suggests_are_recipes_of_it(name):
    family = FAMILIES[name]
    for params in family.starts:
        recipe = make_recipe(name, params)
        for near in (recipe, *family.around(recipe)):
            assert near.name == name
            assert make_recipe(name, near.params) == near
            assert near.params == params or near != recipe
    assert family.cost(1000, 100, 10_000) > 0


def test_sums_of_items_are_kept_and_not_to_be_written_to():
    taught = _build([(0, 1, 0, ORDER, 1.0), (0, 1, 1, VIEW, 1.0), (2, 1, 3, ORDER, 2.5)])
    recent = Weighting(half_life_days=2.0)
    first = taught.popularity(recent)
    assert taught.popularity(recent) is first
    assert taught.popularity(USUAL) is not first
    assert taught.count_holders().tolist() == [0, 2, 0, 0]
    assert taught.keep(taught.kinds == VIEW).count_holders().tolist() == [0, 1, 0, 0]
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 1.0
