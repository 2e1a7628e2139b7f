"""How long an answer may take bounds what training chooses; a report on files chooses freely."""

from dataclasses import replace

import numpy as np
import pytest

from lingxi.config import RecommendSettings
from lingxi.config.recommend import check_recommend
from lingxi.errors import InvalidSetting
from lingxi.recommend import answering
from lingxi.recommend.answering import Stopwatch, reckon_together
from lingxi.recommend.auto import _Hunt, search
from lingxi.recommend.bench import Trial, split_inside
from lingxi.recommend.families import FAMILIES, build_scorer, make_recipe
from lingxi.recommend.graph import GraphFilter
from lingxi.recommend.histories import CART, ORDER, VIEW, Histories
from lingxi.recommend.limits import Limits
from lingxi.recommend.memory import Size
from lingxi.recommend.model import fit_model
from lingxi.recommend.past import Past
from lingxi.recommend.recipe import Recipe
from lingxi.recommend.stored import read_described
from lingxi.recommend.train import _answer_in_time, _tell_slower, choose_recipe
from lingxi.recommend.trials import Found, choose
from lingxi.testing.scorer import make_taught

NAMES = ["popularity", "item_cosine", "als"]
WIDE = Size(8_000, 100_000, 800_000)
NO_MEMORY_LIMIT = 1e15


@pytest.fixture(scope="module")
def bench():
    return split_inside(make_taught(), rng=np.random.default_rng(0), most=60, metric="ndcg@10")


@pytest.fixture
def _clock(monkeypatch):
    """Answers take a tenth of a millisecond, those by ``als`` nine."""

    def time(_self, model):
        return 9.0 if model.name == "als" else 0.1

    monkeypatch.setattr(Stopwatch, "time", time)


@pytest.mark.usefixtures("_clock")
def test_a_slow_model_is_measured_and_not_chosen(bench):
    free = search(bench, 60.0, names=NAMES)
    assert all(trial.answer_ms == 0 and not trial.slow for trial in free.trials)
    bound = search(bench, 60.0, names=NAMES, answer_ms=2.0)
    assert {t.recipe.name for t in bound.trials if t.slow} == {"als"}
    assert bound.recipe.name != "als"


def test_what_is_better_and_takes_longer_is_told_of():
    own = Trial(make_recipe("rp3beta"), 0.3, answer_ms=0.4)
    later = Trial(make_recipe("als"), 0.4, answer_ms=9.0, slow=True)
    worse = Trial(make_recipe("v_sknn"), 0.2, answer_ms=9.0)
    quicker = Trial(make_recipe("ease"), 0.35, answer_ms=0.2)
    lucky = Trial(make_recipe("slim"), 0.5, by_chance=True, answer_ms=0.9)
    found = Found(own.recipe, (own, worse, later, quicker, lucky), {}, 1.0)
    assert found.slower is later
    assert Found(own.recipe, (own, worse, quicker), {}, 1.0).slower is None
    assert Found(later.recipe, (own, worse, later), {}, 1.0).slower is None
    assert Found(own.recipe, (), {}, 1.0).slower is None


@pytest.mark.parametrize(
    ("value", "taken", "quick_ms", "name"),
    [
        (0.32, 1.5, 0.7, "rp3beta"),
        (0.34, 1.5, 0.7, "next_basket"),
        (0.32, 0.6, 0.7, "next_basket"),
        (0.32, 1.5, 0.0, "next_basket"),
    ],
)
def test_what_takes_longer_than_is_wished_must_be_a_tenth_better(value, taken, quick_ms, name):
    quick = Trial(make_recipe("rp3beta"), 0.3, answer_ms=0.4)
    better = Trial(make_recipe("next_basket"), value, answer_ms=taken)
    slow = Trial(make_recipe("als"), 0.9, answer_ms=9.0, slow=True)
    chosen = choose([quick, better, slow], quick_ms)
    assert chosen is not None
    assert chosen.recipe.name == name
    assert choose([], quick_ms) is None


