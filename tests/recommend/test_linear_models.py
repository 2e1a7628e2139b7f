"""Graph filters, regression and factorisation against dense algebra and by construction."""

from datetime import UTC, datetime

import numpy as np
import pytest

from lingxi.clock import FixedClock
from lingxi.errors import InvalidInput
from lingxi.recommend import regression
from lingxi.recommend.als import Als
from lingxi.recommend.graph import GraphFilter
from lingxi.recommend.histories import Histories
from lingxi.recommend.history import LINEAR
from lingxi.recommend.matrix import densify
from lingxi.recommend.ratings import read_ratings
from lingxi.recommend.regression import Ease, Slim
from lingxi.recommend.spectrum import find_right_vectors
from lingxi.recommend.systems import Systems
from lingxi.store import Artefacts

RNG = np.random.default_rng(8)
TABLE = RNG.integers(1, 4, (40, 14)) * (RNG.random((40, 14)) < 0.35)
TABLE[:, 5] = 0  # an item nobody has
PLAIN = {"taught": LINEAR, "heard": LINEAR}
X = TABLE.astype(np.float64)
HISTORIES = Histories.of_matrix(read_ratings(TABLE))


def _fit(scorer):
    scorer.fit(HISTORIES)
    return scorer


def _even():
    customers, items = X.sum(axis=1), X.sum(axis=0)
    left = np.where(customers > 0, customers, 1) ** -0.5
    return left[:, None] * X * np.where(items > 0, items, 1) ** -0.5


def _sharp(customer, given, wanted):
    customers, items = np.maximum(X.sum(axis=1), 1), np.maximum(X.sum(axis=0), 1)
    met = X.T @ (customers[:, None] ** -customer * X)
    cells = items[:, None] ** -given * met * items**-wanted
    return cells * (_even().T @ _even()).sum() / cells.sum()


def _smooth(shape, weights):
    """The filter by dense algebra, 14 items carrying no more than 3 singular vectors."""
    low, sharpen = weights
    even = _even().T @ _even()
    v = np.linalg.svd(_even(), full_matrices=False)[2][:3].T
    root = np.sqrt(X.sum(axis=0))
    broad = np.divide(1, root, out=np.zeros(14), where=root > 0)[:, None] * (v @ v.T) * root
    return (_sharp(*shape) + low * broad) @ (np.eye(14) - sharpen * even)


@pytest.mark.parametrize("weights", [(0.0, 0.0), (0.35, 0.8), (0.3, 0.0), (0.0, 0.5)])
@pytest.mark.parametrize("shape", [(0.8, 0.5, 0.3), (1.2, 0.3, 0.1)])
def test_a_graph_filter_is_its_terms_sharpened(weights, shape):
    customer, given, wanted = shape
    named = {"customer": customer, "given": given, "wanted": wanted}
    scorer = _fit(GraphFilter("g", **named, rank=5, weights=weights, **PLAIN))
    whole = _smooth(shape, weights)
    np.testing.assert_allclose(densify(scorer.multiply_out()), whole, atol=2e-4)
    np.testing.assert_allclose(scorer.score(HISTORIES), X @ whole, atol=2e-3)
    some = RNG.integers(0, 14, (40, 5))
    terms = scorer.score_terms(HISTORIES, some)
    total = sum(w * t for w, t in zip(scorer.spread(weights), terms, strict=True))
    asked = np.take_along_axis(scorer.score(HISTORIES), some, axis=1)
    np.testing.assert_allclose(total, asked, atol=1e-4)


def test_a_fresh_filter_says_what_each_item_gave():
    scorer = _fit(GraphFilter("g", rank=5, **PLAIN))
    lists = RNG.integers(0, 14, (40, 3))
    given = densify(scorer.explain(HISTORIES, lists))
    whole = densify(scorer.multiply_out())
    for row in range(40):
        shares = X[row][:, None] * whole[:, lists[row]]
        np.testing.assert_allclose(given[row * 3 : row * 3 + 3].T, shares, atol=1e-4)


