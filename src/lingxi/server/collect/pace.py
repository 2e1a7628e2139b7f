"""How fast one source may send: a bucket of a second's requests, refilled all the time."""

from dataclasses import dataclass, field
from math import ceil

from lingxi.errors import RateLimited


@dataclass
class Pace:
    """Counts the requests of each source; 0 allows any number."""

    per_second: int
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)

    def count(self, source: str, now: float) -> None:
        """Count one request at ``now``, in seconds of any clock that only goes forward.

        Raises
        ------
        RateLimited
            When the source has had its requests.
        """
        if self.per_second <= 0:
            return
        left, seen = self._left.get(source, (float(self.per_second), now))
        left = min(self.per_second, left + (now - seen) * self.per_second)
        if left < 1:
            self._left[source] = left, now
            raise RateLimited(
                f"The source {source!r} sends more than {self.per_second} requests a second.",
                retry_after_seconds=max(1, ceil((1 - left) / self.per_second)),
            )
        self._left[source] = left - 1, now
