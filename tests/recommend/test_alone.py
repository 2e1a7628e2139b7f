"""A learnt model says of one history what it says of it among many, to the rounding of a sum."""

from dataclasses import replace

import numpy as np
import pytest

from lingxi.recommend import among, kernels, scratch
from lingxi.recommend.gathered import find_linear
from lingxi.recommend.graph import GraphFilter
from lingxi.recommend.histories import CART, DAY, NOBODY, ORDER, VIEW, Histories
from lingxi.recommend.history import USUAL, Weighting
from lingxi.recommend.learned import Learned
from lingxi.recommend.matrix import build_csr, densify, transpose
from lingxi.recommend.neighbourhoods import UserKnn
from lingxi.recommend.operators import ItemKnn, Rp3Beta
from lingxi.recommend.sessions import SessionKnn
from lingxi.recommend.signals import Signs, make_signals
from lingxi.recommend.signals_alone import can_signal_alone, signal_alone
from lingxi.recommend.transitions import Transitions

ROWS, ITEMS, TERMS = 120, 260, 50  # more items than a model is heard with
WEIGHTS = (1.0, 0.5, 0.2, 0.8, 0.3, 0.2, 0.1, 0.2, -0.1, 0.3)
SIMILARITIES = ("cosine", "pearson_zero_filled", "tfidf", "bm25", "jaccard", "log_likelihood")