def test_too_many_items_for_one_operator_are_stored_sharpened_with_factors(tmp_path, monkeypatch):
    monkeypatch.setattr("lingxi.recommend.graph.MOST_MULTIPLIED", 5)
    fresh, stored = _fit(GraphFilter("g", rank=5, **PLAIN)), GraphFilter("g", **PLAIN)
    artefacts = Artefacts(tmp_path, FixedClock(datetime(2026, 1, 1, tzinfo=UTC)))
    with artefacts.write("graph") as writer:
        fresh.save(writer, "mine", np.arange(40))
    stored.load(artefacts.current("graph"), "mine")
    assert stored.left.shape[1] == 3
    np.testing.assert_allclose(stored.score(HISTORIES), fresh.score(HISTORIES), atol=1e-4)


def test_a_stored_filter_is_one_operator_of_the_largest_weights():
    weights = (0.35, 0.8)
    whole = _fit(GraphFilter("g", rank=3, weights=weights, **PLAIN))
    full = densify(whole.multiply_out())
    short = _fit(GraphFilter("g", rank=3, weights=weights, length=4, **PLAIN))
    cut = densify(short.multiply_out())
    for row in range(14):
        kept = np.flatnonzero(cut[row])
        assert len(kept) <= 4
        if len(kept):
            np.testing.assert_allclose(cut[row][kept], full[row][kept], atol=1e-6)
            assert np.abs(cut[row][kept]).min() >= np.abs(np.delete(full[row], kept)).max() - 1e-6


def test_singular_vectors_are_those_of_the_dense_decomposition():
    vectors, values = find_right_vectors(read_ratings(TABLE), 6, passes=8)
    _, wanted, rows = np.linalg.svd(X)
    np.testing.assert_allclose(values, wanted[:6], rtol=1e-3)
    np.testing.assert_allclose(vectors @ vectors.T, rows[:6].T @ rows[:6], atol=1e-2)
    assert find_right_vectors(read_ratings([[1, 0]]), 50)[0].shape == (2, 1)


def test_singular_vectors_of_dependent_columns_are_orthogonal():
    twice = np.repeat(X, 2, axis=1)
    vectors, values = find_right_vectors(read_ratings(twice), 5, passes=8)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(5), atol=1e-4)
    np.testing.assert_allclose(values, np.linalg.svd(twice)[1][:5], rtol=1e-3)


def test_ease_is_its_closed_form_and_slim_with_all_neighbours_is_the_same():
    met = X.sum(axis=0) > 0
    inverse = np.linalg.inv(X[:, met].T @ X[:, met] + 7.0 * np.eye(met.sum()))
    wanted = np.zeros((14, 14))
    wanted[np.ix_(met, met)] = -inverse / np.diag(inverse)
    np.fill_diagonal(wanted, 0)
    ease = _fit(Ease("ease", reg=7.0, **PLAIN))
    np.testing.assert_allclose(densify(ease.operator), wanted, atol=1e-5)
    np.testing.assert_allclose(ease.score(HISTORIES), X @ wanted, atol=1e-3)
    everyone = (X.T @ X > 0)[:, met].all(axis=1) & met
    slim = densify(_fit(Slim("slim", k=13, reg=7.0, **PLAIN)).operator)
    assert everyone.sum() > 3
    np.testing.assert_allclose(slim[:, everyone], wanted[:, everyone], atol=1e-4)


@pytest.mark.parametrize("products", [1, 60, 10**9])
def test_the_systems_of_slim_are_parts_of_the_gram_matrix_whatever_the_bands(products):
    near = np.sort(RNG.permuted(np.tile(np.arange(14), (14, 1)), axis=1)[:, :4], axis=1)
    near[3, 2:], near[5] = -1, -1
    systems = Systems.find(read_ratings(TABLE.T), near, products)
    gram, (left, right) = X.T @ X, np.triu_indices(4)
    for item in range(14):
        there = near[item] >= 0
        wanted = gram[near[item][left], near[item][right]]
        both = there[left] & there[right]
        np.testing.assert_array_equal(systems.among[item][both], wanted[both])
        np.testing.assert_array_equal(systems.wanted[item][there], gram[near[item][there], item])


