"""The learnt blend: weights against truth, scores against a loop, one rule for both places."""

from dataclasses import replace

import numpy as np
import pytest

from lingxi.errors import InvalidInput
from lingxi.recommend.alone import cut_each
from lingxi.recommend.bench import Bench
from lingxi.recommend.histories import Histories
from lingxi.recommend.learned import DEPTH, Learned, Task, learn_weights, make_features
from lingxi.recommend.matrix import build_csr
from lingxi.recommend.neighbourhoods import UserKnn
from lingxi.recommend.operators import ItemKnn
from lingxi.recommend.pool import Head, take_head
from lingxi.recommend.ratings import read_ratings
from lingxi.recommend.sessions import SessionKnn
from lingxi.recommend.teach import cut_at_depth, learn
from lingxi.recommend.transitions import Transitions
from lingxi.testing.scorer import ScorerContract, make_taught

WEIGHTS = (1.0, 0.5, 0.3, 0.2, 0.1, 0.2)


def _make():
    return Learned("learned", (Transitions("one"), ItemKnn("two", k=10)), WEIGHTS)


class TestLearned(ScorerContract):
    def make(self):
        return _make()


class TestLearnedOfPersons(ScorerContract):
    def make(self):
        parts = (SessionKnn("one"), UserKnn("two", "cosine", k=10))
        return Learned("learned", parts, WEIGHTS)


def cut_head(scores, seen):
    """The shares of all items, densely."""
    table = np.zeros_like(scores)
    for row, (items, shares) in zip(table, cut_each(scores, seen, DEPTH), strict=True):
        row[items] = shares
    return table


def _draw(weights, n=4000, candidates=6, seed=0):
    """Customers who choose one of six candidates with the softmax's probabilities."""
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((n * candidates, len(weights))).astype(np.float32)
    logits = (features @ weights).reshape(n, candidates)
    noise = rng.gumbel(size=logits.shape)  # the highest of logit + Gumbel noise is a softmax draw
    hits = np.zeros((n, candidates), dtype=bool)
    hits[np.arange(n), np.argmax(logits + noise, axis=1)] = True
    return Task(features, np.arange(n + 1) * candidates, hits.reshape(-1))


def test_the_weights_that_made_the_choices_are_found():
    """4,000 choices: standard errors are below 0.025, so 0.1 is four of them."""
    truth = np.array([1.0, -0.5, 0.0])
    np.testing.assert_allclose(learn_weights(_draw(truth), ridge=0.0), truth, atol=0.1)


def test_nothing_is_learnt_where_nothing_wanted_is_a_candidate():
    task = _draw(np.array([1.0, 2.0]), n=5)
    empty = Task(task.features, task.indptr, np.zeros_like(task.hits))
    assert learn_weights(empty).tolist() == [0.0, 0.0]


def test_customers_without_a_wanted_candidate_change_nothing():
    task = _draw(np.array([1.0, -1.0]), n=50)
    more = Task(
        np.concatenate([task.features, np.ones((3, 2), np.float32)]),
        np.append(task.indptr, task.indptr[-1] + 3),
        np.append(task.hits, [False] * 3),
    )
    np.testing.assert_allclose(learn_weights(more), learn_weights(task), atol=1e-6)


def test_scores_are_the_softmax_of_the_formula():
    taught = make_taught()
    scorer = _make()
    scorer.fit(taught)
    asked = taught.take(np.array([3]))
    shares = [cut_head(np.array(part.score(asked)), asked.seen())[0] for part in scorer.parts]
    items = np.flatnonzero((shares[0] > 0) | (shares[1] > 0))
    logits = []
    for i in items:
        logit = WEIGHTS[0] * shares[0][i] + WEIGHTS[1] * shares[1][i]
        logit += WEIGHTS[2] * np.log(shares[0][i] + 0.02) + WEIGHTS[3] * np.log(shares[1][i] + 0.02)
        logit += WEIGHTS[4] * np.log1p(scorer.met[i]) + WEIGHTS[5] * np.log(scorer.trend[i])
        logits.append(logit)
    odds = np.exp(np.array(logits))
    scores = scorer.score(asked)[0]
    np.testing.assert_allclose(scores[items], odds / odds.sum(), rtol=1e-4)
    assert scores.sum() == pytest.approx(1.0, abs=1e-5)


def _bench():
    taught = make_taught()
    last = taught.indptr[1:] - 1
    held = np.zeros(len(taught.items), dtype=bool)
    held[last] = True
    before, after = taught.keep(~held), taught.keep(held)
    rows = np.flatnonzero(before.lengths > 0)
    asked = before.take(rows)
    return Bench(before, asked, after.take(rows).seen(), asked.seen())


