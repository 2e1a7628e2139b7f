"""The messages past the closed runs: what the next runs are made of, until they are closed.

The last few thousand as they are, by their ids; all others as sorted hashes with their positions,
sixteen bytes each where a text, its hash and their places in a map take three hundred.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from lingxi.store.id_runs import FEW_ASKED, Words, to_words

FEW = 8_192
Positions = npt.NDArray[np.int64]


class LatestIds:
    """Messages by their ids, in any order of asking; they are put in the order of positions."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._digests: list[bytes] = []
        self._positions: list[int] = []
        self._words: Words = np.empty(0, np.uint64)
        self._sorted: Positions = np.empty(0, np.int64)

    def __len__(self) -> int:
        return len(self._positions) + len(self._sorted)

    @property
    def size_bytes(self) -> int:
        """Bytes of the sorted hashes and their positions; the few others are bounded by count."""
        return self._words.nbytes + self._sorted.nbytes

    def put(self, places: Mapping[str, int], digests: Sequence[bytes]) -> None:
        """Add messages with their positions, and the hash of each."""
        self._places.update(places)
        self._positions += places.values()
        self._digests += digests
        if len(self._positions) >= FEW:
            self._fold()

    def find(self, ids: Collection[str], words: Words) -> Iterator[int]:
        """The positions where one of these ids may stand; ``words`` are their hashes, sorted."""
        places = self._places
        for each in places.keys() & ids:
            yield places[each]
        if not len(self._words):
            return
        if len(words) <= FEW_ASKED:
            known = self._words.data
            for word in words.tolist():
                place = bisect_left(known, word)
                while place < len(known) and known[place] == word:
                    yield int(self._sorted[place])
                    place += 1
            return
        first = np.searchsorted(self._words, words)
        # past the end nothing can equal what is greater than the last
        hits = self._words[np.minimum(first, len(self._words) - 1)] == words
        if hits.any():
            last = np.searchsorted(self._words, words[hits], side="right")
            for start, end in zip(first[hits].tolist(), last.tolist(), strict=True):
                yield from self._sorted[start:end].tolist()

    def take(self, upto: int) -> tuple[Words, Positions]:
        """Hashes, sorted, and positions of the messages up to a position, which are no longer kept
        here: shapes (n,)."""
        self._fold()
        words, positions = self._words, self._sorted
        gone = positions <= upto
        self._words, self._sorted = words[~gone], positions[~gone]
        return words[gone], positions[gone]

    def _fold(self) -> None:
        """Put the few among the many."""
        words = to_words(self._digests)
        order = np.argsort(words, kind="stable")
        words, positions = words[order], np.array(self._positions, np.int64)[order]
        places = np.searchsorted(self._words, words) + np.arange(len(words))
        others = np.ones(len(self), bool)
        others[places] = False
        merged, moved = np.empty(len(self), np.uint64), np.empty(len(self), np.int64)
        merged[places], merged[others] = words, self._words
        moved[places], moved[others] = positions, self._sorted
        self._words, self._sorted = merged, moved
        self._places, self._digests, self._positions = {}, [], []
