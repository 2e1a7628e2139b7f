"""Our session models beside the published lists of the YooChoose 100k sample, and auto beside ours.

    python benchmarks/published_sessions.py ../shared/data/yoochoose_100k [--auto SECONDS]

Fitted on the train_full file. First: on the events of the published lists (those of the sessions in
the recommendation files), for AR, SR and V-SKNN: the mean overlap of the first 20 items, hits among
them, and how many lists and outcomes are the same but for the order of equal scores. With --auto:
the model that auto chooses on train alone, beside our V-SKNN, on all next events of the test file,
with the interval of the paired difference.
"""

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.families import build_scorer, make_recipe
from lingxi.recommend.histories import Histories
from lingxi.recommend.recipe import Param
from lingxi.recommend.scorer import Scorer

N = 20
PUBLISHED: dict[str, tuple[str, dict[str, Param]]] = {
    "ar": ("association_rules", {"length": 1000}),
    "sr": ("sequential_rules", {"length": 1000}),
    "vsknn": ("v_sknn", {"k": 500, "sample": 2500, "rarity": 10.0}),
}
"""The published lists hold 20 rules an item, equal ones by chance: so all are kept here.

V-SKNN weighs by (place / length)² and rarity, which its lists show."""
_ROUNDING = 1e-4
"""Older items of the history are heard a millionth; that breaks ties and nothing else."""


@dataclass(frozen=True)
class Clicks:
    """Clicks by session: sorted by session and time; items are indices of ``item_ids``."""

    sessions: NDArray[np.int64]
    items: NDArray[np.int64]
    moments: NDArray[np.int64]
    session_ids: list[str]
    item_ids: list[str]


@dataclass(frozen=True)
class Listed:
    """A published list: which row is asked, what came next, and the items above 0."""

    asked: Histories
    wanted: NDArray[np.int64]
    lists: list[list[int]]


def read_clicks(path: Path, item_ids: list[str] | None = None) -> Clicks:
    """Read a tab-separated file of SessionId, ItemId, Time; unknown items get new indices."""
    with path.open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    known = {item: at for at, item in enumerate(item_ids or [])}
    for row in rows:
        known.setdefault(row["ItemId"], len(known))
    sessions = {s: at for at, s in enumerate(dict.fromkeys(row["SessionId"] for row in rows))}
    return Clicks(
        np.array([sessions[row["SessionId"]] for row in rows]),
        np.array([known[row["ItemId"]] for row in rows]),
        np.array([round(float(row["Time"]) * 1e6) for row in rows]),
        list(sessions),
        list(known),
    )


def read_train(folder: Path, n_items: int | None = None) -> tuple[Histories, Clicks]:
    """The sessions to fit on."""
    clicks = read_clicks(folder / "yoochoose-clicks-100k_train_full.txt")
    shape = (len(clicks.session_ids), n_items or len(clicks.item_ids))
    return Histories.of_events(clicks.sessions, clicks.items, shape, moments=clicks.moments), clicks


def cut_sessions(
    clicks: Clicks, n_items: int, events: list[tuple[int, int]]
) -> tuple[Histories, NDArray[np.int64]]:
    """For each (session, place) the clicks up to that place, and the next item."""
    shape = (len(clicks.session_ids), n_items)
    whole = Histories.of_events(clicks.sessions, clicks.items, shape, moments=clicks.moments)
    rows = np.array([session for session, _ in events])
    places = np.array([place for _, place in events])
    repeated = whole.take(rows)
    within = np.arange(len(repeated.items)) - repeated.indptr[repeated.owners]
    asked = repeated.keep(within <= places[repeated.owners]).of_nobody()
    return asked, whole.items[whole.indptr[rows] + places + 1]


def read_published(folder: Path, name: str, test: Clicks, n_items: int) -> Listed:
    """The lists of one published model, and the histories they answer."""
    session = {s: at for at, s in enumerate(test.session_ids)}
    item = {i: at for at, i in enumerate(test.item_ids)}
    events, lists = [], []
    with (folder / f"recoms_rsc15_100k_{name}.csv").open() as file:
        for row in csv.DictReader(file, delimiter=";"):
            events.append((session[row["SessionId"]], int(row["Position"])))
            pairs = zip(row["Recommendations"].split(","), row["Scores"].split(","), strict=True)
            lists.append([item.get(i, -1) for i, score in pairs if float(score) > 0][:N])
    asked, wanted = cut_sessions(test, n_items, events)
    return Listed(asked, wanted, lists)


