"""Changed rows put into a fitted model give what a fit on everything gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingxi.errors import InvalidInput, NotTrained
from lingxi.recommend.histories import DAY, Histories
from lingxi.recommend.history import Weighting
from lingxi.recommend.matrix import densify
from lingxi.recommend.operators import ItemKnn
from lingxi.recommend.popularity import Popularity
from lingxi.recommend.scorer import Incremental

N_ITEMS = 6
EVENTS = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, N_ITEMS - 1), st.integers(0, 9)), max_size=30
)


def _build(events, n_rows=6):
    table = np.array(events, dtype=np.int64).reshape(-1, 3)
    return Histories.of_events(
        table[:, 0], table[:, 1], (n_rows, N_ITEMS), moments=table[:, 2] * DAY
    )


def _models(half_life):
    taught = Weighting(half_life_days=half_life)
    yield Popularity("popularity", taught)
    for similarity in ("cosine", "jaccard", "pearson_zero_filled", "log_likelihood", "tfidf"):
        yield ItemKnn(similarity, similarity, k=3, length=4, taught=taught)


def _numbers(model):
    return model.weights if isinstance(model, Popularity) else densify(model.operator)


@settings(max_examples=40, deadline=None)
@given(
    old=EVENTS,
    new=EVENTS,
    rows=st.sets(st.integers(0, 5), max_size=4),
    gone=st.booleans(),
    half_life=st.sampled_from([0.0, 4.0]),
)
def test_an_update_equals_a_full_refit(old, new, rows, gone, half_life):
    changed = sorted(rows)
    rest = [e for e in old if e[0] not in rows]
    mine = [] if gone else [e for e in old if e[0] in rows]
    later = mine + [e for e in new if e[0] in rows]
    before, everything = _build(old), _build(rest + later)
    at = np.array(changed, dtype=np.int64)
    for model, fresh in zip(_models(half_life), _models(half_life), strict=True):
        assert isinstance(model, Incremental)
        model.fit(before)
        model.update(before.take(at), everything.take(at))
        fresh.fit(everything)
        np.testing.assert_allclose(_numbers(model), _numbers(fresh), atol=1e-7)


def test_customers_who_were_not_there_are_put_in_too():
    events = [(0, 0, 1), (0, 1, 2), (1, 1, 1), (1, 2, 3)]
    newcomer = [(7, 0, 4), (7, 2, 5)]
    everything = _build(events + newcomer, n_rows=8)
    model, fresh = ItemKnn("a", "cosine", k=3), ItemKnn("a", "cosine", k=3)
    model.fit(_build(events, n_rows=2))
    model.update(_build([], n_rows=8).take(np.array([7])), everything.take(np.array([7])))
    fresh.fit(everything)
    np.testing.assert_allclose(densify(model.operator), densify(fresh.operator))
    assert densify(model.operator)[0, 2] > 0


def test_what_cannot_be_put_in_is_refused():
    model = ItemKnn("a", "cosine", k=3)
    with pytest.raises(NotTrained, match="Fit anew"):
        model.update(_build([]), _build([]))
    model.fit(_build([(0, 0, 1), (0, 1, 1)]))
    one, two = np.array([0]), np.array([1])
    with pytest.raises(InvalidInput, match="same rows"):
        model.update(_build([]).take(one), _build([]).take(two))
    with pytest.raises(InvalidInput, match="of nobody"):
        model.update(_build([]).take(one).of_nobody(), _build([]).take(one).of_nobody())
