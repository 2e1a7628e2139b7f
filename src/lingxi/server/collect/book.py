"""Which source a write key belongs to, known without asking the store on every request."""

import asyncio
from collections.abc import Callable, Mapping
from time import monotonic

from lingxi.access.sources import Source, list_sources
from lingxi.store import Store

_FRESH_SECONDS = 0.4
_STALE_SECONDS = 0.9
_UNKNOWN_SECONDS = 0.2


class SourceBook:
    """All sources in use, read again beside the requests; a disabled one is out within a second.

    The copy is renewed in the background once it is 0.4 s old and never used once it is 0.9 s old.
    """

    def __init__(self, store: Store, *, now: Callable[[], float] = monotonic) -> None:
        self._store = store
        self._now = now
        self._by_key: Mapping[str, Source] = {}
        self._read_at = float("-inf")
        self._reading: asyncio.Future[None] | None = None

    async def find(self, write_key: str) -> Source | None:
        """The source of a key; nothing when it is unknown or disabled.

        Raises
        ------
        StoreUnavailable
            If the store cannot be read.
        """
        age = self._now() - self._read_at
        if age > _STALE_SECONDS:
            await self._renew()
        elif age > _FRESH_SECONDS and self._reading is None:
            self._renew().add_done_callback(lambda done: done.cancelled() or done.exception())
        found = self._by_key.get(write_key)
        if found is None and self._now() - self._read_at > _UNKNOWN_SECONDS:
            await self._renew()  # it may have been made a moment ago
            found = self._by_key.get(write_key)
        return found

    def _renew(self) -> "asyncio.Future[None]":
        """Read the sources again; whoever asks meanwhile waits for the same reading."""
        running = self._reading
        if running is None or running.get_loop() is not asyncio.get_running_loop():
            running = asyncio.ensure_future(self._read())
            self._reading = running
        return running

    async def _read(self) -> None:
        try:
            started = self._now()
            self._by_key = await asyncio.to_thread(self._list)
            self._read_at = started
        finally:
            self._reading = None

    def _list(self) -> dict[str, Source]:
        with self._store.read() as tx:
            return {
                source.write_key: source
                for source in list_sources(tx)
                if source.disabled_at is None
            }
