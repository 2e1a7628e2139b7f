"""Lingxi's recommenders beside implicit, RecTools and LensKit: the same split, the same measure.

``python benchmarks/recommend_peers.py --train T --test S [--history H]`` (``.npz`` or Parquet, as
``lingxi evaluate recommend`` takes them; or ``--retail FILE``, the orders of Online Retail, of
which the last 30 days' first purchases are to be found) fits each contestant in its own process and
prints accuracy (full ranking of all items, without what a customer has met), seconds of fitting,
customers a second in a batch, milliseconds for one customer, and peak memory; then the paired
differences of the first contestant to each other, customer by customer. Everybody learns from train
and history together: not every peer can be told of events after it was fitted. Times are given to
whoever can use them, which of these is Lingxi alone.

Peers come with ``pip install --group peers``; one that is not installed is named and left out.
RecTools takes an older NumPy than Lingxi before Python 3.13: install it in an environment of its
own, with pandas and pyarrow, and name that one's interpreter (``--peers-python``). Parameters are
each library's defaults, or those named here; nothing is tuned on the test split. ``lingxi auto``
chooses on a part of train, within ``--seconds``. With ``--keep FOLDER`` what was measured is kept
there and not measured again, so that a long run can be taken up where it ended.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recommend_splits import Split, read_split

if TYPE_CHECKING:
    import pandas as pd

N = 20
SINGLES = 300
Recommend = Callable[[np.ndarray], np.ndarray]
"""Rows of the train matrix to lists of N items, shape (n_rows, N)."""


Fit = Callable[[str, Split], Recommend]


def fit_lingxi(name: str, split: Split) -> Recommend:
    """One of Lingxi's models with its first recipe, or what ``auto`` chooses."""
    from lingxi.recommend.bench import FILL
    from lingxi.recommend.families import FAMILIES, make_recipe
    from lingxi.recommend.histories import Histories
    from lingxi.recommend.lists import exclude, fill_up, top_items
    from lingxi.recommend.model import fit_model
    from lingxi.recommend.unaided import pick

    rows, items, moments = split.events
    taught = Histories.of_events(rows, items, split.train.shape, moments=moments)
    if name == "auto":
        recipe = pick(taught, seconds=split.seconds, seed=7).recipe
        parts = [(part.name, dict(part.params)) for part in recipe.parts]
        print(f"auto chose {recipe.name} {dict(recipe.params)} {parts}", file=sys.stderr)
    else:
        starts = FAMILIES[name].starts or ({},)
        timed = moments is not None
        params = {k: v for k, v in starts[0].items() if timed or k != "taught_half_life"}
        recipe = make_recipe(name, params)
    model = fit_model(recipe, taught)
    seen, popular = taught.seen(), taught.popularity(FILL)

    def recommend(rows: np.ndarray) -> np.ndarray:
        scores = np.array(model.score(taught.take(rows)))
        fill_up(scores, popular)
        exclude(scores, seen[rows])
        return top_items(scores, N)

    return recommend


def fit_implicit(name: str, split: Split) -> Recommend:
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
    single = split.train.astype(np.float32)
    model.fit(single, show_progress=False)

    def recommend(rows: np.ndarray) -> np.ndarray:
        lists, _ = model.recommend(rows, single[rows], N=N, filter_already_liked_items=True)
        return np.asarray(lists)

    return recommend


def fit_rectools(name: str, split: Split) -> Recommend:
    """One of RecTools' models, over its own data set of the same events."""
    from rectools.dataset import Dataset
    from rectools.models import EASEModel, PopularModel, PureSVDModel

    makers = {
        "ease": lambda: EASEModel(regularization=500.0),
        "pure_svd": lambda: PureSVDModel(factors=64),
        "popular": lambda: PopularModel(),
    }
    frame = _to_frame(split, "user_id", "item_id")
    frame["weight"], frame["datetime"] = 1.0, "2020-01-01"
    data = Dataset.construct(frame)
    model = makers[name]().fit(data)

    def recommend(rows: np.ndarray) -> np.ndarray:
        found = model.recommend(rows, data, k=N, filter_viewed=True)
        return _to_lists(found, rows, "user_id", "item_id")

    return recommend


