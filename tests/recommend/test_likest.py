"""The nearest rows without what nearly all rows have: the same as by the whole product."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingxi.recommend.likest import Likest
from lingxi.recommend.matrix import build_csr, keep_best, sum_pairs, transpose

TERMS = 12


def _make(rows):
    """Rows of terms, the first ones common, with weights that tie often."""
    owners = [row for row, terms in enumerate(rows) for _ in terms]
    terms = [term for terms in rows for term in sorted(terms)]
    weights = [1.0 / (1 + term % 4) for term in terms]
    return sum_pairs(
        np.array(owners, int), np.array(terms, int), np.array(weights), (len(rows), TERMS)
    )


ROWS = st.lists(st.sets(st.integers(0, TERMS - 1), max_size=5), min_size=1, max_size=40)


@given(ROWS, ROWS, st.integers(1, 6), st.integers(0, 15))
def test_the_nearest_are_those_of_the_whole_product(known, asked, n, common):
    vectors, wanted = _make(known), _make(asked)
    found = Likest(vectors, common=common).find(wanted, n)
    whole = keep_best(wanted @ transpose(vectors), n)
    assert found.shape == whole.shape
    assert found.indptr.tolist() == whole.indptr.tolist()
    assert found.indices.tolist() == whole.indices.tolist()
    assert found.data.tolist() == whole.data.tolist()


def test_a_term_that_everybody_has_is_not_multiplied_out(monkeypatch):
    n_items = 400
    columns = np.column_stack([np.zeros(n_items, int), 1 + np.arange(n_items) // 20])
    vectors = build_csr(
        np.tile([0.1, 1.0], n_items),
        columns.reshape(-1),
        np.arange(n_items + 1) * 2,
        (n_items, 21),
    )
    likest = Likest(vectors, common=50)
    monkeypatch.setattr(likest, "_find_all", lambda *_: pytest.fail("the whole product"))
    near = likest.find(vectors, 5)
    assert likest._rare.nnz == n_items
    assert near.indices[:5].tolist() == [0, 1, 2, 3, 4]
