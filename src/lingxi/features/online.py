"""Features of one customer now: the same query over their events read straight from the log."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from weakref import WeakKeyDictionary, proxy

import pyarrow as pa
from sqlalchemy import select

from lingxi.errors import InvalidInput
from lingxi.features.compute import read_shop
from lingxi.features.query import (
    CATEGORIES_NAME,
    EVENTS,
    EVENTS_NAME,
    MOMENT_NAME,
    PRICES_NAME,
    build_features,
    run,
    tell_moment,
)
from lingxi.features.registry import get_features
from lingxi.features.shop import (
    CATEGORIES,
    CATEGORISED,
    PRICES,
    SESSION,
    TRACKED,
    ShopFacts,
    start_of_day,
)
from lingxi.schema import Event, Name
from lingxi.store import Store
from lingxi.store.codec import to_arrow
from lingxi.store.duck import DuckDBSession
from lingxi.store.tables import identity

_PAGE = 5_000
_FAR = 2**62
_LONG_TAIL = 20_000
"""So many events behind, reading the shop anew is cheaper than catching up."""


@dataclass
class _Shop:
    """The shop before a midnight, kept up to date with late arrivals."""

    midnight: datetime
    position: int
    tracked: set[str]
    prices: Counter[int]
    categories: dict[str, str]
    changed: bool = field(default=True)

    def update(self, event: Event) -> None:
        """Take note of one event more; events of the day itself do not count yet."""
        self.position = event.position
        if event.occurred_at >= self.midnight:
            return
        self.changed = True
        if event.name in TRACKED:
            self.tracked.add(event.name)
        if event.session_id is not None:
            self.tracked.add(SESSION)
        if event.name == Name.ORDER_COMPLETED:
            self.prices.update(
                line.price_cents
                for line in event.lines
                if line.price_cents is not None and line.price_cents > 0
            )
        if event.category is not None and event.name in CATEGORISED:
            for line in event.lines:
                known = self.categories.get(line.item_id, "")
                self.categories[line.item_id] = max(known, event.category)


def _start_shop(facts: ShopFacts, position: int) -> _Shop:
    prices = facts.prices.to_pylist()
    categories = facts.categories.to_pylist()
    return _Shop(
        midnight=facts.midnight,
        position=position,
        tracked=set(facts.tracked),
        prices=Counter({row["price_cents"]: row["lines"] for row in prices}),
        categories={row["item_id"]: row["item_category"] for row in categories},
    )


class OnlineFeatures:
    """Computes the features of single customers of one store; safe to share between threads.

    It keeps a small in-memory database, the compiled query and what is known of the shop for the
    day, and brings the latter up to date from the log at every call.
    """

    def __init__(self, store: Store) -> None:
        # weak, so that those shared by store below let go of it
        self._store: Store = proxy(store)
        self._session = DuckDBSession(store.folder / "tmp", threads=1)
        self._shop: _Shop | None = None
        self._lock = Lock()

    def compute(
        self, customer: int, as_of: datetime, names: tuple[str, ...] | None = None
    ) -> dict[str, float | str | None]:
        """The features of one customer; see ``online_features``."""
        wanted = tuple(feature.name for feature in get_features(names))
        events = self._read_events(customer, as_of)
        if not events.num_rows:
            return {}
        with self._lock:
            shop = self._read_shop(as_of)
            self._session.put(EVENTS_NAME, events)
            self._session.put(MOMENT_NAME, tell_moment(as_of, shop.tracked))
            rows = run(self._session.backend, build_features, wanted, False)
        found = rows.to_pylist()
        return {name: found[0][name] for name in wanted} if found else {}

    def _read_events(self, customer: int, as_of: datetime) -> pa.Table:
        with self._store.read() as tx:
            query = select(identity.c.subject, identity.c.known)
            people = tx.execute(query.where(identity.c.customer == customer)).all()
        known = {row[0]: row[1] for row in people}
        events: list[Event] = []
        before = (as_of, _FAR)
        while True:
            page = self._store.log.read_customer(customer, limit=_PAGE, before=before)
            events += page
            if len(page) < _PAGE:
                break
            before = (page[-1].occurred_at, page[-1].position)
        rows = to_arrow(events)
        flags = [known.get(subject, False) for subject in rows.column("subject").to_pylist()]
        owner = pa.array([customer] * rows.num_rows, pa.int64())
        return pa.Table.from_arrays(
            [*rows.columns, owner, pa.array(flags, pa.bool_())], schema=EVENTS
        )

    def _read_shop(self, as_of: datetime) -> _Shop:
        """What the shop had recorded before the day, late arrivals included."""
        shop = self._shop
        if shop is None or shop.midnight != start_of_day(as_of):
            shop = self._scan_shop(as_of)
        late = self._store.log.read(after=shop.position, limit=_LONG_TAIL)
        if len(late) == _LONG_TAIL:
            shop = self._scan_shop(as_of)
            late = self._store.log.read(after=shop.position, limit=_LONG_TAIL)
        for event in late:
            shop.update(event)
        if shop.changed:
            self._register_shop(shop)
            shop.changed = False
        self._shop = shop
        return shop

    def _scan_shop(self, as_of: datetime) -> _Shop:
        with self._store.analytics(engine="duckdb") as analytics:
            newest = analytics.events.aggregate(position=analytics.events.position.max())
            position = analytics.to_arrow(newest).column("position")[0].as_py()
            return _start_shop(read_shop(analytics, as_of), position or 0)

    def _register_shop(self, shop: _Shop) -> None:
        prices = {"price_cents": list(shop.prices), "lines": list(shop.prices.values())}
        self._session.put(PRICES_NAME, pa.table(prices, schema=PRICES))
        items = {
            "item_id": list(shop.categories),
            "item_category": list(shop.categories.values()),
        }
        self._session.put(CATEGORIES_NAME, pa.table(items, schema=CATEGORIES))


_SHARED: WeakKeyDictionary[Store, OnlineFeatures] = WeakKeyDictionary()


def online_features(
    store: Store, customer: int, as_of: datetime, *, names: tuple[str, ...] | None = None
) -> dict[str, float | str | None]:
    """The features of one customer as of a moment, events appended a moment ago included.

    The same values as the customer's row of ``compute_features``; nothing at all where that has
    no row (unknown, or no event yet). The first call of a day reads the shop's prices.

    Raises
    ------
    UnknownFeature
        If there is no feature of a name.
    InvalidInput
        If ``as_of`` has no time zone.
    """
    if as_of.tzinfo is None:
        raise InvalidInput(f"The moment {as_of} has no time zone; give one in UTC.")
    online = _SHARED.get(store)
    if online is None:
        online = _SHARED.setdefault(store, OnlineFeatures(store))
    return online.compute(customer, as_of, names)
