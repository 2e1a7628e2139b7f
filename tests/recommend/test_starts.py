"""What auto tries first: cheap models of a small catalogue, and none of them loses its turn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingxi.recommend import regression
from lingxi.recommend.auto import _Hunt, search
from lingxi.recommend.bench import Trial, split_inside
from lingxi.recommend.costs import MEETING
from lingxi.recommend.families import FAMILIES, make_recipe
from lingxi.recommend.histories import Histories
from lingxi.recommend.lists import top_items
from lingxi.recommend.matrix import build_csr
from lingxi.recommend.pool import _take_popular
from lingxi.recommend.recipe import Recipe
from lingxi.recommend.starts import Start, find_starts
from lingxi.recommend.trials import best_of, weigh_chance


def make_bench(n_rows=60, n_items=30, timed=True):
    rng = np.random.default_rng(5)
    rows = np.repeat(np.arange(n_rows), 8)
    items = (rows % 3) * (n_items // 3) + rng.integers(0, n_items // 3, len(rows))
    moments = np.tile(np.arange(8), n_rows) if timed else None
    taught = Histories.of_events(rows, items, (n_rows, n_items), moments=moments)
    return split_inside(taught, rng=rng, most=n_rows, metric="ndcg@5")


def find_order(size, asking=0.0):
    """The models in the order in which a search of data of this size begins each of them."""
    hunt, order = _Hunt(make_bench(), 1e6, lambda _name: None), []
    hunt._size = hunt._costs.size = size
    hunt._costs.by_name = {"popularity": asking}
    hunt._attempt = lambda recipe: order.append(recipe.name)
    hunt.start(FAMILIES)
    return order


def test_ease_comes_before_the_walks_in_a_small_catalogue_and_after_them_in_a_large_one():
    small = find_order((4_000, 3_000, 400_000))
    assert small[0] == "popularity"
    assert small.index("ease") < small.index("rp3beta") < small.index("slim")
    large = find_order((4_000, 50_000, 400_000))
    assert large.index("rp3beta") < large.index("ease")


@pytest.mark.parametrize(("most", "met"), [(30, True), (29, True), (20, False)])
def test_ease_is_tried_where_the_items_that_it_can_take_hold_nearly_all(monkeypatch, most, met):
    """Thirty items met about alike: twenty hold two thirds, twenty-nine nearly all."""
    monkeypatch.setattr(regression, "MOST_DENSE", most)
    starts, unfit = find_starts(["ease"], make_bench())
    assert bool(starts) == met == ("ease" not in unfit)
    assert met or "hold less than 90% of what was met" in unfit["ease"]


def test_what_asking_a_model_takes_beside_others_is_reckoned():
    hunt = _Hunt(make_bench(), 100.0, lambda _name: None)
    hunt.trials = [Trial(Recipe(name="ease"), 0.1, 3.0, 1.0) for _ in range(3)]
    for name in ("graph", "als"):
        fit = FAMILIES[name].cost(*hunt._size)
        assert hunt._estimate(name) == pytest.approx(fit + 2.0 * FAMILIES[name].asks)
    assert FAMILIES["graph"].asks > 1 == FAMILIES["als"].asks


def test_where_asking_takes_the_time_what_is_usually_better_comes_first():
    order = find_order((60, 30, 400), asking=1000.0)
    others = [FAMILIES[name] for name in dict.fromkeys(order) if name != "popularity"]
    gains = [family.gain / family.asks for family in others]
    assert gains == sorted(gains, reverse=True)


def test_every_first_recipe_of_every_usable_model_is_begun_once():
    order = find_order((4_000, 3_000, 400_000))
    starts, unfit = find_starts(FAMILIES, make_bench())
    assert sorted(order) == sorted(start.family.name for start in starts)
    assert not set(order) & set(unfit)
    composed = {name for name, family in FAMILIES.items() if not family.starts}
    assert set(order) | set(unfit) | composed == set(FAMILIES)


class _Clocked(_Hunt):
    """A search in which each trial takes exactly what was expected."""

    spent = 0.0

    @property
    def used(self):
        return self.spent

    def _attempt(self, recipe):
        if self._allows(recipe.name, recipe.params):
            self.spent += self._estimate(recipe.name, recipe.params)
            self.trials.append(Trial(recipe, 0.5))


def test_a_dear_model_that_gains_most_has_its_turn_while_there_is_time_for_it():
    hunt = _Clocked(make_bench(), 100.0, lambda _name: None)
    hunt._costs.by_name = {**dict.fromkeys(FAMILIES, 1.0), "next_item": 30.0}
    hunt.start(FAMILIES, until=55.0)
    order = [trial.recipe.name for trial in hunt.trials]
    assert "next_item" in order
    assert order.index("next_item") > 15  # cheap ones come first as long as they can
    assert hunt.used <= 55.0


def test_dear_models_that_gain_alike_all_have_their_turn():
    """Called when there was time for one alone, the first would take the other's."""
    hunt = _Clocked(make_bench(), 300.0, lambda _name: None)
    hunt._costs.by_name = {**dict.fromkeys(FAMILIES, 3.0), "graph": 38.0, "next_item": 61.0}
    hunt.start(FAMILIES, until=165.0)
    order = [trial.recipe.name for trial in hunt.trials]
    assert {"graph", "next_item"} <= set(order)
    assert order.index("graph") > 10


