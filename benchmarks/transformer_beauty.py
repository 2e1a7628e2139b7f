"""The sequence transformer on Amazon Beauty: quality with intervals, seconds an epoch, memory.

``python benchmarks/transformer_beauty.py [--part validation|test] [--seconds S] [--set k=v ...]``.
Leave-one-out, full ranking over all items, items of the history excluded. ``test`` fits on all but
each customer's last two items, takes all but the last as history and looks for the last;
``validation`` looks for the last item of that training data from those before it, and is what
settings are chosen on. Published on the test part, HR@10 / NDCG@10: SASRec with sampled softmax
.0921 / .0531, eSASRec .0928 / .0523 (eSASRec, RecSys 2025).
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import sparse

from lingxi.errors import MissingExtra
from lingxi.recommend import evaluate
from lingxi.recommend.deep.scorer import Transformer
from lingxi.recommend.deep.settings import Settings, read_settings
from lingxi.recommend.histories import DAY, Histories
from recommend_quality import describe_machine, peak

FILE = Path(__file__).resolve().parents[1].parent / "shared/data/amazon_beauty/Beauty.txt"


def read_histories(path: Path) -> list[np.ndarray]:
    """Items of each customer, the oldest first, from ``user item item ...`` counted from 1."""
    lines = path.read_text().splitlines()
    return [np.array(line.split()[1:], dtype=np.int64) - 1 for line in lines]


def gather(rows: list[np.ndarray], n_items: int) -> Histories:
    """Histories whose events are a day apart each: the file knows the order only."""
    owners = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    moments = np.concatenate([np.arange(len(row)) * DAY for row in rows])
    return Histories.of_events(owners, np.concatenate(rows), (len(rows), n_items), moments=moments)


def split(rows: list[np.ndarray], part: str) -> tuple[Histories, Histories, sparse.csr_array]:
    """What is learnt from, what is known when serving, what is wanted."""
    n_items = int(max(row.max() for row in rows)) + 1
    learnt, known, at = (2, 1, -1) if part == "test" else (3, 3, -3)
    wanted = np.array([row[at] for row in rows])
    cells = (np.ones(len(rows)), (np.arange(len(rows)), wanted))
    return (
        gather([row[:-learnt] for row in rows], n_items),
        gather([row[:-known] for row in rows], n_items),
        sparse.csr_array(cells, shape=(len(rows), n_items)),
    )


def main() -> None:
    """Fit, evaluate, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--file", type=Path, default=FILE)
    parser.add_argument("--part", choices=("validation", "test"), default="validation")
    parser.add_argument("--seconds", type=float, default=120.0, help="0 for no limit")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE")
    asked = parser.parse_args()
    if not asked.file.is_file():
        raise SystemExit(f"skipped: there is no {asked.file}")
    pairs = dict(pair.split("=", 1) for pair in asked.set)
    settings = replace(read_settings({**vars(Settings()), **pairs}), seconds=asked.seconds)
    taught, known, wanted = split(read_histories(asked.file), asked.part)
    marks = [time.perf_counter()]
    scorer = Transformer(
        "transformer", settings, tell=lambda *_done: marks.append(time.perf_counter())
    )
    try:
        scorer.fit(taught)
    except MissingExtra as error:
        raise SystemExit(f"skipped: {error}") from error
    fit = time.perf_counter() - marks[0]
    found = evaluate(scorer, known, wanted, at=(10,)).summary(np.random.default_rng(1))
    shown = {"HR@10": found["hit_rate@10"], "NDCG@10": found["ndcg@10"]}
    print(f"{describe_machine()}; Beauty, {asked.part}; {settings}")
    for name, each in shown.items():
        print(f"{name} {each.value:.4f} [{each.low:.4f}, {each.high:.4f}]")
    print(f"fit {fit:.0f} s, {np.median(np.diff(marks)):.1f} s an epoch, {peak():.0f} MB peak")


if __name__ == "__main__":
    main()
