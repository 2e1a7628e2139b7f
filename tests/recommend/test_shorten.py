"""Lists of an item-item model are as short as ranks as well, where an answer is timed."""

import numpy as np
import pytest

from lingxi.recommend import shorten as shortening
from lingxi.recommend.answering import Stopwatch
from lingxi.recommend.auto import search
from lingxi.recommend.bench import FILL, Trial, split_inside
from lingxi.recommend.families import build_scorer, make_recipe
from lingxi.recommend.histories import Histories
from lingxi.recommend.limits import Limits
from lingxi.recommend.matrix import row_lengths, sum_pairs
from lingxi.recommend.memory import Size
from lingxi.recommend.shorten import shorten
from lingxi.recommend.trials import put_behind

N_ITEMS = 240


@pytest.fixture
def taught():
    """Everybody likes one of eight groups of thirty items, and looks at others in passing."""
    rng = np.random.default_rng(3)
    rows, items = [], []
    for customer in range(400):
        own = rng.integers(8) * 30 + rng.choice(30, 14, replace=False)
        items += [*own.tolist(), *rng.choice(N_ITEMS, 6, replace=False).tolist()]
        rows += [customer] * 20
    cells = sum_pairs(np.array(rows), np.array(items), np.ones(len(rows)), (400, N_ITEMS))
    return Histories.of_matrix(cells)


@pytest.fixture
def bench(taught):
    return split_inside(taught, rng=np.random.default_rng(5), most=200, metric="ndcg@10")


def _limits(bench) -> Limits:
    size = Size(bench.taught.n_rows, bench.taught.n_items, len(bench.taught.items))
    return Limits(size, bench.asked, 1e12, 50.0)


@pytest.mark.parametrize("name", ["rp3beta", "item_cosine"])
def test_cut_lists_are_those_of_a_fit_with_that_length(taught, name):
    whole, short = (build_scorer(make_recipe(name, {"k": 200, "length": n})) for n in (200, 7))
    whole.fit(taught)
    short.fit(taught)
    assert row_lengths(whole.operator).max() > 20
    whole.cut(7)
    assert (whole.operator != short.operator).nnz == 0
    assert (whole.columns != short.columns).nnz == 0


def test_lists_get_as_short_as_ranks_as_well(bench, monkeypatch):
    monkeypatch.setattr(shortening, "LENGTHS", (60, 30, 2))
    trial = Trial(make_recipe("rp3beta", {"k": 200}), 0.0)
    scorer = build_scorer(trial.recipe)
    scorer.fit(bench.taught)
    assert row_lengths(scorer.operator).mean() > 66
    value = float(bench.evaluate(scorer, [10]).values["ndcg@10"].mean())
    trial = Trial(trial.recipe, value, fit_seconds=2.0)
    popularity = bench.taught.popularity(FILL)
    found = shorten(trial, bench, popularity, _limits(bench))
    assert found is not None
    short, head, values = found
    assert short.recipe.params["length"] in (60, 30)  # two of thirty tell too little
    assert short.value == pytest.approx(float(values.mean()))
    assert short.value >= 0.995 * value
    assert short.fit_seconds == 2.0
    assert len(head.items) == bench.asked.n_rows
    monkeypatch.setattr(shortening, "LENGTHS", (2,))
    assert shorten(trial, bench, popularity, _limits(bench)) is None
    monkeypatch.setattr(shortening, "LENGTHS", (1000,))
    assert shorten(trial, bench, popularity, _limits(bench)) is None  # they are shorter already
    als = Trial(make_recipe("als"), 0.1)
    assert shorten(als, bench, popularity, _limits(bench)) is None


def test_a_search_shortens_only_where_answers_are_timed(bench, monkeypatch):
    monkeypatch.setattr(shortening, "LENGTHS", (5,))
    monkeypatch.setattr(shortening, "_LOSS", 1.0)
    monkeypatch.setattr(Stopwatch, "time", lambda _self, _model: 0.1)
    names = ["popularity", "rp3beta"]
    free = search(bench, 60.0, names=names)
    assert "length" not in free.recipe.params
    bound = search(bench, 60.0, names=names, answer_ms=2.0)
    assert bound.recipe.name == "rp3beta"
    assert bound.recipe.params["length"] == 5


def test_a_longer_list_that_is_hardly_better_comes_behind_the_shorter():
    short = Trial(make_recipe("rp3beta", {"length": 50}), 0.300)
    longer, other = Trial(make_recipe("rp3beta"), 0.301), Trial(make_recipe("als"), 0.301)
    worse = Trial(make_recipe("rp3beta", {"k": 12}), 0.2)
    assert put_behind(longer, short).by_chance
    assert put_behind(other, short) == other
    assert put_behind(worse, short) == worse
