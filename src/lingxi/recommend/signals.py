"""What the ranker knows of a candidate: what models say of it, whose it would be, and what it is.

A signal is a column of numbers, one for each candidate of each customer. Interest that changes is
read from *affinities*: how near an item is to the history, once with the events of the last hour
counting most, once with those of a day, a week, a month and half a year.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.factors import find_trend
from lingxi.recommend.histories import DAY, ORDER, Histories
from lingxi.recommend.history import Weighting
from lingxi.recommend.kernels import look_along
from lingxi.recommend.learned import Candidates, describe_items
from lingxi.recommend.matrix import Csr, row_lengths, row_sums, scale, sort_columns
from lingxi.store import Artefact, ArtefactWriter

HALF_LIVES: Mapping[str, float] = {
    "hour": 1 / 24,
    "day": 1.0,
    "week": 7.0,
    "month": 30.0,
    "half_year": 180.0,
}
"""Days after which an event counts half, for each affinity."""
TASTES = ("day", "month", "half_year")
"""Half-lives of likeness by what the catalogue says."""
NEWEST = 1e-6
"""The position decay that leaves the newest item alone to speak."""
SESSION = 30 * 60 * 1_000_000
HOUR = 3_600_000_000
_FACTS = ("met", "trend", "week_trend", "first", "last", "order_share")
Table = NDArray[np.float32]
Vector = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Signs:
    """What is known of each item whoever asks, shape (n_items,) each.

    ``met``: customers; ``trend``, ``week_trend``: demand of late beside always, by a half-life of
    30 and of 7 days; ``first``, ``last``: when it was first and last met, microseconds; ``newest``:
    the newest event of all; ``order_share``: orders among its events; ``about``: what the catalogue
    says, nothing where there is none.
    """

    met: Vector
    trend: Vector
    week_trend: Vector
    first: Vector
    last: Vector
    order_share: Vector
    newest: int
    about: Csr | None = None

    @cached_property
    def logs(self) -> tuple[Vector, Vector, Vector]:
        """The logarithms of who met each item, of its trend and of its week's."""
        return np.log1p(self.met), np.log(self.trend), np.log(self.week_trend)

    @staticmethod
    def read(taught: Histories) -> "Signs":
        """What these histories tell of the items."""
        met, trend = describe_items(taught)
        events = np.bincount(taught.items, minlength=taught.n_items)
        ordered = np.bincount(taught.items[taught.kinds == ORDER], minlength=taught.n_items)
        first = np.full(taught.n_items, float(taught.newest))
        last = np.zeros(taught.n_items)
        np.minimum.at(first, taught.items, taught.moments.astype(np.float64))
        np.maximum.at(last, taught.items, taught.moments.astype(np.float64))
        return Signs(
            met,
            trend,
            find_trend(taught, 1.0, 7.0),
            first,
            last,
            ordered / np.maximum(events, 1),
            taught.newest,
            taught.about,
        )

    def save(self, writer: ArtefactWriter, prefix: str) -> None:
        """Write them."""
        writer.save_array(f"{prefix}_signs", np.stack([getattr(self, name) for name in _FACTS]))
        writer.save_array(f"{prefix}_newest", np.array([self.newest]))
        if self.about is not None:
            writer.save_csr(f"{prefix}_about", self.about)

    @staticmethod
    def load(artefact: Artefact, prefix: str) -> "Signs":
        """Read what ``save`` wrote."""
        facts = artefact.load_array(f"{prefix}_signs", np.float64)
        newest = int(artefact.load_array(f"{prefix}_newest", np.int64)[0])
        known = f"{prefix}_about.data.npy" in artefact.manifest.files
        about = artefact.load_csr(f"{prefix}_about") if known else None
        return Signs(facts[0], facts[1], facts[2], facts[3], facts[4], facts[5], newest, about)


def name_signals(parts: int) -> tuple[str, ...]:
    """The names of the columns, for so many models."""
    heard = [f"{what}_{at}" for at in range(parts) for what in ("share", "place")]
    near = [f"near_{name}" for name in (*HALF_LIVES, "newest")]
    like = [f"like_{name}" for name in TASTES]
    own = ["times", "days_since"]
    item = ["item_met", "item_trend", "item_week_trend", "item_age", "item_idle", "item_orders"]
    who = ["events", "items", "span", "idle", "again", "session", "kind", "hour", "weekday"]
    return (*heard, "voices", *near, *like, *own, *item, *who)


def make_signals(
    histories: Histories, candidates: Candidates, signs: Signs, nearness: Csr
) -> Table:
    """The signals, shape (n_candidates, n_signals); see ``name_signals``.

    ``nearness``: shape (n_items, n_items), row j what item j is near to.
    """
    columns = [*_say(candidates), *_come_near(histories, candidates, nearness)]
    columns += _be_like(histories, candidates, signs.about)
    columns += _meet_again(histories, candidates)
    columns += _describe(histories, candidates, signs)
    columns += [column[candidates.owners] for column in _know(histories, signs)]
    return np.stack(columns, axis=1).astype(np.float32)


def _say(candidates: Candidates) -> list[Vector]:
    """Of each model the share and the place by it, and how many models name the item."""
    owners, columns = candidates.owners, list[Vector]()
    starts = np.searchsorted(owners, owners)
    for share in candidates.said:
        order = np.lexsort((-share, owners))
        place = np.empty(len(order))
        place[order] = np.arange(len(order)) - starts[order]
        columns += [share.astype(np.float64), np.where(share > 0, place, 1000.0)]
    return [*columns, (candidates.said > 0).sum(axis=0).astype(np.float64)]