def test_no_dear_model_takes_the_time_of_those_that_gain_more():
    """Of eleven seconds V-STAN would take eight: EASE, which gains more, would find none left."""
    hunt = _Clocked(make_bench(), 20.0, lambda _name: None)
    hunt._costs.by_name = {**dict.fromkeys(FAMILIES, 0.5), "popularity": 1.0, "v_stan": 8.0}
    hunt.start(FAMILIES, until=11.0)
    order = [trial.recipe.name for trial in hunt.trials]
    assert {"ease", "rp3beta", "transitions"} <= set(order)
    assert "v_stan" not in order


def test_what_trials_took_beside_their_fits_tells_what_others_will_take():
    hunt = _Hunt(make_bench(), 100.0, lambda _name: None)
    hunt._costs.by_name = {"popularity": 2.0}
    fit = FAMILIES["als"].cost(*hunt._size)
    assert hunt._estimate("als") == pytest.approx(fit + 2.0 * (1 + 4))  # heard in four more ways
    hunt.trials = [Trial(Recipe(name="popularity"), 0.1, 9.0, 0.0)] * 9
    hunt.trials += [Trial(Recipe(name="ease"), 0.1, 3.0 + at, 2.5) for at in range(5)]
    assert hunt._estimate("als") == pytest.approx(fit + 3.5)


def test_neighbours_of_customers_are_reckoned_by_how_many_they_are_compared_with():
    bench = make_bench(timed=False)
    hunt, met = _Hunt(bench, 100.0, lambda _name: None), 0
    for row in range(bench.asked.n_rows):
        for item in bench.asked.items[bench.asked.indptr[row] : bench.asked.indptr[row + 1]]:
            met += len(set(bench.taught.owners[bench.taught.items == item].tolist()))
    for name, times in (("user_tfidf", 1), ("rp3beta", 0)):
        fit = FAMILIES[name].cost(*hunt._size)
        assert hunt._estimate(name) == pytest.approx(fit + times * MEETING * met)


def test_a_model_that_did_badly_waits_with_its_further_recipes():
    start = Start(FAMILIES["rp3beta"], {}, 1)
    assert start.expect(0.8) == pytest.approx(0.8 * 0.5)
    assert start.expect(None) == pytest.approx(FAMILIES["rp3beta"].gain * 0.5)
    hunt = _Hunt(make_bench(), 100.0, lambda _name: None)
    hunt._costs.by_name = {"rp3beta": 2.0, "ease": 0.0}
    hunt.trials = [Trial(Recipe(name="slim"), 0.5)]
    promises = []
    for value in (0.2, 0.4):
        hunt._heads["rp3beta"] = (Trial(start.family.name, value), None)
        promises.append(hunt._promise(start))
    assert promises == pytest.approx([0.4 * 0.5 / 2, 0.8 * 0.5 / 2])
    assert hunt._promise(Start(FAMILIES["ease"], {}, 0)) < float("inf")


def test_of_equal_trials_the_simpler_wins_whichever_came_first():
    trials = [Trial(Recipe(name=name), 0.5) for name in ("ease", "item_cosine", "blend")]
    for order in (trials, trials[::-1]):
        assert best_of(order).recipe.name == "item_cosine"
    better = Trial(Recipe(name="blend"), 0.6)
    assert best_of([*trials, better]) is better


def test_a_search_without_time_still_knows_what_reports_compare_with_and_says_what_it_left_out():
    found = search(make_bench(), 0.0)
    assert found.recipe.name == "item_cosine"
    assert {trial.recipe.name for trial in found.trials} == {"popularity", "item_cosine"}
    assert "there was no time" in found.skipped["ease"]


@pytest.mark.parametrize("most", [1, 7, 60, 100])
def test_a_thinned_bench_asks_fewer_of_the_same_customers(most):
    bench = make_bench()
    thin = bench.thin(most)
    assert thin.asked.n_rows == min(most, bench.asked.n_rows)
    places = np.searchsorted(bench.asked.rows, thin.asked.rows)
    assert (bench.asked.rows[places] == thin.asked.rows).all()
    assert (thin.wanted != bench.wanted[places]).nnz == 0
    assert (thin.excluded != bench.excluded[places]).nnz == 0
    assert thin.taught is bench.taught