def fit_lenskit(name: str, split: Split) -> Recommend:
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
    data = from_interactions_df(_to_frame(split, "user_id", "item_id"))
    pipeline = topn_pipeline(makers[name](), n=N)
    pipeline.train(data)

    def recommend(rows: np.ndarray) -> np.ndarray:
        if len(rows) == 1:
            ids = lenskit.recommend(pipeline, int(rows[0]), N).ids()
            return np.pad(ids, (0, N - len(ids)), constant_values=-1)[None]
        found = batch.recommend(pipeline, rows.tolist(), n=N, n_jobs=1).to_df()
        return _to_lists(found, rows, "user_id", "item_id")

    return recommend


def _to_frame(split: Split, user: str, item: str) -> "pd.DataFrame":
    import pandas as pd

    cells = split.train.tocoo()
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
OURS_OF_ORDER = ("transitions", "v_stan", "next_item")
PEERS: dict[str, tuple[Fit, tuple[str, ...]]] = {
    "implicit": (fit_implicit, ("als", "bpr", "cosine", "bm25")),
    "rectools": (fit_rectools, ("popular", "pure_svd", "ease")),
    "lenskit": (fit_lenskit, ("item_knn", "als", "ease")),
}
CONTESTANTS: dict[str, tuple[Fit, str]] = {
    **{f"lingxi {name}": (fit_lingxi, name) for name in ("auto", *OURS, *OURS_OF_ORDER)},
    **{f"{who} {name}": (fit, name) for who, (fit, names) in PEERS.items() for name in names},
}


