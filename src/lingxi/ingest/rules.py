"""What a cleaning step may know besides the lines, and what it gives back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingxi.ingest.lines import Lines
from lingxi.ingest.rates import Rate, no_rates
from lingxi.ingest.raw import RawTable
from lingxi.ingest.reasons import DropReason, PutReason
from lingxi.ingest.text import Mask


def _no_spelling(_folded: str) -> str | None:
    return None


@dataclass(frozen=True, eq=False)
class Rules:
    """The facts of one import that steps judge by.

    ``has`` are the mapped fields; ``spelling`` gives the known spelling of a case-folded item code;
    ``seal`` turns a text that names a person into one that does not, the same each time.
    ``judged`` says which codes the whole file has shown to be costs, where only part of it is here.
    ``sold`` are order numbers that the log has as sold, of orders that this file calls off.
    ``rate`` is what one unit of another currency comes to in ``currency`` on a day.
    ``digits`` of the currency after the point; ``latest_micros`` is the latest possible moment.
    """

    raw: RawTable
    has: frozenset[str]
    currency: str
    digits: int
    latest_micros: int
    seal: Callable[[str], str]
    spelling: Callable[[str], str | None] = _no_spelling
    judged: Callable[[str], bool] | None = None
    sold: frozenset[str] = frozenset()
    rate: Rate = no_rates


@dataclass(frozen=True)
class DropStep:
    """Sets lines aside; pure. ``find`` marks the lines to drop."""

    name: str
    reason: DropReason
    find: Callable[[Lines, Rules], Mask]


@dataclass(frozen=True)
class PutStep:
    """Changes or marks lines; pure. ``change`` gives the new lines and which were changed."""

    name: str
    reason: PutReason
    change: Callable[[Lines, Rules], tuple[Lines, Mask]]


Step = DropStep | PutStep


@dataclass(frozen=True, eq=False)
class Touched:
    """What one step did: ``index`` into the raw table; ``kept`` is false for a drop."""

    step: str
    reason: str
    kept: bool
    index: NDArray[np.int64]
    example: str


@dataclass(frozen=True, eq=False)
class Cleaned:
    """Lines that passed, and everything that was done; the numbers of lines add up."""

    lines: Lines
    touched: tuple[Touched, ...]

    @property
    def set_aside(self) -> Mapping[str, int]:
        """Lines set aside, by reason."""
        return {t.reason: len(t.index) for t in self.touched if not t.kept}