def test_what_is_learnt_from_is_what_is_scored_with():
    """A head cut for learning holds the shares that scoring will see."""
    bench = _bench()
    scorer = Transitions("one")
    scorer.fit(bench.taught)
    cut = cut_at_depth(take_head(scorer, bench), bench.asked.seen())
    served = cut_head(np.array(scorer.score(bench.asked)), bench.asked.seen())
    for row in range(bench.asked.n_rows):
        known = cut.items[row] >= 0
        np.testing.assert_allclose(
            served[row, cut.items[row][known]], cut.scores[row][known], rtol=1e-5
        )


def test_a_useful_model_is_heard_beside_noise():
    bench = _bench()
    good = ItemKnn("good", k=10)
    good.fit(bench.taught)
    rng = np.random.default_rng(4)

    class Noise:
        def score(self, histories: Histories):
            return rng.random(histories.shape, dtype=np.float32)

    heads = [take_head(good, bench), take_head(Noise(), bench)]
    popularity = np.bincount(bench.taught.items, minlength=24).astype(float)
    lesson = learn(heads, bench, popularity, np.random.default_rng(0))
    weights = np.array(lesson.weights)
    said = [abs(weights[0]) + abs(weights[2]), abs(weights[1]) + abs(weights[3])]
    assert said[0] > 2 * said[1]
    assert len(lesson.values) == bench.asked.n_rows


def test_seen_items_do_not_set_the_scale():
    scores = np.array([[9.0, 4.0, 2.0, 0.0]], dtype=np.float32)
    seen = build_csr(np.ones(1), np.array([0]), np.array([0, 1]), (1, 4))
    assert cut_head(scores, seen).tolist() == [[2.25, 1.0, 0.5, 0.0]]


@pytest.mark.parametrize("n_items", [50, 3000])
def test_a_head_holds_the_best_unmet_and_what_was_met_and_scores_as_high(n_items):
    rng = np.random.default_rng(1)
    scores = np.where(rng.random((20, n_items)) < 0.4, rng.random((20, n_items)), 0)
    scores[0] = 0
    scores, met = scores.astype(np.float32), rng.random((20, n_items)) < 0.03
    met[1] = True
    found = cut_head(scores, read_ratings(met))
    for row, had, shares in zip(scores, met, found, strict=True):
        unmet = np.sort(row[~had])[::-1]
        least = unmet[DEPTH - 1] if len(unmet) >= DEPTH else 0.0
        top = unmet.max(initial=0.0) or row.max()
        wanted = np.where((row > 0) & (row >= least), row / (top or 1), 0)
        np.testing.assert_allclose(shares, wanted, rtol=1e-6)


def test_features_are_shares_logs_and_the_items_own():
    shares = np.array([[0.5, 0.0]], dtype=np.float32)
    found = make_features(shares, np.array([0.0, 3.0]), np.array([1.0, 2.0]))
    wanted = [[0.5, np.log(0.52), 0, 0], [0, np.log(0.02), np.log(4), np.log(2)]]
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_weights_must_fit_the_parts():
    with pytest.raises(InvalidInput, match="two weights for each"):
        Learned("learned", (Transitions("one"),), (1.0,))


def _told(truth, n_items, rng):
    """A head that names an item of each row first, and others in any order."""
    scores = 0.5 * rng.random((len(truth), n_items), dtype=np.float32)
    scores[np.arange(len(truth)), truth] = 1.0
    items = np.argsort(-scores, axis=1)
    return Head(items, np.take_along_axis(scores, items, axis=1), 1.0)


def test_a_part_that_serves_one_way_of_holding_back_at_the_cost_of_the_other_is_left_out():
    """Two heads are right of any customer by six to four; the third always of those who lost
    single items and never of the others, so that the three together gain in the mean."""
    n, n_items, rng = 400, 20, np.random.default_rng(3)
    truth, wrong = rng.integers(0, n_items, (2, n))
    single = np.arange(n) % 2 == 1
    heads = [_told(np.where(rng.random(n) < 0.6, truth, wrong), n_items, rng) for _ in range(2)]
    narrow = np.where(single, truth, rng.integers(0, n_items, n))
    heads.append(_told(narrow, n_items, rng))
    rows = np.arange(n)
    taught = Histories.of_events(rows, (truth + 1) % n_items, (n, n_items))
    wanted = build_csr(np.ones(n), truth, np.arange(n + 1), (n, n_items))
    nothing = build_csr(np.empty(0), np.empty(0, np.int64), np.zeros(n + 1), (n, n_items))
    bench = Bench(taught, taught, wanted, nothing, "ndcg@3", bunched=~single)
    popularity = np.ones(n_items)
    kept = {
        name: learn(heads, b, popularity, np.random.default_rng(0)).kept
        for name, b in {"two": bench, "one": replace(bench, bunched=None)}.items()
    }
    late = learn(heads, bench, popularity, np.random.default_rng(0), until=0.0)
    assert kept == {"two": (0, 1), "one": (0, 1, 2)}
    assert late.kept == (0, 1, 2)  # there was no time to look