def test_where_all_are_slow_popularity_is_chosen(bench, monkeypatch):
    monkeypatch.setattr(Stopwatch, "time", lambda _self, _model: 9.0)
    assert search(bench, 60.0, names=NAMES, answer_ms=2.0).recipe.name == "popularity"


@pytest.mark.usefixtures("_clock")
def test_nothing_slow_is_a_part_of_models_together(bench):
    """Of parts that take 0.1 ms each a learnt blend would take 1 ms: more than may be."""
    found = search(bench, 30.0, answer_ms=0.9)
    parts = {p.name for t in found.trials for p in t.recipe.parts}
    assert "als" not in parts
    assert not [t for t in found.trials if t.recipe.name in ("learned", "ranker")]
    assert reckon_together("learned", [0.1, 0.1]) > 0.9 > reckon_together("blend", [0.1, 0.1])


@pytest.mark.usefixtures("_clock")
def test_models_are_put_together_for_the_time_wished_and_for_what_may_be(bench, monkeypatch):
    """Each takes 0.1 ms: two within what is wished, three within what may be; once if the same."""
    composed = []
    monkeypatch.setattr(_Hunt, "_share", lambda _self, able: composed.append(len(able)))
    monkeypatch.setattr(_Hunt, "_learn", lambda _self, _able: None)
    names = ["popularity", "item_cosine", "rp3beta", "item_tfidf"]
    for quick_ms, answer_ms, told in ((0.25, 0.55, [2, 3]), (0.7, 0.8, [3]), (0.0, 0.25, [2])):
        composed.clear()
        hunt = _Hunt(bench, 60.0, lambda _name: None, 1e15, answer_ms, quick_ms)
        hunt.start(names)
        hunt.blend()
        assert composed == told


def test_models_together_that_turn_out_slow_give_way_to_the_next_best():
    """Their answers are timed when they are fitted for the outer window, and were reckoned before.

    The next best is one that was fitted there too: here the second of three, not the third.
    """
    tried = [
        Trial(make_recipe("rp3beta"), 0.3),
        Trial(make_recipe("item_cosine"), 0.2),
        Trial(Recipe(name="blend", parts=(make_recipe("rp3beta"),) * 2, shares=(1.0, 1.0)), 0.4),
    ]
    best = {trial.recipe.name: trial for trial in tried}
    found = Found(tried[2].recipe, tuple(tried), {}, 1.0)
    answers = {"rp3beta": 0.5, "item_cosine": 0.4, "blend": 2.6}
    limits = RecommendSettings(answer_ms=2.0, quick_ms=0.0)
    changed = _answer_in_time(found, best, answers, limits)
    assert changed.recipe == tried[0].recipe
    assert _tell_slower(changed, answers) == {"slower_model": "blend", "slower_answer_ms": 2.6}
    for most, taken in ((0.0, 2.6), (2.0, 2.4)):  # no limit; no more than chance above it
        bound = RecommendSettings(answer_ms=most)
        kept = _answer_in_time(found, best, answers | {"blend": taken}, bound)
        assert (kept, _tell_slower(kept, answers)) == (found, {})
    none = _answer_in_time(found, best, dict.fromkeys(best, 9.0), limits)
    assert none.recipe.name == "popularity"


def test_a_table_that_takes_too_long_to_read_is_not_even_fitted(bench):
    """At 100,000 items the factors alone, whatever the processor."""
    limits = Limits(WIDE, bench.asked, NO_MEMORY_LIMIT, 2.0)
    assert "at least 2.6 ms, more than 2 ms" in limits.find_burden(
        make_recipe("als", {"factors": 128})
    )
    assert not limits.find_burden(make_recipe("als", {"factors": 64}))
    assert not limits.find_burden(make_recipe("rp3beta"))
    assert limits.find_burden(make_recipe("graph"))
    assert not Limits(WIDE, bench.asked, NO_MEMORY_LIMIT).find_burden(make_recipe("graph"))
    narrow = Limits(replace(WIDE, items=40_000), bench.asked, NO_MEMORY_LIMIT, 2.0)
    assert not narrow.find_burden(make_recipe("graph"))


