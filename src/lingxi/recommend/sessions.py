"""Session-based nearest neighbours: what was met in the most similar of the latest sessions.

A session is a row of the histories: a visit, or all that a customer did. Cost grows with the
sessions that share an item with the history, at most ``sample`` of them, not with all sessions.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import InvalidInput
from lingxi.recommend.alone import keep_columns, pick_cells, to_rows
from lingxi.recommend.among import BLOCK, join_rows
from lingxi.recommend.histories import Histories
from lingxi.recommend.kernels import Cells, Rows, add_rows, gather_rows, multiply_rows
from lingxi.recommend.latest import Latest
from lingxi.recommend.matrix import (
    Csr,
    build_csr,
    count_ends,
    row_lengths,
    stack,
    sum_pairs,
    transpose,
)
from lingxi.recommend.scratch import Scratch
from lingxi.store import Artefact, ArtefactWriter

Whole = NDArray[np.int64]
Vector = NDArray[np.float64]
_DAY = 86_400_000_000
_MOST_KEPT = 2_000_000
"""Cells of neighbours kept for reasons: 24 MB."""


@dataclass(frozen=True)
class Nearness:
    """What makes a session near, and what its items are worth.

    With L events in the history, item j last met as the l-th of them, ``x(j) = (l / L)^recency``,
    and session v: ``s(v) = sum of x(j) over shared items j / norm(v) · m^-match · 2^(-age /
    half_life)``. m counts from the newest event back to the newest shared item (1 is the newest
    event), age is in days between the newest event of the history and that of v. ``norm`` is 1, or
    with ``cosine`` the root of the number of v's items. Item i of v is then worth
    ``s(v) · (1 + rarity · idf(i)) · e^(-|p(i) - p(m)| / spread)``, p being places in v, and m's
    p the place of the newest shared item; items before it count ``before`` times that.
    ``half_life``, ``spread`` and ``rarity`` 0 switch these off.
    """

    recency: float = 2.0
    cosine: bool = False
    match: float = 1.0
    half_life: float = 0.0
    rarity: float = 0.0
    spread: float = 0.0
    before: float = 1.0

    def __post_init__(self) -> None:
        parts = (self.recency, self.match, self.half_life, self.rarity, self.spread, self.before)
        if not all(np.isfinite(parts)) or min(parts) < 0:
            raise InvalidInput(f"What makes sessions near must be at least 0: {self}.")


VECTOR = Nearness()
"""The newest items count most, and no more than that."""


@dataclass(frozen=True)
class _Asked:
    """One history: its items, the newest first, how much each counts, its steps back from it."""

    items: Whole
    weights: Vector
    steps: Whole
    moment: int
    row: int


@dataclass(frozen=True)
class _Near:
    """The neighbours of one history, and what the items of each are worth by their places.

    ``sums``: over the shared items; ``factors``: all else of s(v); ``places``: of the shared item;
    ``cells``: the items of each neighbour, and what is left of s(v) at each one's place.
    """

    asked: _Asked
    rows: Whole
    factors: Vector
    sums: Vector
    places: Vector
    cells: Cells | None = None


class SessionKnn:
    """``score(i)`` is the worth of item i summed over the ``k`` nearest of the ``sample`` latest
    sessions that share an item with the history.

    Parameters
    ----------
    nearness
        See ``Nearness``. SKNN: ``recency`` 0, ``match`` 0 and ``cosine``; V-SKNN: the defaults
        with ``rarity``; V-STAN: half-life, spread and ``cosine`` beside them.
    k
        Neighbours.
    sample
        Sessions compared: those with the newest last event; 0 for all.

    Source
    ------
    Ludewig & Jannach (2018), UMUAI 28, section 3.3 (SKNN, V-SKNN); Garg et al. (2019), SIGIR
    (STAN); Ludewig et al. (2021), UMUAI 31 (V-STAN).
    """

    personal = True

    def __init__(
        self, name: str, nearness: Nearness = VECTOR, *, k: int = 500, sample: int = 2500
    ) -> None:
        if k < 1 or sample < 0:
            raise InvalidInput(f"k must be at least 1 and sample at least 0: {k}, {sample}.")
        self.name, self.nearness, self.k, self.sample = name, nearness, k, sample
        self._latest = Latest[list[_Near]](BLOCK)
        self._keep(stack([], 0), np.empty(0, dtype=np.int64))

    def fit(self, taught: Histories) -> None:
        """Keep each session's items with their places, and when it ended."""
        ends = np.maximum(taught.indptr[1:] - 1, 0)
        met = taught.lengths > 0
        moments = np.zeros(taught.n_rows, dtype=np.int64)
        moments[met] = taught.moments[ends[met]]
        self._keep(_find_places(taught), moments)

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """Scores of all items, shape (n_rows, n_items)."""
        scores = np.zeros(histories.shape, dtype=np.float32)
        for row, near in zip(scores, self._find(histories), strict=True):
            items, worths = self._add_up(near)
            row[items] = worths
        return scores

    def list_scores(self, history: Histories) -> tuple[Whole, NDArray[np.float32]]:
        """See ``Listing``."""
        _, items, scores = self.list_many(history)
        return items, scores

    def list_many(self, histories: Histories) -> tuple[Whole, Whole, NDArray[np.float32]]:
        """See ``ListingMany``."""
        return join_rows([self._add_up(near) for near in self._find(histories)])

    def explain(self, histories: Histories, lists: Whole) -> Csr:
        """What each item gives through the neighbours, who are held fixed; see ``Scorer``."""
        told = zip(self._find(histories), lists, strict=True)
        parts = [self._explain_one(near, wanted) for near, wanted in told]
        return parts[0] if len(parts) == 1 else stack(parts, histories.n_items)

    def save(self, writer: ArtefactWriter, prefix: str, customers: Whole) -> dict[str, str]:
        """Write the sessions and whose they are, so that an erasure can empty a person's."""
        n = len(self._moments)
        ends = sum_pairs(np.arange(n), np.zeros(n, np.int64), self._moments.astype(float), (n, 1))
        writer.save_csr(f"{prefix}_sessions", self._places)
        writer.save_csr(f"{prefix}_ends", ends)
        writer.save_array(f"{prefix}_customers", customers)
        owner = f"{prefix}_customers"
        return {f"{prefix}_sessions": owner, f"{prefix}_ends": owner}

    def load(self, artefact: Artefact, prefix: str) -> Whole:
        """Read the sessions back; each one's customer, -1 for baskets and erased persons."""
        ends = artefact.load_csr(f"{prefix}_ends")
        moments = np.zeros(ends.shape[0], dtype=np.int64)
        moments[row_lengths(ends) > 0] = ends.data.astype(np.int64)
        self._keep(artefact.load_csr(f"{prefix}_sessions"), moments)
        return artefact.load_array(f"{prefix}_customers", np.int64)

    def _keep(self, places: Csr, moments: Whole) -> None:
        """``places``: each session's items with the number of the event that last had them."""
        self._places, self._moments = places, moments
        self._lengths = row_lengths(places)
        latest = np.argsort(-moments, kind="stable")
        self._newness = np.empty(len(latest), dtype=np.int64)
        self._newness[latest] = np.arange(len(latest))
        by_item = transpose(places)
        self._by_item, self._rows = Rows.of(by_item), Rows.of(places)
        self._among, self._scratch = Scratch(places.shape[0]), Scratch(places.shape[1])
        self._latest.clear()
        self._reach = int(places.data.max(initial=0.0))
        self._decay = self._fade(np.arange(-self._reach, self._reach + 1, dtype=np.float64))
        found = row_lengths(by_item)
        rarity = np.log(max(len(moments), 1) / np.maximum(found, 1.0))
        self._worth = 1.0 + self.nearness.rarity * rarity

    def _read(self, histories: Histories, row: int) -> _Asked:
        start, stop = int(histories.indptr[row]), int(histories.indptr[row + 1])
        newest_first = histories.items[start:stop][::-1]
        items, back = np.unique(newest_first, return_index=True)
        order = np.argsort(back)
        steps = back[order] + 1
        length = stop - start
        weights = ((length - steps + 1) / max(length, 1)) ** self.nearness.recency
        moment = int(histories.moments[stop - 1]) if length else 0
        return _Asked(items[order], weights, steps, moment, int(histories.rows[row]))

    def _find(self, histories: Histories) -> list[_Near]:
        """The neighbours of each history, with as many of their cells as are kept."""
        found = self._latest.get(histories)
        if found is None:
            found, left = [], _MOST_KEPT
            for row in range(histories.n_rows):
                near = self._find_near(self._read(histories, row))
                if left > 0:
                    cells = self._spread(near)
                    left -= len(cells.columns)
                    near = replace(near, cells=cells)
                found.append(near)
            self._latest.put(histories, found)
        return found

    def _find_near(self, asked: _Asked) -> _Near:
        """The nearest sessions, equal ones the newer first."""
        cells = gather_rows(self._by_item, asked.items)
        met = self._among.find_first(cells.columns)  # the newest shared item comes first
        sums = self._among.sums
        add_rows(Cells(cells.columns, np.ones(len(cells.columns)), cells.ends), asked.weights, sums)
        rows = cells.columns.take(met).astype(np.int64)
        found = sums.take(rows)
        sums[rows] = 0.0
        stays = rows != asked.row
        if 0 < self.sample < len(rows):
            late = self._newness.take(rows)
            others = late[stays]
            if len(others) > self.sample:
                stays &= late < np.partition(others, self.sample)[self.sample]
        met, rows, found = met[stays], rows[stays], found[stays]
        steps = asked.steps.take(cells.ends.searchsorted(met, side="right") - 1)
        factors = self._find_factors(asked, rows, steps)
        near = factors * found
        kept = (near > 0).nonzero()[0]
        if len(kept) > self.k:
            values = near.take(kept)
            kept = kept[values >= np.partition(values, len(kept) - self.k)[len(kept) - self.k]]
        order = kept[np.lexsort((self._newness.take(rows.take(kept)), -near.take(kept)))[: self.k]]
        places = cells.values.take(met.take(order)).astype(np.float64, copy=False)
        return _Near(asked, rows.take(order), factors.take(order), found.take(order), places)

    def _find_factors(self, asked: _Asked, rows: Whole, steps: Whole) -> Vector:
        how = self.nearness
        factors: Vector = steps.astype(np.float64) ** -how.match
        if how.cosine:
            factors = factors / np.sqrt(self._lengths[rows])
        if how.half_life > 0:
            days = np.abs(asked.moment - self._moments[rows]) / _DAY
            factors = factors * 2.0 ** (-days / how.half_life)
        return factors

    def _fade(self, steps: Vector) -> Vector:
        """What is left of s(v) at places so many steps after that of the newest shared item."""
        how = self.nearness
        left = np.exp(-np.abs(steps) / how.spread) if how.spread > 0 else np.ones(len(steps))
        return left if how.before == 1 else np.where(steps < 0, how.before * left, left)

    def _spread(self, near: _Near) -> Cells:
        """The items of the neighbours, and what is left of s(v) at the place of each."""
        cells = gather_rows(self._rows, near.rows)
        if self.nearness.spread == 0 and self.nearness.before == 1:
            return Cells(cells.columns, np.ones(len(cells.columns)), cells.ends)
        starts = np.repeat(near.places - self._reach, np.diff(cells.ends))
        steps = (cells.values - starts).astype(np.int64)
        return Cells(cells.columns, self._decay.take(steps), cells.ends)

    def _add_up(self, near: _Near) -> tuple[Whole, NDArray[np.float32]]:
        """The items of the neighbours, rising, and their scores."""
        cells = self._spread(near) if near.cells is None else near.cells
        items, sums = self._scratch.sum_columns(cells, near.factors * near.sums)
        scores: NDArray[np.float32] = (sums * self._worth.take(items)).astype(np.float32)
        return items, scores

    def _explain_one(self, near: _Near, wanted: Whole) -> Csr:
        """Row p: what each item of the history gives to place p of the list."""
        asked, n_items = near.asked, self._scratch.n_items
        cells = self._spread(near) if near.cells is None else near.cells
        worths = pick_cells(cells, wanted, self._scratch) * near.factors[:, None]
        bonds = keep_columns(gather_rows(self._by_item, asked.items), near.rows, self._among)
        told = multiply_rows(Cells(bonds.columns, np.ones(len(bonds.columns)), bonds.ends), worths)
        told *= asked.weights[:, None]
        order = np.argsort(asked.items)
        table = (told[order] * self._worth[wanted]).T
        return to_rows(np.ascontiguousarray(table), asked.items[order], n_items)


def _find_places(taught: Histories) -> Csr:
    """Each row's items with the place of the last event that had them, from 1."""
    cells = taught.owners * taught.n_items + taught.items
    places = np.arange(len(cells)) - taught.indptr[taught.owners] + 1
    order = np.argsort(cells, kind="stable")
    cells, places = cells[order], places[order]
    last = np.append(cells[1:] != cells[:-1], True)[: len(cells)]
    rows, items = np.divmod(cells[last], max(taught.n_items, 1))
    indptr = count_ends(rows, taught.n_rows)
    return build_csr(places[last].astype(np.float64), items, indptr, taught.shape)
