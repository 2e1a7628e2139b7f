"""Who did what, when: rows that are only ever added."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from lingxi.access.tables import audit_table


@dataclass(frozen=True)
class AuditEntry:
    """One thing done: ``actor`` is ``user:<name>``, ``key:<id>`` or ``system``."""

    at: datetime
    actor: str
    action: str
    target: str
    address: str | None


def record_audit(
    tx: Connection,
    now: datetime,
    *,
    actor: str,
    action: str,
    target: str = "",
    address: str | None = None,
) -> None:
    """Write down one thing that was done; over-long texts are cut."""
    row = {
        "at": now,
        "actor": _clean(actor, 80),
        "action": action,
        "target": _clean(target, 200),
        "address": None if address is None else _clean(address, 64),
    }
    tx.execute(insert(audit_table).values(row))


def list_audit(tx: Connection, *, n: int = 100, before: int | None = None) -> list[AuditEntry]:
    """The latest entries first, ``before`` an id for the next page."""
    columns = (
        audit_table.c.at,
        audit_table.c.actor,
        audit_table.c.action,
        audit_table.c.target,
        audit_table.c.address,
    )
    query = select(*columns).order_by(audit_table.c.audit_id.desc()).limit(n)
    if before is not None:
        query = query.where(audit_table.c.audit_id < before)
    return [
        AuditEntry(at, actor, action, target, address)
        for at, actor, action, target, address in tx.execute(query)
    ]


def _clean(text: str, longest: int) -> str:
    return "".join(c if c.isprintable() else "?" for c in text[:longest])
