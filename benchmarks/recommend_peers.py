"""Lingxi's recommenders beside implicit, RecTools and LensKit: the same split, the same measure.

``python benchmarks/recommend_peers.py --train T.npz --test S.npz`` (or ``--retail FILE``, the
orders of Online Retail, of which the last 30 days' first purchases are to be found) fits each
contestant in its own process and prints accuracy (full ranking of all items, without what a
customer had in train), seconds of fitting, customers a second in a batch, milliseconds for one
customer, and peak memory. Peers come with ``pip install --group peers``; one that is not installed
is named and left out. RecTools takes an older NumPy than Lingxi before Python 3.13: install it in
an environment of its own, with pandas and pyarrow, and name that one's interpreter
(``--peers-python``). Parameters are each library's defaults, or those named here; nothing is tuned
on the test split. ``lingxi auto`` chooses on a part of train, within ``--seconds``.
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
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    import pandas as pd

N = 20
SINGLES = 300
SECONDS = 60.0
DAY = np.timedelta64(1, "D")
Recommend = Callable[[np.ndarray], np.ndarray]
"""Rows of the train matrix to lists of N items, shape (n_rows, N)."""
Fit = Callable[[str, sparse.csr_matrix], Recommend]


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


def fit_auto(_name: str, train: sparse.csr_matrix) -> Recommend:
    """What ``auto`` chooses on a part of the training data."""
    from lingxi.recommend import RecommenderModel

    model = RecommenderModel(seconds=SECONDS).fit(train)
    print(f"auto chose {model.recipe_}", file=sys.stderr)
    return lambda rows: _to_lists(model.recommend(rows, n=N), rows, "customer_id", "item_id")


def fit_rectools(name: str, train: sparse.csr_matrix) -> Recommend:
    """One of RecTools' models, over its own data set of the same events."""
    from rectools.dataset import Dataset
    from rectools.models import EASEModel, PopularModel, PureSVDModel

    makers = {
        "ease": lambda: EASEModel(regularization=500.0),
        "pure_svd": lambda: PureSVDModel(factors=64),
        "popular": lambda: PopularModel(),
    }
    frame = _to_frame(train, "user_id", "item_id")
    frame["weight"], frame["datetime"] = 1.0, "2020-01-01"
    data = Dataset.construct(frame)
    model = makers[name]().fit(data)

    def recommend(rows: np.ndarray) -> np.ndarray:
        found = model.recommend(rows, data, k=N, filter_viewed=True)
        return _to_lists(found, rows, "user_id", "item_id")

    return recommend


def fit_lenskit(name: str, train: sparse.csr_matrix) -> Recommend:
    """One of LensKit's scorers in its usual pipeline."""
    import lenskit
    from lenskit import batch
    from lenskit.als import ImplicitMFScorer
    from lenskit.data import from_interactions_df
    from lenskit.knn import EASEScorer, ItemKNNScorer
    from lenskit.pipeline import topn_pipeline

    makers = {
        "item_knn": lambda: ItemKNNScorer(k=100, feedback="implicit"),
        "als": lambda: ImplicitMFScorer(embedding_size=64),
        "ease": lambda: EASEScorer(regularization=500.0),
    }
    data = from_interactions_df(_to_frame(train, "user_id", "item_id"))
    pipeline = topn_pipeline(makers[name](), n=N)
    pipeline.train(data)

    def recommend(rows: np.ndarray) -> np.ndarray:
        if len(rows) == 1:
            ids = lenskit.recommend(pipeline, int(rows[0]), N).ids()
            return np.pad(ids, (0, N - len(ids)), constant_values=-1)[None]
        found = batch.recommend(pipeline, rows.tolist(), n=N, n_jobs=1).to_df()
        return _to_lists(found, rows, "user_id", "item_id")

    return recommend


def _to_frame(train: sparse.csr_matrix, user: str, item: str) -> "pd.DataFrame":
    import pandas as pd

    cells = train.tocoo()
    return pd.DataFrame({user: cells.row.astype(np.int64), item: cells.col.astype(np.int64)})


def _to_lists(found: "pd.DataFrame", rows: np.ndarray, user: str, item: str) -> np.ndarray:
    """Lists in the order of the rows, -1 where one is short; ``found`` has each best first."""
    order = {row: at for at, row in enumerate(rows.tolist())}
    at = np.array([order[each] for each in found[user].tolist()], dtype=np.int64)
    place = found.groupby(user, sort=False).cumcount().to_numpy()
    lists = np.full((len(rows), N), -1, dtype=np.int64)
    lists[at, place] = found[item].to_numpy()
    return lists