@given(
    n_items=st.sampled_from([1, 30, 399, 400, 700]),
    n=st.integers(1, 50),
    above=st.sampled_from([-np.inf, 0.0]),
    seed=st.integers(0, 99),
)
def test_the_first_items_are_those_of_a_whole_sort(n_items, n, above, seed):
    rng = np.random.default_rng(seed)
    scores = rng.integers(-3, 4, (4, n_items)).astype(np.float32)
    scores[rng.random(scores.shape) < 0.2] = -np.inf
    lists = top_items(scores, n, above=above)
    for row, found in zip(scores, lists.tolist(), strict=True):
        whole = [at for at in np.argsort(-row, kind="stable").tolist() if row[at] > above][:n]
        assert found == whole + [-1] * (n - len(whole))


@given(n_items=st.integers(1, 60), n=st.integers(1, 8), seed=st.integers(0, 99))
def test_the_popular_items_of_a_customer_are_those_not_barred(n_items, n, seed):
    rng = np.random.default_rng(seed)
    order = rng.permutation(n_items)
    barred = rng.random((5, n_items)) < rng.random()
    cells = np.nonzero(barred)
    indptr = np.concatenate(([0], np.cumsum(barred.sum(axis=1))))
    excluded = build_csr(np.ones(len(cells[1])), cells[1], indptr, barred.shape)
    for row, found in zip(barred, _take_popular(order, excluded, n).tolist(), strict=True):
        free = [at for at in order.tolist() if not row[at]][:n]
        assert found == free + [-1] * (n - len(free))


def test_steps_that_help_add_up_in_one_round_of_climbing(monkeypatch):
    hunt, tried = _Hunt(make_bench(), 1e6, lambda _name: None), []
    start = make_recipe("rp3beta", {"k": 100, "alpha": 0.6, "beta": 0.2})

    def attempt(recipe):
        """A hill: each of the three is worth more the larger it is."""
        tried.append(recipe)
        params = recipe.params
        trial = Trial(recipe, params["k"] / 1000 + params["alpha"] + params["beta"])
        if "rp3beta" not in hunt._heads or trial.value > hunt._heads["rp3beta"][0].value:
            hunt._heads["rp3beta"] = (trial, None)
        hunt.trials.append(trial)

    hunt._attempt = attempt
    attempt(start)

    def one_round(_recipe, _other, **_known):
        return len(tried) < 8

    monkeypatch.setattr("lingxi.recommend.auto.differ", one_round)
    hunt.climb()
    best = hunt._heads["rp3beta"][0].recipe.params
    assert (best["k"], best["alpha"], best["beta"]) == (200, 0.8, 0.4)


def test_no_dear_model_is_climbed_in_the_time_left_for_fits():
    """Both could go on; the one whose trial would end after 65 s is left alone."""
    hunt = _Clocked(make_bench(), 100.0, lambda _name: None)
    hunt._costs.by_name = {"next_item": 20.0, "rp3beta": 4.0}
    hunt.spent = 50.0
    for name in hunt._costs.by_name:
        hunt._heads[name] = (Trial(make_recipe(name), 0.5), None)
    hunt.climb(until=65.0)
    assert {trial.recipe.name for trial in hunt.trials} == {"rp3beta"}
    assert hunt.used <= 65.0


def test_a_fit_with_more_factors_is_reckoned_to_take_longer():
    hunt = _Hunt(make_bench(), 100.0, lambda _name: None)
    hunt._costs.by_name = {"als": 12.0}
    assert hunt._estimate("als") == 12.0
    assert hunt._estimate("als", {"factors": 256}) == 48.0
    assert hunt._allows("als")
    assert not hunt._allows("als", {"factors": 256})  # 48 s to try and more to fit


def test_another_ageing_must_gain_more_than_chance():
    rng = np.random.default_rng(3)
    before = rng.random(400)
    old = Trial(make_recipe("rp3beta", {"taught_half_life": 90.0}), float(before.mean()))

    def weigh(params, values):
        trial = Trial(make_recipe("rp3beta", params), float(values.mean()))
        return weigh_chance(trial, values, old, before)

    scattered = before + rng.normal(0.0, 1.0, 400)
    lucky, far = scattered + 0.02 - (scattered - before).mean(), before + 0.02
    aged = {"taught_half_life": 30.0}
    assert weigh(aged, lucky).by_chance
    assert not weigh(aged, far).by_chance
    assert not weigh({"taught_half_life": 90.0, "k": 50}, lucky).by_chance
    assert best_of([old, weigh(aged, lucky)]) is old
    assert best_of([old, weigh(aged, far)]).recipe.params == aged
