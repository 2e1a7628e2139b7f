"""Counts of what follows what against a loop over all pairs, known answers, smoothing, reasons."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingxi.errors import InvalidInput
from lingxi.recommend.families import FAMILIES, build_scorer, make_recipe
from lingxi.recommend.histories import CART, ORDER, VIEW, Histories
from lingxi.recommend.history import LINEAR, Weighting
from lingxi.recommend.matrix import densify
from lingxi.recommend.sequence_families import SEQUENCE
from lingxi.recommend.smooth import Embedding, SmoothTransitions, factor
from lingxi.recommend.transitions import Following, Transitions, count_following, damp
from lingxi.testing.scorer import ScorerContract

DAY = 86_400_000_000
N_ITEMS = 6


class TestTransitions(ScorerContract):
    def make(self):
        following = Following(reverse=0.3, gap_half_life=30.0)
        heard = Weighting(position_decay=0.8)
        return Transitions("mine", following, source=0.3, target=0.1, heard=heard)


class TestSmoothTransitions(ScorerContract):
    def make(self):
        return SmoothTransitions("mine", rank=8, heard=Weighting(position_decay=0.8))


class TestEmbedding(ScorerContract):
    def make(self):
        return Embedding("mine", rank=4)


class TestRules(ScorerContract):
    def make(self):
        return build_scorer(make_recipe("sequential_rules"))


def _timed(rows, items, days, **more):
    moments = np.asarray(days, dtype=np.int64) * DAY
    shape = (max(rows, default=0) + 1, N_ITEMS)
    return Histories.of_events(np.array(rows), np.array(items), shape, moments=moments, **more)


def _count_slowly(taught, following, weighting):
    """Every pair of events of a row, one at a time."""
    counts = np.zeros((taught.n_items, taught.n_items))
    worth = {VIEW: weighting.view, CART: weighting.cart, ORDER: weighting.order}
    for row in range(taught.n_rows):
        cells = range(taught.indptr[row], taught.indptr[row + 1])
        known = sorted({int(taught.moments[c]) for c in cells})
        for first in cells:
            for later in range(first + 1, taught.indptr[row + 1]):
                steps = known.index(taught.moments[later]) - known.index(taught.moments[first])
                if steps > following.window:
                    continue
                base = worth[int(taught.kinds[later])]
                if weighting.half_life_days:
                    age = (taught.newest - taught.moments[later]) / DAY
                    base *= 0.5 ** (age / weighting.half_life_days)
                if following.gap_half_life:
                    gap = (taught.moments[later] - taught.moments[first]) / DAY
                    base *= 0.5 ** (gap / following.gap_half_life)
                j, i = int(taught.items[first]), int(taught.items[later])
                if steps == 0:
                    counts[j, i] += base * following.together
                    counts[i, j] += base * following.together
                else:
                    counts[j, i] += base * steps**-following.power
                    counts[i, j] += base * steps**-following.power * following.reverse
    if not following.itself:
        np.fill_diagonal(counts, 0.0)
    return counts


events = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.integers(0, N_ITEMS - 1),
        st.integers(0, 9),
        st.sampled_from([VIEW, CART, ORDER]),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(
    events,
    st.builds(
        Following,
        window=st.integers(1, 4),
        power=st.sampled_from([0.0, 1.0, 2.0]),
        reverse=st.sampled_from([0.0, 0.5]),
        together=st.sampled_from([0.0, 1.0]),
        gap_half_life=st.sampled_from([0.0, 3.0]),
        itself=st.booleans(),
    ),
    st.sampled_from([Weighting(), Weighting(half_life_days=5.0)]),
)
def test_counts_equal_a_loop_over_all_pairs(rows, following, weighting):
    if not rows:
        return
    who, items, days, kinds = (np.array(part) for part in zip(*rows, strict=True))
    taught = _timed(who, items, days, kinds=kinds)
    found = densify(count_following(taught, following, weighting))
    np.testing.assert_allclose(found, _count_slowly(taught, following, weighting), atol=1e-9)


def test_the_newest_item_speaks_most():
    taught = _timed([0, 0, 1, 1], [0, 1, 2, 3], [0, 1, 0, 1])
    scorer = Transitions("mine", heard=Weighting(position_decay=0.25))
    scorer.fit(taught)
    scores = scorer.score(_timed([0, 0], [0, 2], [0, 1]))
    assert scores[0].tolist() == [0.0, 0.25, 0.0, 1.0, 0.0, 0.0]


def test_a_basket_is_together_and_the_next_one_follows():
    """{0, 1} then {2}: 0 and 1 speak for each other, both for 2, and 2 for nothing."""
    taught = _timed([0, 0, 0], [0, 1, 2], [0, 0, 1])
    found = densify(count_following(taught, Following(together=0.5), LINEAR))
    wanted = np.zeros((N_ITEMS, N_ITEMS))
    wanted[0, 1] = wanted[1, 0] = 0.5
    wanted[0, 2] = wanted[1, 2] = 1.0
    assert found.tolist() == wanted.tolist()


def test_rules_let_only_the_newest_item_speak_and_older_ones_when_it_is_silent():
    taught = _timed([0, 0, 1, 1, 1], [0, 1, 2, 3, 4], [0, 1, 0, 1, 2])
    scorer = build_scorer(make_recipe("sequential_rules"))
    scorer.fit(taught)
    scores = scorer.score(_timed([0, 0, 1, 1], [0, 2, 0, 5], [0, 1, 0, 1]))
    assert scores[0, 3] == 1.0  # 2 → 3, one step: 1 / 1²
    assert scores[0, 4] == 0.25  # two steps: 1 / 2²
    assert 0 < scores[0, 1] < 1e-5
    assert scores[1].argmax() == 1  # nothing ever followed 5


def test_deleting_an_item_lowers_the_score_by_exactly_its_share():
    """With the other weights as they are: no decay by place."""
    rng = np.random.default_rng(3)
    taught = _timed(rng.integers(0, 20, 90), rng.integers(0, N_ITEMS, 90), rng.integers(0, 30, 90))
    scorer = Transitions("mine", Following(reverse=0.5), heard=LINEAR)
    scorer.fit(taught)
    asked = _timed([0, 0, 0], [0, 1, 2], [0, 1, 2])
    lists = np.array([[3, 4, 5]])
    shares = densify(scorer.explain(asked, lists))
    whole = scorer.score(asked)[0]
    for item in (0, 1, 2):
        less = scorer.score(asked.keep(asked.items != item))[0]
        np.testing.assert_allclose(whole[3:] - less[3:], shares[:, item], atol=1e-5)


def test_damping_divides_by_the_sums_of_row_and_column():
    taught = _timed([0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 2, 1], [0, 1, 0, 1, 0, 1])
    counts = count_following(taught, Following(), LINEAR)
    found = densify(damp(counts, 0.5, 1.0))
    assert found[0, 1] == pytest.approx(2 / 2**0.5 / 3)
    assert found[2, 1] == pytest.approx(1 / 1 / 3)


def test_all_dimensions_give_back_the_plain_counts():
    rng = np.random.default_rng(4)
    taught = _timed(rng.integers(0, 9, 60), rng.integers(0, N_ITEMS, 60), rng.integers(0, 30, 60))
    plain = Transitions("plain", source=0.7, target=0.2, heard=LINEAR)
    smooth = SmoothTransitions("smooth", rank=N_ITEMS, source=0.7, target=0.2, heard=LINEAR)
    plain.fit(taught)
    smooth.fit(taught)
    np.testing.assert_allclose(smooth.score(taught), plain.score(taught), atol=2e-4)


def test_a_few_dimensions_are_as_near_as_the_best_of_that_rank():
    rng = np.random.default_rng(5)
    taught = _timed(
        rng.integers(0, 40, 400), rng.integers(0, N_ITEMS, 400), rng.integers(0, 9, 400)
    )
    counts = damp(count_following(taught, Following(), LINEAR), 0.5, 0.5)
    left, right = factor(counts, 2)
    singular = np.linalg.svd(densify(counts), compute_uv=False)
    error = np.linalg.norm(densify(counts) - left @ right.T)
    assert error == pytest.approx(np.linalg.norm(singular[2:]), rel=1e-3)


def test_items_met_in_the_same_surroundings_are_near():
    """0 and 1 never meet, but both come before 2; 3 comes before 4."""
    rows = np.repeat(np.arange(30), 2)
    items = np.array([[0, 2], [1, 2], [3, 4]] * 10).reshape(-1)
    scorer = Embedding("mine", rank=3, heard=LINEAR)
    scorer.fit(_timed(rows, items, np.tile([0, 1], 30)))
    scores = scorer.score(_timed([0], [0], [0]))[0]
    assert scores[1] == pytest.approx(1.0, abs=1e-3)
    assert abs(scores[3]) < 1e-3


def test_impossible_parameters_are_refused():
    with pytest.raises(InvalidInput, match="at least 1 step"):
        Following(window=0)
    with pytest.raises(InvalidInput, match="at least 0"):
        Following(reverse=-1.0)


@pytest.mark.parametrize("name", [f.name for f in SEQUENCE])
def test_every_recipe_around_a_start_can_be_built(name):
    family = FAMILIES[name]
    for params in family.starts:
        for recipe in family.around(make_recipe(name, params)):
            assert build_scorer(make_recipe(name, recipe.params)).name == name
