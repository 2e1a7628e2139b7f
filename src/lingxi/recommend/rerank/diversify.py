"""A list that is good as a whole: the next item is chosen for what it adds to those before it.

Sources: Carbonell and Goldstein (1998), "The use of MMR, diversity-based reranking", SIGIR, for
``MMR``; Chen, Zhang and Zhou (2018), "Fast greedy MAP inference for determinantal point process",
NeurIPS, algorithm 1 and section 4, for ``DPP``.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import InvalidInput

_NUGGET = 0.05
"""How much of the DPP's kernel is the identity: items alike in everything still differ a little."""

Vector = NDArray[np.float64]
Places = NDArray[np.int64]


class Alike(Protocol):
    """How alike candidates are: for each a row, shape (k,), in [0, 1], 1 with itself."""

    def __len__(self) -> int: ...

    def __getitem__(self, at: int, /) -> Vector: ...


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
    likeness: Alike,
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
        Shape (k, k), in [0, 1], 1 on the diagonal; only the rows of chosen items are asked for.
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
    before = [] if first is None else first.tolist()
    top = float(relevance.max(initial=0.0))
    scaled = relevance / top if top > 0 else relevance
    plain = _choose_best(scaled, n, bounds, before)
    if method is Method.NONE or strength == 0.0:
        return Diversified(_to_places(plain), 0.0, np.zeros(len(plain), dtype=np.bool_))
    k = len(scaled)
    view = _Nearest(likeness, k) if method is Method.MMR else _Determinant(likeness, k)
    chosen = _choose_varied(scaled, view, strength, n, bounds, before)
    best, kept = float(scaled[plain].sum()), float(scaled[chosen].sum())
    loss = 1.0 - kept / best if best > 0 and kept < best else 0.0
    known = frozenset(plain)
    moved = np.array([item not in known for item in chosen], dtype=np.bool_)
    return Diversified(_to_places(chosen), loss, moved)


class _Nearest:
    """MMR: minus the likeness to the nearest chosen item."""

    def __init__(self, likeness: Alike, k: int) -> None:
        self._likeness = likeness
        self.gain = np.zeros(k)

    def add(self, item: int) -> None:
        """Take note of a chosen item."""
        np.minimum(self.gain, -self._likeness[item], out=self.gain)


class _Determinant:
    """DPP: the logarithm of what an item adds to the determinant, by Cholesky rows."""

    def __init__(self, likeness: Alike, k: int) -> None:
        self._likeness = likeness
        self.gain = np.zeros(k)
        self._rest = np.ones(k)
        self._rows = np.zeros((0, k))

    def add(self, item: int) -> None:
        """Take note of a chosen item."""
        kernel = (1.0 - _NUGGET) * self._likeness[item]
        kernel[item] = 1.0
        own = (kernel - self._rows[:, item] @ self._rows) / np.sqrt(self._rest[item])
        self._rows = np.vstack((self._rows, own))
        self._rest = np.maximum(self._rest - own**2, 1e-12)
        self.gain = np.log(self._rest)


class _Counts:
    """How many items of each group are chosen."""

    def __init__(self, caps: Caps) -> None:
        self._groups = [
            (codes, most, dict[int, int]())
            for codes, most in zip(caps.codes.tolist(), caps.most, strict=True)
        ]

    def add(self, item: int) -> list[tuple[int, int]]:
        """Note a chosen item; the groups that are now full, as their number and code."""
        full = []
        for at, (codes, most, count) in enumerate(self._groups):
            code = codes[item]
            if code >= 0:
                count[code] = count.get(code, 0) + 1
                if count[code] >= most:
                    full.append((at, code))
        return full

    def has_room(self, item: int) -> bool:
        """Whether none of the item's groups is full."""
        return all(
            count.get(codes[item], 0) < most or codes[item] < 0
            for codes, most, count in self._groups
        )


def _choose_best(relevance: Vector, n: int, caps: Caps, before: list[int]) -> list[int]:
    """The most relevant under caps; ``before`` counts as chosen and is left out of the answer."""
    counts, taken, chosen = _Counts(caps), frozenset(before), list[int]()
    for item in before:
        counts.add(item)
    for item in np.argsort(-relevance, kind="stable").tolist() if n > 0 else ():
        if item not in taken and counts.has_room(item):
            chosen.append(item)
            counts.add(item)
            if len(chosen) == n:
                break
    return chosen


def _choose_varied(
    relevance: Vector,
    view: _Nearest | _Determinant,
    strength: float,
    n: int,
    caps: Caps,
    before: list[int],
) -> list[int]:
    """Greedy choice of what is relevant and adds something, under caps, as above."""
    counts, chosen = _Counts(caps), list[int]()
    worth = (1.0 - strength) * relevance

    def add(item: int) -> None:
        view.add(item)
        worth[item] = -np.inf
        for group, code in counts.add(item):
            worth[caps.codes[group] == code] = -np.inf

    for item in before:
        add(item)
    while len(chosen) < n and len(worth):
        value = view.gain * strength
        value += worth
        item = int(value.argmax())
        if value[item] == -np.inf:
            break
        chosen.append(item)
        add(item)
    return chosen


def _to_places(items: list[int]) -> Places:
    return np.array(items, dtype=np.int64)
