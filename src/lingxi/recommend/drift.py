"""How good the recommender in use is on what came after it was learnt, beside what it was then."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import NotEnoughData
from lingxi.recommend.bench import FILL
from lingxi.recommend.evaluation import evaluate
from lingxi.recommend.histories import NOBODY
from lingxi.recommend.interactions import Interactions
from lingxi.recommend.matrix import Csr, row_lengths, sum_pairs
from lingxi.recommend.model import fit_model
from lingxi.recommend.recipe import Recipe
from lingxi.recommend.recommender import Recommender
from lingxi.recommend.renew import was_renewed
from lingxi.recommend.windows import Window, cut_window
from lingxi.stats.bootstrap import Interval, bootstrap_mean
from lingxi.store import Manifest

METRIC = "hit_rate@10"
FEWEST = 100
"""With fewer customers a difference is chance."""
MOST = 2_000


@dataclass(frozen=True)
class Drift:
    """The share of customers of whom a list of ten finds something, on the latest days and then.

    ``days``: the length of both windows.
    """

    now: Interval
    then: Interval
    customers: int
    days: int

    @property
    def is_worse(self) -> bool:
        """Whether it finds less now, beyond chance: the two 95 % intervals do not meet."""
        return self.now.high < self.then.low


def measure_drift(
    recommender: Recommender,
    manifest: Manifest,
    interactions: Interactions,
    seed: int,
    recipe: Recipe | None = None,
) -> Drift:
    """Ask the recommender in use about the latest days, as it was asked when it was chosen.

    Customers with a history are asked what they bought for the first time in a window of the same
    length as then, all of it after what it was chosen from. What it cannot know, since it is new,
    counts as not found: then it did as well. A renewed recommender has learnt from these days, so
    its ``recipe``, whole, is fitted on what was before them.

    Raises
    ------
    NotEnoughData
        If the window is not full yet, too few bought in it, or training measured nothing.
    """
    then = _read_then(manifest)
    days = int(manifest.extra.get("window_days") or 0)
    learnt_to = _find_end(manifest, days)
    if then is None or days < 1 or learnt_to is None:
        raise NotEnoughData("Training measured nothing to compare with.")
    end = interactions.last_moment + timedelta(microseconds=1)
    cutoff = end - timedelta(days=days)
    if cutoff <= learnt_to:
        left = (learnt_to - cutoff) // timedelta(days=1) + 1
        raise NotEnoughData(f"There must be {left} more days of events.")
    window = cut_window(interactions, cutoff, end)
    rows = np.flatnonzero(row_lengths(window.wanted) > 0)
    if len(rows) < FEWEST:
        raise NotEnoughData(f"Only {len(rows)} customers bought something new; {FEWEST} at least.")
    rng = np.random.default_rng(seed)
    if len(rows) > MOST:
        rows = np.sort(rng.choice(rows, MOST, replace=False))
    if recipe is not None and was_renewed(manifest):
        values = _ask_anew(recipe, window, rows)
    else:
        values = _ask(recommender, window, rows)
    now = bootstrap_mean(values, rng=rng)
    return Drift(now, then, len(rows), days)


def _ask(recommender: Recommender, window: Window, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """1 for each customer of whom the list finds something, shape (n_rows,)."""
    known = np.array(
        [recommender.index.get(item_id, -1) for item_id in window.before.item_ids], dtype=np.int64
    )
    order = np.full(len(recommender.item_ids), -1, dtype=np.int64)
    places = np.flatnonzero(known >= 0)
    order[known[places]] = places
    histories = window.before.histories().take(rows)
    histories = histories.keep(known[histories.items] >= 0)
    fitted = [recommender.rows.get(int(c), NOBODY) for c in window.before.customers[rows].tolist()]
    asked = replace(
        histories,
        items=known[histories.items],
        n_items=len(order),
        rows=np.array(fitted, dtype=np.int64),
    )
    wanted, bought = _choose(window.wanted[rows], order), _choose(window.bought[rows], order)
    values = np.zeros(len(rows))
    if wanted.nnz:
        found = evaluate(
            recommender.model,
            asked,
            wanted,
            at=(10,),
            excluded=bought,
            popularity=recommender.popularity,
        )
        values[found.customers] = found.values[METRIC]
    return values


def _ask_anew(recipe: Recipe, window: Window, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """The same of the recipe, fitted on what was before the window."""
    histories = window.before.histories()
    values = np.zeros(len(rows))
    found = evaluate(
        fit_model(recipe, histories),
        histories.take(rows),
        window.wanted[rows],
        at=(10,),
        excluded=window.bought[rows],
        popularity=histories.popularity(FILL),
    )
    values[found.customers] = found.values[METRIC]
    return values


def _find_end(manifest: Manifest, days: int) -> datetime | None:
    """Up to when the recipe was chosen from what was done."""
    if was_renewed(manifest) and manifest.cutoffs:
        return manifest.cutoffs[-1] + timedelta(days=days)
    return manifest.data_to


def _choose(matrix: Csr, order: NDArray[np.int64]) -> Csr:
    """The columns in another order; -1 is a column of nothing."""
    chosen: Csr = matrix[:, np.maximum(order, 0)]
    owners = np.repeat(np.arange(chosen.shape[0]), row_lengths(chosen))
    kept = order[chosen.indices] >= 0
    return sum_pairs(owners[kept], chosen.indices[kept], chosen.data[kept], chosen.shape)


def _read_then(manifest: Manifest) -> Interval | None:
    for candidate in manifest.candidates:
        for measure in candidate.measures if candidate.chosen else ():
            low, high = measure.low, measure.high
            if measure.metric == METRIC and low is not None and high is not None:
                return Interval(measure.value, low, high)
    return None
