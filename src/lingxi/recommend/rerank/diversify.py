"""A list that is good as a whole: the next item is chosen for what it adds to those before it.

Sources: Carbonell and Goldstein (1998), "The use of MMR, diversity-based reranking", SIGIR, for
``MMR``; Chen, Zhang and Zhou (2018), "Fast greedy MAP inference for determinantal point process",
NeurIPS, algorithm 1 and section 4, for ``DPP``.
"""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import InvalidInput

_NUGGET = 0.05
"""How much of the DPP's kernel is the identity: items alike in everything still differ a little."""

Vector = NDArray[np.float64]
Places = NDArray[np.int64]


class Method(StrEnum):
    """How a list is made diverse."""

    NONE = "none"
    MMR = "mmr"
    DPP = "dpp"


@dataclass(frozen=True)
class Caps:
    """At most ``most[g]`` items of one code in group ``g``; code -1 is never counted.

    ``codes``: shape (n_groups, k), of the candidates.
    """

    codes: Places
    most: tuple[int, ...]

    @staticmethod
    def none(k: int) -> "Caps":
        """No cap for ``k`` candidates."""
        return Caps(np.zeros((0, k), dtype=np.int64), ())


@dataclass(frozen=True)
class Diversified:
    """Chosen candidates, best first, and the share of relevance that diversity cost.

    ``loss`` compares the sum of relevance with that of the list without diversity under the same
    caps; ``moved[i]`` is true where a choice is not in that list.
    """

    chosen: Places
    loss: float
    moved: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))


def diversify(
    relevance: Vector,
    likeness: NDArray[np.float64],
    n: int,
    *,
    method: Method = Method.MMR,
    strength: float = 0.3,
    caps: Caps | None = None,
    first: Places | None = None,
) -> Diversified:
    """Choose ``n`` of the candidates, weighing relevance against being like those chosen before.

    MMR adds the item of highest ``(1 - s) r_i - s max_j S_ij`` over chosen j; DPP that of highest
    ``(1 - s) r_i + s log d_i²``, where ``d_i²`` is what item i adds to the determinant of the
    chosen items' likeness. Relevance is divided by its highest value. Strength 0 is the order of
    relevance, whatever the method.

    Parameters
    ----------
    relevance
        Shape (k,), at least 0; equal values: lower place first.
    likeness
        Shape (k, k), in [0, 1], 1 on the diagonal.
    strength
        s, in [0, 1].
    caps
        How many of one brand or category may stand in the list.
    first
        Candidates that stand in the list already; they count for diversity and caps and are not
        chosen again.

    Raises
    ------
    InvalidInput
        If the strength is not in [0, 1] or relevance is below 0.
    """
    if not 0.0 <= strength <= 1.0:
        raise InvalidInput(f"The strength of diversity must be in [0, 1], but is {strength}.")
    if len(relevance) and relevance.min() < 0:
        raise InvalidInput("Relevance must be at least 0.")
    bounds = caps or Caps.none(len(relevance))
    before = np.zeros(0, dtype=np.int64) if first is None else first
    top = float(relevance.max(initial=0.0))
    scaled = relevance / top if top > 0 else relevance
    plain = _choose(scaled, _Plain(len(scaled)), 0.0, n, bounds, before)
    if method is Method.NONE or strength == 0.0:
        return Diversified(plain, 0.0, np.zeros(len(plain), dtype=np.bool_))
    view = _Nearest(likeness) if method is Method.MMR else _Determinant(likeness, n + len(before))
    chosen = _choose(scaled, view, strength, n, bounds, before)
    best, kept = float(scaled[plain].sum()), float(scaled[chosen].sum())
    loss = 1.0 - kept / best if best > 0 and kept < best else 0.0
    return Diversified(chosen, loss, ~np.isin(chosen, plain))


class _Plain:
    """No diversity: nothing is added for being different."""

    def __init__(self, k: int) -> None:
        self.gain = np.zeros(k)

    def add(self, item: int) -> None:
        """Take note of a chosen item."""


class _Nearest(_Plain):
    """MMR: minus the likeness to the nearest chosen item."""

    def __init__(self, likeness: NDArray[np.float64]) -> None:
        super().__init__(len(likeness))
        self._likeness = likeness

    def add(self, item: int) -> None:
        np.minimum(self.gain, -self._likeness[item], out=self.gain)


class _Determinant(_Plain):
    """DPP: the logarithm of what an item adds to the determinant, by Cholesky rows."""

    def __init__(self, likeness: NDArray[np.float64], most: int) -> None:
        super().__init__(len(likeness))
        self._kernel = (1.0 - _NUGGET) * likeness + _NUGGET * np.eye(len(likeness))
        self._rest = np.diag(self._kernel).copy()
        self._rows = np.zeros((most, len(likeness)))
        self._n = 0

    def add(self, item: int) -> None:
        rows = self._rows[: self._n]
        own = (self._kernel[item] - rows[:, item] @ rows) / np.sqrt(self._rest[item])
        self._rows[self._n] = own
        self._n += 1
        self._rest = np.maximum(self._rest - own**2, 1e-12)
        self.gain = np.log(self._rest)


def _choose(
    relevance: Vector, view: _Plain, strength: float, n: int, caps: Caps, before: Places
) -> Places:
    """Greedy choice under caps; ``before`` counts as chosen and is left out of the answer."""
    free = np.ones(len(relevance), dtype=np.bool_)
    counts: list[dict[int, int]] = [{} for _ in caps.most]
    for item in before.tolist():
        view.add(item)
        _count(item, caps, counts, free)
    chosen: list[int] = []
    while len(chosen) < n and free.any():
        value = (1.0 - strength) * relevance + strength * view.gain
        item = int(np.argmax(np.where(free, value, -np.inf)))
        chosen.append(item)
        view.add(item)
        _count(item, caps, counts, free)
    return np.array(chosen, dtype=np.int64)


def _count(item: int, caps: Caps, counts: list[dict[int, int]], free: NDArray[np.bool_]) -> None:
    """Note a chosen item, and close the groups that are now full."""
    free[item] = False
    for codes, most, count in zip(caps.codes, caps.most, counts, strict=True):
        code = int(codes[item])
        if code < 0:
            continue
        count[code] = count.get(code, 0) + 1
        if count[code] >= most:
            free &= codes != code
