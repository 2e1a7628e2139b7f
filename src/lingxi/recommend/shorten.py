"""Shorter lists of an item-item model where they rank as well: an answer reads so much less.

An answer reads the lists of all items of a history. What stands far behind in each of them seldom
comes to the front of the sum; how seldom depends on the shop, so it is tried on the bench.
"""

import time

from lingxi.recommend.bench import Bench, Trial
from lingxi.recommend.factors import find_factor
from lingxi.recommend.families import build_scorer, vary
from lingxi.recommend.limits import Limits
from lingxi.recommend.matrix import row_lengths
from lingxi.recommend.operators import ListedOperator
from lingxi.recommend.pool import Head, Pool, take_head
from lingxi.recommend.scorer import Vector
from lingxi.recommend.trials import bare_of

LENGTHS = (200, 100, 50)
"""What is tried, as long as the last one ranked as well."""
_LOSS = 0.005
"""The share of its value that a model may lose altogether."""
_FULL = 1.1
"""How many times as many cells an item has as a length allows, for that to change anything."""


def shorten(
    trial: Trial, bench: Bench, popularity: Vector, limits: Limits
) -> tuple[Trial, Head, Vector] | None:
    """The trial with the shortest lists that rank as well, its head, and the metric of each
    customer asked; nothing where it has no lists, or short ones, or none shorter ranks as well."""
    bare = bare_of(trial.recipe)
    scorer = build_scorer(bare)
    if not isinstance(scorer, ListedOperator):
        return None
    start = time.monotonic()
    scorer.fit(bench.taught)
    factor = find_factor(bench.taught, trial.recipe.params)
    found: tuple[Trial, Head, Vector] | None = None
    for length in LENGTHS:
        if float(row_lengths(scorer.operator).mean()) < _FULL * length:
            continue
        scorer.cut(length)
        head = take_head(scorer, bench)
        pool = Pool.build([head], bench, popularity)
        values = pool.measure(pool.scores[0], factor)
        if values.mean() < (1 - _LOSS) * trial.value:
            break
        taken = limits.time(vary(bare, length=length), scorer)
        short = Trial(
            vary(trial.recipe, length=length),
            float(values.mean()),
            trial.seconds + time.monotonic() - start,
            trial.fit_seconds,
            trial.by_chance,
            taken,
            limits.is_slow(taken),
        )
        found = short, head, values
    return found
