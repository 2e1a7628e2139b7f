"""The small systems of ``Slim``: what the neighbours of each item have in common with each other.

The Gram matrix they are parts of is made a band of rows at a time, and never held: of a large
catalogue it would take more memory than all else together.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.matrix import Csr, row_blocks, row_lengths, scale, sort_columns, transpose

PRODUCTS = 20_000_000
"""Multiplications of one band of the Gram matrix: about 500 MB at the worst."""
Places = NDArray[np.int64]
Values = NDArray[np.float32]


@dataclass(frozen=True)
class Systems:
    """``X'X`` among the neighbours of each item, and between them and the item.

    Parameters
    ----------
    among
        Shape (n_items, k (k + 1) / 2): the upper triangle, row after row.
    wanted
        Shape (n_items, k): each neighbour with the item itself.
    """

    among: Values
    wanted: Values

    @staticmethod
    def find(items: Csr, near: Places, products: int = PRODUCTS) -> "Systems":
        """The systems of items (rows of ``items``), whose neighbours rise in each row of ``near``.

        ``near``: shape (n_items, k), -1 behind those that there are, where what is found means
        nothing.
        """
        n, k = near.shape
        among = np.zeros((n, k * (k + 1) // 2), dtype=np.float32)
        wanted = np.zeros((n, k), dtype=np.float32)
        single = scale(items, items.data.astype(np.float32))
        back = transpose(single)
        for part in row_blocks(single, back, products):
            inside = (near >= part.start) & (near < part.stop)
            band = _Band.of(sort_columns(single[part] @ back), part.start)
            for slot in np.flatnonzero(inside.any(axis=0)).tolist():
                rows = np.flatnonzero(inside[:, slot])
                asked = np.column_stack((near[rows, slot:], rows))
                found = band.look_up(near[rows, slot], asked)
                at = _start_of(slot, k)
                among[rows, at : at + k - slot] = found[:, :-1]
                wanted[rows, slot] = found[:, -1]
        return Systems(among, wanted)

    def solve(self, rows: Places, filled: NDArray[np.bool_], reg: float) -> Values:
        """The weights of the neighbours of these items, 0 where there is none.

        ``filled``: shape (len(rows), width), which of the first neighbours there are.
        """
        width, k = filled.shape[1], self.wanted.shape[1]
        left, right = np.triu_indices(width)
        system = np.zeros((len(rows), width, width), dtype=np.float32)
        system[:, left, right] = self.among[rows[:, None], _start_of(left, k) + right - left]
        system[:, right, left] = system[:, left, right]
        system *= filled[:, :, None] & filled[:, None, :]
        diagonal = np.arange(width)
        system[:, diagonal, diagonal] += np.where(filled, np.float32(reg), np.float32(1))
        wanted = self.wanted[rows, :width] * filled
        found: Values = np.linalg.solve(system, wanted[:, :, None])[:, :, 0]
        return found


@dataclass(frozen=True)
class _Band:
    """Some rows of a square matrix, by the keys ``row n + column`` of their cells, which rise."""

    n: int
    keys: Places
    values: Values

    @staticmethod
    def of(rows: Csr, first: int) -> "_Band":
        """Of rows whose columns rise, the first of which is the matrix's ``first``."""
        n = rows.shape[1]
        keys = np.repeat((first + np.arange(rows.shape[0])) * n, row_lengths(rows))
        return _Band(n, keys + rows.indices, rows.data.astype(np.float32, copy=False))

    def look_up(self, rows: Places, columns: Places) -> Values:
        """The cells of each row at its own columns, shape (len(rows), any).

        The keys are asked for in their order, so that neighbouring ones lie in the cache; SciPy
        takes ten times as long for it.
        """
        asked = (rows[:, None] * self.n + np.maximum(columns, 0)).ravel()
        found = np.zeros(len(asked), dtype=np.float32)
        if len(self.keys):
            order = np.argsort(asked)
            asked = asked[order]
            places = np.minimum(np.searchsorted(self.keys, asked), len(self.keys) - 1)
            found[order] = np.where(self.keys[places] == asked, self.values[places], 0)
        return found.reshape(columns.shape)


def _start_of(row: Places | int, k: int) -> "Places | int":
    """Where a row of a packed upper triangle of ``k`` rows begins."""
    return row * k - row * (row - 1) // 2
