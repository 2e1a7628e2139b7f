"""Imports that were done: their options and reports."""

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.ingest.options import ImportOptions
from lingxi.ingest.report import ImportReport
from lingxi.ingest.tables import import_run
from lingxi.store import Store


def next_import_id(store: Store, tx: Connection) -> str:
    """The name of the next import: ``import-1``, ``import-2``, ..."""
    return f"import-{store.allocate(tx, 'import', 1)[0]}"


def put_run(tx: Connection, report: ImportReport, options: ImportOptions) -> None:
    """Keep a report."""
    tx.execute(
        sa.insert(import_run).values(
            import_id=report.import_id,
            started_at=report.started_at,
            kind=report.kind,
            options=msgspec.json.encode(options),
            report=msgspec.json.encode(report),
        )
    )


def list_imports(store: Store, *, n: int = 100) -> list[ImportReport]:
    """Reports, newest first."""
    query = (
        sa.select(import_run.c.report)
        .order_by(import_run.c.started_at.desc(), import_run.c.import_id.desc())
        .limit(n)
    )
    with store.read() as tx:
        rows = tx.execute(query).scalars().all()
    return [msgspec.json.decode(row, type=ImportReport) for row in rows]


def find_run(tx: Connection, import_id: str) -> tuple[ImportReport, ImportOptions] | None:
    """The report and the options of one import; nothing while it has not come to its end."""
    query = sa.select(import_run.c.report, import_run.c.options)
    row = tx.execute(query.where(import_run.c.import_id == import_id)).one_or_none()
    if row is None:
        return None
    return (
        msgspec.json.decode(row.report, type=ImportReport),
        msgspec.json.decode(row.options, type=ImportOptions),
    )
