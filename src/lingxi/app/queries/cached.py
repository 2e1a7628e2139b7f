"""An answer that is dear to make: kept until the log has grown and a while has passed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")

LIFETIME = timedelta(seconds=60)
"""How old an answer may grow while events keep coming in."""


@dataclass
class Cached(Generic[T]):
    """Calls ``make`` again only when ``mark`` differs and the answer is older than ``LIFETIME``.

    A mark that differs at once, such as a new model version, goes into ``edition``.

    >>> kept = Cached(lambda: object())
    >>> now = datetime(2026, 1, 1)
    >>> kept.get(1, "a", now) is kept.get(2, "a", now)
    True
    >>> kept.get(2, "a", now) is kept.get(2, "b", now)
    False
    """

    make: Callable[[], T]
    _held: tuple[int, str, datetime, T] | None = None
    _lock: Lock = field(default_factory=Lock)

    def get(self, mark: int, edition: str, now: datetime) -> T:
        """The answer, made anew if the log position ``mark`` or the ``edition`` asks for it."""
        with self._lock:
            held = self._held
            if held is not None:
                same = held[0] == mark or now - held[2] < LIFETIME
                if same and held[1] == edition:
                    return held[3]
            answer = self.make()
            self._held = (mark, edition, now, answer)
            return answer
