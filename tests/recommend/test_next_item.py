"""The taught directions: slopes against differences, the past against a loop, what can be known."""

from dataclasses import replace

import numpy as np
import pytest

from lingxi.errors import InvalidInput
from lingxi.recommend import next_item
from lingxi.recommend.families import build_scorer, make_recipe
from lingxi.recommend.histories import DAY, ORDER, VIEW, Histories
from lingxi.recommend.history import Weighting
from lingxi.recommend.matrix import densify
from lingxi.recommend.next_item import (
    Draw,
    NextItem,
    Teaching,
    _Learner,
    find_slopes,
    find_slopes_among,
    gather_steps,
)
from lingxi.testing.scorer import ScorerContract, make_taught

FAST = Teaching(epochs=30, batch_events=256, dropout=0.0, reg=0.1, learning_rate=0.02)
LATEST = Weighting(position_decay=0.5)


class TestNextItem(ScorerContract):
    def make(self):
        return NextItem("mine", size=8, teaching=replace(FAST, epochs=4), heard=LATEST)


def _turns(n_rows, n_items, length, rng):
    """Whoever had item k has item k + 1 next."""
    items = (rng.integers(0, n_items, n_rows)[:, None] + np.arange(length)) % n_items
    rows = np.repeat(np.arange(n_rows), length)
    moments = np.tile(np.arange(length) * DAY, n_rows)
    return Histories.of_events(rows, items.ravel(), (n_rows, n_items), moments=moments)


def test_it_learns_what_always_comes_next():
    rng = np.random.default_rng(1)
    scorer = NextItem("mine", size=16, teaching=FAST, heard=LATEST)
    scorer.fit(_turns(150, 12, 6, rng))
    asked = _turns(40, 12, 4, rng)
    last = asked.items[asked.indptr[1:] - 1]
    assert (scorer.score(asked).argmax(axis=1) == (last + 1) % 12).all()


def test_comparing_with_drawn_items_learns_the_same():
    rng = np.random.default_rng(1)
    scorer = NextItem("mine", size=16, teaching=replace(FAST, negatives=6), heard=LATEST)
    scorer.fit(_turns(150, 12, 6, rng))
    asked = _turns(40, 12, 4, rng)
    last = asked.items[asked.indptr[1:] - 1]
    assert (scorer.score(asked).argmax(axis=1) == (last + 1) % 12).all()


@pytest.mark.parametrize("cells", [1, 40, 1_000_000])
def test_slopes_are_those_of_cross_entropy_whatever_the_band(cells, monkeypatch):
    monkeypatch.setattr(next_item, "_BAND_CELLS", cells)
    rng = np.random.default_rng(2)
    rows, items = rng.normal(size=(7, 4)), rng.normal(size=(13, 4))
    targets, shares = rng.integers(0, 13, 7), rng.dirichlet(np.ones(7))
    logits = rows @ items.T
    odds = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    slope = shares[:, None] * (odds - np.eye(13)[targets])
    by_row, by_item = find_slopes(rows, items, targets, shares)
    np.testing.assert_allclose(by_row, slope @ items, atol=1e-12)
    np.testing.assert_allclose(by_item, slope.T @ rows, atol=1e-12)


