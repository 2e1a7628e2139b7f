"""A twin of a shop to try journeys in: its people and goods, its log still to come.

The twin is a store of its own in a folder that is thrown away. What the shop is (who is whom,
traits, catalogue, segments, lists, offers, templates, scores of the last scoring) is copied; what
happened is appended anew, event by event, as the simulated clock reaches it, so that counts,
consent and histories are those of the moment. Nothing is written to the shop.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import msgspec
import sqlalchemy as sa

from lingxi.app.rooms import METADATAS, PROJECTIONS
from lingxi.catalogue.tables import metadata as catalogue_metadata
from lingxi.clock import FixedClock
from lingxi.config import StoreSettings
from lingxi.coupons.tables import coupon_offer, coupon_shared
from lingxi.errors import NotEnoughData
from lingxi.ingest.tables import metadata as ingest_metadata
from lingxi.lifecycle.tables import customer_state
from lingxi.messaging.email.tables import suppression
from lingxi.messaging.tables import template, template_version
from lingxi.policy.tables import planned_action
from lingxi.schema import Event, Name
from lingxi.segments.tables import customer_list, customer_list_entry, segment
from lingxi.store import Store
from lingxi.store.codec import from_row
from lingxi.store.tables import counter, identity, to_micros
from lingxi.store.tables import event as log_table

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

MOST_EVENTS = 5_000_000
_BATCH = 1_000
_OWN_TABLES = ("identifier", "trait", "private")
_OWN_ACTS = (
    "Segment Entered",
    "Segment Left",
    "List Joined",
    "List Left",
    "Arm Assigned",
    Name.CUSTOMERS_MERGED.value,
    Name.MERGE_UNDONE.value,
)
_OWN_KINDS = ("Message %", "Coupon %", "Journey %", "Run %")
"""What our own acts left in the log: in the twin other messages are sent."""


@contextmanager
def open_twin(shop: "Shop", clock: FixedClock) -> Iterator["Shop"]:
    """The shop's twin under ``clock``: what lies before its moment has happened, nothing after.

    Raises
    ------
    NotEnoughData
        If the shop's log is too long to be replayed.
    """
    from lingxi.app.shop import Shop as Opened

    with TemporaryDirectory(prefix="lingxi-twin-") as folder:
        place = Path(folder)
        settings = replace(shop.settings, folder=place, store=StoreSettings())
        (place / "keys").mkdir(mode=0o700)
        shop.store.keyring.export(place / "keys" / "keys.sqlite")
        store = Store.open(settings, clock, projections=PROJECTIONS, tables=METADATAS)
        twin = Opened(settings, store, clock)
        try:
            _copy_state(shop, store)
            for batch in read_past(shop, until=clock.now()):
                store.log.append(batch)
            yield twin
        finally:
            twin.close()


def read_past(
    shop: "Shop", *, since: datetime | None = None, until: datetime
) -> Iterator[list[Event]]:
    """What happened from ``since`` (included) to ``until`` (excluded), in the order of time, a
    thousand events at a time; each counts as received when it occurred."""
    columns = log_table.c
    where = [columns.occurred_at < to_micros(until), columns.name.not_in(_OWN_ACTS)]
    where += [columns.name.not_like(kind) for kind in _OWN_KINDS]
    if since is not None:
        where.append(columns.occurred_at >= to_micros(since))
    last = (-(2**62), 0)
    with shop.store.read() as tx:
        total = tx.execute(sa.select(sa.func.count()).select_from(log_table)).scalar() or 0
        if total > MOST_EVENTS:
            raise NotEnoughData(
                f"The log has {total:,} events; up to {MOST_EVENTS:,} are replayed. "
                "Simulate in a copy of the shop with a part of them."
            )
        while True:
            query = (
                sa.select(columns.position, columns.occurred_at, columns.payload)
                .where(*where, sa.tuple_(columns.occurred_at, columns.position) > last)
                .order_by(columns.occurred_at, columns.position)
                .limit(_BATCH)
            )
            rows = tx.execute(query).all()
            if not rows:
                return
            last = (rows[-1].occurred_at, rows[-1].position)
            yield [_as_new(from_row(row.position, row.payload)) for row in rows]


def _as_new(event: Event) -> Event:
    return msgspec.structs.replace(event, received_at=event.occurred_at, position=0)


def _copy_state(shop: "Shop", store: Store) -> None:
    own = [ingest_metadata.tables[name] for name in _OWN_TABLES]
    tables: Sequence[sa.Table] = (
        counter,
        identity,
        *own,
        *catalogue_metadata.sorted_tables,
        customer_state,
        planned_action,
        segment,
        customer_list,
        customer_list_entry,
        coupon_offer,
        coupon_shared,
        template,
        template_version,
        suppression,
    )
    with shop.store.read() as source, store.write() as target:
        target.execute(sa.delete(counter))
        for table in tables:
            rows = source.execution_options(yield_per=_BATCH).execute(sa.select(table))
            for part in rows.mappings().partitions(_BATCH):
                target.execute(sa.insert(table), [dict(row) for row in part])
        target.execute(sa.update(counter).where(counter.c.name == "event").values(value=0))
