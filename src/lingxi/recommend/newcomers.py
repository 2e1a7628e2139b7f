"""Items that the model has not met: known items that are like them by the catalogue stand in.

``score(u, new) = sum_k share_k · score(u, k)`` over the ``NEAREST`` known items k most like the new
one, with ``share_k = like_k² / sum_k like_k``: the mean of their scores, so much lower as they are
less like it. For models of one operator, what a customer did with a new item counts as that much
done with each k. So a new item is recommended from the moment it is described; sums stay exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.content import Descriptions
from lingxi.recommend.goods import Goods
from lingxi.recommend.kernels import Cells
from lingxi.recommend.likest import Likest
from lingxi.recommend.matrix import Csr, row_lengths, row_sums, scale, stack
from lingxi.recommend.scratch import Scratch
from lingxi.schema import Item
from lingxi.store import Artefact

NEAREST = 10
MOST = 5_000
"""New items that are looked at, the newest; more are a reason to train."""
Whole = NDArray[np.int64]
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Mixture:
    """Numbers of some things as sums of numbers of others: cells of a sparse matrix.

    Cell c gives ``shares[c]`` of thing ``sources[c]`` to thing ``targets[c]``.
    """

    targets: Whole
    sources: Whole
    shares: Vector

    def mix_rows(self, table: Vector, n_rows: int) -> Vector:
        """The targets' rows from the sources' rows of a table."""
        found = np.zeros((n_rows, table.shape[1]))
        np.add.at(found, self.targets, self.shares[:, None] * table[self.sources])
        return found


@dataclass(frozen=True)
class StandIns:
    """Shape (n_new, n_known): which known items stand in for each new one, with their shares.

    The place of new item r is ``n_known + r``.
    """

    shares: Csr
    number: int = 0
    """Counts states, so that what was worked out from an older one is not taken for new."""

    @property
    def n_known(self) -> int:
        """Items of the model."""
        return int(self.shares.shape[1])

    @property
    def n_all(self) -> int:
        """All places."""
        return self.n_known + int(self.shares.shape[0])

    def __len__(self) -> int:
        return int(self.shares.shape[0])

    @cached_property
    def _lent(self) -> tuple[Whole, Whole]:
        """The new items for which anybody stands in, and where the cells of each begin."""
        lent = np.flatnonzero(row_lengths(self.shares))
        return lent, self.shares.indptr[lent].astype(np.int64)

    def lend(self, scores: NDArray[np.floating]) -> NDArray[np.float32]:
        """Scores of the new items from those of ``shares.indices``; below 0 lends nothing."""
        found = np.zeros(len(self), dtype=np.float32)
        new, starts = self._lent
        if len(new):
            cells = np.maximum(scores, 0) * self.shares.data
            found[new] = np.add.reduceat(cells, starts, dtype=np.float64)
        return found

    def weigh(self, factors: NDArray[np.floating]) -> Cells:
        """The shares times a factor of each known item, in its precision: rows that multiply
        sums."""
        columns = self.shares.indices.astype(np.int32)
        values = self.shares.data.astype(factors.dtype) * factors.take(columns)
        return Cells(columns, values, self.shares.indptr.astype(np.int32))

    def join(self, items: Whole, scores: NDArray[np.float32]) -> tuple[Whole, NDArray[np.float32]]:
        """Known items, rising, with the new ones to which they lend something."""
        wanted = self.shares.indices
        if not len(items) or not len(wanted):
            return items, scores
        total = Scratch(self.n_known).total
        total[items] = scores
        lent = self.lend(total.take(wanted))
        total[items] = 0
        new = np.flatnonzero(lent > 0)
        return np.concatenate((items, new + self.n_known)), np.concatenate((scores, lent[new]))

    def hear(self, items: Whole, weights: Vector) -> tuple[Whole, Vector, Mixture | None]:
        """A history in known items alone, rising, and which of its entries each of them came from.

        ``items`` rise. Nothing is mixed where none of them is new.
        """
        if not len(items) or items[-1] < self.n_known:
            return items, weights, None
        first = int(np.searchsorted(items, self.n_known))
        rows: Csr = self.shares[items[first:] - self.n_known]
        entries = np.repeat(np.arange(first, len(items)), row_lengths(rows))
        sources = np.concatenate((np.arange(first), entries))
        places = np.concatenate((items[:first], rows.indices.astype(np.int64)))
        parts = np.concatenate((weights[:first], rows.data * weights[entries]))
        heard, at = np.unique(places, return_inverse=True)
        sums = np.bincount(at, weights=parts, minlength=len(heard)).astype(np.float64)
        return heard, sums, Mixture(sources, at.astype(np.int64), parts / sums[at])

    def ask(self, listed: Whole) -> tuple[Whole, Mixture | None]:
        """The known items that the listed ones' scores are made of, and how."""
        if listed.max(initial=-1) < self.n_known:
            return listed, None
        new = np.flatnonzero(listed >= self.n_known)
        rows: Csr = self.shares[listed[new] - self.n_known]
        known = np.flatnonzero(listed < self.n_known)
        wanted = np.concatenate((listed[known], rows.indices.astype(np.int64)))
        asked, sources = np.unique(wanted, return_inverse=True)
        targets = np.concatenate((known, np.repeat(new, row_lengths(rows))))
        shares = np.concatenate((np.ones(len(known)), rows.data.astype(np.float64)))
        return asked, Mixture(targets.astype(np.int64), sources.astype(np.int64), shares)


class Newcomers:
    """Finds stand-ins for items that came into the catalogue since the model was fitted."""

    def __init__(self, descriptions: Descriptions) -> None:
        self.descriptions = descriptions
        self._likest: Likest | None = None
        self._state: tuple[int, int] = (-1, -1)
        self._items: list[Item | None] = []
        self._held = StandIns(stack([], descriptions.vectors.shape[0]))

    @staticmethod
    def load(artefact: Artefact) -> "Newcomers | None":
        """From what the model was stored with; nothing where nothing was described."""
        descriptions = Descriptions.load(artefact)
        return None if descriptions is None else Newcomers(descriptions)

    def find(self, goods: Goods, *, keep: bool) -> StandIns:
        """The stand-ins for the items that ``goods`` has beyond the model's.

        ``keep``: whether ``goods`` are everybody's, and not those of a transaction under way.
        """
        state = (goods.revision, len(goods))
        if keep and state == self._state:
            return self._held
        items = goods.items[goods.n_known : goods.n_known + MOST]
        old_items = self._items
        changed = [
            at for at, item in enumerate(items) if at >= len(old_items) or item is not old_items[at]
        ]
        if not changed and len(items) == len(self._items):
            self._state = state if keep else self._state
            return self._held
        found = self._find([items[at] for at in changed])
        old = self._held.shares
        both = stack([old, found], old.shape[1])
        source = np.arange(len(items))
        source[changed] = old.shape[0] + np.arange(len(changed))
        shares: Csr = both[source]
        held = StandIns(shares, self._held.number + 1 if keep else -1)
        if keep:
            self._held, self._items, self._state = held, list(items), state
        return held

    def _find(self, items: Sequence[Item | None]) -> Csr:
        if self._likest is None:
            self._likest = Likest(self.descriptions.vectors)
        near = self._likest.find(self.descriptions.describe(items), NEAREST)
        sums = np.repeat(row_sums(near), row_lengths(near))
        return scale(near, near.data**2 / np.where(sums > 0, sums, 1.0))
