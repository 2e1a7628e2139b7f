"""Rows that can be dirtied, each once, and the count of what was."""

import numpy as np
from numpy.typing import NDArray


class Pool:
    """Hands out rows in random order, each once, and counts them by kind.

    Shares are of ``total`` rows; a share above 0 takes at least one row while there are any.

    >>> pool = Pool(np.arange(10), 10, np.random.default_rng(0))
    >>> len(pool.take("duplicate", 0.2)), len(pool.untouched), pool.counts
    (2, 8, {'duplicate': 2})
    """

    def __init__(self, rows: NDArray[np.int64], total: int, rng: np.random.Generator) -> None:
        self.counts: dict[str, int] = {}
        self.total = total
        self._rows = rng.permutation(rows)

    def take(self, kind: str, share: float) -> NDArray[np.int64]:
        """Rows making up a share of the total, for one kind of dirt."""
        n = max(1, round(share * self.total)) if share > 0 else 0
        taken, self._rows = self._rows[:n], self._rows[n:]
        self.counts[kind] = len(taken)
        return taken

    @property
    def untouched(self) -> NDArray[np.int64]:
        """Rows nobody has taken."""
        return self._rows
