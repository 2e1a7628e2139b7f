"""How far each source was pulled from."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.ingest.tables import pull_state
from lingxi.store.keyed import upsert


class PullRow(msgspec.Struct, frozen=True):
    """One source: ``messages`` pulled in all, what went wrong when it was last asked, and how many
    messages still waited there, where it says so."""

    name: str
    cursor: str
    pulled_at: datetime
    messages: int
    error: str | None = None
    behind: int | None = None


def find_pull(tx: Connection, name: str) -> PullRow | None:
    """How far a source was pulled from; nothing where it never was."""
    row = tx.execute(sa.select(pull_state).where(pull_state.c.name == name)).one_or_none()
    return None if row is None else PullRow(*row)


def put_pull(tx: Connection, row: PullRow) -> None:
    """Note how far it is."""
    upsert(tx, pull_state, [msgspec.structs.asdict(row)])


def list_pulls(tx: Connection) -> Sequence[PullRow]:
    """All sources that were ever pulled from, by name."""
    return [PullRow(*row) for row in tx.execute(sa.select(pull_state).order_by(pull_state.c.name))]