def test_slim_solves_each_item_over_its_nearest_neighbours():
    slim = densify(_fit(Slim("slim", k=4, reg=3.0, **PLAIN)).operator)
    gram = X.T @ X
    lengths = np.sqrt(np.diag(gram))
    for item in np.flatnonzero(lengths):
        near = np.flatnonzero(slim[:, item])
        assert len(near) <= 4
        system = gram[np.ix_(near, near)] + 3.0 * np.eye(len(near))
        np.testing.assert_allclose(
            slim[near, item], np.linalg.solve(system, gram[near, item]), atol=1e-4
        )
        cosines = np.where(lengths > 0, gram[item] / np.maximum(lengths, 1) / lengths[item], 0)
        others = np.delete(cosines, [item, *near])
        assert cosines[near].min() >= others.max() - 1e-9


def test_ease_keeps_the_largest_weights_and_refuses_too_many_items(monkeypatch):
    whole = densify(_fit(Ease("ease", reg=2.0, **PLAIN)).operator)
    cut = densify(_fit(Ease("ease", reg=2.0, length=3, **PLAIN)).operator)
    for row in range(14):
        kept = np.flatnonzero(cut[row])
        assert len(kept) <= 3
        np.testing.assert_array_equal(cut[row][kept], whole[row][kept])
        if len(kept):
            assert np.abs(whole[row][kept]).min() >= np.abs(np.delete(whole[row], kept)).max()
    monkeypatch.setattr(regression, "MOST_DENSE", 10)
    with pytest.raises(InvalidInput, match="slim"):
        _fit(Ease("ease"))


def test_ease_leaves_out_the_items_fewest_met_where_the_others_hold_nearly_all(monkeypatch):
    monkeypatch.setattr(regression, "MOST_DENSE", 12)
    counts = (X > 0).sum(axis=0)
    kept = np.delete(np.arange(14), [5, np.flatnonzero(counts == counts[counts > 0].min())[-1]])
    part = X[:, kept]
    assert (part > 0).sum() >= 0.9 * (X > 0).sum()
    inverse = np.linalg.inv(part.T @ part + 7.0 * np.eye(12))
    wanted = np.zeros((14, 14))
    wanted[np.ix_(kept, kept)] = -inverse / np.diag(inverse)
    np.fill_diagonal(wanted, 0)
    ease = _fit(Ease("ease", reg=7.0, **PLAIN))
    np.testing.assert_allclose(densify(ease.operator), wanted, atol=1e-5)


EMPTY = 0.2 * int(X.any(axis=0).sum() * X.any(axis=1).sum()) / X.sum()
"""So many times the weight of what happened makes the weight of a cell 0.2."""


def test_als_folds_a_history_in_exactly():
    scorer = _fit(Als("als", factors=5, epochs=6, reg=0.01, unobserved=EMPTY, **PLAIN))
    q = scorer.items.astype(np.float64)
    scores = scorer.score(HISTORIES)
    for row in (0, 7, 23):
        size = X[row].sum() + 0.2 * 14
        system = (q * X[row][:, None]).T @ q + 0.2 * q.T @ q + 0.01 * size * np.eye(5)
        wanted = q @ np.linalg.solve(system, q.T @ X[row])
        np.testing.assert_allclose(scores[row], wanted, atol=1e-5)


def test_als_lowers_its_loss_and_ranks_two_tastes_apart():
    def loss(scorer):
        s = scorer.score(HISTORIES)
        return float((X * (s - 1) ** 2).sum() + 0.2 * (s**2).sum())

    options = {"factors": 5, "reg": 0.001, "unobserved": EMPTY, **PLAIN}
    losses = [loss(_fit(Als("als", epochs=epochs, **options))) for epochs in (1, 3, 10)]
    assert losses == sorted(losses, reverse=True)
    tastes = np.kron(np.eye(2), np.ones((20, 7))) * (RNG.random((40, 14)) < 0.6)
    tastes[0], tastes[39] = np.eye(14)[0], np.eye(14)[13]
    scorer = Als("als", factors=2)
    scorer.fit(Histories.of_matrix(read_ratings(tastes)))
    scores = scorer.score(Histories.of_matrix(read_ratings(tastes)))
    assert scores[0, 1:7].min() > scores[0, 7:].max()
    assert scores[39, 7:13].min() > scores[39, :7].max()
