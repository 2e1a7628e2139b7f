"""Where models are compared: what is learnt from, who is asked, what they are to be offered."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import NotEnoughData
from lingxi.recommend.alike import hold_alike
from lingxi.recommend.bunch import hold_bunches
from lingxi.recommend.evaluation import Evaluation, evaluate
from lingxi.recommend.histories import NOBODY, Histories
from lingxi.recommend.history import Weighting
from lingxi.recommend.matrix import Csr, row_lengths
from lingxi.recommend.model import Model, fit_model
from lingxi.recommend.recipe import Recipe
from lingxi.recommend.scorer import Ranker
from lingxi.recommend.windows import Window

FILL = Weighting(half_life_days=14.0)
"""Popularity of late, which short lists are filled up from."""
HELD_OUT = 0.2
"""The part of each history that an inner split holds back."""
MOST_STRANGERS = 0.2
_CELLS_A_SECOND = 833_000
"""Scores looked at for each model, for each second of the budget: about an eightieth of it."""
_MOST_CELLS = 250_000_000
_NARROW = 3_000
"""Items of a catalogue below which a customer takes no less time."""
_FEWEST_ASKED, _MOST_ASKED = 1_000, 10_000
_FEWEST_IN_TIME = 2_000


def most_asked(n_items: int, seconds: float = 300.0) -> int:
    """Customers worth asking: as many as can be scored in a moment, so that little is chance.

    A short budget has fewer: many models compared on some say more than one on many.

    >>> most_asked(100), most_asked(12_000), most_asked(1_000_000)
    (10000, 10000, 2000)
    >>> most_asked(12_000, 60.0), most_asked(12_000, 20.0), most_asked(100, 5.0)
    (4165, 1388, 1388)
    """
    cells = min(_CELLS_A_SECOND * seconds, _MOST_CELLS)
    fewest = _FEWEST_IN_TIME if cells * 1.01 >= _MOST_CELLS else _FEWEST_ASKED
    return min(max(int(cells) // max(n_items, _NARROW), fewest), _MOST_ASKED)


@dataclass(frozen=True)
class Trial:
    """One recipe with its value in the bench's metric, mean over the customers asked.

    ``by_chance``: it is above one that is better founded, or has shorter lists, and no further
    than chance would put it.
    ``answer_ms``: what one answer takes, 0 where that was not asked; ``slow``: more than it may.
    """

    recipe: Recipe
    value: float
    seconds: float = 0.0
    fit_seconds: float = 0.0
    by_chance: bool = False
    answer_ms: float = 0.0
    slow: bool = False


@dataclass(frozen=True)
class Bench:
    """A split: models are fitted on ``taught`` and measured on what ``asked`` wanted.

    ``excluded``: cells never recommended, nothing stored for "everything may be". ``bunched``:
    of which of those asked items were held back that belong together; nothing where all were
    treated alike.
    """

    taught: Histories
    asked: Histories
    wanted: Csr
    excluded: Csr
    metric: str = "ndcg@10"
    seconds: dict[str, float] = field(default_factory=dict)
    bunched: NDArray[np.bool_] | None = None

    @property
    def at(self) -> int:
        """The length of lists that the metric looks at."""
        return int(self.metric.rpartition("@")[2])

    def thin(self, most: int) -> "Bench":
        """The same with at most so many of the customers asked, evenly taken."""
        n = self.asked.n_rows
        if n <= most:
            return self
        rows = np.arange(most) * n // most
        return replace(
            self,
            asked=self.asked.take(rows),
            wanted=self.wanted[rows],
            excluded=self.excluded[rows],
            bunched=None if self.bunched is None else self.bunched[rows],
        )

    def find_least_gain(self, found: NDArray[np.float64], before: NDArray[np.float64]) -> float:
        """The mean metric beside another as a share, less 1; of the ways to hold back, the worse.

        ``found``, ``before``: shape (n_asked,). What a test will be like is not known where times
        are not: what gains on one way and loses on the other may lose there.
        """
        kinds = [np.ones(len(found), dtype=np.bool_)]
        if self.bunched is not None:
            kinds = [kind for kind in (self.bunched, ~self.bunched) if kind.any()]
        least = np.finfo(np.float64).tiny
        return (
            min(float(found[kind].mean() / max(before[kind].mean(), least)) for kind in kinds) - 1
        )

    def fit(self, recipe: Recipe) -> Model:
        """The recipe's model; how long it took goes into ``seconds``."""
        start = time.perf_counter()
        model = fit_model(recipe, self.taught)
        self.seconds[recipe.name] = time.perf_counter() - start
        return model

    def evaluate(self, ranker: Ranker, at: Sequence[int] | None = None) -> Evaluation:
        """How well the ranker finds what was wanted."""
        return evaluate(
            ranker,
            self.asked,
            self.wanted,
            at=at or (self.at,),
            excluded=self.excluded,
            popularity=self.taught.popularity(FILL),
        )


