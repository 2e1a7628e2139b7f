"""What the recommender shows of the shop, and whom its popularity serves."""

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from lingxi.app.quality_views import CoverageView, PopularityGroup, ShownCategory, ShownItem
from lingxi.app.queries.cached import Cached
from lingxi.catalogue import read_items
from lingxi.errors import NotEnoughData
from lingxi.profiles.tables import item_history
from lingxi.stats.list_quality import GROUPS, group_by_popularity

if TYPE_CHECKING:
    from lingxi.app.queries.recommendations import Shelf
    from lingxi.app.shop import Shop
    from lingxi.schema import Item

MOST_CUSTOMERS = 1_000
LENGTH = 10
_MOST_SHOWN = 20
_MOST_CATEGORIES = 50
_GROUP_NAMES = ("head", "middle", "tail")


class Coverage:
    """Looks at the lists of all customers, or of a thousand; kept until the model changes."""

    def __init__(self, shop: "Shop", shelf: "Shelf") -> None:
        self._shop, self._shelf = shop, shelf
        self._kept = Cached(self._make)

    def get(self) -> CoverageView:
        """The report as of now, at most a minute old.

        Raises
        ------
        NotTrained
            Before the first training.
        NotEnoughData
            If no customer has met an item.
        """
        edition = self._shelf.get().version
        return self._kept.get(self._shop.store.log.position(), edition, self._shop.clock.now())

    def _make(self) -> CoverageView:
        recommender = self._shelf.get()
        with self._shop.store.read() as tx:
            counts = _count_items(tx)
            customers = _draw_customers(tx, self._shop.settings.learning.seed)
            history = _count_of(tx, customers)
            items = read_items(tx)
        if not customers:
            raise NotEnoughData(
                "No customer has met an item yet, so there are no lists to look at."
            )
        lists = recommender.recommend_all(self._shop.store, customers, n=LENGTH, reasons=1)
        now = self._shop.clock.now()
        offered = [i for i, item in items.items() if not item.removed and item.is_offered(now)]
        shown = _count_places(lists)
        places = np.array([shown.get(item_id, 0) for item_id in offered])
        return CoverageView(
            as_of=now,
            model=recommender.name,
            version=recommender.version,
            customers=len(customers),
            length=LENGTH,
            items=len(offered),
            shown=int((places > 0).sum()),
            gini=find_gini(places),
            groups=_group(counts, history, shown),
            most_shown=_list_most_shown(shown, counts, items, len(customers)),
            categories=_list_categories(offered, items, shown, lists.num_rows),
        )


def find_gini(counts: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]") -> float:
    """How unequal counts are: 0 all the same, near 1 where one has everything.

    Source
    ------
    Gini (1912); the form for sorted values of Damgaard & Weiner (2000), Ecology 81(4).

    Examples
    --------
    >>> find_gini(np.array([2, 2])), round(find_gini(np.array([0, 0, 0, 8])), 2)
    (0.0, 0.75)
    """
    total = float(counts.sum())
    if total <= 0:
        return 0.0
    ranks = np.arange(1, len(counts) + 1)
    return float((2 * ranks - len(counts) - 1) @ np.sort(counts) / (len(counts) * total))


def _count_items(tx: sa.Connection) -> dict[str, int]:
    """Customers who met each item."""
    table = item_history.c
    query = sa.select(table.item_id, sa.func.count()).group_by(table.item_id)
    return {row[0]: int(row[1]) for row in tx.execute(query)}


def _draw_customers(tx: sa.Connection, seed: int) -> list[int]:
    everyone = list(tx.execute(sa.select(item_history.c.customer).distinct()).scalars())
    if len(everyone) <= MOST_CUSTOMERS:
        return sorted(everyone)
    rng = np.random.default_rng(seed)
    return sorted(rng.choice(np.array(everyone), MOST_CUSTOMERS, replace=False).tolist())


def _count_of(tx: sa.Connection, customers: list[int]) -> Counter[str]:
    """How many of these customers met each item."""
    found: Counter[str] = Counter()
    for start in range(0, len(customers), 500):
        part = customers[start : start + 500]
        query = sa.select(item_history.c.item_id).where(item_history.c.customer.in_(part))
        found.update(tx.execute(query).scalars())
    return found


def _count_places(lists: pa.Table) -> dict[str, int]:
    found = Counter[str]()
    found.update(str(item_id) for item_id in lists["item_id"].to_pylist())
    return dict(found)


def _group(
    counts: dict[str, int], history: Counter[str], shown: dict[str, int]
) -> tuple[PopularityGroup, ...]:
    ids = sorted({*counts, *shown})
    groups = group_by_popularity(np.array([counts.get(i, 0) for i in ids], dtype=np.float64))
    past = np.array([history.get(i, 0) for i in ids], dtype=np.float64)
    now = np.array([shown.get(i, 0) for i in ids], dtype=np.float64)
    return tuple(
        PopularityGroup(
            _GROUP_NAMES[group],
            int((groups == group).sum()),
            float(past[groups == group].sum() / max(past.sum(), 1.0)),
            float(now[groups == group].sum() / max(now.sum(), 1.0)),
        )
        for group in range(GROUPS)
    )


def _list_most_shown(
    shown: dict[str, int], counts: dict[str, int], items: "dict[str, Item]", customers: int
) -> tuple[ShownItem, ...]:
    popular = sorted(counts, key=lambda i: (-counts[i], i))
    ranks = {item_id: rank for rank, item_id in enumerate(popular, 1)}
    best = sorted(shown, key=lambda i: (-shown[i], i))[:_MOST_SHOWN]
    return tuple(
        ShownItem(
            item_id,
            items[item_id].name if item_id in items else "",
            items[item_id].category if item_id in items else None,
            shown[item_id] / customers,
            ranks.get(item_id, len(ranks) + 1),
        )
        for item_id in best
    )


def _list_categories(
    offered: list[str], items: "dict[str, Item]", shown: dict[str, int], places: int
) -> tuple[ShownCategory, ...]:
    every: Counter[str | None] = Counter(items[i].category for i in offered)
    met: Counter[str | None] = Counter(items[i].category for i in offered if i in shown)
    share: Counter[str | None] = Counter()
    for item_id in offered:
        share[items[item_id].category] += shown.get(item_id, 0)
    order = sorted(every, key=lambda name: (-every[name], name or ""))[:_MOST_CATEGORIES]
    return tuple(
        ShownCategory(name, every[name], met[name], share[name] / max(places, 1)) for name in order
    )