def run_one(name: str, split: Split, most: int, values: Path) -> None:
    """Fit and measure one contestant; its numbers as JSON, those of each customer in a file."""
    from lingxi.stats import ranking

    fit, model = CONTESTANTS[name]
    start, worked = time.perf_counter(), time.process_time()
    recommend = fit(model, split)
    answer: dict[str, object] = {
        "fit_seconds": time.perf_counter() - start,
        "fit_work": time.process_time() - worked,
    }
    rng = np.random.default_rng(7)
    rows = np.flatnonzero(np.diff(split.test.indptr) > 0)
    if len(rows) > most:
        rows = np.sort(rng.choice(rows, most, replace=False))
    start = time.process_time()
    lists = np.concatenate([recommend(rows[at : at + 500]) for at in range(0, len(rows), 500)])
    answer["customers_per_second"] = len(rows) / (time.process_time() - start)
    times = []
    for row in rng.choice(rows, min(SINGLES, len(rows)), replace=False):
        start = time.process_time()
        recommend(np.array([row]))
        times.append(1000 * (time.process_time() - start))
    wanted = np.diff(split.test.indptr)[rows]
    hits = np.concatenate(
        [
            ranking.find_hits(lists[at : at + 500], split.test[rows[at : at + 500]].toarray() > 0)
            for at in range(0, len(rows), 500)
        ]
    )
    np.savez(values, recall=ranking.recall(hits, wanted), ndcg=ranking.ndcg(hits, wanted))
    library = name.partition(" ")[0]
    answer["library"] = f"{library} {version(library)}" if library in PEERS else ""
    answer["p50_ms"], answer["p99_ms"] = np.percentile(times, [50, 99]).tolist()
    answer["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(answer))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path)
    parser.add_argument("--test", type=Path)
    parser.add_argument("--history", type=Path, help="known when asked; everybody learns from it")
    parser.add_argument("--retail", type=Path, help="Online Retail as Parquet, in place of these")
    parser.add_argument(
        "--peers-python",
        default=sys.executable,
        help="an interpreter of an environment that has the peers, where they need an older NumPy",
    )
    parser.add_argument("--customers", type=int, default=5000, help="at most so many are asked")
    parser.add_argument("--seconds", type=float, default=60.0, help="for choosing and fitting auto")
    parser.add_argument("--keep", type=Path, help="a folder for what was measured")
    parser.add_argument(
        "--only", action="append", choices=CONTESTANTS, help="a contestant; may be repeated"
    )
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--values", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if not (chosen.retail or (chosen.train and chosen.test)):
        parser.error("give --train and --test, or --retail")
    if chosen.one:
        run_one(chosen.one, read_split(chosen), chosen.customers, chosen.values)
        return
    with tempfile.TemporaryDirectory() as folder:
        compare(chosen, chosen.keep or Path(folder))


def compare(chosen: argparse.Namespace, folder: Path) -> None:
    """Measure all contestants and print what they came to."""
    folder.mkdir(parents=True, exist_ok=True)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    load_now = os.getloadavg()[0]
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {load_now:.1f}, commit {commit}")
    split = read_split(chosen)
    train, asked = split.train, int((np.diff(split.test.indptr) > 0).sum())
    print(
        f"{train.shape[0]} customers, {train.shape[1]} items, {train.nnz} pairs, "
        f"{min(asked, chosen.customers)} of {asked} asked"
    )
    timed = split.events[2] is not None
    names = chosen.only or [
        name for name in CONTESTANTS if timed or name.removeprefix("lingxi ") not in OURS_OF_ORDER
    ]
    print(
        f"{'':22}Recall@{N}                NDCG@{N}                  fit s (processor)  /s     p50"
        "  p99 ms  MB"
    )
    used, done = set(), []
    for name in names:
        library = _print_one(name, chosen, folder)
        if library is not None:
            used.add(library)
            done.append(name)
    print(", ".join(sorted(used - {""})) or "no peer took part")
    if len(done) > 1:
        _print_differences(done, folder)


def _place(name: str, folder: Path) -> Path:
    return folder / f"{name.replace(' ', '-')}.npz"


def _print_one(name: str, chosen: argparse.Namespace, folder: Path) -> str | None:
    """Let one run in its own process; which version of a peer it was."""
    from lingxi.stats.bootstrap import bootstrap_means

    values = _place(name, folder)
    note = values.with_suffix(".json")
    if not note.exists():
        reason = _run(name, chosen, values, note)
        if reason:
            print(f"{name:22}left out: {reason}", flush=True)
            return None
    said = json.loads(note.read_text())
    with np.load(values) as kept:
        found = bootstrap_means(dict(kept), rng=np.random.default_rng(7))
    recall, ndcg = (f"{x.value:.4f} [{x.low:.4f}, {x.high:.4f}]" for x in found.values())
    print(
        f"{name:22}{recall}  {ndcg}  {said['fit_seconds']:6.1f} ({said['fit_work']:6.1f}) "
        f"{said['customers_per_second']:9.0f} {said['p50_ms']:6.2f} {said['p99_ms']:6.2f} "
        f"{said['peak_mb']:6.0f}",
        flush=True,
    )
    return str(said["library"])


def _run(name: str, chosen: argparse.Namespace, values: Path, note: Path) -> str:
    """Measure one contestant and write its numbers; why not, where that fails."""
    python = sys.executable if name.startswith("lingxi") else chosen.peers_python
    command = [python, __file__, "--one", name, "--values", str(values)]
    for option in ("customers", "seconds", "retail", "train", "test", "history"):
        if getattr(chosen, option) is not None:
            command += [f"--{option}", str(getattr(chosen, option))]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode:
        return (found.stderr.strip().splitlines() or ["no message"])[-1]
    note.write_text(found.stdout.strip().splitlines()[-1])
    for line in found.stderr.splitlines():
        if line.startswith("auto chose"):
            print(line)
    return ""


def _print_differences(names: list[str], folder: Path) -> None:
    """The first contestant less each other, of the same customers."""
    from lingxi.stats.bootstrap import bootstrap_means

    tables = {name: dict(np.load(_place(name, folder))) for name in names}
    first = tables[names[0]]
    print(f"\n{names[0]} less      Recall@{N}                   NDCG@{N}")
    for name in names[1:]:
        gaps = {key: first[key] - tables[name][key] for key in ("recall", "ndcg")}
        found = bootstrap_means(gaps, rng=np.random.default_rng(7))
        shown = (f"{x.value:+.4f} [{x.low:+.4f}, {x.high:+.4f}]" for x in found.values())
        print(f"{name:22}{'  '.join(shown)}")


if __name__ == "__main__":
    main()