def draw_bench(window: Window, most: int, rng: np.random.Generator) -> Bench:
    """A bench with at most ``most`` of a window's customers."""
    rows = np.flatnonzero(row_lengths(window.wanted) > 0)
    if len(rows) > most:
        rows = np.sort(rng.choice(rows, most, replace=False))
    taught = window.before.histories()
    return Bench(taught, taught.take(rows), window.wanted[rows], window.bought[rows])


def split_inside(
    taught: Histories,
    *,
    rng: np.random.Generator,
    most: int,
    metric: str,
    include_seen: bool = False,
    strangers: bool = False,
    late: int = 0,
) -> Bench:
    """Hold back a fifth of each history (at least one event), the last where order is known.

    Where it is not, each item is held back from a fifth of those who had it, a random one and those
    most like them (``alike``): what others did later is not to be known there either. Every second
    customer asked loses one item and its nearest instead (``bunch``).

    Parameters
    ----------
    most
        Customers asked, drawn at random.
    include_seen
        Whether items of the history may be recommended.
    strangers
        The customers to serve later are not those that are learnt from: a fifth of the customers
        is asked, and nothing of them is learnt.
    late
        So many of the newest events known of a customer when serving are not learnt from: here too
        they are known of those who are asked, and nothing is learnt from them (at least one event
        of each is left). Where order is not known it makes no difference.

    Raises
    ------
    NotEnoughData
        If nobody has two events.
    """
    held = _hold_back(taught, rng)
    if not held.any():
        raise NotEnoughData("No customer has two events, so models cannot be compared.")
    able = np.unique(taught.owners[held])
    if strangers:
        able = np.sort(rng.choice(able, max(1, int(len(able) * MOST_STRANGERS)), replace=False))
    rows = able if len(able) <= most else np.sort(rng.choice(able, most, replace=False))
    bunched = None
    if not taught.timed:
        held, bunched = _hold_together(taught, held, rows, rng)
    before, after = taught.keep(~held), taught.keep(held)
    learnt = before
    if strangers:
        learnt = taught.keep(~np.isin(taught.owners, able))
    elif late and taught.timed:
        learnt = before.keep(~_find_late(before, rows, late))
    asked = before.take(rows)
    if strangers:
        asked = replace(asked, rows=np.full(len(rows), NOBODY))
    wanted = after.take(rows).seen()
    barred = np.full(len(asked.items), not include_seen)
    excluded = asked.keep(barred).seen()
    return Bench(learnt, asked, wanted, excluded, metric, bunched=bunched)


def _hold_together(
    taught: Histories, held: NDArray[np.bool_], rows: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """What is held back where order is not known, and of which of those asked it is a bunch.

    ``held``: a random part of each history, for those of whom nothing else is.
    """
    bunched = np.arange(len(rows)) % 2 == 0
    seen = taught.seen()
    who = np.repeat(np.arange(seen.shape[0]), row_lengths(seen))
    cells = (who * taught.n_items + seen.indices)[hold_alike(seen, HELD_OUT, rng)]
    alike = np.isin(taught.owners * taught.n_items + taught.items, cells)
    lost = np.bincount(taught.owners, alike, minlength=taught.n_rows) > 0
    asked = np.isin(np.arange(taught.n_rows), rows)
    apart = asked & ~lost
    apart[rows[bunched]] = True
    together = np.where(apart[taught.owners], held, alike)
    return hold_bunches(taught, together, rows[bunched], rng), bunched


def _find_late(before: Histories, rows: NDArray[np.int64], late: int) -> NDArray[np.bool_]:
    """The newest events of these rows, never the first."""
    asked = np.zeros(before.n_rows, dtype=np.bool_)
    asked[rows] = True
    owners = before.owners
    places = np.arange(len(before.items)) - before.indptr[owners]
    found: NDArray[np.bool_] = asked[owners] & (
        places >= np.maximum(before.lengths[owners] - late, 1)
    )
    return found


def _hold_back(taught: Histories, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which events are held back: whole moments where order is known, whole items where not."""
    lengths, owners = taught.lengths, taught.owners
    if taught.timed:
        places = np.arange(len(taught.items)) - taught.indptr[owners]
        cut = lengths - np.maximum(1, (lengths * HELD_OUT).astype(np.int64))
        first = places == cut[owners]
        limit = np.zeros(taught.n_rows, dtype=np.int64)
        limit[owners[first]] = taught.moments[first]
        held = taught.moments >= limit[owners]
        whole = np.bincount(owners, weights=~held, minlength=taught.n_rows) == 0
        late: NDArray[np.bool_] = held & ~whole[owners]
        return late
    cells, place = np.unique(owners * taught.n_items + taught.items, return_inverse=True)
    who = cells // max(taught.n_items, 1)
    count = np.bincount(who, minlength=taught.n_rows)
    order = np.lexsort((rng.random(len(cells)), who))
    starts = np.concatenate(([0], np.cumsum(count)))
    rank = np.empty(len(cells), dtype=np.int64)
    rank[order] = np.arange(len(cells)) - starts[who[order]]
    out = rank < np.where(count > 1, np.maximum(1, (count * HELD_OUT).astype(np.int64)), 0)[who]
    held_cells: NDArray[np.bool_] = out[place]
    return held_cells
