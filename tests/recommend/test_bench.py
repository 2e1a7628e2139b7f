"""The inner split: what is held back is the last where order is known, and nothing is lost."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingxi.errors import NotEnoughData
from lingxi.recommend.auto import _Hunt
from lingxi.recommend.bench import split_inside
from lingxi.recommend.dataset import Dataset
from lingxi.recommend.histories import Histories
from lingxi.recommend.matrix import densify
from lingxi.recommend.report import count_late
from lingxi.recommend.trials import gains_little

N_ITEMS = 6
EVENTS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, N_ITEMS - 1), st.integers(0, 6)), max_size=40
)


def _build(events, timed):
    table = np.array(events, dtype=np.int64).reshape(-1, 3)
    return Histories.of_events(
        table[:, 0], table[:, 1], (5, N_ITEMS), moments=table[:, 2] if timed else None
    )


@given(events=EVENTS, timed=st.booleans(), strangers=st.booleans(), seed=st.integers(0, 3))
def test_what_is_held_back_is_learnt_by_nobody_and_comes_last(events, timed, strangers, seed):
    taught = _build(events, timed)
    options = {"most": 100, "metric": "ndcg@3", "strangers": strangers}
    try:
        bench = split_inside(taught, rng=np.random.default_rng(seed), **options)
    except NotEnoughData:
        for row in range(5):  # then nobody has two events of different moments (items)
            column = 2 if timed else 1
            assert len({e[column] for e in events if e[0] == row}) < 2
        return
    learnt, wanted = densify(bench.taught.seen()), densify(bench.wanted)
    asked = densify(bench.asked.seen())
    assert (wanted.any(axis=1) & asked.any(axis=1)).all()
    for at, row in enumerate(bench.asked.rows.tolist()):
        if strangers:
            assert row == -1
        else:
            assert (learnt[row] == asked[at]).all()
            everything = {e[1] for e in events if e[0] == row}
            assert everything == set(np.flatnonzero(wanted[at] + asked[at]).tolist())
    if timed and not strangers:
        for at, row in enumerate(bench.asked.rows.tolist()):
            mine = [e for e in events if e[0] == row]
            cut = min(e[2] for e in mine if e[2] > bench.asked.take(np.array([at])).newest)
            assert set(np.flatnonzero(wanted[at]).tolist()) == {e[1] for e in mine if e[2] >= cut}
    if not timed:
        assert not (wanted * asked).any()


def test_seen_items_are_excluded_unless_they_may_be_shown():
    taught = _build([(0, 0, 1), (0, 1, 2), (1, 2, 1), (1, 3, 5)], True)
    options = {"rng": np.random.default_rng(0), "most": 10, "metric": "ndcg@2"}
    assert densify(split_inside(taught, **options).excluded).sum() == 2
    assert split_inside(taught, include_seen=True, **options).excluded.nnz == 0
    with pytest.raises(NotEnoughData, match="two events"):
        split_inside(_build([(0, 0, 1)], True), **options)


def test_where_order_is_unknown_half_of_the_customers_lose_what_belongs_together():
    tea, tools = range(6), range(6, 12)
    events = [(row, item) for row in range(40) for item in (tea if row % 2 else tools)]
    mixed = [(row, item) for row in range(40, 80) for item in (*tea, *tools)]
    table = np.array([*events, *mixed], dtype=np.int64)
    taught = Histories.of_events(table[:, 0], table[:, 1], (80, 12))
    bench = split_inside(taught, rng=np.random.default_rng(0), most=80, metric="ndcg@3")
    wanted = densify(bench.wanted)[40:]
    assert (wanted[::2].sum(axis=1) == 2).all()  # a fifth of twelve
    assert wanted[1::2].any(axis=1).all()
    one_kind = (wanted[:, :6].sum(axis=1) % 2) == 0
    assert one_kind[::2].all()
    assert not one_kind[1::2].all()
    assert bench.bunched[40:].tolist() == [True, False] * 20
    assert bench.thin(20).bunched.tolist() == bench.bunched[::4].tolist()


def test_a_gain_is_that_of_the_worse_way_to_hold_back():
    table = np.array([(row, item) for row in range(4) for item in range(5)], dtype=np.int64)
    taught = Histories.of_events(table[:, 0], table[:, 1], (4, 5))
    bench = split_inside(taught, rng=np.random.default_rng(0), most=4, metric="ndcg@3")
    before = np.array([0.5, 0.2, 0.5, 0.2])  # the first and third lost what belongs together
    assert bench.find_least_gain(before * 1.1, before) == pytest.approx(0.1)
    assert bench.find_least_gain(np.array([0.4, 0.4, 0.4, 0.4]), before) == pytest.approx(-0.2)
    timed = replace(bench, bunched=None)
    assert timed.find_least_gain(np.full(4, 0.42), before) == pytest.approx(0.2)
    assert timed.find_least_gain(before, np.zeros(4)) > 1e6


@given(events=EVENTS, late=st.integers(1, 3))
def test_what_is_known_late_is_asked_about_and_not_learnt_from(events, late):
    taught = _build(events, True)
    options = {"most": 3, "metric": "ndcg@3"}
    try:
        whole = split_inside(taught, rng=np.random.default_rng(1), **options)
    except NotEnoughData:
        return
    bench = split_inside(taught, rng=np.random.default_rng(1), late=late, **options)
    assert bench.asked.rows.tolist() == whole.asked.rows.tolist()
    assert bench.asked.items.tolist() == whole.asked.items.tolist()
    assert (densify(bench.wanted) == densify(whole.wanted)).all()
    for row in range(5):
        before = whole.taught.take(np.array([row])).items.tolist()
        left = bench.taught.take(np.array([row])).items.tolist()
        gone = late if row in bench.asked.rows else 0
        assert left == before[: max(len(before) - gone, min(len(before), 1))]


def test_history_that_is_not_fitted_on_is_seen_from_the_files_lengths():
    taught = _build([(row, item, item) for row in range(4) for item in range(2)], True)
    later = _build([(row, 5, 9) for row in (0, 1, 2)] + [(0, 4, 9)], True)
    wanted = taught.seen()
    for rows, count in ((np.arange(4), 1), (np.full(4, -1), 0)):
        asked = replace(taught.merge(later).take(np.arange(4)), rows=rows)
        assert count_late(Dataset(taught, asked, wanted, (), (), ())) == count


def test_where_order_is_unknown_those_who_are_not_asked_lose_items_too():
    table = np.array([(row, item) for row in range(30) for item in range(10)], dtype=np.int64)
    taught = Histories.of_events(table[:, 0], table[:, 1], (30, 10))
    bench = split_inside(taught, rng=np.random.default_rng(0), most=6, metric="ndcg@3")
    others = ~np.isin(np.arange(30), bench.asked.rows)
    assert (bench.taught.lengths >= 5).all()
    assert bench.taught.lengths[others].sum() < 10 * others.sum()


def test_where_times_are_unknown_models_together_must_gain_more_than_chance():
    table = np.array([(row, item) for row in range(60) for item in range(6)], dtype=np.int64)
    taught = Histories.of_events(table[:, 0], table[:, 1], (60, 6))
    rng = np.random.default_rng(0)
    bench = split_inside(taught, rng=rng, most=60, metric="ndcg@3", include_seen=True)
    alone = np.full(60, 0.5)
    noise = np.tile([0.3, 0.3, -0.3, -0.3], 15)
    assert gains_little(bench, alone + 0.01 + noise, alone)
    assert not gains_little(bench, alone + 0.01 + noise / 100, alone)
    assert not gains_little(replace(bench, bunched=None), alone + 0.01 + noise, alone)


def test_models_together_are_compared_with_the_best_alone_as_it_would_be_served():
    # they were compared with it before its popularity was damped, which they need not beat
    table = np.array([(row, item) for row in range(60) for item in range(6)], dtype=np.int64)
    taught = Histories.of_events(table[:, 0], table[:, 1], (60, 6))
    bench = split_inside(taught, rng=np.random.default_rng(0), most=60, metric="ndcg@3")
    hunt = _Hunt(bench, 10.0, lambda _name: None)
    hunt.start(["popularity", "rp3beta"])
    best = max(hunt.trials, key=lambda trial: trial.recipe.name == "rp3beta")
    hunt._values["rp3beta"] = np.full(60, 0.5)
    assert hunt._loses("blend", np.full(60, 0.49), best)
    assert "by chance" in hunt.skipped["blend"]
    assert not hunt._loses("learned", np.full(60, 0.51), best)
    assert "learned" not in hunt.skipped