def test_drawing_each_item_once_is_comparing_with_all():
    """With every item drawn as often as its chance says, the estimate is the sum itself."""
    rng = np.random.default_rng(4)
    rows, items = rng.normal(size=(7, 4)), rng.normal(size=(13, 4))
    targets, shares = rng.integers(0, 13, 7), rng.dirichlet(np.ones(7))
    found = find_slopes_among(rows, items, targets, shares, np.arange(13), np.zeros(13))
    for one, other in zip(found, find_slopes(rows, items, targets, shares), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


def test_items_are_drawn_by_the_root_of_their_popularity_and_stand_for_all():
    items = np.repeat([0, 1, 3], [1, 4, 9])  # roots 1, 2 and 3: a sixth, a third, a half
    draw = Draw.by_popularity(Histories.of_events(np.zeros(14, int), items, (1, 5)))
    np.testing.assert_allclose(draw.chances, [1 / 6, 1 / 3, 0, 1 / 2, 0])
    drawn, offsets = draw.draw(np.random.default_rng(0), 60_000)
    assert drawn.tolist() == [0, 1, 3]
    np.testing.assert_allclose(np.exp(offsets), 1, atol=0.03)  # three standard errors
    few, offsets = draw.draw(np.random.default_rng(0), 3)
    counts = np.exp(offsets) * 3 * draw.chances[few]
    assert counts.sum() == pytest.approx(3)
    np.testing.assert_allclose(counts, counts.round(), atol=1e-5)


def test_every_slope_is_the_difference_of_the_loss():
    rng = np.random.default_rng(3)
    learner = _Learner(6, 3, Teaching(temperature=0.5))
    learner.items, learner.matrix = rng.normal(size=(6, 3)), rng.normal(size=(3, 3)) / 3
    heard, targets, worths = rng.normal(size=(5, 3)), rng.integers(0, 6, 5), rng.random(5)

    def lose():
        sums = heard + heard @ learner.matrix
        rows = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        items = learner.items / np.linalg.norm(learner.items, axis=1, keepdims=True)
        logits = rows @ items.T / 0.5
        losses = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(5), targets]
        return float(losses @ worths / worths.sum())

    slopes = learner._find_slopes(heard, targets, worths)
    for table, slope in zip((heard, learner.matrix, learner.items), slopes, strict=True):
        for at in np.ndindex(table.shape):
            before = table[at]
            table[at] = before + 1e-5
            more = lose()
            table[at] = before - 1e-5
            less = lose()
            table[at] = before
            assert slope[at] == pytest.approx((more - less) / 2e-5, abs=1e-6)


def test_the_past_of_an_event_is_what_a_loop_over_its_history_finds():
    taught, heard = make_taught(), Weighting(view=0.2, position_decay=0.6)
    before, targets, worths = gather_steps(taught, heard, Weighting(cart=0.0))
    values = np.array([heard.view, heard.cart, heard.order])
    wanted, rows = [], []
    for row in range(taught.n_rows):
        cells = range(int(taught.indptr[row]), int(taught.indptr[row + 1]))
        for later in cells:
            past = np.zeros(taught.n_items)
            moments = taught.moments[list(cells)]
            for cell in cells:
                if taught.moments[cell] < taught.moments[later]:
                    between = moments[
                        (moments > taught.moments[cell]) & (moments < taught.moments[later])
                    ]
                    weight = 0.6 ** len(set(between.tolist())) * values[taught.kinds[cell]]
                    past[taught.items[cell]] += weight if weight >= 1e-3 else 0.0
            if past.any() and taught.kinds[later] in (VIEW, ORDER):
                wanted.append(past)
                rows.append(later)
    np.testing.assert_allclose(densify(before), np.array(wanted), atol=1e-6)
    assert targets.tolist() == taught.items[rows].tolist()
    assert worths.tolist() == [0.1 if taught.kinds[at] == VIEW else 1.0 for at in rows]


def test_the_seed_decides_everything():
    def fit(seed):
        scorer = NextItem("mine", size=8, teaching=replace(FAST, epochs=2, seed=seed))
        scorer.fit(make_taught())
        return scorer.left, scorer.right

    for one, again, other in zip(fit(1), fit(1), fit(2), strict=True):
        assert np.array_equal(one, again)
        assert not np.allclose(one, other)


def test_with_nothing_before_anything_it_learns_nothing_and_does_not_fail():
    once = Histories.of_events(np.arange(3), np.arange(3), (3, 4), moments=np.arange(3))
    scorer = NextItem("mine", size=4)
    scorer.fit(once)
    assert np.isfinite(scorer.score(once)).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"negatives": -1},
        {"dropout": 1.0},
        {"temperature": 0.0},
        {"learning_rate": -1.0},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InvalidInput, match="must be"):
        Teaching(**wrong)


def test_a_recipe_makes_it():
    scorer = build_scorer(make_recipe("next_item", {"size": 16, "position_decay": 0.5}))
    assert isinstance(scorer, NextItem)
    assert (scorer.size, scorer.heard.position_decay) == (16, 0.5)
