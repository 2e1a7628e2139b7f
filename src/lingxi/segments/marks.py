"""Marks of what changes without an event of the customer, as segments last saw it."""

import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.segments.tables import segment_mark


def forget_marks(tx: Connection, kind: str) -> None:
    """Have every segment asked again that reads what ``kind`` names, such as ``scores``."""
    mine = segment_mark.c.name.contains(f":{kind}", autoescape=True)
    tx.execute(sa.delete(segment_mark).where(mine))
