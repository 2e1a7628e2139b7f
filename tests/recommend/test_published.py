"""The code against published numbers on a public split."""

from pathlib import Path

import pytest
from scipy import sparse

from lingxi.recommend import evaluate
from lingxi.recommend.histories import Histories
from lingxi.recommend.operators import Rp3Beta
from lingxi.recommend.ratings import read_ratings

GOWALLA = Path(__file__).parents[2].parent / "shared" / "data" / "gowalla"


@pytest.mark.slow
def test_rp3beta_on_gowalla_reaches_the_published_recall_and_ndcg():
    if not GOWALLA.is_dir():
        pytest.skip(f"needs the Gowalla split at {GOWALLA}")
    train, test = (read_ratings(sparse.load_npz(GOWALLA / f"{p}.npz")) for p in ("train", "test"))
    scorer = Rp3Beta("rp3beta", k=777, alpha=0.566, beta=0.001, length=777)
    scorer.fit(Histories.of_matrix(train))
    found = evaluate(scorer, train, test, at=(20,))
    # Anelli et al. (2023), table of reproduced baselines: .1829 / .1520
    assert found.values["recall@20"].mean() == pytest.approx(0.1829, abs=0.0005)
    assert found.values["ndcg@20"].mean() == pytest.approx(0.1520, abs=0.0005)
