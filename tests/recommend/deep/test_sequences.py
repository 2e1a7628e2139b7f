"""Windows, padding and classes of age, against what a loop over the events says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingxi.errors import InvalidInput
from lingxi.recommend.deep.sequences import (
    AGES,
    cut_windows,
    group_rows,
    group_windows,
    newest_windows,
    pad,
)
from lingxi.recommend.deep.settings import Settings
from lingxi.recommend.histories import DAY, Histories

ROWS = st.lists(st.lists(st.integers(0, 9), max_size=13), min_size=1, max_size=6)


def _histories(rows):
    lengths = [len(row) for row in rows]
    items = np.array([item for row in rows for item in row], dtype=np.int64)
    owners = np.repeat(np.arange(len(rows)), lengths)
    return Histories.of_events(owners, items, (len(rows), 10), moments=np.arange(len(items)) * DAY)


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, length=st.integers(1, 6))
def test_every_event_but_a_first_is_foreseen_once_from_what_came_before_it(rows, length):
    histories = _histories(rows)
    met = []
    for start, stop in cut_windows(histories, length):
        assert 2 <= stop - start <= length + 1
        assert histories.owners[start] == histories.owners[stop - 1]
        met.extend(range(start + 1, stop))
    firsts = {int(start) for start in histories.indptr[:-1]}
    assert sorted(set(met)) == [at for at in range(len(histories.items)) if at not in firsts]
    newest = {int(stop) for _, stop in cut_windows(histories, length)}
    assert set(histories.indptr[1:][histories.lengths > 1].tolist()) <= newest


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, length=st.integers(1, 6))
def test_a_batch_holds_inputs_and_what_came_next(rows, length):
    histories = _histories(rows)
    windows = cut_windows(histories, length)
    if not len(windows):
        return
    worth = np.arange(len(histories.items), dtype=np.float32)
    batch = pad(histories, windows, worth)
    for at, (start, stop) in enumerate(windows):
        n = stop - start - 1
        assert batch.last[at] == n - 1
        assert batch.items[at, :n].tolist() == histories.items[start : stop - 1].tolist()
        assert batch.worth[at, :n].tolist() == worth[start + 1 : stop].tolist()
        assert batch.targets[at, :n].tolist() == histories.items[start + 1 : stop].tolist()
        assert (batch.targets[at, n:] == -1).all()
        assert not batch.worth[at, n:].any()


def test_what_is_worth_nothing_is_no_target():
    histories = _histories([[1, 2, 3]])
    batch = pad(histories, cut_windows(histories, 5), np.array([1, 0, 0.5], dtype=np.float32))
    assert batch.targets.tolist() == [[-1, 3]]


def test_serving_looks_at_the_newest_events():
    histories = _histories([[1, 2, 3, 4], [], [5]])
    windows = newest_windows(histories, 3)
    assert windows.tolist() == [[1, 4], [4, 4], [4, 5]]
    batch = pad(histories, windows[[0, 2]])
    assert batch.items.tolist() == [[2, 3, 4], [5, 0, 0]]
    assert batch.last.tolist() == [2, 0]


def test_the_class_of_an_age_counts_the_bounds_it_has_passed():
    moments = np.array([0, AGES[0] - 1, AGES[0], 3 * DAY, 1000 * DAY])
    histories = Histories.of_events(
        np.zeros(5, dtype=np.int64), np.arange(5), (1, 10), moments=moments
    )
    ages = pad(histories, newest_windows(histories, 5)).ages[0]
    for i in range(5):
        for j in range(i + 1):
            assert ages[i, j] == sum(moments[i] - moments[j] >= bound for bound in AGES)
    assert not np.triu(ages, 1).any()


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 30), min_size=1, max_size=50).map(np.array),
    cells=st.integers(1, 100),
)
def test_groups_hold_each_row_once_and_no_more_cells_than_asked(lengths, cells):
    for groups, sizes in (
        (group_windows(lengths, cells, np.random.default_rng(1)), lengths),
        (list(group_rows(lengths, cells)), lengths**2),
    ):
        assert sorted(np.concatenate(groups).tolist()) == list(range(len(lengths)))
        for group in groups:
            assert len(group) == 1 or len(group) * sizes[group].max() <= cells


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"embedding_size": 10, "heads": 4}, "multiple of heads"),
        ({"dropout": 1.0}, "dropout"),
        ({"temperature": 0.0}, "temperature"),
        ({"epochs": 0}, "epochs"),
        ({"device": "tpu"}, "auto, cpu, cuda"),
        ({"seconds": -1.0}, "seconds"),
    ],
)
def test_wrong_settings_are_refused_by_name(wrong, told):
    with pytest.raises(InvalidInput, match=told):
        Settings(**wrong)
