"""Puts items into the catalogue: the row and the events of what changed, in one transaction."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import sqlalchemy as sa

from lingxi.catalogue.events import Moments, list_changes
from lingxi.catalogue.items import BATCH, FIELDS, REVISION, to_item, to_row
from lingxi.catalogue.tables import item
from lingxi.ingest import read_learnt
from lingxi.ingest.learnt import LearntItem
from lingxi.schema import Event, Item
from lingxi.store import Store
from lingxi.store.keyed import upsert

_KNOWN = sa.select(*(item.c[name] for name in FIELDS), item.c.version, item.c.listed).where(
    item.c.item_id.in_(sa.bindparam("item_ids", expanding=True))
)
Merge = Callable[["Item | None"], Item]


@dataclass(frozen=True)
class Written:
    """How many items were new, changed, or already as they were to be; ``events`` of the log."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    events: int = 0

    @property
    def items(self) -> int:
        """All of them."""
        return self.added + self.changed + self.unchanged


@dataclass(frozen=True)
class _Known:
    item: Item
    version: int
    listed: bool


def put_items(store: Store, tx: sa.Connection, items: Iterable[Item], now: datetime) -> Written:
    """Add or replace items that the shop itself lists; the last of one id counts."""
    wanted = {each.item_id: each for each in items}
    return merge_items(
        store, tx, {item_id: _constant(each) for item_id, each in wanted.items()}, now
    )


def merge_items(
    store: Store, tx: sa.Connection, merges: Mapping[str, Merge], now: datetime
) -> Written:
    """Make each item what its function answers, given the item as it is (nothing: unknown).

    Whatever the function raises leaves the transaction to the caller.
    """
    moments = Moments(now, now, now)
    return _write(store, tx, merges, dict.fromkeys(merges, moments), listed=True)


def remove_items(
    store: Store, tx: sa.Connection, item_ids: Collection[str], now: datetime
) -> Written:
    """Take items out of the catalogue; they stay known by name for what was ordered before."""
    known = _read_known(tx, sorted(set(item_ids)))
    merges = {
        item_id: _constant(msgspec.structs.replace(each.item, active=False, removed=True))
        for item_id, each in known.items()
    }
    return merge_items(store, tx, merges, now)


def learn_items(
    store: Store, tx: sa.Connection, learnt: Iterable[LearntItem], now: datetime
) -> Written:
    """Add or refresh items known only from order lines; items that are listed stay as they are.

    Their history begins with their first line; their price is that of their latest.
    """
    merges: dict[str, Merge] = {}
    moments: dict[str, Moments] = {}
    for each in learnt:
        merges[each.item_id] = _refresh(each)
        moments[each.item_id] = Moments(each.first_at, each.last_at, now)
    return _write(store, tx, merges, moments, listed=False)


def learn_from_orders(store: Store, tx: sa.Connection, now: datetime) -> Written:
    """Take over what imported order lines have shown: usual name and latest price, stock unknown.

    Only items that are new or have changed are written.
    """
    return learn_items(store, tx, read_learnt(tx), now)


def _refresh(learnt: LearntItem) -> Merge:
    def merge(each: Item | None) -> Item:
        old = each or Item(item_id=learnt.item_id)
        return msgspec.structs.replace(old, name=learnt.name, price_cents=learnt.price_cents)

    return merge


def _constant(each: Item) -> Merge:
    return lambda _old: each


def _write(
    store: Store,
    tx: sa.Connection,
    merges: Mapping[str, Merge],
    moments: Mapping[str, Moments],
    *,
    listed: bool,
) -> Written:
    ids = list(merges)
    added = changed = events = 0
    for start in range(0, len(ids), BATCH):
        part = ids[start : start + BATCH]
        known = _read_known(tx, part)
        rows: list[Mapping[str, object]] = []
        happened: list[Event] = []
        for item_id in part:
            old = known.get(item_id)
            if old is not None and old.listed and not listed:
                continue
            before = None if old is None else old.item
            after = merges[item_id](before)
            if old is not None and before == after and old.listed == listed:
                continue
            version = 1 if old is None else old.version + 1
            when = moments[item_id]
            happened += list_changes(before, after, version, when, store.settings.shop.currency)
            rows.append(
                {**to_row(after), "listed": listed, "updated_at": when.now, "version": version}
            )
            added, changed = added + (old is None), changed + (old is not None)
        if rows:
            (revision,) = store.allocate(tx, REVISION, 1)
            upsert(tx, item, [{**row, "revision": revision} for row in rows])
        events += store.log.append(happened, tx=tx).inserted if happened else 0
    return Written(added, changed, len(ids) - added - changed, events)


def _read_known(tx: sa.Connection, item_ids: Sequence[str]) -> dict[str, _Known]:
    found: dict[str, _Known] = {}
    for start in range(0, len(item_ids), BATCH):
        rows = tx.execute(_KNOWN, {"item_ids": item_ids[start : start + BATCH]})
        found.update((row[0], _Known(to_item(tuple(row)), row.version, row.listed)) for row in rows)
    return found
