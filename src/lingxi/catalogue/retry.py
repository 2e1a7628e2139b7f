"""Lines of the catalogue that were set aside, tried again."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa

from lingxi.catalogue.feed import describe_feed, list_aside, recognise_columns
from lingxi.catalogue.feed_lines import Terms, read_feed
from lingxi.catalogue.tables import item as item_table
from lingxi.catalogue.write import merge_items
from lingxi.config import Settings
from lingxi.ingest import ImportOptions, ImportReport
from lingxi.ingest.mending import Retried, to_table
from lingxi.ingest.puts import tidy_id
from lingxi.ingest.quarantine import leave_quarantine, rewrite_quarantine
from lingxi.ingest.rates import RateBook
from lingxi.store import Store


def retry_items(
    store: Store,
    settings: Settings,
    first: ImportReport,
    options: ImportOptions,
    group: Sequence[Retried],
    now: datetime,
) -> ImportReport | None:
    """Try lines of one import again. A line that nobody has corrected and that a later write of its
    item has overtaken leaves quarantine without changing the item."""
    wanted = list(first.mapping.values())
    usable = [each for each in group if any(each.cells.get(name) for name in wanted)]
    if not usable:
        return None
    raw = to_table(usable, wanted)
    mapping = recognise_columns(raw, {**options.mapping, **first.mapping})
    own = settings.shop.currency
    terms = Terms(own, options.currency or own, now, settings.zone, RateBook(store).rate)
    feed = read_feed(raw, mapping, terms)
    by_row = dict(enumerate(usable, start=1))
    failed = {int(raw.rows[i]) for _, _, index in feed.dropped for i in index.tolist()}
    passed = [each for row, each in by_row.items() if row not in failed]
    with store.write() as tx:
        overtaken = _find_overtaken(tx, passed, mapping["item"])
        merges = {i: merge for i, merge in feed.merges.items() if i not in overtaken}
        written = merge_items(store, tx, merges, now)
        leave_quarantine(tx, [each.line.id for each in passed], now)
        found = list_aside(raw, feed)
        rewrite_quarantine(store, tx, [(by_row[line.row].line.id, line) for line in found])
    report = describe_feed(raw, mapping, feed, first.import_id, first.file)
    return msgspec.structs.replace(
        report, started_at=now, timezone=first.timezone, currency=own, events_new=written.events
    )


def _find_overtaken(tx: sa.Connection, passed: Sequence[Retried], column: str) -> set[str]:
    """Items that were written after their lines were set aside."""
    since: dict[str, datetime] = {}
    for each in passed:
        item_id = tidy_id(each.cells.get(column) or "")
        if item_id is not None and not each.corrected:
            since[item_id] = each.line.at
    c = item_table.c
    ids = sorted(since)
    found: set[str] = set()
    for start in range(0, len(ids), 500):
        query = sa.select(c.item_id, c.updated_at).where(
            c.item_id.in_(ids[start : start + 500]), c.listed
        )
        found.update(row[0] for row in tx.execute(query) if row[1] > since[row[0]])
    return found
