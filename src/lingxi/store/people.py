"""Rows that name a surrogate, asked of the person whose surrogate it is today.

People are merged and told apart again; rows that were written before name who they were then.
"""

from typing import Any

import sqlalchemy as sa

from lingxi.store.prepared import Prepared
from lingxi.store.tables import identity

_OWNER = Prepared(
    sa.select(identity.c.customer).where(
        identity.c.subject == sa.bindparam("subject", type_=sa.BigInteger)
    ),
    "subject",
)


def find_owner(tx: sa.Connection, subject: int) -> int:
    """The customer whose surrogate this is; one without identity is its own customer."""
    row = _OWNER.first(tx, subject)
    return subject if row is None else int(row[0])


def is_theirs(column: sa.Column[Any], name: str = "customer") -> sa.ColumnElement[bool]:
    """Whether a column names any surrogate of the customer in the parameter ``name``."""
    customer = sa.bindparam(name, type_=sa.BigInteger)
    own = sa.select(identity.c.subject).where(identity.c.customer == customer)
    return column.in_(own.union(sa.select(customer)))
