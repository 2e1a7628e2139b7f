"""How much may wait before it is on disk, and how much of that for one source."""

from lingxi.config import CollectSettings
from lingxi.errors import RateLimited
from lingxi.server.collect.counts import Counts

_SHARE = 0.75
"""The part of the room that one source may fill, so that another one still finds some."""


class Room:
    """Bounded by count and by bytes; used on the event loop alone."""

    def __init__(self, settings: CollectSettings, counts: Counts) -> None:
        self._settings = settings
        self._counts = counts
        self._events = self._bytes = 0
        self._by_source: dict[str, int] = {}
        counts.watch(lambda: self._events, lambda: self._bytes)

    def admit(self, source: str, n: int, size: int) -> None:
        """Let so many events and bytes in.

        Raises
        ------
        RateLimited
            If there is no room; then none of them is in.
        """
        most = self._settings
        mine = self._by_source.get(source, 0)
        if self._events and (
            self._events + n > most.waiting_events
            or self._bytes + size > most.waiting_bytes
            or mine + n > most.waiting_events * _SHARE
        ):
            self._counts.refuse("queue_full", n)
            raise RateLimited(
                "More events are waiting for the disk than there is room for. Send them again "
                "in a moment.",
                retry_after_seconds=1,
            )
        self._events += n
        self._bytes += size
        self._by_source[source] = mine + n

    def leave(self, source: str, n: int, size: int) -> None:
        """They wait no more."""
        self._events -= n
        self._bytes -= size
        left = self._by_source[source] - n
        if left:
            self._by_source[source] = left
        else:
            del self._by_source[source]
