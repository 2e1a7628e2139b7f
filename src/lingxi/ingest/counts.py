"""What became of the messages of each source, by the hour."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Dialect
from sqlalchemy.dialects import postgresql, sqlite

from lingxi.ingest.merging import expire_refusals
from lingxi.ingest.message import Outcome
from lingxi.ingest.report import ImportReport
from lingxi.ingest.tables import source_count
from lingxi.store.keyed import execute_rows
from lingxi.store.tables import from_micros, to_micros

HOUR = timedelta(hours=1)
KEEP_DAYS = 400
_HOUR_MICROS = 3_600 * 10**6


class SourceCount(msgspec.Struct, frozen=True):
    """Messages of one source in one hour with one fate; ``reason`` is empty unless dropped."""

    source: str
    hour: datetime
    outcome: str
    reason: str
    n: int
    last_at: datetime


def count_outcomes(tx: Connection, outcomes: Iterable[Outcome]) -> None:
    """Add a batch to the counts, in the transaction that keeps its events."""
    found: Counter[tuple[str, str, str]] = Counter()
    moments: dict[tuple[str, str, str], datetime] = {}
    for outcome in outcomes:
        message = outcome.cleaned.message
        reason = getattr(outcome.cleaned, "reason", "")
        key = (message.source, outcome.result, str(reason))
        found[key] += 1
        moments[key] = message.received_at
    rows = []
    for (source, result, reason), n in found.items():
        at = to_micros(moments[source, result, reason])
        rows.append((source, at - at % _HOUR_MICROS, result, reason, n, at))
    _add(tx, rows)


def count_report(tx: Connection, report: ImportReport) -> None:
    """Add an import of order lines or items to the counts of its kind."""
    at = to_micros(report.started_at)
    hour = at - at % _HOUR_MICROS
    aside: Counter[str] = Counter()
    for row in report.reasons:
        if not row.kept:
            aside[row.reason] += row.lines
    rows = [(report.kind, hour, "stored", "", report.events_new, at)]
    rows.append((report.kind, hour, "duplicate", "", report.events_known, at))
    rows += [(report.kind, hour, "dropped", reason, n, at) for reason, n in aside.items()]
    _add(tx, rows)


def _add(tx: Connection, rows: Sequence[tuple[str, int, str, str, int, int]]) -> None:
    if not rows:
        return
    compiled, names = _compile(tx.dialect)
    if tx.dialect.name == "sqlite":
        execute_rows(tx, compiled, rows)
    else:
        tx.exec_driver_sql(compiled, [dict(zip(names, row, strict=True)) for row in rows])


@lru_cache(maxsize=8)
def _compile(dialect: Dialect) -> tuple[str, tuple[str, ...]]:
    """The statement that adds to a row or makes it; the driver gets plain numbers."""
    names = ("source", "hour", "outcome", "reason", "n", "last_at")
    table = source_count
    insert = sqlite.insert if dialect.name == "sqlite" else postgresql.insert
    statement = insert(table)
    new = statement.excluded
    latest = sa.case((new.last_at > table.c.last_at, new.last_at), else_=table.c.last_at)
    statement = statement.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={"n": table.c.n + new.n, "last_at": latest},
    )
    return str(statement.compile(dialect=dialect, column_keys=names)), names


def list_counts(
    tx: Connection, *, since: datetime, source: str = "", until: datetime | None = None
) -> list[SourceCount]:
    """The counts of the hours from ``since`` on, the oldest first."""
    table = source_count
    query = sa.select(table).where(table.c.hour >= since)
    if until is not None:
        query = query.where(table.c.hour < until)
    if source:
        query = query.where(table.c.source == source)
    order = (table.c.hour, table.c.source, table.c.outcome, table.c.reason)
    return [SourceCount(*row) for row in tx.execute(query.order_by(*order))]


def last_seen(tx: Connection) -> dict[str, datetime]:
    """When each source last sent anything."""
    query = sa.select(
        source_count.c.source, sa.func.max(source_count.c.last_at, type_=sa.BigInteger)
    )
    rows = tx.execute(query.group_by(source_count.c.source))
    return {row[0]: from_micros(row[1]) for row in rows}


def expire_counts(tx: Connection, now: datetime) -> int:
    """Remove hours older than 400 days, and refused links of long ago. Rows removed."""
    old = source_count.c.hour < now - timedelta(days=KEEP_DAYS)
    return tx.execute(sa.delete(source_count).where(old)).rowcount + expire_refusals(tx, now)
