"""What access keeps of a shop's customers: nothing."""

from sqlalchemy import Connection


def forget(_tx: Connection, _customers: frozenset[int]) -> int:
    """Rows removed for these customers: none, because the tables hold staff and programs only.

    Staff are removed with ``remove_user``; the audit log names users and keys, and never carries
    a customer's identifier.
    """
    return 0
