"""A blend whose weights are learnt: the probability that an item comes next, given its places.

Each part is heard with its first ``DEPTH`` items that the customer has not met, and with those met
that score as high. What a part says of an item is its score as a share of its best unmet item's,
``r``; the logit is the sum over parts of ``a r + b log(r + 0.02)``, plus a weight times the log of
how many met the item and one times the log of its trend. Probabilities are shares of the softmax.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import local

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import InvalidInput
from lingxi.recommend.alone import find_met
from lingxi.recommend.among import BLOCK, explain_part, hear_parts
from lingxi.recommend.attribution import FLOOR, Attribution
from lingxi.recommend.earlier import Earlier, remind
from lingxi.recommend.factors import find_trend
from lingxi.recommend.gathered import Room, find_linear
from lingxi.recommend.heard import Kept, Terms, find_kept, join_terms, share_terms, to_terms
from lingxi.recommend.histories import Histories
from lingxi.recommend.latest import Latest
from lingxi.recommend.matrix import Csr, count_ends
from lingxi.recommend.scorer import Scorer
from lingxi.recommend.scratch import Scratch
from lingxi.store import Artefact, ArtefactWriter

DEPTH = 100
"""Items that each part is heard with."""
PER_PART, PER_ITEM = 2, 2
"""Weights of a part, and of the item alone."""
_TREND_DAYS = 30.0
_RIDGE = 1e-3
_ROUNDS = 150
Table = NDArray[np.float32]
Vector = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Task:
    """Candidates of many customers, one after the other, with what is known of each.

    ``features``: shape (n_candidates, n_features); ``indptr``: shape (n_customers + 1,), nobody
    without candidates; ``hits``: which were wanted.
    """

    features: Table
    indptr: Whole
    hits: NDArray[np.bool_]

    @property
    def owners(self) -> Whole:
        """The customer of each candidate."""
        return np.repeat(np.arange(len(self.indptr) - 1), np.diff(self.indptr))

    def take(self, chosen: NDArray[np.bool_]) -> "Task":
        """The part of the customers chosen; ``chosen``: shape (n_customers,)."""
        cells = chosen[self.owners]
        lengths = np.diff(self.indptr)[chosen]
        indptr = np.concatenate(([0], np.cumsum(lengths)))
        return Task(self.features[cells], indptr, self.hits[cells])


@dataclass(frozen=True)
class Candidates:
    """Items in question, customer by customer.

    ``owners``: places among the histories, rising; ``items``: their indices; ``said``: shape
    (n_parts, n), each model's share of its best (``alone.cut_scores``).
    """

    owners: Whole
    items: Whole
    said: Table


@dataclass(frozen=True)
class Weighed:
    """The candidates of some histories, each with its probability of coming next."""

    asked: Candidates
    odds: Table
    n_items: int
    kept: Kept
    """Of each history the cells of operators, where they are kept."""

    def find(self, lists: Whole) -> tuple[Candidates, Table]:
        """Listed items as candidates, in the order of the lists, and their probabilities; 0 for
        what no part says anything of."""
        owners = np.repeat(np.arange(len(lists)), lists.shape[1])
        items = lists.reshape(-1)
        there, at = self.locate(owners, items)
        said = np.zeros((len(self.asked.said), len(items)), dtype=np.float32)
        said[:, there] = self.asked.said[:, at[there]]
        odds = np.zeros(len(items), dtype=np.float32)
        odds[there] = self.odds[at[there]]
        return Candidates(owners, items, said), odds

    def locate(self, owners: Whole, items: Whole) -> tuple[NDArray[np.bool_], Whole]:
        """Which of these are candidates, and where these stand."""
        keys = self.asked.owners * self.n_items + self.asked.items
        wanted = owners * self.n_items + items
        if not len(keys):
            return np.zeros(len(wanted), dtype=np.bool_), np.zeros(len(wanted), dtype=np.int64)
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return keys[at] == wanted, at

    def spread(self, n_rows: int) -> Table:
        """The probabilities, shape (n_rows, n_items); 0 for what is no candidate."""
        scores = np.zeros((n_rows, self.n_items), dtype=np.float32)
        scores[self.asked.owners, self.asked.items] = self.odds
        return scores


def learn_weights(task: Task, ridge: float = _RIDGE) -> Vector:
    """Weights of a conditional logit: the mean log-probability of what was wanted is highest.

    Customers of whom no candidate was wanted teach nothing. ``ridge`` times the sum of squares is
    taken off, so that the optimum is one.

    Source
    ------
    McFadden (1974), "Conditional logit analysis of qualitative choice behavior".
    """
    from scipy.optimize import OptimizeResult, minimize  # half a second: only to fit

    minimise: Callable[..., OptimizeResult] = minimize
    n = task.features.shape[1]
    wanted = np.add.reduceat(task.hits.astype(np.float64), task.indptr[:-1])
    useful = wanted > 0
    if not useful.any():
        return np.zeros(n)
    task = task.take(useful)
    owners, starts, count = task.owners, task.indptr[:-1], int(useful.sum())
    share = task.hits / wanted[useful][owners]
    target = (share.astype(np.float32) @ task.features).astype(np.float64)

    def lose(weights: Vector) -> tuple[float, Vector]:
        logits = (task.features @ weights.astype(np.float32)).astype(np.float64)
        top = np.maximum.reduceat(logits, starts)
        odds = np.exp(logits - top[owners])
        sums = np.add.reduceat(odds, starts)
        found = float((np.log(sums) + top).sum() - share @ logits)
        expected = ((odds / sums[owners]).astype(np.float32) @ task.features).astype(np.float64)
        slope = (expected - target) / count + 2 * ridge * weights
        return found / count + ridge * float(weights @ weights), slope

    best = minimise(lose, np.zeros(n), jac=True, method="L-BFGS-B", options={"maxiter": _ROUNDS})
    return np.asarray(best.x, dtype=np.float64)


def make_features(shares: Table, met: Vector, trend: Vector) -> Table:
    """What is known of candidates, shape (n, 2 parts + 2); ``shares``: shape (n_parts, n)."""
    rows = [shares, np.log(shares + np.float32(FLOOR))]
    items = np.stack([np.log1p(met), np.log(trend)]).astype(np.float32)
    return np.concatenate([*rows, items]).T


def to_odds(logits: Vector, owners: Whole) -> Table:
    """Each candidate's share of the softmax over those of the same owner; owners rise."""
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    lengths = np.diff(np.append(starts, len(owners)))
    odds = np.exp(logits - np.repeat(np.maximum.reduceat(logits, starts), lengths))
    shares = odds / np.repeat(np.add.reduceat(odds, starts), lengths)
    answer: Table = np.maximum(shares, 1e-30).astype(np.float32)
    return answer


