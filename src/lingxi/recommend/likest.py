"""The nearest rows of a sparse table by inner product, without what nearly all rows have.

A term that every second item has would make a product touch every second item, and says next to
nothing of which are nearest. So the product is taken of the rare terms; what the common ones can
add at most says who may yet be among the nearest, and only these are looked at in full. The answer
is that of the whole product, to the last bit.
"""

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.matrix import (
    Csr,
    build_csr,
    count_ends,
    keep_best,
    row_blocks,
    row_lengths,
    stack,
    transpose,
)

_COMMON = 1_000
"""Rows that may have a term before it counts as common."""
_LESS = 1.0 - 1e-9
"""So much lower a bound leaves out nothing that the order of adding may lift."""
Vector = NDArray[np.float64]


class Likest:
    """Finds, for rows of weights above 0, the rows of ``vectors`` that are most like them.

    Parameters
    ----------
    vectors
        Shape (n_items, n_terms), no weight below 0, the columns of each row rising.
    common
        A term that more of them have is looked at last.
    """

    def __init__(self, vectors: Csr, *, common: int = _COMMON) -> None:
        self._vectors = vectors
        counts = np.bincount(vectors.indices, minlength=vectors.shape[1])
        self._is_common: NDArray[np.bool_] = counts > common
        self._top = np.zeros(vectors.shape[1])
        np.maximum.at(self._top, vectors.indices, vectors.data)
        self._rare = transpose(self._drop_common(vectors))
        self._all: Csr | None = None

    def find(self, wanted: Csr, n: int) -> Csr:
        """The ``n`` highest inner products of each row with the items, if above 0; equal ones by
        the lower item. Shape (n_wanted, n_items), the columns of each row rising."""
        rare = self._drop_common(wanted)
        blocks, room = [], np.zeros(self._vectors.shape[1])
        for part in row_blocks(rare, self._rare):
            near: Csr = rare[part] @ self._rare
            told = [
                self._find_one(wanted, part.start + row, _read_row(near, row), n, room)
                for row in range(near.shape[0])
            ]
            open_rows = [row for row, found in enumerate(told) if found is None]
            blocks.append(self._join(wanted[part], told, open_rows, n))
        return stack(blocks, self._vectors.shape[0])

    def _find_one(
        self,
        wanted: Csr,
        row: int,
        near: tuple[NDArray[np.integer], Vector],
        n: int,
        room: Vector,
    ) -> tuple[NDArray[np.integer], Vector] | None:
        """Who may be among the nearest of one row, in full; nothing where that may be anybody."""
        items, scores = near
        terms, weights = _read_row(wanted, row)
        common = self._is_common[terms]
        if not common.any():
            return items, scores
        if len(scores) < n:
            return None
        rest = float(weights[common] @ self._top[terms[common]])
        floor = float(np.partition(scores, len(scores) - n)[len(scores) - n]) * _LESS - rest
        if floor <= 0:
            return None
        some = np.sort(items[scores >= floor])
        room[terms] = weights
        totals = self._vectors[some] @ room
        room[terms] = 0.0
        return some, totals

    def _join(
        self,
        wanted: Csr,
        told: list[tuple[NDArray[np.integer], Vector] | None],
        open_rows: list[int],
        n: int,
    ) -> Csr:
        """The rows found, and the whole product of the others."""
        found = [each for each in told if each is not None]
        lengths = np.array([0 if each is None else len(each[0]) for each in told])
        known = build_csr(
            np.concatenate([np.empty(0), *[totals for _, totals in found]]),
            np.concatenate([np.empty(0, dtype=np.int64), *[items for items, _ in found]]),
            count_ends(np.repeat(np.arange(len(told)), lengths), len(told)),
            (len(told), self._vectors.shape[0]),
        )
        known = keep_best(known, n)
        if not open_rows:
            return known
        source = np.arange(len(told))
        source[open_rows] = len(told) + np.arange(len(open_rows))
        both: Csr = stack([known, self._find_all(wanted[open_rows], n)], known.shape[1])
        joined: Csr = both[source]
        return joined

    def _find_all(self, wanted: Csr, n: int) -> Csr:
        """By the whole product, each different row once."""
        if self._all is None:
            self._all = transpose(self._vectors)
        keys = [
            (terms.tobytes(), weights.tobytes())
            for terms, weights in (_read_row(wanted, row) for row in range(wanted.shape[0]))
        ]
        first = {key: row for row, key in reversed(list(enumerate(keys)))}
        chosen = sorted(first.values())
        place = {row: at for at, row in enumerate(chosen)}
        different: Csr = wanted[chosen]
        blocks = []
        for part in row_blocks(different, self._all):
            product: Csr = different[part] @ self._all
            blocks.append(keep_best(product, n))
        found = stack(blocks, self._vectors.shape[0])
        rows: Csr = found[[place[first[key]] for key in keys]]
        return rows

    def _drop_common(self, rows: Csr) -> Csr:
        """The cells of rare terms."""
        stays = ~self._is_common[rows.indices]
        owners = np.repeat(np.arange(rows.shape[0]), row_lengths(rows))[stays]
        ends = count_ends(owners, rows.shape[0])
        return build_csr(rows.data[stays], rows.indices[stays], ends, rows.shape)


def _read_row(rows: Csr, row: int) -> tuple[NDArray[np.integer], Vector]:
    cells = slice(int(rows.indptr[row]), int(rows.indptr[row + 1]))
    return rows.indices[cells], rows.data[cells]