def _come_near(histories: Histories, candidates: Candidates, nearness: Csr) -> list[Vector]:
    """How near the item is to the history, for each half-life, and to the newest item."""
    hearings = [Weighting(half_life_days=days) for days in HALF_LIVES.values()]
    hearings.append(Weighting(position_decay=NEWEST))
    if not histories.timed:
        once = _multiply(_average(histories, Weighting()), nearness, candidates)
        return [once] * len(hearings)
    return [_multiply(_average(histories, hearing), nearness, candidates) for hearing in hearings]


def _be_like(histories: Histories, candidates: Candidates, about: Csr | None) -> list[Vector]:
    """How like the history the item is by what the catalogue says, for each half-life."""
    if about is None:
        return [np.zeros(len(candidates.items))] * len(TASTES)
    terms: Csr = about[candidates.items]
    lengths = row_lengths(terms)
    asked = Candidates(
        np.repeat(candidates.owners, lengths), terms.indices.astype(np.int64), candidates.said
    )
    cells = np.repeat(np.arange(len(lengths)), lengths)
    columns = list[Vector]()
    for name in TASTES:
        hearing = Weighting(half_life_days=HALF_LIVES[name] if histories.timed else 0.0)
        shares = _multiply(_average(histories, hearing), about, asked) * terms.data
        sums = np.bincount(cells, weights=shares, minlength=len(lengths))
        columns.append(sums.astype(np.float64))
    return columns


def _meet_again(histories: Histories, candidates: Candidates) -> list[Vector]:
    """How often the customer met the item, and how many days ago; -1 for never."""
    met = histories.owners * histories.n_items + histories.items
    keys, places, counts = np.unique(met, return_inverse=True, return_counts=True)
    latest = np.zeros(len(keys))
    np.maximum.at(latest, places, histories.moments.astype(np.float64))
    asked = candidates.owners * histories.n_items + candidates.items
    if not len(keys):
        return [np.zeros(len(asked)), np.full(len(asked), -1.0)]
    at = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    found = keys[at] == asked
    ages = (_find_ends(histories)[candidates.owners] - latest[at]) / DAY
    return [np.where(found, np.log1p(counts[at]), 0.0), np.where(found, ages, -1.0)]


def _describe(histories: Histories, candidates: Candidates, signs: Signs) -> list[Vector]:
    """The item alone, as of the history's newest event."""
    items = candidates.items
    now = _find_ends(histories)[candidates.owners]
    age, idle = now - signs.first[items], now - signs.last[items]
    return [
        np.log1p(signs.met[items]),
        np.log(signs.trend[items]),
        np.log(signs.week_trend[items]),
        np.maximum(age, 0.0) / DAY,
        np.maximum(idle, 0.0) / DAY,
        signs.order_share[items],
    ]


def _know(histories: Histories, signs: Signs) -> list[Vector]:
    """The customer and the moment, one number for each history."""
    n, owners = histories.n_rows, histories.owners
    ends = _find_ends(histories)
    starts = np.full(n, np.inf)
    np.minimum.at(starts, owners, histories.moments.astype(np.float64))
    different = row_lengths(histories.seen()).astype(np.float64)
    lengths = histories.lengths.astype(np.float64)
    kinds = np.zeros(n)
    some = lengths > 0
    kinds[some] = histories.kinds[histories.indptr[1:][some] - 1]
    lately = histories.moments >= ends[owners] - SESSION
    session = np.bincount(owners[lately], minlength=n) if histories.timed else np.zeros(n)
    starts = np.where(some, starts, 0.0)
    return [
        np.log1p(lengths),
        np.log1p(different),
        (ends - starts) / DAY,
        np.maximum(signs.newest - ends, 0.0) / DAY if histories.timed else np.zeros(n),
        1.0 - different / np.maximum(lengths, 1.0),
        np.log1p(session),
        kinds,
        ends // HOUR % 24,
        ends // DAY % 7,
    ]


def _find_ends(histories: Histories) -> Vector:
    """The newest moment of each history, 0 for an empty one."""
    ends = np.zeros(histories.n_rows)
    some = histories.lengths > 0
    ends[some] = histories.moments[histories.indptr[1:][some] - 1]
    return ends


def _average(histories: Histories, hearing: Weighting) -> Csr:
    """The weights of each history as shares of their sum."""
    weights = histories.weigh(hearing)
    sums = np.repeat(row_sums(weights), row_lengths(weights))
    return scale(weights, (weights.data / np.where(sums > 0, sums, 1.0)).astype(np.float32))


def _multiply(weights: Csr, matrix: Csr, candidates: Candidates) -> Vector:
    """The product's cells of these owners and items; both factors are of float32."""
    if weights.shape[0] == 1 and matrix.data.dtype == np.float32:
        return look_along(matrix, weights, candidates.items)
    return _look_up(weights @ matrix, candidates)


def _look_up(matrix: Csr, candidates: Candidates) -> Vector:
    """The matrix's cells of these owners and items, 0 where nothing is stored."""
    matrix = sort_columns(matrix)
    width = matrix.shape[1]
    rows = np.repeat(np.arange(matrix.shape[0]), row_lengths(matrix))
    keys = rows * width + matrix.indices
    asked = candidates.owners * width + candidates.items
    if not len(keys):
        return np.zeros(len(asked))
    at = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    return np.where(keys[at] == asked, matrix.data[at], 0.0).astype(np.float64)
