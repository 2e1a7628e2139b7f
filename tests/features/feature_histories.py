"""Small random shops, and a bench that computes features over plain lists of events."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
from hypothesis import strategies as st
from msgspec import structs

from lingxi.config import Settings
from lingxi.features import compute_features
from lingxi.schema import Event, Line, Name
from lingxi.store.abreast import Abreast
from lingxi.store.analytics import Analytics
from lingxi.store.codec import to_arrow
from lingxi.store.duck import DuckDBSession

START = datetime(2026, 1, 1, tzinfo=UTC)
AS_OF = START + timedelta(days=45, hours=12)
IDENTITY: Mapping[int, tuple[int, bool]] = {1: (1, True), 2: (2, True), 3: (3, False), 4: (1, True)}
"""Subject → customer, known: 3 is a visitor, 4 is a visitor who turned out to be customer 1."""

Row = dict[str, object]

_ITEMS = st.sampled_from(["cup", "dish", "fork", "lamp"])
_NAMES = st.sampled_from([*Name, *[Name.ORDER_COMPLETED] * 6, *[Name.ORDER_REFUNDED] * 3])
_LINES = st.lists(
    st.builds(
        lambda item_id, quantity, price: Line(item_id, quantity, price, quantity * (price or 0)),
        _ITEMS,
        st.integers(1, 4),
        st.sampled_from([None, 100, 250, 999]),
    ),
    max_size=3,
).map(tuple)
MOMENTS = st.integers(0, 180).map(lambda n: START + timedelta(hours=12 * n))
PROPERTIES = st.sampled_from([{}, {"discount": 0}, {"discount": 5}, {"coupon": "SPRING"}])

EVENTS = st.builds(
    lambda name, at, subject, session, order, country, category, lines, properties: Event(
        event_id="",
        name=name,
        occurred_at=at,
        received_at=at,
        subject=subject,
        session_id=session,
        order_id=order if name in (Name.ORDER_COMPLETED, Name.ORDER_REFUNDED) else None,
        country=country,
        category=category if name in (Name.PRODUCT_VIEWED, Name.PRODUCT_ADDED) else None,
        amount_cents=sum(x.amount_cents or 0 for x in lines) if lines else None,
        lines=lines,
        properties=properties,
    ),
    _NAMES,
    MOMENTS,
    st.sampled_from([None, 1, 1, 2, 3, 4]),
    st.sampled_from([None, "s1", "s2", "s3"]),
    st.sampled_from([None, "A", "B", "C", "D"]),
    st.sampled_from([None, "FR", "UK"]),
    st.sampled_from([None, "home", "garden"]),
    _LINES,
    PROPERTIES,
)
HISTORIES = st.lists(EVENTS, max_size=25)


def place(events: Sequence[Event]) -> list[Event]:
    """The events as the log would keep them: ids and positions in the order given."""
    return [
        structs.replace(e, position=n, event_id=e.event_id or f"e{n}")
        for n, e in enumerate(events, 1)
    ]


class Bench:
    """Features of lists of events, on one DuckDB session."""

    def __init__(self, folder: Path) -> None:
        self.session = DuckDBSession(folder)

    def rows(
        self, events: Sequence[Event], as_of: datetime = AS_OF, names: Sequence[str] | None = None
    ) -> dict[int, Row]:
        """One row of features per customer; the events already have their positions."""
        table = self.session.register("events", join_customers(to_arrow(events)))
        analytics = Analytics(self.session, table, (table, table), Abreast(()), Settings(Path()))
        found = compute_features(analytics, as_of, names=names).to_pylist()
        return {row.pop("customer"): row for row in found}


def join_customers(rows: pa.Table) -> pa.Table:
    """``EVENT_ROWS`` with ``customer`` and ``known`` by ``IDENTITY``."""
    people = [IDENTITY.get(s, (s, False)) for s in rows.column("subject").to_pylist()]
    customers = pa.array([customer for customer, _ in people], pa.int64())
    known = pa.array([flag for _, flag in people], pa.bool_())
    return rows.append_column("customer", customers).append_column("known", known)
