"""Erasing customers from this room."""

from sqlalchemy import Connection, delete, select, update

from lingxi.segments.tables import customer_list_entry, segment, segment_member, segment_timer

_PART = 500


def forget(tx: Connection, customers: frozenset[int]) -> int:
    """Remove memberships, timers and list entries of these customers; the number of rows removed.

    How many entered and left a segment on a day stays: it names nobody.
    """
    wanted = sorted(customers)
    removed = 0
    for start in range(0, len(wanted), _PART):
        part = wanted[start : start + _PART]
        gone = select(segment_member.c.segment).where(segment_member.c.customer.in_(part))
        for name in tx.execute(gone).scalars().all():
            fewer = update(segment).where(segment.c.name == name)
            tx.execute(fewer.values(members=segment.c.members - 1))
        for table, column in (
            (segment_member, segment_member.c.customer),
            (segment_timer, segment_timer.c.customer),
            (customer_list_entry, customer_list_entry.c.subject),
        ):
            removed += tx.execute(delete(table).where(column.in_(part))).rowcount
    return removed
