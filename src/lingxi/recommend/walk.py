"""A step over the graph of customers and items, of which only its two factors are kept."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.matrix import Csr, densify_scores, row_sums, scale, transpose
from lingxi.recommend.spectrum import Block

_WIDTH = 16
"""Rows led at a time: their numbers of tens of thousands of items stay in a processor's cache,
which makes the product three times as fast as for 512; of 8 the steps between cost more."""
_THREADS = min(2, os.cpu_count() or 1)


@dataclass(frozen=True)
class Walk:
    """``forth' back``, shape (n_items, n_items), which is never multiplied out as a whole.

    ``forth``, ``back_turned``: shape (n_customers, n_items) and its transpose, in single precision.
    """

    forth: Csr
    back_turned: Csr

    @staticmethod
    def of(forth: Csr, back: Csr) -> "Walk":
        """The step of two matrices, shape (n_customers, n_items) each."""
        turned = transpose(scale(back, back.data.astype(np.float32)))
        return Walk(scale(forth, forth.data.astype(np.float32)), turned)

    @property
    def total(self) -> float:
        """The sum of all cells."""
        forth, back = row_sums(self.forth), row_sums(transpose(self.back_turned))
        return float(forth @ back)

    @property
    def turned(self) -> "Walk":
        """The transposed step."""
        return Walk(self._back, self._forth_turned)

    @cached_property
    def _forth_turned(self) -> Csr:
        return transpose(self.forth)

    @cached_property
    def _back(self) -> Csr:
        return transpose(self.back_turned)

    def times(self, factor: float) -> "Walk":
        """Every cell multiplied."""
        return Walk(scale(self.forth, self.forth.data * np.float32(factor)), self.back_turned)

    def multiply_out(self, rows: slice | NDArray[np.int64]) -> Csr:
        """Some rows of the step."""
        product: Csr = self._forth_turned[rows] @ self._back
        return product

    def lead(self, rows: Block | Csr) -> Block:
        """``rows forth' back``, shape (n_rows, n_items).

        Of sparse rows the first half touches the customers of their items alone. SciPy's product
        lets other threads run, so two blocks are led at once.

        >>> from lingxi.recommend.ratings import read_ratings
        >>> table = read_ratings([[1, 1], [0, 2]])
        >>> Walk.of(table, table).lead(np.eye(2, dtype=np.float32)).tolist()
        [[1.0, 1.0], [1.0, 5.0]]
        """
        led = np.empty(rows.shape, dtype=np.float32)
        turned = None if isinstance(rows, np.ndarray) else self._forth_turned

        def lead_block(start: int) -> None:
            block = slice(start, start + _WIDTH)
            if turned is None:
                met = self.forth @ np.ascontiguousarray(rows[block].T)
            else:
                met = np.ascontiguousarray(densify_scores(rows[block] @ turned).T)
            led[block] = (self.back_turned @ met).T

        starts = range(0, led.shape[0], _WIDTH)
        if len(starts) < 2 * _THREADS:
            for start in starts:
                lead_block(start)
            return led
        with ThreadPoolExecutor(_THREADS) as pool:
            for _ in pool.map(lead_block, starts):
                continue
        return led
