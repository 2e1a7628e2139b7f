"""Session neighbours against a plain loop, known answers, reasons with the neighbours fixed."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingxi.errors import InvalidInput
from lingxi.recommend.families import build_scorer, make_recipe
from lingxi.recommend.histories import Histories
from lingxi.recommend.matrix import densify
from lingxi.recommend.sessions import Nearness, SessionKnn
from lingxi.testing.scorer import ScorerContract

DAY = 86_400_000_000
N_ITEMS = 7
RICH = Nearness(
    recency=1.0, cosine=True, match=0.5, half_life=20.0, rarity=1.0, spread=3.0, before=0.5
)


class TestVSknn(ScorerContract):
    def make(self):
        return build_scorer(make_recipe("v_sknn", {"k": 20}))


class TestVStan(ScorerContract):
    def make(self):
        return SessionKnn("mine", RICH, k=20, sample=50)


def _sessions(rows, items, days, n_rows=None):
    shape = (n_rows or max(rows) + 1, N_ITEMS)
    moments = np.asarray(days, dtype=np.int64) * DAY
    return Histories.of_events(np.asarray(rows), np.asarray(items), shape, moments=moments)


def _read(sessions, row):
    cells = slice(sessions.indptr[row], sessions.indptr[row + 1])
    return sessions.items[cells].tolist(), sessions.moments[cells].tolist()


def _score_slowly(taught, asked, row, how, k):
    """The definition in ``Nearness``, one session at a time; all sessions are compared."""
    items, moments = _read(asked, row)
    scores = np.zeros(N_ITEMS)
    if not items:
        return scores
    back = {item: items[::-1].index(item) + 1 for item in items}
    x = {i: ((len(items) - step + 1) / len(items)) ** how.recency for i, step in back.items()}
    everyone = [_read(taught, v) for v in range(taught.n_rows)]
    near = []
    for v, (theirs, when) in enumerate(everyone):
        shared = set(theirs) & set(items)
        if not shared or v == asked.rows[row]:
            continue
        newest = min(shared, key=back.__getitem__)
        s = sum(x[j] for j in shared) * back[newest] ** -how.match
        s /= math.sqrt(len(set(theirs))) if how.cosine else 1
        if how.half_life:
            s *= 0.5 ** (abs(moments[-1] - when[-1]) / DAY / how.half_life)
        near.append((s, when[-1], v, newest))
    near.sort(key=lambda one: (-one[0], -one[1], one[2]))
    for s, _, v, newest in near[:k]:
        theirs = everyone[v][0]
        place = {item: len(theirs) - theirs[::-1].index(item) for item in theirs}
        for item in place:
            found = sum(item in other for other, _ in everyone)
            worth = s * (1 + how.rarity * math.log(len(everyone) / found))
            if how.spread:
                worth *= math.exp(-abs(place[item] - place[newest]) / how.spread)
            if place[item] < place[newest]:
                worth *= how.before
            scores[item] += worth
    return scores


visits = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, N_ITEMS - 1), st.integers(0, 30)),
    min_size=1,
    max_size=50,
)


@settings(max_examples=60, deadline=None)
@given(visits, st.sampled_from([RICH, Nearness(), Nearness(recency=0.0, match=0.0, cosine=True)]))
def test_scores_equal_a_loop_over_all_sessions(events, how):
    taught = _sessions(*(np.array(part) for part in zip(*events, strict=True)), n_rows=8)
    scorer = SessionKnn("mine", how, k=100, sample=0)
    scorer.fit(taught)
    found = scorer.score(taught)
    for row in range(taught.n_rows):
        wanted = _score_slowly(taught, taught, row, how, 100)
        np.testing.assert_allclose(found[row], wanted, rtol=1e-5, atol=1e-6)


def test_of_equally_near_sessions_the_newer_speaks():
    taught = _sessions([0, 0, 1, 1], [0, 1, 0, 2], [0, 1, 5, 6])
    scorer = SessionKnn("mine", k=1)
    scorer.fit(taught)
    scores = scorer.score(_sessions([0], [0], [9]).of_nobody())
    assert scores[0].tolist() == [1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]


def test_only_the_latest_sessions_are_compared():
    """The old session shares both items, but only the newest one is looked at."""
    taught = _sessions([0, 0, 0, 1, 1], [0, 1, 3, 1, 2], [0, 1, 2, 5, 6])
    scorer = SessionKnn("mine", k=5, sample=1)
    scorer.fit(taught)
    scores = scorer.score(_sessions([0, 0], [0, 1], [8, 9]).of_nobody())
    assert scores[0, 3] == 0.0
    assert scores[0, 2] == 1.0


def test_the_newest_shared_item_sets_the_weight():
    """V-SKNN by hand: history 0, 1; x(0) = (1/2)², x(1) = 1; {0, 2} matches 2 back."""
    taught = _sessions([0, 0], [0, 2], [0, 1])
    scorer = SessionKnn("mine")
    scorer.fit(taught)
    scores = scorer.score(_sessions([0, 0], [0, 1], [3, 4]).of_nobody())
    assert scores[0, 2] == pytest.approx(0.25 / 2)


def test_shares_are_exact_with_the_neighbours_fixed():
    """All sessions are near and the newest item stays: then deleting takes exactly its share."""
    taught = _sessions([0, 0, 0, 1, 1, 1, 2, 2], [0, 1, 4, 2, 1, 5, 1, 6], range(8))
    how = Nearness(recency=0.0, match=1.0)
    scorer = SessionKnn("mine", how, k=50)
    scorer.fit(taught)
    asked = _sessions([0, 0, 0], [0, 2, 1], [20, 21, 22]).of_nobody()
    shares = densify(scorer.explain(asked, np.array([[4, 5, 6]])))
    whole = scorer.score(asked)[0]
    for item in (0, 2):
        less = scorer.score(asked.keep(asked.items != item))[0]
        np.testing.assert_allclose(whole[4:] - less[4:], shares[:, item], atol=1e-6)


def test_impossible_parameters_are_refused():
    with pytest.raises(InvalidInput, match="k must be at least 1"):
        SessionKnn("mine", k=0)
    with pytest.raises(InvalidInput, match="at least 0"):
        Nearness(recency=-1.0)
