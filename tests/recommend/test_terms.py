"""Tuning a sum of terms: the weights that find what was held back."""

import numpy as np

from lingxi.recommend.bench import FILL, Bench, split_inside
from lingxi.recommend.graph import GraphFilter
from lingxi.recommend.histories import Histories
from lingxi.recommend.matrix import build_csr
from lingxi.recommend.ratings import read_ratings
from lingxi.recommend.terms import Termed, tune_terms

N = 30
SIZES = np.arange(1.0, N + 1)


class TwoTerms:
    """The first term grows with an item's size, the second says the wrong thing."""

    def __init__(self, weights):
        self.weights = weights
        self.first = SIZES[None, :]
        self.second = 3.0 * N * (np.arange(N) == N - 2)[None, :]

    def score_terms(self, _histories, items):
        yield self.first[0][items].astype(np.float32)
        yield self.second[0][items].astype(np.float32)

    @staticmethod
    def spread(weights):
        return (1.0, weights[0] - weights[1])

    def score(self, histories):
        everything = np.tile(np.arange(N), (histories.n_rows, 1))
        return np.tensordot(
            np.asarray(self.spread(self.weights), dtype=np.float32),
            np.stack(list(self.score_terms(histories, everything))),
            axes=1,
        )

    def set_weights(self, weights):
        self.weights = weights


def _make_bench(target):
    taught = Histories.of_matrix(read_ratings(np.eye(N)[:4]))
    wanted = np.zeros((4, N))
    wanted[:, target] = 1
    nothing = build_csr(np.empty(0), np.empty(0), np.zeros(5, dtype=np.int64), (4, N))
    return Bench(taught, taught, read_ratings(wanted), nothing, "mrr@10")


def test_a_term_that_misleads_is_taken_out():
    """Item N - 1 is the largest, and the second term puts N - 2 before it."""
    scorer, bench = TwoTerms((1.0, 0.0)), _make_bench(N - 1)
    assert isinstance(scorer, Termed)
    assert scorer.score(bench.asked).argmax(axis=1).tolist() == [N - 2] * 4
    tune_terms(scorer, bench, SIZES)
    assert scorer.score(bench.asked).argmax(axis=1).tolist() == [N - 1] * 4


def test_a_term_that_was_out_is_put_in():
    scorer, bench = TwoTerms((0.0, 0.0)), _make_bench(N - 2)
    tune_terms(scorer, bench, SIZES)
    assert scorer.weights == (0.2, 0.0)
    assert scorer.score(bench.asked).argmax(axis=1).tolist() == [N - 2] * 4


def test_what_cannot_be_bettered_stays():
    scorer = TwoTerms((0.7, 0.0))
    tune_terms(scorer, _make_bench(N - 2), SIZES)
    assert scorer.weights == (0.7, 0.0)


def test_a_tuned_filter_is_no_worse_than_before_on_the_bench():
    rng = np.random.default_rng(4)
    taught = Histories.of_matrix(read_ratings((rng.random((60, 40)) < 0.2).astype(np.float64)))
    bench = split_inside(taught, rng=rng, most=60, metric="ndcg@10")
    scorer = GraphFilter("g", rank=8)
    scorer.fit(bench.taught)
    before = bench.evaluate(scorer).values["ndcg@10"].mean()
    tune_terms(scorer, bench, bench.taught.popularity(FILL))
    assert bench.evaluate(scorer).values["ndcg@10"].mean() >= before
