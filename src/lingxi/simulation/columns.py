"""Parallel arrays: the shape of everything the simulation keeps in bulk."""

from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Columns:
    """Parallel arrays of one length."""

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> Self:
        """The given rows of every column."""
        return replace(self, **{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    def join(self, other: Self) -> Self:
        """The rows of this and of another table."""
        names = [f.name for f in fields(self)]
        parts = {n: np.concatenate((getattr(self, n), getattr(other, n))) for n in names}
        return replace(self, **parts)
