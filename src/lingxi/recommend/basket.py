"""The next basket: what a customer has in many of theirs, and what like customers have in theirs.

Repeats and discoveries are two questions with two answers: the first comes from the customer's own
baskets, the second mostly from the neighbours'. ``own`` says how much each counts.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import InvalidInput
from lingxi.recommend.alone import keep_columns, pick_cells, to_rows
from lingxi.recommend.among import BLOCK
from lingxi.recommend.histories import Histories
from lingxi.recommend.kernels import Cells, Rows, add_rows, gather_rows, multiply_rows, sum_columns
from lingxi.recommend.latest import Latest
from lingxi.recommend.matrix import (
    Csr,
    build_csr,
    count_ends,
    mark_best,
    row_lengths,
    row_sums,
    scale,
    stack,
    transpose,
)
from lingxi.recommend.scratch import Scratch
from lingxi.store import Artefact, ArtefactWriter

Vector = NDArray[np.float64]
Whole = NDArray[np.int64]
_DECIMALS = 12


@dataclass(frozen=True)
class Decays:
    """How baskets count: the b-th from the last (0 is the last) ``decay^(b mod group) ·
    group_decay^(b div group)``."""

    decay: float
    group: int
    group_decay: float

    def count(self, back: Whole) -> Vector:
        """What the baskets so far back count."""
        worth: Vector = self.decay ** (back % self.group) * self.group_decay ** (back // self.group)
        return worth


def share_baskets(histories: Histories, decays: Decays) -> Csr:
    """The share of each customer's baskets that hold an item, later baskets counting more.

    Shares are of the sum over all baskets. A basket is what has one number
    (``Histories.baskets``), or one moment.
    """
    cells, shares = _share_cells(histories, decays)
    rows, items = np.divmod(cells, max(histories.n_items, 1))
    return build_csr(shares, items, count_ends(rows, histories.n_rows), histories.shape)


def _share_cells(histories: Histories, decays: Decays) -> tuple[Whole, Vector]:
    """The shares by cell, row · n_items + item, rising."""
    if not len(histories.items):
        return np.empty(0, dtype=np.int64), np.empty(0)
    back, totals = _count_back(histories, decays)
    span = int(back.max()) + 1
    held = histories.owners * histories.n_items + histories.items
    cells, back = np.divmod(_list_once(held * span + back), span)
    fresh = _find_fresh(cells)
    worth = decays.count(back) / totals[cells // histories.n_items]
    return cells[fresh], np.bincount(np.cumsum(fresh) - 1, weights=worth).astype(np.float64)


def _count_back(histories: Histories, decays: Decays) -> tuple[Whole, Vector]:
    """How many baskets of the same history came after each event's, and what all baskets of each
    history count together."""
    owners = histories.owners
    marks = np.where(histories.baskets >= 0, histories.baskets, -1 - histories.moments)
    order = np.lexsort((marks, owners))
    fresh = _find_fresh(owners[order]) | _find_fresh(marks[order])
    starts = np.flatnonzero(fresh)
    last = np.maximum.reduceat(order, starts)  # a basket is as late as its last event
    whose = owners[order[starts]]
    by_time = np.lexsort((-last, whose))
    place = np.empty(len(starts), dtype=np.int64)
    place[by_time] = np.arange(len(starts)) - np.searchsorted(whose, whose)
    back = np.empty(len(owners), dtype=np.int64)
    back[order] = place[np.cumsum(fresh) - 1]
    worth = decays.count(place[by_time])
    return back, np.bincount(whose, weights=worth, minlength=histories.n_rows).astype(np.float64)


def _find_fresh(ordered: Whole) -> NDArray[np.bool_]:
    """Which entries differ from the one before."""
    fresh = np.ones(len(ordered), dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=fresh[1:])
    return fresh


def _list_once(keys: Whole) -> Whole:
    keys = np.sort(keys)
    found: Whole = keys[_find_fresh(keys)]
    return found


@dataclass(frozen=True)
class _Near:
    """What a history holds, ``items`` with ``shares``, and whom it is like: ``others``, rising,
    whose parts ``said`` sum to 1."""

    items: Whole
    shares: Vector
    others: NDArray[np.integer]
    said: Vector


class NextBasket:
    """``score(u, i) = own · x(u, i) + (1 - own) · sum_v s(u, v) x(v, i) / sum_v s(u, v)``.

    x is the decayed share of baskets (``share_baskets``), s the cosine of x over the ``k`` nearest
    customers v. Linear in x for given neighbours and their sum, so each item's share is exact.

    Source
    ------
    Hu, He, Gao & Zhang (2020), SIGIR, "Modeling Personalized Item Frequency Information for
    Next-basket Recommendation" (TIFU-KNN); here with cosine neighbours, weighted.
    """

    personal = True

    def __init__(
        self,
        name: str,
        *,
        own: float = 0.7,
        k: int = 300,
        decay: float = 0.9,
        group: int = 7,
        group_decay: float = 0.7,
    ) -> None:
        if not 0 <= own <= 1 or not 0 < decay <= 1 or not 0 < group_decay <= 1:
            raise InvalidInput(
                f"own must be from 0 to 1 and both decays above 0 and at most 1: {own}, {decay}, "
                f"{group_decay}."
            )
        if k < 1 or group < 1:
            raise InvalidInput(f"k and group must be at least 1: {k}, {group}.")
        self.name, self.own, self.k = name, own, k
        self.decays = Decays(decay, group, group_decay)
        self._latest = Latest[list[_Near]](BLOCK)
        self._keep(stack([], 0))

    def fit(self, taught: Histories) -> None:
        """Keep every customer's shares."""
        self._keep(share_baskets(taught, self.decays))

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """Scores of all items, shape (n_rows, n_items)."""
        scores = np.zeros(histories.shape, dtype=np.float32)
        for row, near in zip(scores, self._hear(histories), strict=True):
            row[:] = self._add_up(near)
        return scores

    def list_scores(self, history: Histories) -> tuple[Whole, NDArray[np.float32]]:
        """See ``Listing``."""
        _, items, scores = self.list_many(history)
        return items, scores

    def list_many(self, histories: Histories) -> tuple[Whole, Whole, NDArray[np.float32]]:
        """See ``ListingMany``."""
        items, scores = [np.empty(0, np.int64)], [np.empty(0, np.float32)]
        for near in self._hear(histories):
            whole = self._add_up(near)
            items.append(np.flatnonzero(whole > 0))
            scores.append(whole[items[-1]])
        ends = np.cumsum([len(each) for each in items])
        return ends, np.concatenate(items), np.concatenate(scores)

    def explain(self, histories: Histories, lists: Whole) -> Csr:
        """What each item gives by itself and through the neighbours, who are held fixed."""
        n = histories.n_items
        told = [
            to_rows(self._tell(near, wanted), near.items, n)
            for near, wanted in zip(self._hear(histories), lists, strict=True)
        ]
        return told[0] if len(told) == 1 else stack(told, n)

    def save(self, writer: ArtefactWriter, prefix: str, customers: Whole) -> dict[str, str]:
        """Write the shares and whose they are, so that an erasure can empty a person's row."""
        writer.save_csr(f"{prefix}_rows", self._rows)
        writer.save_array(f"{prefix}_customers", customers)
        return {f"{prefix}_rows": f"{prefix}_customers"}

    def load(self, artefact: Artefact, prefix: str) -> Whole:
        """Read the rows back; each one's customer, -1 for baskets and erased persons."""
        self._keep(artefact.load_csr(f"{prefix}_rows"))
        return artefact.load_array(f"{prefix}_customers", np.int64)

    def _hear(self, histories: Histories) -> list[_Near]:
        """What each history holds, and its neighbours."""
        found = self._latest.get(histories)
        if found is None:
            cells, shares = _share_cells(histories, self.decays)
            rows, items = np.divmod(cells, max(histories.n_items, 1))
            ends = pairwise(count_ends(rows, histories.n_rows).tolist())
            found = [
                self._find_near(items[start:stop], shares[start:stop], own)
                for (start, stop), own in zip(ends, histories.rows.tolist(), strict=True)
            ]
            self._latest.put(histories, found)
        return found

    def _find_near(self, items: Whole, shares: Vector, own: int) -> _Near:
        others, near = sum_columns(self._ask(items), shares, self._columns.shape[1])
        near = np.round(near, _DECIMALS)
        stays = (near > 0) & (others != own)
        others, near = others[stays], near[stays]
        if len(near) > self.k:
            best = np.empty(len(near), dtype=np.bool_)
            mark_best(near, others, self.k, best)
            others, near = others[best], near[best]
        return _Near(items, shares, others, near / near.sum() if len(near) else near)

    def _ask(self, items: Whole) -> Cells:
        return gather_rows(Rows.of(self._columns), items)

    def _add_up(self, near: _Near) -> NDArray[np.float32]:
        sums = np.zeros(self._rows.shape[1])
        add_rows(gather_rows(Rows.of(self._rows), near.others), near.said, sums)
        sums *= 1 - self.own
        sums[near.items] += self.own * near.shares
        return sums.astype(np.float32)

    def _tell(self, near: _Near, wanted: Whole) -> Vector:
        """The terms of the items wanted, shape (n_wanted, n_items of the history)."""
        bonds = keep_columns(self._ask(near.items), near.others, self._scratch)
        sums = np.zeros(len(near.others))
        add_rows(bonds, near.shares, sums)
        factors = (1 - self.own) * self._lengths[near.others] * near.said
        factors /= np.where(sums > 0, sums, 1.0)
        theirs = pick_cells(self._ask(wanted), near.others, self._scratch) * factors
        told = multiply_rows(bonds, np.ascontiguousarray(theirs.T)) * near.shares[:, None]
        given: Vector = np.ascontiguousarray(told.T)
        if len(near.items):
            place = np.minimum(np.searchsorted(near.items, wanted), len(near.items) - 1)
            met = np.flatnonzero(near.items[place] == wanted)
            given[met, place[met]] += self.own * near.shares[place[met]]
        return given

    def _keep(self, rows: Csr) -> None:
        self._rows = rows
        self._latest.clear()
        self._scratch = Scratch(rows.shape[0])
        self._lengths = np.sqrt(row_sums(scale(rows, rows.data**2)))
        owners = np.repeat(np.arange(rows.shape[0]), row_lengths(rows))
        self._columns = transpose(scale(rows, rows.data / self._lengths[owners]))
