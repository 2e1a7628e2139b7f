"""Operators against dense oracles, exact reasons, lists in a fixed order, evaluation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lingxi.errors import InvalidInput, NotEnoughData
from lingxi.recommend.evaluation import evaluate
from lingxi.recommend.histories import Histories
from lingxi.recommend.history import LINEAR
from lingxi.recommend.lists import exclude, fill_up, list_best, top_items
from lingxi.recommend.matrix import build_csr, densify
from lingxi.recommend.neighbourhoods import UserKnn
from lingxi.recommend.operators import ItemKnn, Rp3Beta
from lingxi.recommend.popularity import Popularity
from lingxi.recommend.ratings import read_ratings
from lingxi.recommend.similarity import cosine, pearson_zero_filled

RNG = np.random.default_rng(11)
TAUGHT = RNG.integers(1, 5, (30, 12)) * (RNG.random((30, 12)) < 0.35)
PLAIN = {"taught": LINEAR, "heard": LINEAR}
SCORERS = {
    "item_cosine": lambda: ItemKnn("item_cosine", "cosine", k=4, **PLAIN),
    "item_pearson": lambda: ItemKnn("item_pearson", "pearson_zero_filled", k=4, length=3, **PLAIN),
    "rp3beta": lambda: Rp3Beta("rp3beta", k=5, alpha=0.7, beta=0.3, **PLAIN),
    "user_cosine": lambda: UserKnn("user_cosine", "cosine", k=6, **PLAIN),
    "user_pearson": lambda: UserKnn("user_pearson", "pearson_zero_filled", k=6, **PLAIN),
}


def _histories(table):
    return Histories.of_matrix(read_ratings(table))


def _nearest(values, k):
    order = sorted(range(len(values)), key=lambda at: (-round(values[at], 10), at))
    return [at for at in order if round(values[at], 10) > 0][:k]


@pytest.mark.parametrize("similarity", [cosine, pearson_zero_filled])
def test_item_knn_lets_the_k_nearest_items_of_each_item_speak_for_it(similarity):
    name = {cosine: "cosine", pearson_zero_filled: "pearson_zero_filled"}[similarity]
    scorer = ItemKnn("item", name, k=4, **PLAIN)
    scorer.fit(_histories(TAUGHT))
    columns = TAUGHT.T.astype(float)
    wanted = np.zeros((12, 12))
    for i in range(12):
        near = [(similarity(columns[i], columns[j]) or 0.0) if i != j else 0.0 for j in range(12)]
        for j in _nearest(near, 4):
            wanted[j, i] = near[j]
    np.testing.assert_allclose(densify(scorer.operator), wanted, atol=1e-6)
    np.testing.assert_allclose(
        scorer.score(_histories(TAUGHT)), TAUGHT @ wanted, rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("similarity", [cosine, pearson_zero_filled])
def test_user_knn_adds_up_what_the_k_nearest_other_customers_have(similarity):
    name = {cosine: "cosine", pearson_zero_filled: "pearson_zero_filled"}[similarity]
    scorer = UserKnn("user", name, k=6, **PLAIN)
    scorer.fit(_histories(TAUGHT))
    rows = TAUGHT.astype(float)
    scores = scorer.score(_histories(TAUGHT))
    for u in range(30):
        near = [(similarity(rows[u], rows[v]) or 0.0) if u != v else 0.0 for v in range(30)]
        centred = rows[u] - (rows[u].mean() if similarity is pearson_zero_filled else 0.0)
        length = np.linalg.norm(centred)  # the one factor the operator leaves out
        wanted = sum((near[v] * length * rows[v] for v in _nearest(near, 6)), np.zeros(12))
        np.testing.assert_allclose(scores[u], wanted, rtol=1e-5, atol=1e-5)


def test_rp3beta_is_three_steps_of_a_damped_walk():
    scorer = Rp3Beta("rp3beta", k=100, alpha=0.7, beta=0.3, **PLAIN)
    scorer.fit(_histories(TAUGHT))
    rows, columns = TAUGHT.sum(axis=1, keepdims=True), TAUGHT.sum(axis=0)
    forth = (TAUGHT / np.maximum(rows, 1)) ** 0.7
    back = (TAUGHT / columns).T ** 0.7
    walked = back @ forth / columns**0.3
    np.fill_diagonal(walked, 0)
    wanted = walked / walked.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(densify(scorer.operator), wanted, atol=1e-6)


@pytest.mark.parametrize("name", SCORERS)
def test_reasons_sum_to_the_score(name):
    scorer, taught = SCORERS[name](), _histories(TAUGHT)
    scorer.fit(taught)
    scores = scorer.score(taught)
    everything = np.tile(np.arange(12), (30, 1))
    reasons = densify(scorer.explain(taught, everything)).reshape(30, 12, 12)
    np.testing.assert_allclose(reasons.sum(axis=2), scores, rtol=1e-6, atol=1e-6)
    assert (reasons.transpose(0, 2, 1)[TAUGHT == 0] == 0).all()


@pytest.mark.parametrize("name", ["item_cosine", "item_pearson", "rp3beta"])
def test_deleting_an_item_of_the_history_lowers_each_score_by_its_share(name):
    scorer, taught = SCORERS[name](), _histories(TAUGHT)
    scorer.fit(taught)
    everything = np.arange(12)[None, :]
    history = TAUGHT[[0]].astype(float)
    before = scorer.score(_histories(history))[0]
    shares = densify(scorer.explain(_histories(history), everything))
    for item in np.flatnonzero(history[0]):
        less = history.copy()
        less[0, item] = 0
        after = scorer.score(_histories(less))[0]
        np.testing.assert_allclose(before - after, shares[:, item], atol=1e-6)


@pytest.mark.parametrize("name", ["user_cosine", "user_pearson"])
def test_deleting_an_item_lowers_a_user_score_by_its_share_with_neighbours_held_fixed(name):
    scorer, taught = SCORERS[name](), _histories(TAUGHT)
    scorer.fit(taught)
    history = TAUGHT[0].astype(float)
    near = scorer.find_neighbours(_histories(history[None])).indices
    rows = TAUGHT[near].astype(float)
    means = rows.mean(axis=1, keepdims=True) if name == "user_pearson" else 0.0
    bonds = (rows - means) / np.linalg.norm(rows - means, axis=1, keepdims=True)

    def score_with_these_neighbours(weights):
        return (bonds @ weights) @ rows

    shares = densify(scorer.explain(_histories(history[None]), np.arange(12)[None, :]))
    for item in np.flatnonzero(history):
        less = history.copy()
        less[item] = 0
        lowered = score_with_these_neighbours(history) - score_with_these_neighbours(less)
        np.testing.assert_allclose(lowered, shares[:, item], atol=1e-6)


def test_a_customer_is_never_their_own_neighbour():
    taught = _histories(TAUGHT)
    scorer = UserKnn("user", "cosine", k=30, **PLAIN)
    scorer.fit(taught)
    near = densify(scorer.find_neighbours(taught))
    assert (np.diag(near) == 0).all()
    assert (np.diag(densify(scorer.find_neighbours(taught.of_nobody())))[TAUGHT.any(1)] > 0).all()


def test_user_knn_refuses_a_similarity_of_ratings():
    with pytest.raises(InvalidInput, match="pearson"):
        UserKnn("user", "pearson", k=3)


@settings(max_examples=80, deadline=None)
@given(
    scores=arrays(np.float32, (4, 7), elements=st.sampled_from([-np.inf, -2, -1, 0, 0.5, 1, 3])),
    n=st.integers(1, 9),
)
def test_lists_are_sorted_by_score_then_index(scores, n):
    lists = top_items(scores, n)
    for row, found in zip(scores, lists, strict=True):
        order = sorted(range(7), key=lambda at: (-row[at], at))
        wanted = [at for at in order if np.isfinite(row[at])][:n]
        assert found.tolist() == wanted + [-1] * (n - len(wanted))


@given(n=st.integers(1, 9), seed=st.integers(0, 99))
def test_lists_are_filled_up_only_where_too_few_are_scored(n, seed):
    rng = np.random.default_rng(seed)
    scores = (rng.integers(-2, 4, (6, 30)) * (rng.random((6, 1)) < 0.7)).astype(np.float32)
    popularity = rng.integers(0, 5, 30).astype(float)
    barred = read_ratings(rng.random((6, 30)) < rng.random())
    whole = scores.copy()
    fill_up(whole, popularity)
    exclude(whole, barred)
    assert list_best(scores, n, popularity, barred).tolist() == top_items(whole, n).tolist()


def test_what_nothing_is_known_of_comes_last_by_popularity_and_excluded_items_never():
    scores = np.array([[0, 0.1, 0, 0]], dtype=np.float32)
    fill_up(scores, np.array([1.0, 0.0, 3.0, 3.0]))
    exclude(scores, build_csr(np.ones(1), np.array([3]), np.array([0, 1]), (1, 4)))
    assert top_items(scores, 4).tolist() == [[1, 2, 0, -1]]


def test_evaluation_ranks_all_items_and_measures_each_customer():
    train = read_ratings([[1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 0]])
    test = read_ratings([[0, 0, 1, 1], [0, 0, 1, 0], [0, 0, 0, 0]])
    popularity = Popularity("popularity")
    popularity.fit(Histories.of_matrix(train))
    found = evaluate(popularity, train, test, at=(1, 2))
    assert found.customers.tolist() == [0, 1]  # the third wanted nothing
    # 0 has 0, 1: ranked 2, 3, both wanted. 1 has 0: ranked 1, 2; the wanted one is second.
    assert found.values["recall@1"].tolist() == [0.5, 0.0]
    assert found.values["recall@2"].tolist() == [1.0, 1.0]
    assert found.values["mrr@2"].tolist() == [1.0, 0.5]
    assert found.coverage == {"coverage@1": 0.5, "coverage@2": 0.75}


def test_evaluation_refuses_what_does_not_fit():
    popularity, train = Popularity("popularity"), read_ratings([[1, 0]])
    popularity.fit(Histories.of_matrix(train))
    with pytest.raises(InvalidInput, match="same customers and items"):
        evaluate(popularity, train, read_ratings([[1, 0, 0]]))
    with pytest.raises(NotEnoughData, match="nothing to measure"):
        evaluate(popularity, train, read_ratings([[0, 0]]))
    with pytest.raises(InvalidInput, match="at least 1"):
        evaluate(popularity, train, train, at=(0,))
