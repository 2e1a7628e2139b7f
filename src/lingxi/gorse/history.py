"""Feedback read: of a user, of an item, of everybody, a page at a time."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from lingxi.gorse.feedback import describe_private
from lingxi.gorse.moments import show_moment
from lingxi.gorse.nouns import Feedback
from lingxi.gorse.tables import feedback as table
from lingxi.ingest import customer_ids
from lingxi.ingest.tables import private
from lingxi.store import Store

_PART = 500
Place = tuple[int, str, str]
"""Customer, type and item of the last row of a page."""


def list_feedback(
    store: Store,
    tx: sa.Connection,
    now: datetime,
    *,
    customer: int | None = None,
    item_id: str | None = None,
    feedback_type: str | None = None,
    after: Place | None = None,
    n: int | None = None,
) -> tuple[list[Feedback], Place | None]:
    """Feedback in the order of customer, type and item, without what is dated after ``now``.

    Returns
    -------
    tuple
        The rows, and where the page ended if there is more.
    """
    query = sa.select(table).where(table.c.first_at <= now)
    if customer is not None:
        query = query.where(table.c.customer == customer)
    if item_id is not None:
        query = query.where(table.c.item_id == item_id)
    if feedback_type is not None:
        query = query.where(table.c.feedback_type == feedback_type)
    order = (table.c.customer, table.c.feedback_type, table.c.item_id)
    if after is not None:
        query = query.where(sa.tuple_(*order) > sa.tuple_(*after))
    query = query.order_by(*order)
    if n is not None:
        query = query.limit(n + 1)
    rows = tx.execute(query).all()
    more = n is not None and len(rows) > n
    page = rows[:n] if more else rows
    ids = customer_ids(tx, {row.customer for row in page})
    words = _read_private(store, tx, [row.event_id for row in page])
    found = [
        Feedback(
            feedback_type=row.feedback_type,
            user_id=ids.get(row.customer, str(row.customer)),
            item_id=row.item_id,
            value=row.value,
            timestamp=show_moment(row.first_at),
            updated=show_moment(row.last_at),
            comment=words.get(row.event_id, ("", None))[0],
            labels=words.get(row.event_id, ("", None))[1],
        )
        for row in page
    ]
    last = page[-1] if more and page else None
    place = None if last is None else (last.customer, last.feedback_type, last.item_id)
    return found, place


def read_seen(tx: sa.Connection, customer: int, now: datetime) -> set[str]:
    """Items that a customer has given any feedback on, up to now."""
    query = sa.select(table.c.item_id).where(table.c.customer == customer, table.c.first_at <= now)
    return set(tx.execute(query).scalars())


def count_feedback(tx: sa.Connection) -> Mapping[str, int]:
    """Rows by feedback type."""
    query = sa.select(table.c.feedback_type, sa.func.count()).group_by(table.c.feedback_type)
    return {row[0]: int(row[1]) for row in tx.execute(query)}


def _read_private(
    store: Store, tx: sa.Connection, event_ids: Sequence[str]
) -> dict[str, tuple[str, object]]:
    found: dict[str, tuple[str, object]] = {}
    for start in range(0, len(event_ids), _PART):
        part = event_ids[start : start + _PART]
        rows = tx.execute(sa.select(private).where(private.c.event_id.in_(part))).all()
        texts = store.keyring.decrypt_many([(row.subject, row.value) for row in rows])
        found.update(
            (row.event_id, describe_private(text)) for row, text in zip(rows, texts, strict=True)
        )
    return found
