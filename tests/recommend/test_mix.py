"""Shares of a blend: models that each know a part of the customers know all of them together."""

from dataclasses import replace

import numpy as np
import pytest

from lingxi.recommend import mix as mixing
from lingxi.recommend.histories import Histories
from lingxi.recommend.matrix import build_csr
from lingxi.recommend.mix import mix, tune_factor
from lingxi.recommend.pool import Pool

N, WANTED, WRONG = 200, 1, 2
TAUGHT = Histories.of_matrix(build_csr(np.ones(3), np.arange(3), np.array([0, 3]), (1, 3)))


def _pool(noisy=False):
    """The first model is sure of what one customer in three wants, the second of the others."""
    scores = np.zeros((3 if noisy else 2, N, 3), dtype=np.float32)
    third = np.arange(N) % 3 == 0
    for head, knows in enumerate((third, ~third)):
        scores[head, :, WANTED] = np.where(knows, 1.0, 0.0)
        scores[head, :, WRONG] = np.where(knows, 0.0, 0.3)
    if noisy:
        scores[2, :, WRONG] = 1.0
    items = np.tile(np.arange(3), (N, 1))
    hits = items == WANTED
    fill = np.where(np.arange(3) == 0, -1.0, -2.0) * np.ones((N, 1))
    return Pool(items, scores, hits, fill.astype(np.float32), np.ones(N, np.int64), "ndcg@1")


@pytest.mark.parametrize("searched", [3000, 50])
def test_models_that_know_a_part_each_know_everybody_together(searched, monkeypatch):
    monkeypatch.setattr(mixing, "_SEARCHED", searched)
    pool = _pool()
    assert pool.measure(pool.scores[0]).mean() < 0.4
    found = mix(pool, TAUGHT)
    assert found.value == pytest.approx(1.0)
    assert min(found.shares) > 0


def test_a_model_that_is_wrong_gets_no_share():
    found = mix(_pool(noisy=True), TAUGHT)
    assert found.shares[2] == 0
    assert found.value == pytest.approx(1.0)


@pytest.mark.parametrize(("power", "wanted"), [(0.42, -0.45), (0.15, -0.2), (-0.15, 0.2), (0, 0)])
def test_popularity_is_damped_as_far_as_that_helps(power, wanted):
    # what is wanted is ten times as popular, or as rare, as what a model puts before it
    owners = np.concatenate((np.arange(100), np.arange(10)))
    items = np.repeat([WRONG, WANTED] if power < 0 else [WANTED, WRONG], [100, 10])
    taught = Histories.of_events(owners, items, (100, 3))
    scores = np.zeros((1, 10, 3), dtype=np.float32)
    scores[0, :, WANTED], scores[0, :, WRONG] = 1.0, 10.0 ** abs(power) * (1 if power else 0.5)
    pool = replace(_pool(), scores=scores, items=np.tile(np.arange(3), (10, 1)))
    pool = replace(pool, hits=pool.items == WANTED, fill=pool.fill[:10], wanted=pool.wanted[:10])
    gradual = _graded(pool)
    found = tune_factor(gradual, taught)
    assert found.params.get("damping", 0) == wanted


def _graded(pool):
    """Ten customers, the n-th of whom is content with less of a difference than the next."""
    scores = pool.scores.copy()
    most = np.log10(scores[0, 0, WRONG]) if scores[0, 0, WRONG] > 0 else 0.0
    if scores[0, 0, WRONG] > 1:
        scores[0, :, WRONG] = 10.0 ** np.linspace(0.02, most, len(scores[0]))
    return replace(pool, scores=scores)
