"""Sparse similarities against the plain functions, and input that cannot be used."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lingxi.errors import InvalidInput, NotTrained
from lingxi.recommend import matrix
from lingxi.recommend.pairs import likelihood
from lingxi.recommend.ratings import NeighbourModel, read_ratings, recommend_from_ratings
from lingxi.recommend.similarity import (
    adjusted_cosine,
    cosine,
    find_neighbours,
    jaccard,
    log_likelihood,
    pearson,
    pearson_zero_filled,
)

PLAIN = {"cosine": cosine, "pearson": pearson, "pearson_zero_filled": pearson_zero_filled}
SIMILARITIES = [*PLAIN, "jaccard", "log_likelihood", "adjusted_cosine", "tfidf", "bm25"]


def _plain(similarity, rows, a, b):
    """The formula for two rows of a table, from the vectors alone."""
    if similarity in PLAIN:
        return PLAIN[similarity](rows[a], rows[b])
    if similarity in ("jaccard", "log_likelihood"):
        return {"jaccard": jaccard, "log_likelihood": log_likelihood}[similarity](rows[a], rows[b])
    had = (rows > 0).sum(axis=0)
    if similarity == "adjusted_cosine":
        return adjusted_cosine(rows[a], rows[b], rows.sum(axis=0) / np.maximum(had, 1))
    n = len(rows)
    if similarity == "tfidf":
        weighed = rows * np.log(1 + n / np.maximum(had, 1))
        return cosine(weighed[a], weighed[b])
    sums = rows.sum(axis=1)
    mean = sums[sums > 0].mean() if sums.any() else 1.0
    rarity = np.log(1 + (n - had + 0.5) / (had + 0.5))
    weighed = rarity * rows * 2.2 / (rows + 1.2 * (0.25 + 0.75 * sums / mean)[:, None])
    return float(weighed[a] @ weighed[b])


TABLES = arrays(
    np.int64, st.tuples(st.integers(1, 9), st.integers(1, 7)), elements=st.integers(0, 5)
)


@pytest.mark.parametrize("similarity", SIMILARITIES)
@settings(max_examples=40, deadline=None)
@given(table=TABLES, k=st.integers(1, 9))
def test_neighbours_equal_the_plain_formula_sorted(similarity, table, k):
    near = find_neighbours(read_ratings(table), k, similarity).toarray()
    rows = table.astype(np.float64)
    for a in range(len(rows)):
        values = {}
        for b in range(len(rows)):
            value = _plain(similarity, rows, a, b) if a != b else None
            if value is not None and round(value, 12) > 0:
                values[b] = value
        order = sorted(values, key=lambda b: (-round(values[b], 12), b))[:k]
        assert np.flatnonzero(near[a]).tolist() == sorted(order)
        assert near[a][order] == pytest.approx([values[b] for b in order], abs=1e-11)


def test_blocks_of_any_size_give_the_same_neighbours(monkeypatch):
    rng = np.random.default_rng(3)
    table = read_ratings(rng.integers(0, 6, (40, 15)) * (rng.random((40, 15)) < 0.4))
    whole = [find_neighbours(table, 5, s).toarray() for s in PLAIN]
    blocks = list(matrix.row_blocks(table, matrix.transpose(table), 50))
    assert len(blocks) > 5
    monkeypatch.setattr("lingxi.recommend.similarity.row_blocks", lambda *_: iter(blocks))
    for similarity, wanted in zip(PLAIN, whole, strict=True):
        np.testing.assert_array_equal(find_neighbours(table, 5, similarity).toarray(), wanted)


def test_shrinkage_lowers_what_few_share_most():
    table = read_ratings([[1, 0, 0, 1], [1, 0, 0, 1], [1, 0, 0, 0]])
    near = find_neighbours(table, 2, "cosine", shrinkage=2.0).toarray()
    assert near[0, 1] == pytest.approx(1.0 * 2 / 4)
    assert near[0, 2] == pytest.approx(1 / np.sqrt(2) * 1 / 3)


@settings(max_examples=60, deadline=None)
@given(
    table=TABLES,
    k=st.integers(1, 5),
    method=st.sampled_from(["user", "item"]),
    similarity=st.sampled_from(SIMILARITIES),
    centred=st.booleans(),
)
def test_nothing_rated_is_recommended_and_nobody_is_their_own_neighbour(
    table, k, method, similarity, centred
):
    model = NeighbourModel(method, similarity, k=k, centred=centred).fit(table)
    for row in range(table.shape[0] if method == "user" else table.shape[1]):
        near = model.neighbours(row)
        assert row not in {one.index for one in near}
        assert len(near) <= k
        assert all(one.value > 0 for one in near)
    for customer in range(table.shape[0]):
        found = model.recommend(customer, 3)
        assert all(table[customer, one.index] == 0 for one in found)
        assert len({one.index for one in found}) == len(found) <= 3
        assert all(np.isfinite(one.value) for one in found)
        assert found == sorted(found, key=lambda one: (-one.value, one.index))


@settings(max_examples=40, deadline=None)
@given(table=TABLES, method=st.sampled_from(["user", "item"]), k=st.integers(1, 5))
def test_an_uncentred_prediction_lies_between_the_ratings_it_averages(table, method, k):
    model = NeighbourModel(method, "cosine", k=k).fit(table)
    for customer in range(table.shape[0]):
        for item, value in model.predict(customer).items():
            said = table[:, item] if method == "user" else table[customer]
            assert said[said > 0].min() - 1e-9 <= value <= said.max() + 1e-9


@pytest.mark.parametrize(
    ("ratings", "words"),
    [
        ([[1.0, float("nan")]], "missing"),
        ([[1.0, float("inf")]], "infinite"),
        ([[1, -2]], "negative"),
        ([1, 2, 3], "1 dimension"),
        (7, "0 dimension"),
        ([[1, 2], [3]], "same length"),
        ([["5", "3"]], "must be numbers"),
        ([[None, 3]], "must be numbers"),
        ([], "dimension"),
        ([[]], "empty"),
        (np.zeros((0, 4)), "empty"),
    ],
)
def test_ratings_that_cannot_be_used_are_refused_in_a_sentence(ratings, words):
    with pytest.raises(InvalidInput, match=words):
        recommend_from_ratings(ratings)


@pytest.mark.parametrize("bad", [0, -1, 1.5, True, "3", None])
def test_counts_below_one_or_not_whole_are_refused(bad):
    with pytest.raises(InvalidInput, match="at least 1"):
        NeighbourModel(k=bad)
    with pytest.raises(InvalidInput, match="at least 1"):
        recommend_from_ratings([[1, 2]], n=bad)


def test_unknown_names_and_rows_are_refused():
    with pytest.raises(InvalidInput, match="did you mean 'user'"):
        NeighbourModel("users")
    with pytest.raises(InvalidInput, match="no similarity"):
        NeighbourModel("user", "euclid")
    model = NeighbourModel().fit([[1, 2]])
    with pytest.raises(InvalidInput, match="no customer 1"):
        model.recommend(1)
    with pytest.raises(InvalidInput, match="no customer -1"):
        model.neighbours(-1)
    with pytest.raises(NotTrained, match="fit"):
        NeighbourModel().recommend(0)


@pytest.mark.parametrize("n", range(1, 40))
def test_who_has_everything_is_no_infinity_to_another_who_has_everything(n: int) -> None:
    """The square of a root is a count but for its last bit, and what nobody lacks is nothing."""
    count, square = np.array([float(n)]), np.array([np.sqrt(n) ** 2])
    assert likelihood(count, count, square, float(n)).tolist() == [0.0]
