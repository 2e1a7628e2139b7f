"""Shares of a blend: models that each know a part of the customers know all of them together."""

import numpy as np
import pytest

from lingxi.recommend import mix as mixing
from lingxi.recommend.histories import Histories
from lingxi.recommend.matrix import build_csr
from lingxi.recommend.mix import mix
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
