"""The signals of one history's candidates: the same numbers as ``signals.make_signals``, sooner."""

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.alone import keep_columns
from lingxi.recommend.histories import DAY, Histories
from lingxi.recommend.history import USUAL
from lingxi.recommend.kernels import Cells, Rows, add_each, gather_rows, list_once, multiply_rows
from lingxi.recommend.learned import Candidates
from lingxi.recommend.matrix import Csr
from lingxi.recommend.scratch import Scratch
from lingxi.recommend.signals import (
    HALF_LIVES,
    HOUR,
    NEWEST,
    SESSION,
    TASTES,
    Signs,
    Table,
    Vector,
    Whole,
    name_signals,
)

_DAYS = np.array(list(HALF_LIVES.values()))[:, None]
_LIKING = [list(HALF_LIVES).index(name) for name in TASTES]


def can_signal_alone(history: Histories, nearness: Csr) -> bool:
    """Whether what follows knows all that it takes: the order of time, and what every event is
    worth."""
    return (
        history.n_rows == 1
        and history.timed
        and nearness.data.dtype == np.float32
        and len(history.hear(USUAL)[0]) == len(history.group()[1])
    )


def signal_alone(
    history: Histories,
    asked: Candidates,
    signs: Signs,
    nearness: Csr,
    scratch: Scratch,
    terms: Scratch,
) -> Table:
    """The signals, shape (n_candidates, n_signals), of a single history whose order is known.

    ``scratch`` is for the items, ``terms`` for what the catalogue can say.
    """
    parts, n = asked.said.shape
    table = np.empty((len(name_signals(parts)), n), dtype=np.float32)
    table[0 : 2 * parts : 2] = asked.said
    table[1 : 2 * parts : 2] = _place(asked.said)
    at = 2 * parts
    table[at] = (asked.said > 0).sum(axis=0)
    met, shares = _fade(history)
    table[at + 1 : at + 7] = _come_near(met, shares, asked.items, nearness, scratch)
    table[at + 7 : at + 10] = _be_like(met, shares, asked.items, signs.about, terms)
    table[at + 10 : at + 12] = _meet_again(history, asked.items)
    table[at + 12 : at + 18] = _describe(history, asked.items, signs)
    table[at + 18 :] = np.array(_know(history, signs))[:, None]
    return np.ascontiguousarray(table.T)


def _place(said: Table) -> Vector:
    """The place of each candidate by each part; 1000 where a part does not name it."""
    order = np.argsort(-said, axis=1, kind="stable")
    places = np.empty(said.shape)
    np.put_along_axis(places, order, np.arange(said.shape[1], dtype=np.float64)[None, :], axis=1)
    places[said <= 0] = 1000.0
    return places


def _fade(history: Histories) -> tuple[Whole, Table]:
    """The items met, and their weights for each affinity as shares of their sum: shape
    (n_met, n_affinities)."""
    items, base = history.hear(USUAL)
    order, _, last = history.group()
    moments = history.moments[order[last]]
    if not len(items):
        return items, np.zeros((0, len(_DAYS) + 1), dtype=np.float32)
    ages = (moments.max() - moments) / DAY
    later = len(moments) - np.searchsorted(np.sort(moments), moments, side="right")
    weights = base * np.concatenate((2.0 ** (-ages / _DAYS), NEWEST ** later[None, :]))
    sums = weights.sum(axis=1, keepdims=True)
    return items, (weights / sums).T.astype(np.float32)


def _come_near(
    met: Whole, shares: Table, items: Whole, nearness: Csr, scratch: Scratch
) -> NDArray[np.floating]:
    cells = keep_columns(gather_rows(Rows.of(nearness), met), items, scratch)
    return add_each(cells, shares, len(items)).T


def _be_like(
    met: Whole, shares: Table, items: Whole, about: Csr | None, scratch: Scratch
) -> Vector:
    if about is None:
        return np.zeros((len(TASTES), len(items)))
    table = Rows.of(about)
    heard, asked = gather_rows(table, met), gather_rows(table, items)
    terms = list_once(heard.columns)  # few of those that there are
    own = Cells(scratch.locate(heard.columns, terms), heard.values, heard.ends)
    tastes = add_each(own, shares[:, _LIKING], len(terms)).astype(np.float64)
    return multiply_rows(keep_columns(asked, terms, scratch), tastes).T


def _meet_again(history: Histories, items: Whole) -> tuple[Vector, Vector]:
    order, first, last = history.group()
    if not len(order):
        return np.zeros(len(items)), np.full(len(items), -1.0)
    keys = history.items[order[first]]
    latest = history.moments[order[last]].astype(np.float64)
    at = np.minimum(np.searchsorted(keys, items), len(keys) - 1)
    found = keys[at] == items
    ages = (float(history.moments[-1]) - latest[at]) / DAY
    counts = (last - first + 1)[at]
    return np.where(found, np.log1p(counts), 0.0), np.where(found, ages, -1.0)


def _describe(history: Histories, items: Whole, signs: Signs) -> list[Vector]:
    now = float(history.moments[-1]) if len(history.moments) else 0.0
    met, trend, week_trend = signs.logs
    age, idle = now - signs.first[items], now - signs.last[items]
    return [
        met[items],
        trend[items],
        week_trend[items],
        np.maximum(age, 0.0) / DAY,
        np.maximum(idle, 0.0) / DAY,
        signs.order_share[items],
    ]


def _know(history: Histories, signs: Signs) -> list[float]:
    count = len(history.items)
    moments = history.moments
    end, start = (float(moments[-1]), float(moments.min())) if count else (0.0, 0.0)
    different = float(len(history.group()[1]))
    return [
        float(np.log1p(float(count))),
        float(np.log1p(different)),
        (end - start) / DAY,
        max(signs.newest - end, 0.0) / DAY,
        1.0 - different / max(float(count), 1.0),
        float(np.log1p(int(np.count_nonzero(moments >= end - SESSION)))),
        float(history.kinds[-1]) if count else 0.0,
        end // HOUR % 24,
        end // DAY % 7,
    ]