def compare(scorer: Scorer, listed: Listed) -> dict[str, float]:
    """Overlap of the first lists, hits, and equality but for the order of equal scores.

    ``same_but_ties``: the share of published lists all of whose items score at least as high with
    us as the last place does. ``same_outcome``: hit or miss is the same, or open between equals.
    """
    scores = np.asarray(scorer.score(listed.asked), dtype=np.float64)
    overlap, whole, same, hits, theirs = [], [], [], 0, 0
    for row, published, wanted in zip(scores, listed.lists, listed.wanted.tolist(), strict=True):
        if not published:
            continue
        n = len(published)
        mine = np.argsort(-row, kind="stable")[:n]
        last = row[mine[-1]] * (1 - _ROUNDING)
        overlap.append(len({*mine.tolist()} & {*published}) / n)
        whole.append(bool((row[published] >= last).all()))
        found = wanted in published
        same.append(
            row[wanted] >= last if found else row[wanted] <= row[mine[-1]] * (1 + _ROUNDING)
        )
        hits += wanted in mine
        theirs += found
    return {
        "events": len(same),
        "overlap": float(np.mean(overlap)),
        "same_but_ties": float(np.mean(whole)),
        "same_outcome": float(np.mean(same)),
        "our_hits": hits,
        "published_hits": theirs,
    }


def compare_all(folder: Path) -> dict[str, dict[str, float]]:
    """``compare`` for each published model."""
    train, clicks = read_train(folder)
    test = read_clicks(folder / "yoochoose-clicks-100k_test.txt", clicks.item_ids)
    answer = {}
    for name, (model, params) in PUBLISHED.items():
        scorer = build_scorer(make_recipe(model, params))
        scorer.fit(train)
        listed = read_published(folder, name, test, train.n_items)
        answer[name] = compare(scorer, listed)
    return answer


def find_ranks(scorer: Scorer, asked: Histories, wanted: NDArray[np.int64]) -> NDArray[np.float64]:
    """The rank of what came next, from 0; equal scores share the middle."""
    ranks = []
    for start in range(0, asked.n_rows, 500):
        rows = np.arange(start, min(start + 500, asked.n_rows))
        scores = np.asarray(scorer.score(asked.take(rows)), dtype=np.float64)
        mine = scores[np.arange(len(rows)), wanted[rows]][:, None]
        ranks.append((scores > mine).sum(axis=1) + ((scores == mine).sum(axis=1) - 1) / 2)
    return np.concatenate(ranks)


def race(folder: Path, seconds: float, seed: int = 7) -> dict[str, float | str]:
    """Auto beside our V-SKNN on all next events: HR@20, MRR@20, the paired differences."""
    from lingxi.recommend.auto import search
    from lingxi.recommend.bench import most_asked, split_inside
    from lingxi.recommend.model import fit_model

    train, clicks = read_train(folder)
    test = read_clicks(folder / "yoochoose-clicks-100k_test.txt", clicks.item_ids)
    counts = np.bincount(test.sessions)
    events = [(s, p) for s, count in enumerate(counts.tolist()) for p in range(count - 1)]
    asked, wanted = cut_sessions(test, train.n_items, events)
    rng = np.random.default_rng(seed)
    most = most_asked(train.n_items)
    bench = split_inside(
        train, rng=rng, most=most, metric="ndcg@20", include_seen=True, strangers=True
    )
    found = search(bench, seconds, tell=print)
    answer: dict[str, float | str] = {"events": len(events), "chosen": found.recipe.name}
    ranks = {}
    for name, recipe in (("auto", found.recipe), ("v_sknn", make_recipe("v_sknn"))):
        ranks[name] = find_ranks(fit_model(recipe, train), asked, wanted)
    for metric, of in (("hr@20", lambda r: r < N), ("mrr@20", lambda r: (r < N) / (r + 1))):
        values = {name: of(r).astype(float) for name, r in ranks.items()}
        gain = values["auto"] - values["v_sknn"]
        by_session = np.bincount(asked_sessions(events), weights=gain)
        size = np.bincount(asked_sessions(events))
        draws = rng.integers(0, len(size), (1000, len(size)))
        means = by_session[draws].sum(axis=1) / size[draws].sum(axis=1)
        low, high = np.quantile(means, [0.025, 0.975])
        for name, value in values.items():
            answer[f"{name}_{metric}"] = float(value.mean())
        answer[f"difference_{metric}"] = float(gain.mean())
        answer[f"low_{metric}"], answer[f"high_{metric}"] = float(low), float(high)
    return answer


def asked_sessions(events: list[tuple[int, int]]) -> NDArray[np.int64]:
    """The session of each event; the bootstrap draws sessions, not events."""
    return np.unique(np.array([session for session, _ in events]), return_inverse=True)[1]


def main() -> None:
    """Print both comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--auto", type=float, default=0.0, metavar="SECONDS")
    args = parser.parse_args()
    for name, found in compare_all(args.data).items():
        print(name, {key: round(value, 4) for key, value in found.items()})
    if args.auto > 0:
        for key, number in race(args.data, args.auto).items():
            print(f"{key}: {number if isinstance(number, str) else round(number, 4)}")


if __name__ == "__main__":
    main()
