"""Withdrawal: single events taken back by who told them, so that they no longer count anywhere.

The rows leave the log and the projections of their customers are folded again, in the caller's
transaction: the next answer knows nothing of them. Files of the lake are rewritten at its next
roll; until then every reader leaves out what the table ``withdrawn`` names. Erasing a person is
another matter: ``lingxi.store.erasure``.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, delete, insert

from lingxi.schema import Event
from lingxi.store.lake import lake_position
from lingxi.store.projection import Projection, find_customers, rebuild
from lingxi.store.tables import event as event_table
from lingxi.store.tables import withdrawn

_PART = 500


def withdraw(tx: Connection, projections: Sequence[Projection], events: Collection[Event]) -> int:
    """Take events of the log back; what is in it no longer is left alone.

    Returns
    -------
    int
        Events that were there.
    """
    removed = 0
    reach = lake_position(tx)
    positions = sorted({event.position for event in events})
    for start in range(0, len(positions), _PART):
        part = positions[start : start + _PART]
        found = tx.execute(
            delete(event_table)
            .where(event_table.c.position.in_(part))
            .returning(event_table.c.position, event_table.c.event_id)
        ).all()
        removed += len(found)
        rows = [{"event_id": event_id} for position, event_id in found if position <= reach]
        if rows:
            tx.execute(insert(withdrawn), rows)
    subjects = {event.subject for event in events if event.subject is not None}
    rebuild(tx, projections, set(find_customers(tx, subjects).values()))
    return removed