@pytest.mark.parametrize("name", FAMILIES)
def test_what_is_read_is_known_of_every_model(name):
    family = FAMILIES[name]
    read = family.reads(family.read(make_recipe(name)), WIDE)
    assert read == 0 or read >= 4 * WIDE.items


def test_an_answer_is_timed_in_the_form_that_is_stored():
    """A graph filter is factors and a graph until it is stored, then one operator."""
    taught = make_taught()
    model = fit_model(make_recipe("graph"), taught)
    scorer = model.scorer
    assert isinstance(scorer, GraphFilter)
    met = np.unique(taught.take(np.arange(5)).items)
    stored = scorer.as_stored(met)
    whole = scorer.multiply_out()
    assert (stored.operator[met] != whole[met]).nnz == 0
    rest = np.setdiff1d(np.arange(taught.n_items), met)
    assert stored.operator[rest].nnz == 0
    assert scorer._step is not None, "the model itself stays as it is"
    few = taught.take(np.arange(5))
    assert np.allclose(stored.score(few), scorer.score(few), atol=1e-4)
    parts = (make_recipe("graph"), make_recipe("item_cosine"))
    blend = build_scorer(Recipe(name="blend", parts=parts, shares=(1.0, 1.0)))
    blend.fit(taught)
    kinds = [getattr(part, "columns", None) is not None for part in blend.parts]
    assert kinds == [False, True]
    assert all(hasattr(part, "columns") for part in answering._store(blend, met).parts)
    assert not hasattr(blend.parts[0], "columns")


def test_a_timed_answer_is_that_of_serving_and_takes_time():
    taught = make_taught()
    watch = Stopwatch(taught)
    quick, slow = (fit_model(make_recipe(name), taught) for name in ("rp3beta", "v_sknn"))
    assert 0 < watch.time(quick) < watch.time(slow)


def test_in_a_small_shop_the_choice_does_not_rest_on_times(demo_shop, monkeypatch):
    """Every answer takes nine milliseconds, one may take two, and nothing is too slow."""
    monkeypatch.setattr(Stopwatch, "time", lambda _self, _model: 9.0)
    interactions, _ = read_described(demo_shop.store)
    rng = np.random.default_rng(0)

    def choose(most_items):
        monkeypatch.setattr(answering, "_MOST_ITEMS", most_items)
        told = choose_recipe(interactions, rng, lambda *_: None, 3.0, RecommendSettings())
        return told.recipe.name, {record.answer_ms for record in told.candidates}

    assert choose(0)[0] == "popularity"
    name, taken = choose(10_000)
    assert name != "popularity"
    assert taken == {9.0}


def test_a_past_of_a_history_tells_what_happened_to_each_item():
    history = Histories.of_events(
        np.zeros(4, np.int64),
        np.array([3, 1, 3, 3]),
        (1, 5),
        moments=np.array([40, 10, 20, 30]),
        kinds=np.array([VIEW, ORDER, VIEW, CART]),
        weights=np.array([2, 1, 1, 1]),
    )
    past = Past.of_history(history)
    assert past.items.tolist() == [1, 3]
    assert past.counts[[VIEW, CART, ORDER]].tolist() == [[0, 3], [0, 1], [1, 0]]
    assert (past.moments.tolist(), past.newest, past.known) == ([10, 40], 40, 2)


def test_the_setting_is_read_and_checked(tmp_path):
    assert (RecommendSettings().answer_ms, RecommendSettings().quick_ms) == (2.0, 0.7)
    check_recommend(RecommendSettings(answer_ms=0.0), tmp_path)
    with pytest.raises(InvalidSetting, match="answer_ms"):
        check_recommend(RecommendSettings(answer_ms=-1.0), tmp_path)
    with pytest.raises(InvalidSetting, match="quick_ms"):
        check_recommend(RecommendSettings(quick_ms=-1.0), tmp_path)
