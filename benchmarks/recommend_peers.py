"""Lingxi's recommenders beside those of implicit: the same split, the same measure.

``python benchmarks/recommend_peers.py --train T.npz --test S.npz`` fits each contestant in its own
process and prints accuracy (full ranking of all items, without what a customer had in train),
seconds of fitting, customers a second in a batch, milliseconds for one customer, and peak memory.
Peers come with ``pip install --group peers``; one that is not installed is named and left out.
Parameters are each library's defaults, or those named here; nothing is tuned on the test split.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy import sparse

N = 20
SINGLES = 300
Recommend = Callable[[np.ndarray], np.ndarray]
"""Rows of the train matrix to lists of N items, shape (n_rows, N)."""


def fit_lingxi(name: str, train: sparse.csr_matrix) -> Recommend:
    """One of Lingxi's models with its first recipe."""
    from lingxi.recommend.families import FAMILIES, build_scorer, make_recipe
    from lingxi.recommend.histories import Histories
    from lingxi.recommend.lists import exclude, top_items

    starts = FAMILIES[name].starts or ({},)
    params = {k: v for k, v in starts[0].items() if k != "taught_half_life"}
    scorer = build_scorer(make_recipe(name, params))
    taught = Histories.of_matrix(sparse.csr_array(train, dtype=np.float64))
    scorer.fit(taught)
    seen = taught.seen()

    def recommend(rows: np.ndarray) -> np.ndarray:
        scores = np.array(scorer.score(taught.take(rows)))
        exclude(scores, seen[rows])
        return top_items(scores, N)

    return recommend


def fit_implicit(name: str, train: sparse.csr_matrix) -> Recommend:
    """One of implicit's models."""
    from implicit.als import AlternatingLeastSquares
    from implicit.bpr import BayesianPersonalizedRanking
    from implicit.nearest_neighbours import BM25Recommender, CosineRecommender

    makers = {
        "als": lambda: AlternatingLeastSquares(factors=64, random_state=7, use_gpu=False),
        "bpr": lambda: BayesianPersonalizedRanking(factors=64, random_state=7, use_gpu=False),
        "cosine": lambda: CosineRecommender(K=100),
        "bm25": lambda: BM25Recommender(K=100),
    }
    model = makers[name]()
    single = train.astype(np.float32)
    model.fit(single, show_progress=False)

    def recommend(rows: np.ndarray) -> np.ndarray:
        lists, _ = model.recommend(rows, single[rows], N=N, filter_already_liked_items=True)
        return np.asarray(lists)

    return recommend


CONTESTANTS: dict[str, tuple[Callable[[str, sparse.csr_matrix], Recommend], str, str]] = {
    **{
        f"lingxi {name}": (fit_lingxi, name, "lingxi")
        for name in (
            "popularity",
            "item_cosine",
            "rp3beta",
            "user_tfidf",
            "graph",
            "als",
            "slim",
            "ease",
        )
    },
    **{
        f"implicit {name}": (fit_implicit, name, "implicit")
        for name in ("als", "bpr", "cosine", "bm25")
    },
}


def run_one(name: str, train: sparse.csr_matrix, test: sparse.csr_matrix, most: int) -> None:
    """Fit and measure one contestant; its numbers as JSON."""
    from lingxi.stats import ranking
    from lingxi.stats.bootstrap import bootstrap_mean

    fit, model, _ = CONTESTANTS[name]
    start = time.perf_counter()
    recommend = fit(model, train)
    fit_seconds = time.perf_counter() - start
    rows = np.flatnonzero(np.diff(test.indptr) > 0)
    rng = np.random.default_rng(7)
    if len(rows) > most:
        rows = np.sort(rng.choice(rows, most, replace=False))
    start = time.perf_counter()
    lists = np.concatenate([recommend(rows[at : at + 500]) for at in range(0, len(rows), 500)])
    speed = len(rows) / (time.perf_counter() - start)
    times = []
    for row in rng.choice(rows, min(SINGLES, len(rows)), replace=False):
        start = time.perf_counter()
        recommend(np.array([row]))
        times.append(1000 * (time.perf_counter() - start))
    wanted = np.diff(test.indptr)[rows]
    hits = ranking.find_hits(lists, test[rows].toarray() > 0)
    answer: dict[str, object] = {"fit_seconds": fit_seconds, "customers_per_second": speed}
    for key, metric in (("recall", ranking.recall), ("ndcg", ranking.ndcg)):
        found = bootstrap_mean(metric(hits, wanted), rng=rng)
        answer[key] = [found.value, found.low, found.high]
    answer["p50_ms"], answer["p99_ms"] = np.percentile(times, [50, 99]).tolist()
    answer["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(answer))


def load(path: Path) -> sparse.csr_matrix:
    """A train or test matrix of ones."""
    matrix = sparse.csr_matrix(sparse.load_npz(path), dtype=np.float64)
    matrix.data[:] = 1.0
    return matrix


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--customers", type=int, default=5000, help="at most so many are asked")
    parser.add_argument(
        "--only", action="append", choices=CONTESTANTS, help="a contestant; may be repeated"
    )
    parser.add_argument("--one", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        run_one(chosen.one, load(chosen.train), load(chosen.test), chosen.customers)
        return
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    load_now = os.getloadavg()[0]
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {load_now:.1f}, commit {commit}")
    print(
        f"{'':22}Recall@{N}                NDCG@{N}                  fit s  /s     p50  p99 ms  MB"
    )
    for name in chosen.only or CONTESTANTS:
        _print_one(name, chosen)


def _print_one(name: str, chosen: argparse.Namespace) -> None:
    command = [sys.executable, __file__, "--one", name, "--customers", str(chosen.customers)]
    command += ["--train", str(chosen.train), "--test", str(chosen.test)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode:
        reason = (found.stderr.strip().splitlines() or ["no message"])[-1]
        print(f"{name:22}left out: {reason}")
        return
    said = json.loads(found.stdout.strip().splitlines()[-1])
    recall, ndcg = ("{:.4f} [{:.4f}, {:.4f}]".format(*said[key]) for key in ("recall", "ndcg"))
    print(
        f"{name:22}{recall}  {ndcg}  {said['fit_seconds']:6.1f} "
        f"{said['customers_per_second']:6.0f} {said['p50_ms']:6.2f} {said['p99_ms']:6.2f} "
        f"{said['peak_mb']:6.0f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
