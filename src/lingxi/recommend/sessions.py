"""Session-based nearest neighbours: what was met in the most similar of the latest sessions.

A session is a row of the histories: a visit, or all that a customer did. Cost grows with the
sessions that share an item with the history, at most ``sample`` of them, not with all sessions.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import InvalidInput
from lingxi.recommend.histories import Histories
from lingxi.recommend.matrix import (
    Csr,
    build_csr,
    count_ends,
    row_lengths,
    stack,
    sum_pairs,
    transpose,
)
from lingxi.store import Artefact, ArtefactWriter

Whole = NDArray[np.int64]
Vector = NDArray[np.float64]
_DAY = 86_400_000_000


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
    """The neighbours of one history: rows, nearness, and the place of each one's shared item."""

    rows: Whole
    factors: Vector
    """All of s(v) but the sum over shared items."""
    sums: Vector
    places: Vector


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
        for row in range(histories.n_rows):
            asked = self._read(histories, row)
            near = self._find_near(asked)
            items, worths, _ = self._spread(near)
            scores[row] = np.bincount(items, weights=worths, minlength=histories.n_items)
        return scores

    def explain(self, histories: Histories, lists: Whole) -> Csr:
        """What each item gives through the neighbours, who are held fixed; see ``Scorer``."""
        parts = [self._explain_one(histories, row, lists[row]) for row in range(len(lists))]
        return stack(parts, histories.n_items)

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
        self._by_item = transpose(places)
        found = row_lengths(self._by_item)
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

    def _find_near(self, asked: _Asked) -> _Near:
        """The nearest sessions, equal ones the newer first."""
        rows, owners, places = _gather(self._by_item, asked.items)
        other = rows != asked.row
        rows, owners, places = rows[other], owners[other], places[other]
        met, first, which = np.unique(rows, return_index=True, return_inverse=True)
        sums: Vector = np.bincount(which, asked.weights[owners], len(met)).astype(np.float64)
        if 0 < self.sample < len(met):
            latest = np.argpartition(self._newness[met], self.sample)[: self.sample]
            met, first, sums = met[latest], first[latest], sums[latest]
        factors = self._find_factors(asked, met, asked.steps[owners[first]])
        near = factors * sums
        order = np.lexsort((self._newness[met], -near))[: self.k]
        order = order[near[order] > 0]
        return _Near(met[order], factors[order], sums[order], places[first[order]])

    def _find_factors(self, asked: _Asked, rows: Whole, steps: Whole) -> Vector:
        how = self.nearness
        factors: Vector = steps.astype(np.float64) ** -how.match
        if how.cosine:
            factors = factors / np.sqrt(self._lengths[rows])
        if how.half_life > 0:
            days = np.abs(asked.moment - self._moments[rows]) / _DAY
            factors = factors * 2.0 ** (-days / how.half_life)
        return factors

    def _spread(self, near: _Near) -> tuple[Whole, Vector, Whole]:
        """The items of the neighbours, what each is worth, and whose each is: a neighbour's place.

        The worth includes the sum over shared items.
        """
        items, owners, places = _gather(self._places, near.rows)
        worths = (near.factors * near.sums)[owners] * self._worth[items]
        how = self.nearness
        if how.spread > 0:
            worths = worths * np.exp(-np.abs(places - near.places[owners]) / how.spread)
        if how.before != 1:
            worths = np.where(places < near.places[owners], how.before * worths, worths)
        return items, worths, owners

    def _explain_one(self, histories: Histories, row: int, wanted: Whole) -> Csr:
        """Row p: what each item of the history gives to place p of the list."""
        asked = self._read(histories, row)
        near = self._find_near(asked)
        items, worths, owners = self._spread(near)
        column = np.full(histories.n_items, -1)
        column[wanted] = np.arange(len(wanted))
        listed = column[items] >= 0
        shape = (len(wanted), len(near.rows))
        table = np.zeros(shape)
        np.add.at(table, (column[items[listed]], owners[listed]), worths[listed])
        shared = self._share(asked, near)
        given = table @ shared
        cells = np.tile(asked.items, len(wanted))
        owners = np.repeat(np.arange(len(wanted)), len(asked.items))
        return sum_pairs(owners, cells, given.reshape(-1), (len(wanted), histories.n_items))

    def _share(self, asked: _Asked, near: _Near) -> Vector:
        """Each item's part of the sum of each neighbour, shape (n_near, n_items of the history)."""
        place = np.full(len(self._moments), -1)
        place[near.rows] = np.arange(len(near.rows))
        rows, owners, _ = _gather(self._by_item, asked.items)
        kept = place[rows] >= 0
        shared = np.zeros((len(near.rows), len(asked.items)))
        shared[place[rows[kept]], owners[kept]] = asked.weights[owners[kept]]
        return shared / near.sums[:, None]


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


def _gather(matrix: Csr, rows: Whole) -> tuple[Whole, Whole, Vector]:
    """Columns, owners (places in ``rows``) and values of these rows' cells, in their order."""
    starts, stops = matrix.indptr[rows].astype(np.int64), matrix.indptr[rows + 1].astype(np.int64)
    lengths = stops - starts
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    cells = np.arange(total) + np.repeat(starts - (ends - lengths), lengths)
    owners = np.repeat(np.arange(len(rows)), lengths)
    return matrix.indices[cells].astype(np.int64), owners, matrix.data[cells]
