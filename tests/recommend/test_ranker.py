"""The ranker: trees find what the blend cannot know, and their reasons are exact."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import combinations
from math import factorial

import numpy as np
import pytest
from msgspec.structs import replace as replace_fields

pytest.importorskip("lightgbm", exc_type=ImportError)

from lingxi.clock import FixedClock
from lingxi.errors import InvalidInput, MissingExtra, NotTrained
from lingxi.recommend.auto import _Hunt
from lingxi.recommend.bench import Bench
from lingxi.recommend.families import build_scorer, make_recipe
from lingxi.recommend.histories import DAY, Histories
from lingxi.recommend.learned import Candidates, make_features
from lingxi.recommend.matrix import build_csr, densify
from lingxi.recommend.model import fit_model
from lingxi.recommend.operators import ItemKnn
from lingxi.recommend.pool import take_head
from lingxi.recommend.ranker import Ranked, count_gains, read_trees
from lingxi.recommend.recommender import KIND, Held, read_recipe
from lingxi.recommend.signals import Signs, make_signals, name_signals
from lingxi.recommend.teach import learn
from lingxi.recommend.teach_ranker import grow_ranker
from lingxi.recommend.trials import best_of
from lingxi.store import Artefacts
from lingxi.testing.scorer import ScorerContract, make_taught

N, ITEMS, GROUP = 450, 40, 10
NAMES = name_signals(2)


def _make_bench(seed=3):
    """Interest moves: the next item is of the group of ten whose items were met today.

    A history is four items of one group, months ago, and four of another, today. Whoever weighs it
    evenly cannot tell which of both groups comes next.
    """
    rng = np.random.default_rng(seed)
    rows, items, moments, wanted = [], [], [], []
    for row in range(N):
        old, new = rng.choice(ITEMS // GROUP, 2, replace=False)
        past = old * GROUP + rng.choice(GROUP, 4, replace=False)
        *latest, coming = new * GROUP + rng.choice(GROUP, 5, replace=False)
        rows += [row] * 8
        items += [*past.tolist(), *latest]
        moments += [(200 + at) * DAY for at in range(4)] + [400 * DAY + at for at in range(4)]
        wanted.append(int(coming))
    table = [np.array(each) for each in (rows, items, moments)]
    taught = Histories.of_events(table[0], table[1], (N, ITEMS), moments=table[2])
    coming = Histories.of_events(np.arange(N), np.array(wanted), (N, ITEMS))
    return Bench(taught, taught, coming.seen(), taught.seen())


@pytest.fixture(scope="module")
def grown():
    bench = _make_bench()
    parts = [ItemKnn("one", k=20), ItemKnn("two", "jaccard", k=10)]
    heads = []
    for part in parts:
        part.fit(bench.taught)
        heads.append(take_head(part, bench))
    popularity = np.bincount(bench.taught.items, minlength=ITEMS).astype(float)
    lesson = learn(heads, bench, popularity, np.random.default_rng(0))
    found = grow_ranker(heads, lesson, bench, popularity, np.random.default_rng(0))
    return bench, lesson, found


def _fit(grown):
    bench, lesson, found = grown
    parts = (ItemKnn("one", k=20), ItemKnn("two", "jaccard", k=10))
    scorer = Ranked("ranker", parts, lesson.weights, found.trees)
    scorer.fit(bench.taught)
    return scorer


class TestRanked(ScorerContract):
    @pytest.fixture(autouse=True)
    def _take(self, grown):
        self.grown = grown

    def make(self):
        _, lesson, found = self.grown
        parts = (ItemKnn("one", k=10), ItemKnn("two", "jaccard", k=10))
        return Ranked("ranker", parts, lesson.weights, found.trees)


def test_trees_see_that_interest_has_moved(grown):
    _, lesson, found = grown
    assert found.value > lesson.values.mean() + 0.1
    near = {"near_hour", "near_day", "near_week", "near_month", "near_newest", "near_half_year"}
    gains = count_gains(read_trees(found.trees))
    assert next(iter(gains)) in near
    assert sum(gains.values()) == pytest.approx(1.0)


def test_what_is_promised_is_what_is_served(grown):
    """For new customers: a standard error of the difference is below 0.025, 0.1 four of them."""
    found = grown[2]
    others = _make_bench(seed=4)
    strangers = replace(others, asked=others.asked.of_nobody())
    lists = strangers.evaluate(_fit(grown)).values["ndcg@10"]
    assert lists.mean() == pytest.approx(found.value, abs=0.1)


def test_attributions_sum_to_the_logit_and_logits_order_the_list(grown):
    bench = grown[0]
    scorer = _fit(grown)
    asked = bench.asked.take(np.arange(6))
    scores = scorer.score(asked)
    lists = np.argsort(-scores, axis=1, kind="stable")[:, :5]
    found = scorer.attribute(asked, lists)
    np.testing.assert_allclose(found.values.sum(axis=1) + found.base, found.logits)
    logits = found.logits.reshape(6, 5)
    assert (np.diff(logits, axis=1) <= 1e-9).all()
    ratio = np.take_along_axis(scores, lists, axis=1)
    np.testing.assert_allclose(
        np.log(ratio / ratio[:, :1]), logits - logits[:, :1], rtol=1e-4, atol=1e-4
    )


def test_values_are_the_shapley_values_of_the_trees():
    """Against the definition, over all subsets of the signals that one small tree looks at."""
    import lightgbm

    rng = np.random.default_rng(1)
    table = rng.random((400, 3))
    label = (table[:, 0] + 2 * (table[:, 1] > 0.5) * table[:, 2] > 1.2).astype(float)
    rows = lightgbm.Dataset(table, label=label)
    settings = {"objective": "regression", "num_leaves": 6, "verbosity": -1, "num_threads": 1}
    booster = lightgbm.train(settings, rows, num_boost_round=1)
    tree = booster.dump_model()["tree_info"][0]["tree_structure"]
    row = table[7]

    def expect(node, known):
        if "leaf_value" in node:
            return node["leaf_value"]
        sides = [node["left_child"], node["right_child"]]
        if node["split_feature"] in known:
            return expect(sides[0 if row[node["split_feature"]] <= node["threshold"] else 1], known)
        counts = [side.get("leaf_count", side.get("internal_count")) for side in sides]
        return sum(c * expect(s, known) for c, s in zip(counts, sides, strict=True)) / sum(counts)

    told = booster.predict(row[None], pred_contrib=True)[0]
    for signal in range(3):
        others = [at for at in range(3) if at != signal]
        value = 0.0
        for size in range(3):
            weight = factorial(size) * factorial(2 - size) / factorial(3)
            for known in combinations(others, size):
                value += weight * (expect(tree, {*known, signal}) - expect(tree, set(known)))
        assert told[signal] == pytest.approx(value, abs=1e-9)


def test_signals_are_what_they_say():
    """One customer: item 0 a day before item 1; item 2 is near to both, item 3 to nobody."""
    taught = Histories.of_events(
        np.array([0, 0, 1]),
        np.array([0, 1, 2]),
        (2, 4),
        moments=np.array([10 * DAY, 11 * DAY, 5 * DAY]),
    )
    near = build_csr(np.array([0.5, 1.0]), np.array([2, 2]), np.array([0, 1, 2, 2, 2]), (4, 4))
    asked = Candidates(
        np.array([0, 0]), np.array([1, 2]), np.array([[1, 0.5], [0, 1]], dtype=np.float32)
    )
    signs = Signs.read(taught)
    told = dict(zip(NAMES, make_signals(taught, asked, signs, near).T, strict=True))
    assert told["share_0"].tolist() == [1.0, 0.5]
    assert told["place_0"].tolist() == [0.0, 1.0]
    assert told["place_1"].tolist() == [1000.0, 0.0]
    assert told["voices"].tolist() == [1.0, 2.0]
    weights = np.array([0.5, 1.0])  # a day is one half-life; one order counts log2(2) = 1
    wanted = float(weights @ [0.5, 1.0] / weights.sum())
    assert told["near_day"].tolist() == pytest.approx([0.0, wanted])
    assert told["near_newest"][1] == pytest.approx(1.0, abs=1e-5)
    assert told["times"].tolist() == pytest.approx([np.log(2), 0.0])
    assert told["days_since"].tolist() == [0.0, -1.0]
    assert told["item_age"].tolist() == [0.0, 6.0]
    assert told["idle"].tolist() == [0.0, 0.0]
    assert told["span"].tolist() == [1.0, 1.0]
    assert told["events"].tolist() == pytest.approx([np.log(3)] * 2)


def test_the_logit_starts_from_the_learnt_weights(grown):
    bench, lesson, _ = grown
    scorer = _fit(grown)
    asked = bench.asked.take(np.array([2]))
    lists = np.argsort(-scorer.score(asked), axis=1)[:, :1]
    found = scorer.attribute(asked, lists)
    plain = scorer.trees.predict
    candidates = scorer._weigh(asked).asked
    items, said = candidates.items, candidates.said
    signals = scorer._signal(asked, candidates)
    at = np.flatnonzero(items == lists[0, 0])
    features = make_features(said[:, at], scorer.met[items[at]], scorer.trend[items[at]])
    wanted = features @ np.array(lesson.weights) + plain(signals[at], raw_score=True)
    assert found.logits == pytest.approx(wanted, rel=1e-5)


def test_reasons_are_items_of_the_history(grown):
    bench = grown[0]
    scorer = _fit(grown)
    asked = bench.asked.take(np.arange(4))
    lists = np.argsort(-scorer.score(asked), axis=1)[:, :3]
    told = densify(scorer.explain(asked, lists)).reshape(4, 3, ITEMS)
    had = densify(asked.seen()) > 0
    assert (told.sum(axis=2) > 0).all()
    assert not told[np.broadcast_to(~had[:, None], told.shape)].any()


def test_too_few_customers_grow_nothing(grown):
    bench, lesson, _ = grown
    few = np.arange(50)
    small = Bench(bench.taught, bench.asked.take(few), bench.wanted[few], bench.excluded[few])
    parts = [ItemKnn("one", k=20), ItemKnn("two", "jaccard", k=10)]
    heads = []
    for part in parts:
        part.fit(small.taught)
        heads.append(take_head(part, small))
    popularity = np.ones(ITEMS)
    assert grow_ranker(heads, lesson, small, popularity, np.random.default_rng(0)) is None


def test_trees_of_other_models_are_refused(grown):
    _, lesson, found = grown
    with pytest.raises(InvalidInput, match="signals"):
        Ranked("ranker", (ItemKnn("one"),), lesson.weights[:4], found.trees)


def test_without_trees_it_says_so():
    scorer = Ranked("ranker", (ItemKnn("one", k=10),), (1.0, 0.0, 0.0, 0.0))
    scorer.fit(make_taught())
    with pytest.raises(NotTrained, match="no trees"):
        scorer.score(make_taught())


def test_a_recipe_without_models_is_refused():
    with pytest.raises(InvalidInput, match="at least one part"):
        build_scorer(make_recipe("ranker"))


def test_auto_grows_it_and_prefers_it_and_its_recipe_is_kept_whole(grown, tmp_path):
    bench = grown[0]
    hunt = _Hunt(bench, 120.0, lambda _name: None)
    for name in ("item_cosine", "item_jaccard"):
        hunt._attempt(make_recipe(name, {"k": 20}))
    hunt.blend()
    best = best_of(hunt.trials)
    assert best.recipe.name == "ranker"
    model = fit_model(best.recipe, bench.taught)
    artefacts = Artefacts(tmp_path, FixedClock(datetime(2026, 1, 1, tzinfo=UTC)))
    with artefacts.write(KIND) as writer:
        personal = model.scorer.save(writer, "chosen", np.arange(N))
        stripped = replace_fields(best.recipe, trees="")
        writer.save_json("recommender", Held(stripped, make_recipe("item_cosine"), ("a",)))
    assert not personal
    again = build_scorer(read_recipe(artefacts.current(KIND)))
    again.fit(bench.taught)
    asked = bench.asked.take(np.arange(5))
    np.testing.assert_allclose(again.score(asked), model.scorer.score(asked), rtol=1e-5)


def test_trees_that_gain_no_more_than_chance_are_not_taken(grown):
    rng = np.random.default_rng(4)
    bench = grown[0]
    anything = np.argmax(rng.random((N, ITEMS)) - densify(bench.excluded), axis=1)
    coming = Histories.of_events(np.arange(N), anything, (N, ITEMS))
    hunt = _Hunt(replace(bench, wanted=coming.seen()), 120.0, lambda _name: None)
    for name in ("item_cosine", "item_jaccard"):
        hunt._attempt(make_recipe(name, {"k": 20}))
    hunt.blend()
    assert "no more than chance" in hunt.skipped["ranker"]
    assert "ranker" not in {trial.recipe.name for trial in hunt.trials}


def test_auto_says_where_there_is_no_time_and_where_lightgbm_cannot_be_loaded(grown, monkeypatch):
    bench = grown[0]
    hunt = _Hunt(bench, 120.0, lambda _name: None)
    for name in ("item_cosine", "item_jaccard"):
        hunt._attempt(make_recipe(name, {"k": 20}))
    hunt._costs.by_name["item_cosine"] = 1000.0
    heads = sorted(hunt._heads.values(), key=lambda pair: -pair[0].value)
    hunt._learn(heads)
    assert "no time for trees" in hunt.skipped["ranker"]
    monkeypatch.setattr("lingxi.recommend.family.is_available", lambda: False)
    hunt._learn(heads)
    assert "libgomp1" in hunt.skipped["ranker"]
    with pytest.raises(MissingExtra, match="libgomp1"):
        build_scorer(make_recipe("ranker"))
    assert {trial.recipe.name for trial in hunt.trials} >= {"learned"}
    assert "ranker" not in {trial.recipe.name for trial in hunt.trials}
