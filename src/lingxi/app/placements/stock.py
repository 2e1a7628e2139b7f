"""What lists are made from: made anew with another model, changed with the catalogue."""

from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import sqlalchemy as sa

from lingxi.catalogue import first_added, read_revision
from lingxi.i18n import minor_units
from lingxi.profiles.tables import item_history
from lingxi.recommend.expressions import Facts
from lingxi.recommend.expressions.facts import to_days
from lingxi.recommend.item_table import Totals, build_table
from lingxi.recommend.placements.knowledge import Knowledge
from lingxi.recommend.placements.scored import Vector
from lingxi.recommend.quick import QuickModel
from lingxi.schema import Item

if TYPE_CHECKING:
    from lingxi.app.shop import Shop
    from lingxi.recommend import Recommender
    from lingxi.recommend.goods import Goods


class Stock:
    """Holds the knowledge of the recommender in use over the catalogue as it is now."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop
        self._lock = Lock()
        self._held: tuple[Recommender, Knowledge] | None = None

    def is_ready(self, tx: sa.Connection, recommender: "Recommender") -> bool:
        """Whether ``get`` would answer without reading anything."""
        held = self._held
        return (
            held is not None
            and held[0] is recommender
            and held[1].table.stamp == str(read_revision(tx))
        )

    def get(self, tx: sa.Connection, recommender: "Recommender") -> Knowledge:
        """The knowledge as this transaction sees the catalogue, or newer."""
        goods = recommender.goods.current(tx)
        stamp = str(goods.revision)
        held = self._held
        if held is not None and held[0] is recommender and held[1].table.stamp == stamp:
            return held[1]
        with self._lock:
            held = self._held
            stand_ins = recommender.find_stand_ins(tx, goods)  # of no more items than the table has
            if held is None or held[0] is not recommender:
                known = self._make(tx, recommender, goods, stamp)
            elif held[1].table.stamp != stamp:
                known = _follow(held[1], goods, stamp, self._now())
            else:
                return held[1]
            known = replace(known, stand_ins=stand_ins)
            self._held = (recommender, known)
            return known

    def _make(
        self, tx: sa.Connection, recommender: "Recommender", goods: "Goods", stamp: str
    ) -> Knowledge:
        items = list(goods.items)
        ids = goods.ids[: len(items)]
        first = {item_id: to_days(at) for item_id, at in first_added(tx).items()}
        for item_id, item in zip(ids, items, strict=True):
            if item is not None and item.available_from is not None:
                first[item_id] = to_days(item.available_from)
        table = build_table(
            ids,
            items,
            n_known=goods.n_known,
            popularity=recommender.popularity,
            totals=Totals(
                count_views(tx, ids[: goods.n_known]),
                recommender.baskets.item_orders.astype(np.float64),
            ),
            first_days=first,
            units=10 ** minor_units(self._shop.settings.shop.currency),
            stamp=stamp,
        )
        return Knowledge(
            table,
            recommender.model,
            recommender.visitor_model,
            recommender.popularity,
            recommender.baskets,
            recommender.rows,
            QuickModel.of(recommender.model),
            QuickModel.of(recommender.visitor_model),
            recommender.trending,
        )

    def _now(self) -> float:
        return to_days(self._shop.clock.now())


def count_views(tx: sa.Connection, ids: list[str]) -> Vector:
    """How often each item was looked at by customers, shape (n_items,)."""
    query = sa.select(item_history.c.item_id, sa.func.sum(item_history.c.views)).group_by(
        item_history.c.item_id
    )
    views = {item_id: float(count) for item_id, count in tx.execute(query)}
    return np.array([views.get(item_id, 0.0) for item_id in ids])


def _follow(known: Knowledge, goods: "Goods", stamp: str, today: float) -> Knowledge:
    """The same knowledge over a catalogue that has changed since."""
    table = known.table
    items, ids = list(goods.items), goods.ids
    changed = {
        place: item
        for place, (facts, item) in enumerate(zip(table.facts, items, strict=False))
        if facts.item is not item
    }
    units = table.facts[0].units if len(table) else 100
    new = [
        Facts(ids[place], items[place], first_day=_first_day(items[place], today), units=units)
        for place in range(len(table), len(items))
    ]
    return replace(known, table=table.change(changed, new, stamp))


def _first_day(item: Item | None, today: float) -> float:
    moment = None if item is None else item.available_from
    return today if moment is None else to_days(moment)
