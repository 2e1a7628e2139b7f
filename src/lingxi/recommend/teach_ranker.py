"""Growing the trees of ``Ranked`` on a bench, and measuring them on customers they did not see."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.bench import Bench
from lingxi.recommend.learned import (
    PER_ITEM,
    PER_PART,
    Candidates,
    Table,
    Task,
    Whole,
    learn_weights,
    to_odds,
)
from lingxi.recommend.pool import Head, Pool
from lingxi.recommend.ranker import add_up, count_threads, make_nearness, read_trees
from lingxi.recommend.scorer import Vector
from lingxi.recommend.signals import Signs, make_signals, name_signals
from lingxi.recommend.teach import Lesson, cut_at_depth, set_task

FEWEST = 300
"""Customers with something to find among their candidates; with fewer, trees learn chance."""
_MOST_CELLS = 300_000
_BLOCK = 500
_FOLDS = 2
_SEED = 20
_TREES, _RATE = 80, 0.06


@dataclass(frozen=True)
class Grown:
    """Trees in LightGBM's text, and the mean metric that they can be expected to have.

    ``least_gain``: the lower end of the 95 % interval of what they add to that of the lesson.
    """

    trees: str
    value: float
    least_gain: float


def grow_ranker(
    heads: Sequence[Head],
    lesson: Lesson,
    bench: Bench,
    popularity: Vector,
    rng: np.random.Generator,
) -> Grown | None:
    """Trees on top of a lesson's weights; nothing where too few customers can teach them.

    ``heads``: those that the lesson kept. Each customer's metric comes from weights and trees that
    were learnt without them. Where there are too many candidates, some customers are drawn; the
    value is then the lesson's, plus the mean difference for those drawn.
    """
    pool = Pool.build([cut_at_depth(head, bench.asked.seen()) for head in heads], bench, popularity)
    drawn = _draw(pool, rng)
    pool = pool.take(drawn)
    signs = Signs.read(bench.taught)
    task, cells = set_task(pool, signs.met, signs.trend)
    if _count_teachers(task) < FEWEST:
        return None
    signals = _signal(bench, pool, drawn, cells, signs)
    scores = _score_across(task, signals, cells, rng, bench.at)
    gains = pool.measure(scores) - lesson.values[drawn]
    chance = 1.96 * float(gains.std()) / len(gains) ** 0.5
    trees = _grow(task, signals, np.asarray(lesson.weights), bench.at)
    return Grown(trees, float(lesson.values.mean() + gains.mean()), float(gains.mean()) - chance)


def _draw(pool: Pool, rng: np.random.Generator) -> Whole:
    """Customers whose candidates together are not too many."""
    n = len(pool.items)
    each = float((pool.scores > 0).any(axis=0).sum()) / max(n, 1)
    most = max(1, int(_MOST_CELLS / max(each, 1.0)))
    return np.arange(n) if n <= most else np.sort(rng.choice(n, most, replace=False))


def _count_teachers(task: Task) -> int:
    if not len(task.hits):
        return 0
    return int((np.add.reduceat(task.hits.astype(np.int64), task.indptr[:-1]) > 0).sum())


def _signal(
    bench: Bench, pool: Pool, drawn: Whole, cells: NDArray[np.bool_], signs: Signs
) -> Table:
    """The signals of all candidates, in the order of the pool's rows."""
    near = make_nearness("near")
    near.fit(bench.taught)
    blocks = [np.zeros((0, len(name_signals(len(pool.scores)))), dtype=np.float32)]
    for start in range(0, len(drawn), _BLOCK):
        part = slice(start, start + _BLOCK)
        owners, places = np.nonzero(cells[part])
        said = pool.scores[:, part][:, owners, places]
        asked = Candidates(owners, pool.items[part][owners, places], said)
        blocks.append(make_signals(bench.asked.take(drawn[part]), asked, signs, near.operator))
    return np.concatenate(blocks)


def _score_across(
    task: Task, signals: Table, cells: NDArray[np.bool_], rng: np.random.Generator, at: int
) -> Table:
    """Each customer's candidates by weights and trees that others taught."""
    folds = rng.integers(0, _FOLDS, len(task.indptr) - 1)
    owners, logits = task.owners, np.zeros(len(task.hits))
    for fold in range(_FOLDS):
        taught = task.take(folds != fold)
        weights = learn_weights(taught)
        theirs, mine = folds[owners] != fold, folds[owners] == fold
        trees = _grow(taught, signals[theirs], weights, at)
        start = (task.features[mine] @ weights).astype(np.float64)
        logits[mine] = start + add_up(read_trees(trees), signals[mine])
    scores = np.zeros(cells.shape, dtype=np.float32)
    scores[cells] = to_odds(logits, owners)
    return scores


def _grow(task: Task, signals: Table, weights: Vector, at: int) -> str:
    """Trees that put what was wanted first, from the logits of ``weights`` on."""
    import lightgbm

    found = np.add.reduceat(task.hits.astype(np.int64), task.indptr[:-1]) > 0
    cells, taught = found[task.owners], task.take(found)
    rows = lightgbm.Dataset(
        signals[cells],
        label=taught.hits.astype(np.int32),
        group=np.diff(taught.indptr),
        init_score=(taught.features @ weights).astype(np.float64),
        feature_name=list(name_signals((len(weights) - PER_ITEM) // PER_PART)),
        free_raw_data=True,
    )
    teachers = len(taught.indptr) - 1
    parameters = {
        "objective": "lambdarank",
        "lambdarank_truncation_level": at + 10,
        "label_gain": [0, 1],
        "learning_rate": _RATE,
        "num_leaves": int(np.clip(teachers // 100, 4, 31)),
        "min_data_in_leaf": max(20, min(len(taught.hits) // 500, 500)),
        "feature_fraction": 0.6,
        "lambda_l2": 5.0,
        "seed": _SEED,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": count_threads(len(taught.hits)),
        "verbosity": -1,
    }
    return lightgbm.train(parameters, rows, num_boost_round=_TREES).model_to_string()
