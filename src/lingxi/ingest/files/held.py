"""Lines of orders, held until the end of their file in little memory."""

import pickle
import zlib
from array import array
from collections.abc import Iterator

import numpy as np

from lingxi.ingest.files.units import Unit, join_units

_TOGETHER = 512
_FASTEST = 1


class HeldOrders:
    """Units of a line each, by what tells their orders apart; packed, about a tenth of their size.

    Which lines belong together is known once all of them are there. They then come back in the
    order in which their orders first appeared: in memory are only those orders that some line of
    the file has begun, and that a later one, or an earlier order's, ends.
    """

    def __init__(self, together: int = _TOGETHER) -> None:
        self._together = together
        self._latest: list[Unit] = []
        self._packed: list[bytes] = []
        self._keys = array("q")

    def __len__(self) -> int:
        """Lines held."""
        return len(self._keys)

    @property
    def size_bytes(self) -> int:
        """Bytes of what is packed."""
        return sum(map(len, self._packed)) + self._keys.itemsize * len(self._keys)

    def add(self, key: tuple[object, ...], unit: Unit) -> None:
        """Hold one line."""
        self._keys.append(hash(key))
        self._latest.append(unit)
        if len(self._latest) >= self._together:
            self._packed.append(zlib.compress(pickle.dumps(self._latest, protocol=5), _FASTEST))
            self._latest = []

    def release(self) -> Iterator[Unit]:
        """The orders, each with all its lines; nothing is held afterwards."""
        numbers, left = self._number()
        open_orders: dict[int, Unit] = {}
        first = 0
        for number, unit in zip(numbers, self._unpack(), strict=True):
            known = open_orders.setdefault(number, unit)
            if known is not unit:
                join_units(known, unit)
            left[number] -= 1
            while first in open_orders and not left[first]:
                yield open_orders.pop(first)
                first += 1

    def _number(self) -> "tuple[array[int], array[int]]":
        """The order of each line, numbered as they appear, and how many lines each has."""
        keys = np.frombuffer(self._keys, np.int64)
        _, firsts, places, counts = np.unique(
            keys, return_index=True, return_inverse=True, return_counts=True
        )
        by_appearance = np.argsort(firsts)
        ranks = np.empty_like(by_appearance)
        ranks[by_appearance] = np.arange(len(by_appearance))
        numbers, lengths = ranks[places], counts[by_appearance]
        return array("q", numbers.tobytes()), array("q", lengths.tobytes())

    def _unpack(self) -> Iterator[Unit]:
        packed, latest = self._packed, self._latest
        self._packed, self._latest, self._keys = [], [], array("q")
        packed.reverse()
        while packed:
            yield from pickle.loads(zlib.decompress(packed.pop()))
        yield from latest
