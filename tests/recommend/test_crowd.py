"""Lists of many customers at once are those of each alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from lingxi.recommend import crowd as crowds
from lingxi.recommend import scratch
from lingxi.recommend.blend import Blend
from lingxi.recommend.crowd import Crowd, CrowdLists
from lingxi.recommend.families import build_scorer, make_recipe
from lingxi.recommend.histories import Histories
from lingxi.recommend.matrix import scale, sum_pairs, transpose
from lingxi.recommend.model import Model
from lingxi.recommend.newcomers import StandIns
from lingxi.recommend.quick import QuickModel, Voice

N_ITEMS, N_NEW = 600, 3


def _scorer(seed: int, *, against: bool = False):
    rng = np.random.default_rng(seed)
    rows, items = rng.integers(0, 90, 2000), rng.integers(0, N_ITEMS, 2000)
    scorer = build_scorer(make_recipe("rp3beta", {"k": 12}))
    scorer.fit(Histories.of_matrix(sum_pairs(rows, items, np.ones(2000), (90, N_ITEMS))))
    if against:
        signs = np.where(np.arange(len(scorer.operator.data)) % 3, 1, -2)
        scorer.operator = scale(scorer.operator, (scorer.operator.data * signs).astype(np.float32))
        scorer.columns = transpose(scorer.operator)
    return scorer


def _model(scorer) -> Model:
    trend = np.random.default_rng(9).choice([0.5, 1.0, 2.0], N_ITEMS)
    return Model(make_recipe("rp3beta"), scorer, trend)


MODELS = (
    _model(_scorer(1)),
    _model(_scorer(2, against=True)),
    _model(Blend("blend", [_scorer(3), _scorer(4)], [0.4, 1.7])),
)
_histories = st.lists(
    st.lists(st.integers(0, N_ITEMS - 1), max_size=25, unique=True), min_size=1, max_size=7
)


@settings(max_examples=80, deadline=None)
@given(
    histories=_histories,
    which=st.integers(0, len(MODELS) - 1),
    n=st.integers(1, 12),
    seed=st.integers(0, 10**6),
    width=st.sampled_from([1, 2 * N_ITEMS, 10**6]),
    cells=st.sampled_from([1, 300, 10**6]),
    lends=st.booleans(),
)
def test_many_at_once_get_the_lists_of_each_alone(histories, which, n, seed, width, cells, lends):
    rng = np.random.default_rng(seed)
    quick = QuickModel.of(MODELS[which])
    assert quick.adds_up
    opened = rng.random(N_ITEMS + N_NEW) < 0.8
    gains = quick.trend * opened[:N_ITEMS]
    shares = sparse.random(N_NEW, N_ITEMS, 0.05, "csr", np.float32, random_state=seed)
    stand_ins = StandIns(shares) if lends else None
    items = [np.sort(np.array(each, dtype=np.int64)) for each in histories]
    weights = [rng.choice([0.5, 1.0, 3.0], len(each)) for each in items]
    barred = [np.append(each[rng.random(len(each)) < 0.4], N_ITEMS + 1) for each in items]
    crowd = Crowd(
        np.cumsum([0, *map(len, items)]), np.concatenate(items), np.concatenate(weights), barred
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crowds, "_WIDTH", width)
        patch.setattr(crowds, "_CELLS", cells)
        patch.setattr(scratch, "BUSIEST", 550)
        found = CrowdLists(quick, gains, n, stand_ins, opened).make(crowd)
    assert len(found) == len(histories)
    assert not quick._scratch.sums.any()
    for row, own, worth, closed in zip(found, items, weights, barred, strict=True):
        voices = [Voice.of(own, worth, stand_ins)]
        alone = quick.list_row(voices, gains, closed, n, stand_ins, opened)
        if row is None:  # a new item may belong there
            assert lends
            continue
        assert row.listed.tolist() == alone.listed.tolist()
        tables = []
        for each in (row, alone):
            table = np.zeros((n, N_ITEMS))
            np.add.at(table, (each.places, each.causes), each.terms)
            tables.append(table)
        assert tables[0] == pytest.approx(tables[1], rel=1e-12, abs=1e-15)
        assert (row.listed < N_ITEMS).all()


def test_whoever_may_be_shown_a_new_item_is_left_to_the_other_road():
    quick = QuickModel.of(MODELS[0])
    shares = sparse.csr_matrix(np.full((1, N_ITEMS), 1 / N_ITEMS, dtype=np.float32))
    opened = np.ones(N_ITEMS + 1, dtype=np.bool_)
    own = np.array([3, 50, 400])
    crowd = Crowd(np.array([0, 3, 3]), own, np.ones(3), [own, own[:0]])
    maker = CrowdLists(quick, quick.trend, N_ITEMS, StandIns(shares), opened)
    first, second = maker.make(crowd)
    assert first is None
    assert second is not None
    assert not len(second.listed)
    opened[N_ITEMS] = False
    first, _ = CrowdLists(quick, quick.trend, N_ITEMS, StandIns(shares), opened).make(crowd)
    assert first is not None
    assert not set(first.listed.tolist()) & set(own.tolist())


@pytest.mark.parametrize("which", range(len(MODELS)))
def test_new_items_are_lent_their_share_of_the_scores_and_nothing_of_those_below_0(which):
    rng = np.random.default_rng(which)
    quick = QuickModel.of(MODELS[which])
    shares = sparse.random(9, N_ITEMS, 0.05, "csr", np.float32, random_state=which)
    stand_ins = StandIns(shares)
    own = np.sort(rng.choice(N_ITEMS, 25, replace=False))
    voices = [Voice.of(own, rng.choice([0.5, 1.0, 3.0], 25), stand_ins)]
    alone = quick.spread(voices)
    scores = np.zeros(N_ITEMS, dtype=np.float32)
    scores[alone.items] = alone.scores
    assert (scores.min() < 0) == (which == 1)
    expected = stand_ins.lend(scores.take(shares.indices))
    assert (expected > 0).any()
    found = np.zeros(N_ITEMS + 9, dtype=np.float32)
    whole = quick.spread(voices, stand_ins)
    found[whole.items] = whole.scores
    assert found[N_ITEMS:] == pytest.approx(expected, rel=1e-5)
    assert found[:N_ITEMS].tolist() == scores.tolist()


def test_a_model_that_wants_nothing_lists_nothing():
    quick = QuickModel.of(Model(make_recipe("rp3beta"), MODELS[0].scorer, np.zeros(N_ITEMS)))
    crowd = Crowd(np.array([0, 2]), np.array([3, 50]), np.ones(2), [np.array([3])])
    opened = np.ones(N_ITEMS, dtype=np.bool_)
    (row,) = CrowdLists(quick, quick.trend, 5, None, opened).make(crowd)
    assert row is not None
    assert not len(row.listed)
