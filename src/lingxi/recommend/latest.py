"""What was worked out last, for those who are asked about the same history twice in a row."""

from typing import Generic, TypeVar

from lingxi.recommend.histories import Histories

T = TypeVar("T")


class Latest(Generic[T]):
    """One value with the history it belongs to: a score is followed by its reasons.

    Only for so many histories at a time, so that it holds little; they are known by being the same
    object, and a tuple is put in place in one step, so threads take no other's value.

    >>> import numpy as np
    >>> none = np.empty(0, dtype=np.int64)
    >>> one, other = (Histories.of_events(none, none, (1, 2)) for _ in range(2))
    >>> latest = Latest[str]()
    >>> latest.put(one, "value")
    >>> latest.get(one), latest.get(other)
    ('value', None)
    """

    def __init__(self, most_rows: int = 1) -> None:
        self._most_rows = most_rows
        self._held: tuple[Histories, T] | None = None

    def get(self, histories: Histories) -> T | None:
        """The value of these very histories, if it is the latest."""
        held = self._held
        return held[1] if held is not None and held[0] is histories else None

    def put(self, histories: Histories, value: T) -> None:
        """Keep the value of a few histories."""
        if histories.n_rows <= self._most_rows:
            self._held = (histories, value)

    def clear(self) -> None:
        """Forget it: the model is another."""
        self._held = None
