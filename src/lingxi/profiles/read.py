"""Reading a customer: profile, history with items, timeline."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, Connection, bindparam, select

from lingxi.profiles.tables import LAST_MET, customer_profile, item_history
from lingxi.schema import Event
from lingxi.store import Store
from lingxi.store.arrow_state import by_column, decode_texts, decode_wholes
from lingxi.store.prepared import Prepared
from lingxi.store.projection import REBUILT
from lingxi.store.tables import counter


@dataclass(frozen=True)
class Profile:
    """What is known of one customer. Amounts are minor units, moments aware and in UTC.

    ``revenue_cents`` is goods value less refunds; ``orders`` leaves out those refunded in full.
    """

    customer: int
    events: int
    views: int
    carts: int
    searches: int
    orders: int
    cancelled_orders: int
    refunds: int
    revenue_cents: int
    refund_cents: int
    first_seen_at: datetime
    last_seen_at: datetime
    first_order_at: datetime | None
    last_order_at: datetime | None
    country: str | None


@dataclass(frozen=True)
class HistoryItem:
    """What a customer did with one item; ``quantity`` is units bought less units returned."""

    item_id: str
    views: int
    carts: int
    orders: int
    quantity: int
    last_at: datetime


@dataclass(frozen=True)
class Timeline:
    """A page of a customer's events, newest first; ``before`` opens the next page, if any."""

    events: tuple[Event, ...]
    before: tuple[datetime, int] | None


_PROFILE = [customer_profile.c[name] for name in Profile.__dataclass_fields__]
_HISTORY = [item_history.c[name] for name in HistoryItem.__dataclass_fields__]
_READ_HISTORY = (
    select(*_HISTORY)
    .where(
        item_history.c.customer == bindparam("customer", type_=BigInteger),
        item_history.c.last_at.is_not(None),
    )
    .order_by(item_history.c.last_at.desc(), item_history.c.item_id)
    .limit(bindparam("n", type_=BigInteger))
)
_COUNTS = select(
    item_history.c.item_id,
    item_history.c.views,
    item_history.c.carts,
    item_history.c.orders,
    LAST_MET,
).where(item_history.c.customer == bindparam("customer", type_=BigInteger))
_N = bindparam("n", type_=BigInteger)
_ALL_COUNTS = Prepared(_COUNTS.limit(_N), "customer", "n")
_LAST_COUNTS = Prepared(
    _COUNTS.order_by(LAST_MET.desc(), item_history.c.item_id).limit(_N), "customer", "n"
)
_again = item_history.alias()
_MORE = (
    select(_again.c.customer)
    .where(_again.c.customer == bindparam("customer", type_=BigInteger))
    .limit(1)
    .offset(_N)
)
_COLUMNS = Prepared(by_column(_COUNTS.where(~_MORE.exists())), "customer", "n", large=True)
"""Nothing where there are more than n."""
_OWN = customer_profile.c.customer == bindparam("customer", type_=BigInteger)
_STANDING = Prepared(
    select(
        select(counter.c.value).where(counter.c.name == REBUILT).scalar_subquery(),
        select(customer_profile.c.events).where(_OWN).scalar_subquery(),
        select(customer_profile.c.country).where(_OWN).scalar_subquery(),
    ),
    "customer",
)
"""One query for what a list asks of a profile."""
Counts = tuple[str, int, int, int, int]
"""An item with views, carts, orders, and the last moment in microseconds since 1970; all of them 0
where it is known only as sent back (``is_sent_back``)."""


class CountColumns(NamedTuple):
    """The same by column: ``numbers`` has the shape (4, n), views, carts, orders and moments."""

    item_ids: Sequence[str]
    numbers: NDArray[np.int64]

    @staticmethod
    def of(rows: Sequence[Counts]) -> "CountColumns":
        """The columns of rows.

        >>> CountColumns.of([("a", 1, 0, 2, 5)]).numbers.tolist()
        [[1], [0], [2], [5]]
        """
        if not rows:
            return NO_COUNTS
        ids, *numbers = zip(*rows, strict=True)
        return CountColumns(ids, np.array(numbers, dtype=np.int64))


NO_COUNTS = CountColumns((), np.empty((4, 0), dtype=np.int64))


def get_profile(tx: Connection, customer: int) -> Profile | None:
    """The profile, or nothing before the customer's first event."""
    query = select(*_PROFILE).where(customer_profile.c.customer == customer)
    row = tx.execute(query).first()
    return None if row is None else Profile(*row)


def read_country(tx: Connection, customer: int) -> str | None:
    """The country of the customer's latest event that names one."""
    country: str | None = _STANDING.fetch(tx, customer)[0][2]
    return country


def read_history(tx: Connection, customer: int, n: int) -> list[HistoryItem]:
    """The ``n`` items that the customer touched last, newest first.

    Items known only from a refund are left out: nobody knows when they were bought.
    """
    rows = tx.execute(_READ_HISTORY, {"customer": customer, "n": n}).all()
    return [HistoryItem(*row) for row in rows]


def read_counts(tx: Connection, customer: int, n: int) -> Sequence[Counts]:
    """As ``read_history``, in no order and in plain values: for those who ask a thousand times.

    Items known only as sent back are among them, as the oldest.
    """
    rows = _ALL_COUNTS.fetch(tx, customer, n + 1)
    return rows if len(rows) <= n else _LAST_COUNTS.fetch(tx, customer, n)


def read_count_columns(tx: Connection, customer: int, n: int) -> CountColumns:
    """As ``read_counts``, by column.

    SQLite hands over each column as one text, in one step and a third of the time: of a row at a
    time each is a step, at which another thread may take Python's lock.
    """
    if tx.dialect.name == "sqlite":
        texts = _COLUMNS.fetch(tx, customer, n)[0]
        ids = decode_texts(texts[0])
        if ids:
            numbers = np.empty((4, len(ids)), dtype=np.int64)
            for row, text in zip(numbers, texts[1:], strict=True):
                row[:] = decode_wholes(text)
            return CountColumns(ids, numbers)
    return CountColumns.of(read_counts(tx, customer, n))


def is_sent_back(row: Counts) -> bool:
    """Whether all that is known of the customer and the item is that it was sent back.

    >>> is_sent_back(("a", 0, 0, 0, 0)), is_sent_back(("a", 1, 0, 0, 5))
    (True, False)
    """
    return row[-1] == 0


def read_revision(tx: Connection, customer: int) -> tuple[int, int]:
    """Two numbers that are the same as long as the customer's history is.

    The first grows whenever somebody's projections are folded again or erased, the second with
    every event of the customer.
    """
    rebuilt, events, _ = _STANDING.fetch(tx, customer)[0]
    return rebuilt or 0, events or 0


def get_timeline(
    store: Store, customer: int, before: tuple[datetime, int] | None = None, n: int = 50
) -> Timeline:
    """A page of ``n`` events of the customer, over all their subjects, newest first."""
    events = store.log.read_customer(customer, limit=n + 1, before=before)
    page = tuple(events[:n])
    more = len(events) > n and page
    return Timeline(page, (page[-1].occurred_at, page[-1].position) if more else None)
