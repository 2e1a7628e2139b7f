"""Quality of a scorer on held-out interactions: full ranking over all items, no sampling."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import InvalidInput, NotEnoughData
from lingxi.recommend.histories import Histories
from lingxi.recommend.history import Weighting
from lingxi.recommend.lists import list_best
from lingxi.recommend.matrix import Csr, row_lengths
from lingxi.recommend.scorer import Ranker
from lingxi.stats import ranking
from lingxi.stats.bootstrap import Interval, bootstrap_difference, bootstrap_mean

_CELLS = 20_000_000
METRICS = {
    "recall": ranking.recall,
    "ndcg": ranking.ndcg,
    "hit_rate": ranking.hit_rate,
    "mrr": ranking.reciprocal_rank,
    "map": ranking.average_precision,
}


@dataclass(frozen=True)
class Evaluation:
    """One number per evaluated customer and metric (``"ndcg@10"``), and those of all lists."""

    customers: NDArray[np.int64]
    values: Mapping[str, NDArray[np.float64]]
    coverage: Mapping[str, float]
    lists: NDArray[np.int64]
    seconds: float
    """Time that scoring and ranking took."""

    def summary(self, rng: np.random.Generator) -> dict[str, Interval]:
        """Mean of each metric with its bootstrap 95 % interval."""
        return {name: bootstrap_mean(v, rng=rng) for name, v in self.values.items()}

    def difference(self, other: "Evaluation", metric: str, rng: np.random.Generator) -> Interval:
        """Paired difference to another scorer on the same customers, with its interval."""
        return bootstrap_difference(self.values[metric], other.values[metric], rng=rng)


def evaluate(
    scorer: Ranker,
    train: Histories | Csr,
    test: Csr,
    *,
    at: Sequence[int] = (10, 20),
    excluded: Csr | None = None,
    popularity: NDArray[np.float64] | None = None,
    tell: Callable[[int, int], None] = lambda _done, _all: None,
) -> Evaluation:
    """Rank all items for each customer with something in ``test`` and compare.

    Parameters
    ----------
    scorer
        Already fitted.
    train
        Shape (n_customers, n_items): the histories to score from, as events or as a matrix whose
        rows are the fitted rows.
    test
        Same shape: what is to be found; customers with nothing here are left out.
    at
        List lengths.
    excluded
        Cells never recommended; by default all items of the history.
    popularity
        Per item, to fill lists from; by default the sum of ``train``'s weights.
    tell
        Called with the customers ranked so far and all of them, block by block.

    Examples
    --------
    >>> from lingxi.recommend.popularity import Popularity
    >>> from lingxi.recommend.ratings import read_ratings
    >>> train = read_ratings([[1, 1, 0], [1, 0, 0], [0, 1, 0]])
    >>> popularity = Popularity("popularity")
    >>> popularity.fit(Histories.of_matrix(train))
    >>> found = evaluate(popularity, train, read_ratings([[0, 0, 1], [0, 0, 1], [1, 0, 0]]), at=[1])
    >>> found.values["hit_rate@1"].tolist()
    [1.0, 0.0, 1.0]
    """
    histories = train if isinstance(train, Histories) else Histories.of_matrix(train)
    _check(histories, test, at)
    customers = np.flatnonzero(row_lengths(test) > 0)
    if not len(customers):
        raise NotEnoughData("Nobody has anything in the test data, so there is nothing to measure.")
    seen = histories.seen()
    forbidden = seen if excluded is None else excluded
    popular = histories.popularity(Weighting()) if popularity is None else popularity
    lists, hits, seconds = [], [], 0.0
    step = max(1, _CELLS // histories.n_items)
    for start in range(0, len(customers), step):
        block = customers[start : start + step]
        start_at = time.perf_counter()
        scores = np.array(scorer.score(histories.take(block)))
        found = list_best(scores, max(at), popular, forbidden[block])
        seconds += time.perf_counter() - start_at
        lists.append(found)
        hits.append(_find_hits(found, test[block]))
        tell(start + len(block), len(customers))
    wanted = row_lengths(test)[customers]
    shown = np.concatenate(lists)
    return _measure(customers, shown, np.concatenate(hits), wanted, at, seen, seconds)


def _find_hits(lists: NDArray[np.int64], wanted: Csr) -> NDArray[np.bool_]:
    """Which places of the lists hold a stored cell of the same row."""
    n_items = wanted.shape[1]
    rows = np.arange(len(lists))
    cells = np.repeat(rows, row_lengths(wanted)) * n_items + wanted.indices
    hits: NDArray[np.bool_] = np.isin(rows[:, None] * n_items + lists, cells) & (lists >= 0)
    return hits


def _measure(
    customers: NDArray[np.int64],
    lists: NDArray[np.int64],
    hits: NDArray[np.bool_],
    wanted: NDArray[np.int64],
    at: Sequence[int],
    seen: Csr,
    seconds: float,
) -> Evaluation:
    holders = np.bincount(seen.indices, minlength=seen.shape[1]) / seen.shape[0]
    values: dict[str, NDArray[np.float64]] = {}
    for n in at:
        for name, metric in METRICS.items():
            values[f"{name}@{n}"] = metric(hits[:, :n], wanted)
        values[f"novelty@{n}"] = ranking.novelty(lists[:, :n], holders)
    coverage = {f"coverage@{n}": ranking.coverage(lists[:, :n], seen.shape[1]) for n in at}
    return Evaluation(customers, values, coverage, lists, seconds)


def _check(train: Histories, test: Csr, at: Sequence[int]) -> None:
    if train.shape != test.shape:
        raise InvalidInput(
            f"Train has shape {train.shape} and test {test.shape}. "
            "Give both the same customers and items."
        )
    if not at or min(at) < 1:
        raise InvalidInput(f"List lengths must be whole numbers of at least 1, but are {list(at)}.")