class _Own(local):
    """What each thread has for itself."""

    def __init__(self) -> None:
        self.room = Room()


class Learned:
    """Several models together, each item's probability of coming next learnt from their places.

    Not linear in the history: a part's share of the reasons is what it adds to the logit, so far as
    that is above what its silence would give; within a part reasons are the part's own. They sum to
    the score; but deleting an item does not lower it by exactly its share.

    Parameters
    ----------
    parts
        Unfitted scorers.
    weights
        Shape (2 parts + 2,): see the module.
    """

    def __init__(self, name: str, parts: Sequence[Scorer], weights: Sequence[float]) -> None:
        if not parts or len(weights) != PER_PART * len(parts) + PER_ITEM:
            raise InvalidInput(
                f"{name} needs at least one part, two weights for each and two more, but has "
                f"{len(parts)} parts and {len(weights)} weights."
            )
        self.name, self.parts = name, tuple(parts)
        self.weights = np.asarray(weights, dtype=np.float64)
        self.met: Vector = np.empty(0)
        self.trend: Vector = np.empty(0)
        self._latest = Latest[Weighed](BLOCK)
        self._scratch: Scratch | None = None
        self._own = _Own()

    @property
    def personal(self) -> bool:
        """Whether any part holds rows of customers."""
        return any(part.personal for part in self.parts)

    def remember(self, earlier: Earlier, prefix: str) -> None:
        """Show every part what it came to before; see ``Remembering``."""
        for number, part in enumerate(self.parts):
            remind(part, earlier, f"{prefix}_part{number}")

    def fit(self, taught: Histories) -> None:
        """Fit every part, and count who met each item."""
        self._latest.clear()
        for part in self.parts:
            part.fit(taught)
        self.met, self.trend = describe_items(taught)

    def score(self, histories: Histories) -> Table:
        """Probabilities, shape (n_rows, n_items); 0 where no part has an item among its first."""
        return self._weigh(histories).spread(histories.n_rows)

    def list_scores(self, history: Histories) -> tuple[Whole, Table]:
        """See ``Listing``."""
        found = self._weigh(history)
        return found.asked.items, found.odds

    def list_many(self, histories: Histories) -> tuple[Whole, Whole, Table]:
        """See ``Listing``."""
        found = self._weigh(histories)
        return count_ends(found.asked.owners, histories.n_rows), found.asked.items, found.odds

    def explain(self, histories: Histories, lists: Whole) -> Csr:
        """What each item of each history gives through the parts; see the class."""
        asked, odds = self._weigh(histories).find(lists)
        gains = [self._gain(number, said) for number, said in enumerate(asked.said)]
        return self._share(histories, lists, gains, odds)

    def attribute(self, histories: Histories, lists: Whole) -> Attribution:
        """What each part, and each count of the item, gives to the logits; see ``Attributing``."""
        asked, _ = self._weigh(histories).find(lists)
        names = (*(f"share_{at}" for at in range(len(self.parts))), "item_met", "item_trend")
        values = self._split(asked)
        return Attribution(names, values, np.zeros(len(values)), values.sum(axis=1))

    def _split(self, asked: Candidates) -> Vector:
        """The terms of the logit, shape (n, parts + 2): those of each part together."""
        features = make_features(asked.said, self.met[asked.items], self.trend[asked.items])
        terms, n = features * self.weights, len(self.parts)
        return np.concatenate([terms[:, :n] + terms[:, n : 2 * n], terms[:, 2 * n :]], axis=1)

    def save(self, writer: ArtefactWriter, prefix: str, customers: Whole) -> dict[str, str]:
        """Write every part and what is known of the items."""
        writer.save_array(f"{prefix}_met", self.met)
        writer.save_array(f"{prefix}_trend", self.trend)
        personal: dict[str, str] = {}
        for number, part in enumerate(self.parts):
            personal |= part.save(writer, f"{prefix}_part{number}", customers)
        return personal

    def load(self, artefact: Artefact, prefix: str) -> Whole:
        """Read them; the customers of a part that keeps them."""
        self._latest.clear()
        self.met = artefact.load_array(f"{prefix}_met", np.float64)
        self.trend = artefact.load_array(f"{prefix}_trend", np.float64)
        customers = np.empty(0, dtype=np.int64)
        for number, part in enumerate(self.parts):
            kept = part.load(artefact, f"{prefix}_part{number}")
            customers = kept if len(kept) else customers
        return customers

    def _weigh(self, histories: Histories) -> Weighed:
        """The candidates and their probabilities."""
        found = self._latest.get(histories)
        if found is not None:
            return found
        scratch = self._borrow(histories.n_items)
        owners, items, said, kept = hear_parts(
            self.parts, histories, DEPTH, scratch, self._own.room
        )
        asked, odds = Candidates(owners, items, said), np.zeros(0, dtype=np.float32)
        if len(asked.items):
            odds = to_odds(self._rate(histories, asked), asked.owners)
        found = Weighed(asked, odds, histories.n_items, kept)
        self._latest.put(histories, found)
        return found

    def _share(
        self,
        histories: Histories,
        lists: Whole,
        gains: Sequence[Vector],
        odds: Table,
        more: Sequence[tuple[Scorer, Vector]] = (),
    ) -> Csr:
        """What each item of each history gives to each listed item by the parts, whose gains are
        given, and by ``more``, shape (n_lists * n, n_items)."""
        scratch, kept = self._borrow(histories.n_items), self._weigh(histories).kept
        cells = [each for each in kept if each is not None]
        ready = iter(find_kept(cells, lists, scratch) if len(cells) == histories.n_rows else ())
        told = list[Terms]()
        for part, gain in (*zip(self.parts, gains, strict=True), *more):
            own = None if find_linear(part) is None else next(ready, None)
            if gain.any():
                if own is None:
                    own = to_terms(explain_part(part, histories, lists, scratch))
                told.append(share_terms(own, gain))
        met = find_met(histories) if histories.n_rows == 1 else None
        return join_terms(told, odds.astype(np.float64), histories.n_items, met)

    def _borrow(self, n_items: int) -> Scratch:
        """Arrays as wide as the catalogue."""
        held = self._scratch
        if held is None or held.n_items != n_items:
            held = self._scratch = Scratch(n_items)
        return held

    def _rate(self, _histories: Histories, asked: Candidates) -> Vector:
        """The logit of each candidate."""
        features = make_features(asked.said, self.met[asked.items], self.trend[asked.items])
        logits: Vector = features @ self.weights
        return logits

    def _gain(self, number: int, shares: Table) -> Vector:
        """What a part adds to the logits beside its silence, at least a little where it speaks."""
        n = len(self.parts)
        linear, logarithmic = self.weights[number], self.weights[n + number]
        r = shares.astype(np.float64)
        gain = linear * r + logarithmic * np.log((r + FLOOR) / FLOOR)
        return np.where(r > 0, np.maximum(gain, 1e-6), 0.0)


def describe_items(taught: Histories) -> tuple[Vector, Vector]:
    """How many customers met each item, and its trend; shape (n_items,) each."""
    return taught.count_holders(), find_trend(taught, 1.0, _TREND_DAYS)
