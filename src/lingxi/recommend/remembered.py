"""What was worked out for a customer, kept while it is still true, within a bound of memory."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """Values by key, each with the state it was made of; the least recently used go first.

    >>> kept = Remembered[str](100)
    >>> kept.put("ada", (1, 2), "value", 60)
    >>> kept.get("ada", (1, 2)), kept.get("ada", (1, 3))
    ('value', None)
    """

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.memory_bytes = 0
        self._held: OrderedDict[Hashable, tuple[Hashable, T, int]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: Hashable, state: Hashable) -> T | None:
        """The value of a key if it was made of this state."""
        with self._lock:
            found = self._held.get(key)
            if found is None or found[0] != state:
                return None
            self._held.move_to_end(key)
            return found[1]

    def put(self, key: Hashable, state: Hashable, value: T, size: int) -> None:
        """Keep a value of about ``size`` bytes; one larger than the bound is not kept."""
        with self._lock:
            old = self._held.pop(key, None)
            if old is not None:
                self.memory_bytes -= old[2]
            if size > self.most_bytes:
                return
            self._held[key] = (state, value, size)
            self.memory_bytes += size
            while self.memory_bytes > self.most_bytes:
                _, (_, _, gone) = self._held.popitem(last=False)
                self.memory_bytes -= gone

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held.clear()
            self.memory_bytes = 0
