"""Where the shop stands: counts, what lags behind the log, models in use."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

import lingxi
from lingxi.app.drains import find_lags
from lingxi.app.refit import read_looked
from lingxi.app.views import Lag, RefitView, StatusView
from lingxi.catalogue.tables import item
from lingxi.ingest.tables import quarantine
from lingxi.policy import get_totals
from lingxi.profiles.tables import customer_profile
from lingxi.schema import SYSTEM_EVENTS
from lingxi.store.files import walk_files
from lingxi.store.tables import event, from_micros, identity

if TYPE_CHECKING:
    from lingxi.app.shop import Shop


def get_status(shop: "Shop") -> StatusView:
    """The state of the shop's machinery, from its tables and manifests."""
    store = shop.store
    manifests = [m for m in store.artefacts.list() if m.active]
    lake = store.lake.position()
    with store.read() as tx:
        first, last, received = tx.execute(
            sa.select(
                sa.func.min(event.c.occurred_at),
                sa.func.max(event.c.occurred_at),
                sa.func.max(event.c.received_at),
            )
        ).one()
        totals = get_totals(tx)
        known = customer_profile.join(
            identity,
            sa.and_(identity.c.subject == customer_profile.c.customer, identity.c.known),
        )
        behind = {m.events: count_after(tx, m.events) for m in manifests}
        counts = [
            tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in (event, known, item, quarantine)
        ]
    position = store.log.position()
    lags = [
        Lag("profiles", position, 0, None if received is None else from_micros(received)),
        Lag("lake", lake, position - lake, None),
    ]
    lags += find_lags(shop)
    lags += [Lag(m.kind, m.events, behind[m.events], m.created_at) for m in manifests]
    return StatusView(
        shop=shop.settings.shop.name,
        version=lingxi.__version__,
        as_of=shop.clock.now(),
        engine=f"{_database(shop)} + {shop.settings.store.analytics}",
        events=counts[0],
        customers=counts[1],
        items=counts[2],
        data_from=None if first is None else from_micros(first),
        data_to=None if last is None else from_micros(last),
        quarantined=counts[3],
        lags=tuple(lags),
        models={m.kind: m.version for m in manifests},
        plan_as_of=None if totals is None else totals.as_of,
        disk_bytes=measure_folder(store.folder),
        mapped_bytes={m.kind: store.artefacts.measure(m) for m in manifests},
        refit=_find_refit(shop),
    )


def _find_refit(shop: "Shop") -> RefitView | None:
    found = read_looked(shop)
    if found is None:
        return None
    return RefitView(found.due, found.reason, found.looked_at, found.tried_at, found.renew)


def count_after(tx: sa.Connection, position: int) -> int:
    """Events of the shop past a position; what Lingxi wrote itself teaches its models nothing."""
    query = sa.select(sa.func.count()).where(
        event.c.position > position, event.c.name.not_in([str(name) for name in SYSTEM_EVENTS])
    )
    return tx.execute(query).scalar_one()


def measure_folder(folder: Path) -> int:
    """Bytes of all files under a folder; what vanishes meanwhile, a folder too, counts nothing."""
    total = 0
    for path in walk_files(folder):
        with suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


def _database(shop: "Shop") -> str:
    return shop.store.engine.dialect.name
