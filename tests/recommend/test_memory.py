"""Memory: reckoned before a fit, bounds what is tried, and is near what fits were seen to take."""

import numpy as np
import pytest

from lingxi.recommend.auto import search
from lingxi.recommend.bench import split_inside
from lingxi.recommend.families import FAMILIES, make_recipe
from lingxi.recommend.limits import Limits
from lingxi.recommend.memory import Size, estimate, held_bytes, peak_memory_mb
from lingxi.testing.scorer import make_taught

GOWALLA, BEAUTY = Size(29_858, 40_981, 810_128), Size(22_363, 12_101, 198_502)
SHELVES = Size(31_668, 37_992, 1_210_000)
BOOKS = Size(52_643, 91_022, 2_350_000)
DENSE, SESSIONS = Size(138_000, 20_000, 9_159_905), Size(667_135, 42_990, 2_016_979)
SEEN = [
    (GOWALLA, "item_cosine", 335),
    (GOWALLA, "rp3beta", 292),
    (GOWALLA, "user_cosine", 67),
    (GOWALLA, "als", 134),
    (GOWALLA, "graph", 471),
    (BEAUTY, "item_cosine", 79),
    (BEAUTY, "transitions", 87),
    (BEAUTY, "smooth_transitions", 197),
    (BEAUTY, "v_stan", 5),
    (BEAUTY, "graph", 133),
    (BEAUTY, "slim", 114),
    (BEAUTY, "ease", 985),
    (BEAUTY, "next_basket", 13),
    (DENSE, "item_cosine", 609),
    (DENSE, "user_tfidf", 658),
    (DENSE, "als", 663),
    (DENSE, "graph", 1067),
    (SHELVES, "graph", 489),
    (SHELVES, "slim", 907),
    (BOOKS, "graph", 1083),
    (BOOKS, "slim", 1256),
    (SESSIONS, "item_cosine", 240),
    (SESSIONS, "transitions", 302),
    (SESSIONS, "als", 271),
]
"""MB that fits took at their peak on top of what the process held, measured once."""


def _reckon(name, size):
    family = FAMILIES[name]
    return estimate(family.memory, family.read(make_recipe(name)), size) / 1e6


@pytest.mark.parametrize(("size", "name", "seen"), SEEN)
def test_what_is_reckoned_bounds_what_was_seen_and_is_near_it(size, name, seen):
    assert seen <= _reckon(name, size) <= 3 * seen + 400


@pytest.mark.parametrize("name", FAMILIES)
def test_more_data_never_takes_less(name):
    larger = Size(GOWALLA.rows, 2 * GOWALLA.items, 2 * GOWALLA.events)
    assert 0 < _reckon(name, GOWALLA) <= _reckon(name, larger)


def test_what_does_not_fit_is_left_out_with_the_reason():
    bench = split_inside(make_taught(), rng=np.random.default_rng(0), most=60, metric="ndcg@10")
    held = held_bytes() / 1e9
    names = ["popularity", "item_cosine", "als"]
    found = search(bench, 60.0, names=names, memory_gb=held + 0.1)
    assert {trial.recipe.name for trial in found.trials} == {"popularity"}
    assert set(found.skipped) == {"item_cosine", "als"}
    assert "GB of memory, more than" in found.skipped["als"]
    enough = search(bench, 60.0, names=names, memory_gb=held + 8.0)
    assert {trial.recipe.name for trial in enough.trials} == set(names)


def test_models_of_a_blend_are_fitted_one_after_the_other(monkeypatch):
    """Each alone takes 1 GB, and half of that when it is fitted: three together take two."""
    bench = split_inside(make_taught(), rng=np.random.default_rng(0), most=60, metric="ndcg@10")
    monkeypatch.setattr("lingxi.recommend.limits.held_bytes", lambda: 0.5e9)
    for memory_gb, holds in ((2.4, False), (2.6, True)):
        limits = Limits(GOWALLA, bench.asked, memory_gb * 1e9)
        limits.reckon = lambda _recipe: 1e9
        assert limits.hold([make_recipe("als")] * 3) == holds
        assert limits.hold([])


def test_what_is_held_is_at_most_the_peak():
    assert 0 < held_bytes() <= peak_memory_mb() * 1024**2 * 1.01
