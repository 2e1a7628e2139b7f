"""Requests that were answered with an error, by source: a client that is set up wrongly shows."""

from collections.abc import Mapping
from datetime import datetime
from threading import Lock

import msgspec

NOBODY = ""
"""The source of requests that carry no key of a source in use."""
_MOST_SOURCES = 1_000


class TurnedAway(msgspec.Struct, frozen=True):
    """How many requests of one source were refused since the process started, and the last one:
    the code of its error and when."""

    n: int
    code: str
    last_at: datetime


class Refusals:
    """Counts in memory, a row a source; safe between threads. They begin anew with the process,
    and the sources beyond the first thousand are not counted."""

    def __init__(self) -> None:
        self._rows: dict[str, TurnedAway] = {}
        self._lock = Lock()

    def note(self, source: str, code: str, at: datetime) -> None:
        """Count one request that was refused."""
        with self._lock:
            row = self._rows.get(source)
            if row is not None or len(self._rows) < _MOST_SOURCES:
                self._rows[source] = TurnedAway(1 if row is None else row.n + 1, code, at)

    def list(self) -> Mapping[str, TurnedAway]:
        """The counts by source; under ``NOBODY`` those without a valid key."""
        with self._lock:
            return dict(self._rows)
