"""Recommendations in Gorse's terms: our lists without what the user has given feedback on."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa
from msgspec import structs

from lingxi.catalogue import get_items
from lingxi.errors import NotTrained, UnknownCustomer
from lingxi.gorse.feedback import put_feedback, read_body
from lingxi.gorse.history import read_seen
from lingxi.gorse.items import list_latest
from lingxi.gorse.kinds import Kinds
from lingxi.gorse.moments import LONG_AGO
from lingxi.gorse.nouns import FeedbackBody, Score
from lingxi.gorse.users import require_user
from lingxi.ingest import customer_ids
from lingxi.ingest.consent import is_allowed, read_permissions
from lingxi.profiles.tables import item_history
from lingxi.recommend.rules import MOST_HISTORY
from lingxi.store.tables import EPOCH

if TYPE_CHECKING:
    from lingxi.app.queries.recommendations import Shelf
    from lingxi.app.shop import Shop
    from lingxi.recommend import Recommended, Recommender

_SPARE = 32
_MOST_ITEMS = 200
_LONG_AGO = datetime.fromisoformat(LONG_AGO)


@dataclass(frozen=True)
class Ask:
    """What a list is to hold: length, places left out, categories that all items are in, and
    whose feedback is left out."""

    n: int = 10
    offset: int = 0
    categories: Sequence[str] = ()
    user_id: str = ""

    @property
    def end(self) -> int:
        """Items that have to be found."""
        return self.offset + self.n


@dataclass
class _List:
    """A list in the making: each item once, none that is left out, no score above the one before,
    so that sorting by score keeps the order."""

    ask: Ask
    left_out: set[str]
    scores: dict[str, float] = field(default_factory=dict)

    @property
    def full(self) -> bool:
        return len(self.scores) >= self.ask.end

    def add(self, item_id: str, score: float) -> None:
        if self.full or item_id in self.left_out or item_id in self.scores:
            return
        lowest = next(reversed(self.scores.values()), score)
        self.scores[item_id] = min(score, lowest)

    def cut(self) -> list[Score]:
        part = list(self.scores.items())[self.ask.offset : self.ask.end]
        return [Score(item_id, score) for item_id, score in part]


class GorseLists:
    """Every list that Gorse's API serves, from the shop's own recommender."""

    def __init__(self, shop: "Shop", shelf: "Shelf") -> None:
        self._shop = shop
        self._shelf = shelf

    def recommend(self, ask: Ask) -> list[Score]:
        """For a user: from their own history, then what is popular, then what is new.

        A user that the shop does not know is served as a visitor; an untrained shop serves what is
        new.
        """
        now = self._shop.clock.now()
        with self._shop.store.read() as tx:
            customer = self._find(tx, ask.user_id)
            made = _List(ask, self._read_seen(tx, customer, now))
            recommender = self._recommender()
            if recommender is not None:
                served = self._permitted(tx, customer)
                for one in self._pull(tx, recommender, served, (), made):
                    made.add(one.item_id, one.score)
            if not made.full:
                for item_id, _ in list_latest(tx, now, ask.categories):
                    made.add(item_id, 0.0)
        return made.cut()

    def collaborative(self, ask: Ask) -> list[Score]:
        """For a user, only what the model itself scores: no popular items fill it up."""
        now = self._shop.clock.now()
        recommender = self._recommender()
        with self._shop.store.read() as tx:
            customer = self._find(tx, ask.user_id)
            made = _List(ask, self._read_seen(tx, customer, now))
            served = self._permitted(tx, customer)
            if recommender is not None and served is not None:
                for one in self._pull(tx, recommender, served, (), made, personal=True):
                    made.add(one.item_id, one.score)
        return made.cut()

    def session(self, given: Sequence[FeedbackBody], ask: Ask) -> list[Score]:
        """For a session of feedback that is not kept: items like those of interest in it."""
        now = self._shop.clock.now()
        kinds = Kinds.of(self._shop.settings.gorse)
        named = [structs.replace(body, user_id=body.user_id or "session") for body in given]
        told = [read_body(body, kinds, now) for body in named]
        told.sort(key=lambda each: each.at)
        history = [t.item_id for t in told if kinds.is_interest(t.feedback_type, t.value)]
        recommender = self._recommender()
        made = _List(ask, {each.item_id for each in told})
        if recommender is None or not history:
            return []
        latest = history[-MOST_HISTORY:]
        with self._shop.store.read() as tx:
            for one in self._pull(tx, recommender, None, latest, made, personal=True):
                made.add(one.item_id, one.score)
        return made.cut()

    def neighbours(self, item_id: str, ask: Ask) -> list[Score]:
        """Items like one, best first; none before training or for an item not met yet."""
        recommender = self._recommender()
        if recommender is None:
            return []
        now = self._shop.clock.now()
        with self._shop.store.read() as tx:
            seen = self._read_seen(tx, self._find(tx, ask.user_id), now)
            made = _List(ask, seen | {item_id})
            found = recommender.similar(item_id, _MOST_ITEMS + ask.end)
            for one in self._offered(tx, found, ask, now):
                made.add(one.item_id, one.score)
        return made.cut()

    def latest(self, ask: Ask) -> list[Score]:
        """What is new, with its moment in seconds since 1970 as the score."""
        now = self._shop.clock.now()
        with self._shop.store.read() as tx:
            made = _List(ask, self._read_seen(tx, self._find(tx, ask.user_id), now))
            for item_id, moment in list_latest(tx, now, ask.categories):
                made.add(item_id, float(int(((moment or _LONG_AGO) - EPOCH).total_seconds())))
        return made.cut()

    def popular(self, ask: Ask) -> list[Score]:
        """What is popular with everybody of late; what is new before the first training."""
        recommender = self._recommender()
        if recommender is None:
            return self.latest(ask)
        now = self._shop.clock.now()
        with self._shop.store.read() as tx:
            made = _List(ask, self._read_seen(tx, self._find(tx, ask.user_id), now))
            for one in self._pull(tx, recommender, None, (), made):
                made.add(one.item_id, one.score)
        return made.cut()

    def user_neighbours(self, user_id: str, ask: Ask) -> list[Score]:
        """Customers who took interest in the same items: cosine of their sets of items.

        Whoever refused what is personal has no neighbours and is nobody's.
        """
        with self._shop.store.read() as tx:
            customer = self._permitted(tx, self._find(tx, user_id))
            if customer is None:
                return []
            table = item_history.c
            own = sa.select(table.item_id).where(table.customer == customer)
            mine = tx.execute(sa.select(sa.func.count()).select_from(own.subquery())).scalar_one()
            shared = sa.func.sum(sa.case((table.item_id.in_(own), 1), else_=0))
            query = (
                sa.select(table.customer, shared, sa.func.count())
                .where(table.customer != customer)
                .group_by(table.customer)
                .having(shared > 0)
            )
            may = read_permissions(tx, self._shop.settings.consent, "personalisation")
            found = [(int(c), int(s), int(n)) for c, s, n in tx.execute(query)]
            rows = [(s / float(n * mine) ** 0.5, c) for c, s, n in found if may.allows(c)]
            rows.sort(key=lambda row: (-row[0], row[1]))
            page = rows[ask.offset : ask.end]
            ids = customer_ids(tx, {c for _, c in page})
        return [Score(ids[c], score) for score, c in page if c in ids]

    def write_back(
        self, user_id: str, items: Sequence[str], feedback_type: str, delay: timedelta
    ) -> None:
        """Note that items were shown to a user: they are not recommended again after the delay.

        What was only shown teaches nothing. For a user that the shop does not know nothing is kept.
        """
        now = self._shop.clock.now()
        kinds = Kinds.of(self._shop.settings.gorse)
        bodies = [FeedbackBody(feedback_type, user_id, item_id) for item_id in items]
        told = [read_body(body, kinds, now + delay, shown=True) for body in bodies]
        with self._shop.store.write() as tx:
            if self._find(tx, user_id) is not None:
                put_feedback(self._shop.store, tx, told, now)

    def _pull(
        self,
        tx: sa.Connection,
        recommender: "Recommender",
        customer: int | None,
        history: Sequence[str],
        made: _List,
        *,
        personal: bool = False,
    ) -> "Iterator[Recommended]":
        """Recommended items in the asked categories, more of them until the list is full or the
        recommender has no more."""
        asked, wanted = 0, made.ask.end + len(made.left_out) + _SPARE
        now = self._shop.clock.now()
        while not made.full and asked < len(recommender.item_ids):
            found = recommender.recommend(
                tx, customer, n=wanted, history=list(history) or None, reasons=1
            )
            fresh = [one for one in found[asked:] if one.because or not personal]
            yield from self._offered(tx, fresh, made.ask, now)
            if len(found) < wanted:
                return
            asked, wanted = len(found), wanted * 4

    @staticmethod
    def _offered(
        tx: sa.Connection, found: "Iterable[Recommended]", ask: Ask, now: datetime
    ) -> "Iterator[Recommended]":
        """Those on offer in all categories."""
        listed = list(found)
        items = get_items(tx, [one.item_id for one in listed])
        for one in listed:
            item = items.get(one.item_id)
            if item is not None and not item.is_offered(now):
                continue
            if ask.categories and (item is None or not set(ask.categories) <= set(item.path)):
                continue
            yield one

    def _recommender(self) -> "Recommender | None":
        try:
            return self._shelf.get()
        except NotTrained:
            return None

    @staticmethod
    def _find(tx: sa.Connection, user_id: str) -> int | None:
        try:
            return require_user(tx, user_id) if user_id else None
        except UnknownCustomer:
            return None

    def _permitted(self, tx: sa.Connection, customer: int | None) -> int | None:
        """The customer, unless they refused what is personal."""
        if customer is None:
            return None
        settings = self._shop.settings.consent
        return customer if is_allowed(tx, settings, customer, "personalisation") else None

    @staticmethod
    def _read_seen(tx: sa.Connection, customer: int | None, now: datetime) -> set[str]:
        return set() if customer is None else read_seen(tx, customer, now)


__all__ = ["Ask", "GorseLists"]