OURS = ("popularity", "item_cosine", "rp3beta", "user_tfidf", "graph", "als", "slim", "ease")
PEERS: dict[str, tuple[Fit, tuple[str, ...]]] = {
    "implicit": (fit_implicit, ("als", "bpr", "cosine", "bm25")),
    "rectools": (fit_rectools, ("popular", "pure_svd", "ease")),
    "lenskit": (fit_lenskit, ("item_knn", "als", "ease")),
}
CONTESTANTS: dict[str, tuple[Fit, str]] = {
    "lingxi auto": (fit_auto, "auto"),
    **{f"lingxi {name}": (fit_lingxi, name) for name in OURS},
    **{f"{who} {name}": (fit, name) for who, (fit, names) in PEERS.items() for name in names},
}


def run_one(name: str, train: sparse.csr_matrix, test: sparse.csr_matrix, most: int) -> None:
    """Fit and measure one contestant; its numbers as JSON."""
    from lingxi.stats import ranking
    from lingxi.stats.bootstrap import bootstrap_mean

    fit, model = CONTESTANTS[name]
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
    library = name.partition(" ")[0]
    answer["library"] = f"{library} {version(library)}" if library in PEERS else ""
    answer["p50_ms"], answer["p99_ms"] = np.percentile(times, [50, 99]).tolist()
    answer["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(answer))


def load(path: Path) -> sparse.csr_matrix:
    """A train or test matrix of ones."""
    matrix = sparse.csr_matrix(sparse.load_npz(path), dtype=np.float64)
    matrix.data[:] = 1.0
    return matrix


def split_retail(path: Path, days: int = 30) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Who had bought what, and what each known customer bought first in the last days."""
    import pandas as pd

    lines = pd.read_parquet(path)
    lines = lines[lines["CustomerID"].notna() & (lines["Quantity"] > 0)]
    firsts = lines.groupby(["CustomerID", "StockCode"])["InvoiceDate"].min().reset_index()
    items, _ = pd.factorize(firsts["StockCode"], sort=True)
    customers, _ = pd.factorize(firsts["CustomerID"], sort=True)
    moments = pd.to_datetime(firsts["InvoiceDate"]).to_numpy()
    late = moments >= moments.max() - days * DAY
    known = np.isin(customers, customers[~late])
    shape = (int(customers.max()) + 1, int(items.max()) + 1)

    def build(chosen: np.ndarray) -> sparse.csr_matrix:
        cells = customers[chosen], items[chosen]
        return sparse.csr_matrix((np.ones(int(chosen.sum())), cells), shape=shape)

    return build(~late), build(late & known)


def read_split(chosen: argparse.Namespace) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """The split that the command names."""
    if chosen.retail:
        return split_retail(chosen.retail)
    return load(chosen.train), load(chosen.test)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path)
    parser.add_argument("--test", type=Path)
    parser.add_argument("--retail", type=Path, help="Online Retail as Parquet, in place of both")
    parser.add_argument(
        "--peers-python",
        default=sys.executable,
        help="an interpreter of an environment that has the peers, where they need an older NumPy",
    )
    parser.add_argument("--customers", type=int, default=5000, help="at most so many are asked")
    parser.add_argument(
        "--only", action="append", choices=CONTESTANTS, help="a contestant; may be repeated"
    )
    parser.add_argument("--one", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if not (chosen.retail or (chosen.train and chosen.test)):
        parser.error("give --train and --test, or --retail")
    if chosen.one:
        run_one(chosen.one, *read_split(chosen), chosen.customers)
        return
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    load_now = os.getloadavg()[0]
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {load_now:.1f}, commit {commit}")
    train, test = read_split(chosen)
    asked = int((np.diff(test.indptr) > 0).sum())
    print(f"{train.shape[0]} customers, {train.shape[1]} items, {train.nnz} pairs, {asked} asked")
    print(
        f"{'':22}Recall@{N}                NDCG@{N}                  fit s  /s     p50  p99 ms  MB"
    )
    used = {_print_one(name, chosen) for name in chosen.only or CONTESTANTS}
    print(", ".join(sorted(used - {""})) or "no peer took part")


def _print_one(name: str, chosen: argparse.Namespace) -> str:
    """Let one run in its own process; which version of a peer it was."""
    python = sys.executable if name.startswith("lingxi") else chosen.peers_python
    command = [python, __file__, "--one", name, "--customers", str(chosen.customers)]
    if chosen.retail:
        command += ["--retail", str(chosen.retail)]
    else:
        command += ["--train", str(chosen.train), "--test", str(chosen.test)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode:
        reason = (found.stderr.strip().splitlines() or ["no message"])[-1]
        print(f"{name:22}left out: {reason}", flush=True)
        return ""
    said = json.loads(found.stdout.strip().splitlines()[-1])
    recall, ndcg = ("{:.4f} [{:.4f}, {:.4f}]".format(*said[key]) for key in ("recall", "ndcg"))
    print(
        f"{name:22}{recall}  {ndcg}  {said['fit_seconds']:6.1f} "
        f"{said['customers_per_second']:6.0f} {said['p50_ms']:6.2f} {said['p99_ms']:6.2f} "
        f"{said['peak_mb']:6.0f}",
        flush=True,
    )
    return str(said["library"])


if __name__ == "__main__":
    main()