def _make_taught(*, described: bool = True) -> Histories:
    """Two tastes; some buy one item several times, one has a single event and one has none."""
    rng = np.random.default_rng(8)
    lengths = rng.integers(2, 50, ROWS)
    lengths[0], lengths[1] = 1, 0
    rows = np.repeat(np.arange(ROWS), lengths)
    own = rng.integers(0, ITEMS // 2, len(rows)) * 2 + rows % 2
    items = np.where(rng.random(len(rows)) < 0.8, own, rng.integers(0, ITEMS, len(rows)))
    made = Histories.of_events(
        rows,
        items,
        (ROWS, ITEMS),
        moments=rng.integers(0, 300, len(rows)) * DAY + rng.integers(0, 3, len(rows)) * 10**9,
        kinds=rng.choice([VIEW, CART, ORDER], len(rows)),
        weights=rng.integers(1, 4, len(rows)).astype(np.float32),
    )
    terms = np.sort(rng.integers(0, TERMS, (ITEMS, 3)), axis=1) + np.arange(3) * TERMS
    about = build_csr(
        rng.random(3 * ITEMS), terms.reshape(-1), np.arange(ITEMS + 1) * 3, (ITEMS, 3 * TERMS)
    )
    return replace(made, about=about if described else None)


@pytest.fixture(scope="module")
def taught() -> Histories:
    return _make_taught()


@pytest.fixture(scope="module")
def learned(taught: Histories) -> Learned:
    faded = Weighting(half_life_days=40.0)
    scorer = Learned(
        "learned",
        (
            ItemKnn("items", k=60, heard=faded),
            Rp3Beta("walk", k=80),
            UserKnn("users", "cosine", k=12),
            Transitions("next"),
        ),
        WEIGHTS,
    )
    scorer.fit(taught)
    return scorer


@pytest.mark.parametrize("wide", [False, True])
def test_one_history_is_scored_as_among_many(learned, taught, wide, monkeypatch):
    if wide:  # as in a large catalogue, of which a history touches little
        monkeypatch.setattr(scratch, "_NARROW", 0)
        monkeypatch.setattr(scratch, "_SPARSE", 0)
    among = learned.score(taught)
    assert (among > 0).sum(axis=1).max() > 100
    for row in range(0, ROWS, 5):
        own = taught.take(np.array([row]))
        single = learned.score(own)[0]
        assert ((single > 0) == (among[row] > 0)).all()
        np.testing.assert_allclose(single, among[row], rtol=2e-6)
        items, scores = learned.list_scores(own)
        assert single[items].tolist() == scores.tolist()
        assert len(items) == (single > 0).sum()


@pytest.mark.parametrize("wide", [False, True])
def test_reasons_of_one_history_are_those_among_many(learned, taught, wide, monkeypatch):
    rows = np.arange(2, ROWS, 9)
    asked = taught.take(rows)
    lists = np.argsort(-learned.score(asked), axis=1, kind="stable")[:, :6]
    among = densify(learned.explain(asked, lists)).reshape(len(rows), 6, ITEMS)
    if wide:  # as in a large catalogue, where the cells found are kept for reasons
        monkeypatch.setattr(scratch, "_NARROW", 0)
        monkeypatch.setattr(scratch, "_SPARSE", 0)
        again = densify(learned.explain(asked.take(np.arange(len(rows))), lists))
        np.testing.assert_allclose(again.reshape(among.shape), among, rtol=1e-9, atol=1e-15)
    for at in range(len(rows)):
        single = learned.explain(asked.take(np.array([at])), lists[at : at + 1])
        np.testing.assert_allclose(densify(single), among[at], rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("cells", [500, 500_000])
def test_many_histories_at_once_list_what_each_lists(learned, taught, cells, monkeypatch):
    monkeypatch.setattr(among, "_CELLS", cells)  # gathered one by one, and many in a step
    indptr, items, scores = learned.list_many(taught)
    assert len(indptr) == ROWS + 1
    for row in range(ROWS):
        own = slice(int(indptr[row]), int(indptr[row + 1]))
        found, odds = learned.list_scores(taught.take(np.array([row])))
        assert items[own].tolist() == found.tolist()
        np.testing.assert_allclose(scores[own], odds, rtol=2e-6)


def test_an_operator_explains_many_by_their_rows_as_by_its_columns(learned, taught):
    lists = np.argsort(-learned.score(taught), axis=1, kind="stable")[:, :6]
    for part in learned.parts:
        by_rows = among.explain_part(part, taught, lists, scratch.Scratch(ITEMS))
        wanted = densify(part.explain(taught, lists))
        np.testing.assert_allclose(densify(by_rows), wanted, rtol=1e-12)
        assert by_rows.shape == (ROWS * 6, ITEMS)


def test_nothing_is_said_where_nobody_did_anything(learned, taught):
    nothing = taught.take(np.array([1]))
    items, scores = learned.list_scores(nothing)
    assert len(items) == len(scores) == 0
    assert not learned.score(nothing).any()
    assert not densify(learned.explain(nothing, np.array([[3, 4]]))).any()


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("described", [True, False])
def test_signals_of_one_history_are_those_among_many(learned, described, compiled, monkeypatch):
    if not compiled:  # a SciPy without its own loops
        for name in ("_add", "_add_each", "_multiply_each"):
            monkeypatch.setattr(kernels, name, None)
    taught = _make_taught(described=described)
    signs, near = Signs.read(taught), ItemKnn("near", k=40)
    near.fit(taught)
    items, terms = scratch.Scratch(ITEMS), scratch.Scratch(3 * TERMS)
    for row in (0, 2, 3, 40, 77):
        own = taught.take(np.array([row]))
        asked = learned._weigh(own).asked
        assert can_signal_alone(own, near.operator)
        found = signal_alone(own, asked, signs, near.operator, items, terms)
        wanted = make_signals(own, asked, signs, near.operator)
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("few", [False, True])
def test_neighbours_of_one_are_those_among_many(taught, similarity, few, monkeypatch):
    from lingxi.recommend import neighbourhoods

    if few:  # as among so many customers that a history touches few of them
        monkeypatch.setattr(neighbourhoods, "_MANY", 0)
    scorer = UserKnn("users", similarity, k=9)
    scorer.fit(taught)
    asked = replace(taught, rows=np.where(np.arange(ROWS) % 2, NOBODY, np.arange(ROWS)))
    among = scorer._find(asked.weigh(USUAL), asked.rows)
    for row in range(0, ROWS, 7):
        own = asked.take(np.array([row]))
        found = scorer.find_neighbours(own)
        start, stop = among.indptr[row], among.indptr[row + 1]
        assert found.indices.tolist() == among.indices[start:stop].tolist()
        assert found.data.tolist() == pytest.approx(among.data[start:stop].tolist())
        np.testing.assert_allclose(
            scorer.score(own)[0], scorer.score(asked.take(np.array([row, row])))[0], rtol=1e-6
        )


def test_a_model_of_sessions_speaks_through_its_own_road(taught):
    scorer = Learned("learned", (SessionKnn("sessions"), ItemKnn("items", k=20)), WEIGHTS[:6])
    scorer.fit(taught)
    among = scorer.score(taught)
    for row in (2, 30):
        own = taught.take(np.array([row]))
        np.testing.assert_allclose(scorer.score(own)[0], among[row], rtol=2e-6)
        lists = np.argsort(-among[row : row + 1], axis=1)[:, :3]
        told = densify(scorer.explain(own, lists)).sum(axis=1)
        listed = among[row, lists[0]]
        assert ((told == 0) | (np.abs(told / listed - 1) < 1e-5)).all()


@pytest.mark.parametrize("stored_first", [True, False])
def test_whether_a_graph_filter_is_an_operator_is_asked_of_each_and_not_of_its_class(stored_first):
    rows = np.repeat(np.arange(12), 3)
    taught = Histories.of_events(rows, (rows + np.tile(np.arange(3), 12)) % 8, (12, 8))
    fresh, stored = GraphFilter("graph"), GraphFilter("graph")
    for graph in (fresh, stored):
        graph.fit(taught)
    stored.operator = stored.multiply_out()
    stored.columns = transpose(stored.operator)  # as its loading has it
    for graph in (stored, fresh) if stored_first else (fresh, stored):
        assert (find_linear(graph) is not None) == (graph is stored)
