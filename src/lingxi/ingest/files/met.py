"""Which ids of messages a file has shown already, in eight bytes an id."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_FEW = 65_536
Words = npt.NDArray[np.int64]


class MetIds:
    """Ids by their hashes of 64 bits: the latest in a set, all others in a few sorted arrays.

    >>> met = MetIds()
    >>> met.note(["a", "b", "a"]), met.note(["c", "b"])
    ([False, False, True], [False, True])
    """

    def __init__(self, few: int = _FEW) -> None:
        self._few = few
        self._latest: set[int] = set()
        self._sorted: list[Words] = []
        """The longest first, each at least twice as long as the next."""

    def note(self, ids: Sequence[str]) -> list[bool]:
        """Whether each was met before, here or earlier among ``ids``; all of them are met now."""
        marks = list(map(hash, ids))
        older = self._find_older(marks)
        latest = self._latest
        found = []
        for mark, is_older in zip(marks, older, strict=True):
            found.append(is_older or mark in latest)
            if not is_older:
                latest.add(mark)
        if len(latest) >= self._few:
            self._fold()
        return found

    @property
    def size_bytes(self) -> int:
        """Bytes of the sorted arrays; the set beside them is bounded by count."""
        return sum(words.nbytes for words in self._sorted)

    def _find_older(self, marks: Sequence[int]) -> list[bool]:
        """Which of these lie in the sorted arrays."""
        if not self._sorted:
            return [False] * len(marks)
        words = np.array(marks, np.int64)
        order = np.argsort(words)  # neighbours are found near each other, in memory that is at hand
        asked = words[order]
        hits = np.zeros(len(words), np.bool_)
        for known in self._sorted:
            # past the end nothing can equal what is greater than the last
            places = np.minimum(np.searchsorted(known, asked), len(known) - 1)
            hits |= known[places] == asked
        found = np.empty_like(hits)
        found[order] = hits
        return found.tolist()

    def _fold(self) -> None:
        """Sort the latest, and put together what has become as long as what stands before it."""
        words = np.fromiter(self._latest, np.int64, len(self._latest))
        words.sort()
        self._latest = set()
        while self._sorted and len(self._sorted[-1]) < 2 * len(words):
            words = np.concatenate([self._sorted.pop(), words])
            words.sort(kind="stable")  # two sorted runs: merged, not sorted anew
        self._sorted.append(words)
