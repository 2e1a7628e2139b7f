"""The next basket: what a customer has in many of theirs, and what like customers have in theirs.

Repeats and discoveries are two questions with two answers: the first comes from the customer's own
baskets, the second mostly from the neighbours'. ``own`` says how much each counts.
"""

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import InvalidInput
from lingxi.recommend.histories import Histories
from lingxi.recommend.latest import Latest
from lingxi.recommend.matrix import (
    Csr,
    build_csr,
    count_ends,
    densify,
    keep_best,
    row_blocks,
    row_lengths,
    row_sums,
    scale,
    stack,
    sum_pairs,
    transpose,
)
from lingxi.store import Artefact, ArtefactWriter

Vector = NDArray[np.float64]
Whole = NDArray[np.int64]
_DECIMALS = 12


def share_baskets(histories: Histories, *, decay: float, group: int, group_decay: float) -> Csr:
    """The share of each customer's baskets that hold an item, later baskets counting more.

    The b-th basket from the last (0 is the last) counts ``decay^(b mod group) ·
    group_decay^(b div group)``; shares are of the sum over all baskets. A basket is what has one
    number (``Histories.baskets``), or one moment.
    """
    if not len(histories.items):
        return sum_pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), histories.shape)
    owners, back = histories.owners, _count_back(histories)
    worth = decay ** (back % group) * group_decay ** (back // group)
    fresh = np.unique(owners * (back.max() + 1) + back, return_index=True)[1]
    totals = np.bincount(owners[fresh], weights=worth[fresh], minlength=histories.n_rows)
    span = int(back.max()) + 1
    cells = (owners * histories.n_items + histories.items) * span + back
    once = np.unique(cells, return_index=True)[1]
    rows = owners[once]
    return sum_pairs(rows, histories.items[once], worth[once] / totals[rows], histories.shape)


def _count_back(histories: Histories) -> Whole:
    """How many baskets of the same history came after each event's."""
    owners = histories.owners
    marks = np.where(histories.baskets >= 0, histories.baskets, -1 - histories.moments)
    newest_first = np.arange(len(owners))[::-1]
    pairs = np.stack([owners, marks], axis=1)
    known, which = np.unique(pairs, axis=0, return_inverse=True)
    last = np.full(len(known), -1, dtype=np.int64)
    np.maximum.at(last, which[newest_first], newest_first)  # a basket is as late as its last event
    order = np.lexsort((-last, known[:, 0]))
    starts = np.searchsorted(known[order, 0], known[order, 0])
    place = np.empty(len(known), dtype=np.int64)
    place[order] = np.arange(len(known)) - starts
    counted: Whole = place[which]
    return counted


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
        self.decay, self.group, self.group_decay = decay, group, group_decay
        self._latest = Latest[tuple[Csr, Csr]]()
        self._keep(stack([], 0))

    def fit(self, taught: Histories) -> None:
        """Keep every customer's shares."""
        self._keep(self._share(taught))

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """Scores of all items, shape (n_rows, n_items)."""
        shares, near = self._hear(histories)
        others = (near @ self._rows).toarray() * (1 - self.own)
        own = densify(shares) * self.own
        scores: NDArray[np.float32] = (own + others).astype(np.float32)
        return scores

    def explain(self, histories: Histories, lists: Whole) -> Csr:
        """What each item gives by itself and through the neighbours, who are held fixed."""
        shares, near = self._hear(histories)
        parts = [self._explain_one(shares, near, row, lists[row]) for row in range(len(lists))]
        return stack(parts, histories.n_items)

    def save(self, writer: ArtefactWriter, prefix: str, customers: Whole) -> dict[str, str]:
        """Write the shares and whose they are, so that an erasure can empty a person's row."""
        writer.save_csr(f"{prefix}_rows", self._rows)
        writer.save_array(f"{prefix}_customers", customers)
        return {f"{prefix}_rows": f"{prefix}_customers"}

    def load(self, artefact: Artefact, prefix: str) -> Whole:
        """Read the rows back; each one's customer, -1 for baskets and erased persons."""
        self._keep(artefact.load_csr(f"{prefix}_rows"))
        return artefact.load_array(f"{prefix}_customers", np.int64)

    def _hear(self, histories: Histories) -> tuple[Csr, Csr]:
        """The shares of each history, and its neighbours."""
        found = self._latest.get(histories)
        if found is None:
            shares = self._share(histories)
            found = shares, self._find_near(shares, histories.rows)
            self._latest.put(histories, found)
        return found

    def _share(self, histories: Histories) -> Csr:
        return share_baskets(
            histories, decay=self.decay, group=self.group, group_decay=self.group_decay
        )

    def _keep(self, rows: Csr) -> None:
        self._rows = rows
        self._latest.clear()
        lengths = np.sqrt(row_sums(scale(rows, rows.data**2)))
        owners = np.repeat(np.arange(rows.shape[0]), row_lengths(rows))
        self._bonds = scale(rows, rows.data / lengths[owners])
        self._columns = transpose(self._bonds)

    def _find_near(self, shares: Csr, own: Whole) -> Csr:
        """Each history's neighbours; their similarities sum to 1."""
        blocks = []
        for part in row_blocks(shares, self._columns):
            pairs: Csr = shares[part] @ self._columns
            owners = np.repeat(np.arange(pairs.shape[0]), row_lengths(pairs))
            near = np.round(pairs.data, _DECIMALS)
            stays = (near > 0) & (pairs.indices != own[part][owners])
            indptr = count_ends(owners[stays], pairs.shape[0])
            kept = build_csr(near[stays], pairs.indices[stays], indptr, pairs.shape)
            best = keep_best(kept, self.k)
            sums = np.repeat(row_sums(best), row_lengths(best))
            blocks.append(scale(best, best.data / sums))
        return stack(blocks, self._rows.shape[0])

    def _explain_one(self, shares: Csr, near: Csr, row: int, wanted: Whole) -> Csr:
        had = slice(int(shares.indptr[row]), int(shares.indptr[row + 1]))
        items, weights = shares.indices[had], shares.data[had]
        cells = slice(int(near.indptr[row]), int(near.indptr[row + 1]))
        others, said = near.indices[cells], near.data[cells]
        bonds = densify(self._bonds[others][:, items]) * weights
        sums = bonds.sum(axis=1)
        bonds *= (said / np.where(sums > 0, sums, 1.0))[:, None]
        given = (1 - self.own) * (densify(self._rows[others][:, wanted]).T @ bonds)
        place = np.searchsorted(items, wanted)
        place = np.minimum(place, max(len(items) - 1, 0))
        if len(items):
            met = np.flatnonzero(items[place] == wanted)
            given[met, place[met]] += self.own * weights[place[met]]
        rows = np.repeat(np.arange(len(wanted)), len(items))
        shape = (len(wanted), shares.shape[1])
        return sum_pairs(rows, np.tile(items, len(wanted)), given.reshape(-1), shape)
