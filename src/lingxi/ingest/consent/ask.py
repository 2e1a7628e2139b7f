"""May it be used? For one customer, for all of them, and for a table of events."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.config import ConsentSettings
from lingxi.ingest.consent.project import EVERY
from lingxi.ingest.tables import consent
from lingxi.store.keyed import fetch_by_keys
from lingxi.store.prepared import Prepared

if TYPE_CHECKING:
    import ibis

    from lingxi.store import Analytics

ASSUMED = "assumed"
_SAID = Prepared(
    sa.select(
        consent.c.channel, consent.c.granted, sa.type_coerce(consent.c.at, sa.BigInteger)
    ).where(
        consent.c.customer == sa.bindparam("customer", type_=sa.BigInteger),
        consent.c.purpose == sa.bindparam("purpose", type_=sa.String),
    ),
    "customer",
    "purpose",
)


Moment = TypeVar("Moment", datetime, int)
"""A moment, or its microseconds since 1970."""


class Said(msgspec.Struct, frozen=True):
    """What one customer said last for a purpose and channel."""

    purpose: str
    channel: str
    granted: bool
    at: datetime
    source: str
    text_version: str | None


@dataclass(frozen=True)
class Permissions:
    """Who may be reached or counted in for one purpose and channel.

    ``assumed`` is what holds for those who said nothing.
    """

    assumed: bool
    granted: frozenset[int]
    refused: frozenset[int]

    def allows(self, customer: int) -> bool:
        """Whether the purpose may use this customer's data."""
        return customer not in self.refused if self.assumed else customer in self.granted


def read_permissions(
    tx: Connection, settings: ConsentSettings, purpose: str, channel: str = EVERY
) -> Permissions:
    """The permissions of everybody who said something; one query, however many customers."""
    c = consent.c
    query = sa.select(c.customer, c.granted, c.at).where(
        c.purpose == purpose, c.channel.in_({channel, EVERY})
    )
    rows = tx.execute(query)
    return _judge(((row[0], row[1], row[2]) for row in rows), is_assumed(settings, purpose))


def _judge(rows: Iterable[tuple[int, bool, Moment]], assumed: bool) -> Permissions:
    latest: dict[int, tuple[Moment, bool]] = {}
    for customer, granted, at in rows:
        word = (at, not granted)  # of two at one moment the withdrawal counts
        if customer not in latest or word > latest[customer]:
            latest[customer] = word
    refused = frozenset(customer for customer, (_, no) in latest.items() if no)
    return Permissions(assumed, frozenset(latest) - refused, refused)


def is_assumed(settings: ConsentSettings, purpose: str) -> bool:
    """Whether silence is taken for a yes; a category is never asked for by itself, only refused."""
    return "/" in purpose or str(getattr(settings, purpose)) == ASSUMED


def is_allowed(
    tx: Connection, settings: ConsentSettings, customer: int, purpose: str, channel: str = EVERY
) -> bool:
    """Whether a purpose may use one customer's data on a channel."""
    return _answer(_SAID.fetch(tx, customer, purpose), settings, purpose, channel)


@dataclass(frozen=True)
class Answers:
    """What many customers said last, read at once; ``is_allowed`` for each of them and purpose."""

    settings: ConsentSettings
    said: Mapping[tuple[int, str], Sequence[tuple[Any, ...]]]

    def allows(self, customer: int, purpose: str, channel: str = EVERY) -> bool:
        """Whether a purpose, one of those that were read, may use a customer's data."""
        return _answer(self.said.get((customer, purpose), ()), self.settings, purpose, channel)


def read_answers(
    tx: Connection,
    settings: ConsentSettings,
    customers: Collection[int],
    purposes: Collection[str],
) -> Answers:
    """What these customers said last for these purposes; a query for each purpose."""
    c = consent.c
    keys = [(purpose, customer) for purpose in purposes for customer in customers]
    wanted = [c.customer, c.purpose, c.channel, c.granted, c.at]
    said: dict[tuple[int, str], list[tuple[Any, ...]]] = {}
    for customer, purpose, *word in fetch_by_keys(tx, [c.purpose, c.customer], keys, wanted):
        said.setdefault((customer, purpose), []).append(tuple(word))
    return Answers(settings, said)


def _answer(
    rows: Sequence[tuple[Any, ...]], settings: ConsentSettings, purpose: str, channel: str
) -> bool:
    """From one customer's words on a purpose: channel, granted or not, moment."""
    assumed = is_assumed(settings, purpose)
    own = [(0, bool(row[1]), row[2]) for row in rows if row[0] in (channel, EVERY)]
    return _judge(own, assumed).allows(0) if own else assumed


def list_consent(tx: Connection, customer: int) -> list[Said]:
    """Everything a customer said last, by purpose and channel."""
    c = consent.c
    query = sa.select(c.purpose, c.channel, c.granted, c.at, c.source, c.text_version)
    query = query.where(c.customer == customer).order_by(c.purpose, c.channel)
    return [Said(*row) for row in tx.execute(query)]


def count_consent(tx: Connection) -> Mapping[tuple[str, str], tuple[int, int]]:
    """How many said yes and no, by purpose and channel."""
    c = consent.c
    yes = sa.func.sum(sa.case((c.granted, 1), else_=0))
    query = sa.select(c.purpose, c.channel, yes, sa.func.count()).group_by(c.purpose, c.channel)
    return {(row[0], row[1]): (int(row[2]), int(row[3]) - int(row[2])) for row in tx.execute(query)}


def keep_permitted(analytics: "Analytics", rows: "ibis.Table", *purposes: str) -> "ibis.Table":
    """Rows of those whose data every one of these purposes may use.

    Rows without a customer are nobody's and stay.
    """
    settings = analytics.settings.consent
    for purpose in purposes:
        found = read_permissions(analytics.transaction, settings, purpose)
        chosen = found.refused if found.assumed else found.granted
        if found.assumed and not chosen:
            continue
        listed = analytics.register(
            f"consent_{purpose}",
            pa.table({"consenting": pa.array(sorted(chosen), pa.int64())}),
        )
        if found.assumed:
            rows = rows.anti_join(listed, rows.customer == listed.consenting)
        else:
            allowed = rows.semi_join(listed, rows.customer == listed.consenting)
            rows = allowed.union(rows.filter(rows.customer.isnull()), distinct=False)
    return rows
