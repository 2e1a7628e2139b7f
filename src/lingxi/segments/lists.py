"""Lists that people keep by hand; a rule names them with ``list``."""

from collections.abc import Collection
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.errors import UnknownList, did_you_mean
from lingxi.schema import Event, Name
from lingxi.segments.names import check_name, check_title
from lingxi.segments.tables import customer_list, customer_list_entry
from lingxi.store import Log
from lingxi.store.keyed import insert_or_ignore, select_by_keys
from lingxi.store.projection import find_customers
from lingxi.store.tables import identity, to_micros

SOURCE = "segments"


class CustomerList(msgspec.Struct, frozen=True):
    """A list by hand; ``members`` are customers, each once."""

    name: str
    title: str
    members: int
    created_at: datetime


def put_list(tx: Connection, name: str, title: str, now: datetime) -> None:
    """Make a list, or give it another title."""
    check_name(name, "list")
    row = {"name": name, "title": check_title(title, name), "created_at": now}
    tx.execute(insert_or_ignore(tx, customer_list), row)
    where = customer_list.c.name == name
    tx.execute(sa.update(customer_list).where(where).values(title=row["title"]))


def require_list(tx: Connection, name: str) -> None:
    """Raise UnknownList unless there is a list of this name."""
    names = list(tx.execute(sa.select(customer_list.c.name)).scalars())
    if name not in names:
        near = did_you_mean(name, names)
        raise UnknownList(f"There is no list {name!r}{near}. 'lingxi list' shows them.")


def list_lists(tx: Connection) -> list[CustomerList]:
    """All lists, by name."""
    e, who = customer_list_entry.c, identity.c
    owner = sa.func.coalesce(who.customer, e.subject)
    counts = (
        sa.select(e.list, sa.func.count(sa.distinct(owner)).label("n"))
        .select_from(customer_list_entry.outerjoin(identity, who.subject == e.subject))
        .group_by(e.list)
        .subquery()
    )
    query = sa.select(
        customer_list.c.name,
        customer_list.c.title,
        sa.func.coalesce(counts.c.n, 0),
        customer_list.c.created_at,
    ).select_from(customer_list.outerjoin(counts, counts.c.list == customer_list.c.name))
    return [CustomerList(*row) for row in tx.execute(query.order_by(customer_list.c.name))]


def add_to_list(tx: Connection, name: str, customer: int, now: datetime, *, log: Log) -> bool:
    """Put a customer on a list, and say so in the log; false if they were on it.

    A surrogate that was merged into another customer stands for that one.

    Raises
    ------
    UnknownList
        If there is no such list.
    """
    require_list(tx, name)
    customer = find_customers(tx, {customer})[customer]
    if is_in_list(tx, name, customer):
        return False
    row = {"list": name, "subject": customer, "added_at": now}
    tx.execute(sa.insert(customer_list_entry), row)
    _say(tx, log, name, customer, Name.LIST_JOINED, now)
    return True


def remove_from_list(tx: Connection, name: str, customer: int, now: datetime, *, log: Log) -> bool:
    """Take a customer off a list, and say so in the log; false if they were not on it."""
    require_list(tx, name)
    customer = find_customers(tx, {customer})[customer]
    subjects = sa.select(identity.c.subject).where(identity.c.customer == customer)
    e = customer_list_entry.c
    mine = e.subject.in_(subjects) | (e.subject == customer)
    gone = tx.execute(sa.delete(customer_list_entry).where(e.list == name, mine)).rowcount
    if gone:
        _say(tx, log, name, customer, Name.LIST_LEFT, now)
    return bool(gone)


def delete_list(tx: Connection, name: str) -> None:
    """Remove a list and everybody on it."""
    require_list(tx, name)
    tx.execute(sa.delete(customer_list_entry).where(customer_list_entry.c.list == name))
    tx.execute(sa.delete(customer_list).where(customer_list.c.name == name))


def is_in_list(tx: Connection, name: str, customer: int) -> bool:
    """Whether a customer is on a list."""
    return name in read_lists(tx, [customer])[customer]


def read_lists(tx: Connection, customers: Collection[int]) -> dict[int, frozenset[str]]:
    """The lists that each of these customers is on."""
    found: dict[int, set[str]] = {customer: set() for customer in customers}
    keys = [(customer,) for customer in found]
    query = select_by_keys(
        tx, [identity.c.customer], keys, [identity.c.customer, customer_list_entry.c.list]
    ).where(customer_list_entry.c.subject == identity.c.subject)
    for customer, name in tx.execute(query):
        found[customer].add(name)
    own = select_by_keys(
        tx,
        [customer_list_entry.c.subject],
        keys,
        [customer_list_entry.c.subject, customer_list_entry.c.list],
    )
    strangers = ~sa.exists().where(identity.c.subject == customer_list_entry.c.subject)
    for customer, name in tx.execute(own.where(strangers)):
        found[customer].add(name)
    return {customer: frozenset(names) for customer, names in found.items()}


def members_of(name: str) -> "sa.Select[tuple[int]]":
    """The customers on a list, each once."""
    e, who = customer_list_entry.c, identity.c
    owner = sa.func.coalesce(who.customer, e.subject)
    joined = customer_list_entry.outerjoin(identity, who.subject == e.subject)
    return sa.select(owner).select_from(joined).where(e.list == name).distinct()


def _say(tx: Connection, log: Log, name: str, customer: int, what: Name, now: datetime) -> None:
    event = Event(
        event_id=f"list:{name}:{customer}:{to_micros(now)}:{what.rpartition(' ')[2].lower()}",
        name=what.value,
        occurred_at=now,
        received_at=now,
        subject=customer,
        properties={"list": name},
        source=SOURCE,
    )
    log.append([event], tx=tx)
