"""Views and clicks of promotions as of a transaction: those that the recommender in use was stored
with, and the events of the log since."""

from threading import Lock
from typing import TYPE_CHECKING

import sqlalchemy as sa

from lingxi.ingest.consent import read_answers
from lingxi.recommend.promotions import NAMES, Counts, add_events
from lingxi.recommend.recommender import KIND
from lingxi.recommend.stored import PURPOSES, load_promotions
from lingxi.store.log import log_position, read_events
from lingxi.store.projection import find_customers

if TYPE_CHECKING:
    from lingxi.app.shop import Shop
    from lingxi.recommend import Recommender
    from lingxi.schema import Event

_CHUNK = 10_000


class Promoted:
    """Counts that follow the log, so that a click counts in the very next list.

    Each event of the log is looked at once, by whoever asks first after it has come.
    """

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop
        self._lock = Lock()
        self._version: str | None = None
        self._position = 0
        self._counts: Counts = {}

    def get(self, tx: sa.Connection, recommender: "Recommender") -> Counts:
        """The counts as this transaction sees the log, or newer."""
        with self._lock:
            if self._version != recommender.version:
                self._start(recommender.version)
            end = log_position(tx)
            while self._position < end:
                self._follow(tx, end)
            return self._counts

    def _start(self, version: str) -> None:
        artefact = self._shop.store.artefacts.open(KIND, version)
        kept = load_promotions(artefact)
        self._counts = kept or {}
        self._position = 0 if kept is None else artefact.manifest.events
        self._version = version

    def _follow(self, tx: sa.Connection, end: int) -> None:
        events = read_events(tx, after=self._position, limit=_CHUNK, names=NAMES)
        self._counts = add_events(self._counts, self._keep_permitted(tx, events))
        full = len(events) == _CHUNK
        self._position = max(end, self._position) if not full else events[-1].position

    def _keep_permitted(self, tx: sa.Connection, events: "list[Event]") -> "list[Event]":
        """Those of people whose data may teach, and of nobody in particular."""
        subjects = {event.subject for event in events if event.subject is not None}
        customers = find_customers(tx, subjects)
        people = set(customers.values())
        said = read_answers(tx, self._shop.settings.consent, people, PURPOSES)
        allowed = {c for c in people if all(said.allows(c, purpose) for purpose in PURPOSES)}
        return [e for e in events if e.subject is None or customers[e.subject] in allowed]
