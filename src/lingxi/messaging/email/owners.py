"""Whom a ticket is about today: its customer after merges, and the address it was sent to."""

from collections.abc import Sequence

import sqlalchemy as sa

from lingxi.ingest.identity import EMAIL
from lingxi.ingest.sealed import read_traits
from lingxi.ingest.tables import identifier
from lingxi.messaging.email.tokens import Ticket, tag_of
from lingxi.store import Store
from lingxi.store.tables import identity


def find_owner(tx: sa.Connection, ticket: Ticket) -> int | None:
    """The customer of today; nothing where they were erased."""
    query = sa.select(identity.c.customer).where(identity.c.subject == ticket.customer)
    found = tx.execute(query).scalar()
    return None if found is None else int(found)


def find_address(
    store: Store, tx: sa.Connection, ticket: Ticket, customer: int, named: Sequence[str] = ()
) -> str | None:
    """The keyed hash of the address that the ticket was sent to.

    It is looked for among the customer's own addresses and those that a report names; one whose
    hash does not begin with the ticket's tag is another address, and none of this one's business.
    """
    blind = store.keyring.blind
    current = read_traits(store, tx, customer).get("email", "")
    hashes = [blind(address) for address in (current, *named) if address]
    known = (
        sa.select(identifier.c.value)
        .join(identity, identity.c.subject == identifier.c.subject)
        .where(identity.c.customer == customer, identifier.c.kind == EMAIL)
    )
    hashes += list(tx.execute(known).scalars())
    return next((each for each in hashes if tag_of(each) == ticket.tag), None)
