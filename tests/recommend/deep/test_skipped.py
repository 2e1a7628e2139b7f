"""``auto`` leaves the transformer out where it cannot be had, and says why."""

import numpy as np
import pytest

from lingxi.recommend import family
from lingxi.recommend.auto import search
from lingxi.recommend.bench import split_inside
from lingxi.testing.scorer import make_taught

NAMES = ["popularity", "transformer"]


def _bench(taught):
    return split_inside(taught, rng=np.random.default_rng(1), most=50, metric="ndcg@5")


@pytest.mark.parametrize(
    ("installed", "seconds", "told"),
    [
        ((), 1e6, "lingxi[deep]"),
        (("onnxruntime",), 1e6, "lingxi[deep]"),
        (("onnxruntime", "torch"), 1e-3, "no time"),
    ],
)
def test_it_says_what_is_missing(monkeypatch, installed, seconds, told):
    monkeypatch.setattr(family, "find_spec", lambda name: name if name in installed else None)
    found = search(_bench(make_taught()), seconds, names=NAMES)
    assert found.best("transformer") is None
    assert told in found.skipped["transformer"]
    assert found.recipe.name == "popularity"


def test_it_needs_the_order_of_events(monkeypatch):
    monkeypatch.setattr(family, "find_spec", lambda name: name)
    found = search(_bench(type(make_taught()).of_matrix(make_taught().seen())), 1e6, names=NAMES)
    assert "order" in found.skipped["transformer"]
