"""Scores that rules may read: who keeps them, and what they are for one customer or for many."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, Connection, String, Text

from lingxi.errors import InvalidInput, did_you_mean
from lingxi.profiles.project import CHANGED_BY
from lingxi.profiles.tables import customer_profile
from lingxi.segments.rule import Value
from lingxi.store.keyed import fetch_by_keys
from lingxi.store.tables import Moment, to_micros


@dataclass(frozen=True)
class ScoreColumn:
    """A score that rules may read: its name and kind, and who keeps it.

    ``column`` belongs to a table with one row a customer, whose primary key is ``customer``.
    ``revision`` is a column that is the same in all rows and another whenever they are computed
    anew; without one the row changes with events of the customer: with those named in ``events``,
    or with every one.
    """

    name: str
    column: "Column[Any]"
    revision: "Column[Any] | None" = None
    events: frozenset[str] | None = None

    @property
    def kind(self) -> str:
        """``number``, ``text`` or ``moment``."""
        kind = self.column.type
        if isinstance(kind, Moment):
            return "moment"
        return "text" if isinstance(kind, String | Text) else "number"


_PROFILE = (
    "events",
    "views",
    "carts",
    "searches",
    "orders",
    "cancelled_orders",
    "refunds",
    "revenue_cents",
    "refund_cents",
    "first_seen_at",
    "last_seen_at",
    "first_order_at",
    "last_order_at",
    "country",
)
PROFILE_SCORES = tuple(
    ScoreColumn(name, customer_profile.c[name], events=CHANGED_BY.get(name)) for name in _PROFILE
)
"""What the profile counts with every event. Orders leave out those refunded in full."""


def find_score(scores: Mapping[str, ScoreColumn], name: str) -> ScoreColumn:
    """The score of a name.

    Raises
    ------
    InvalidInput
        If there is none.
    """
    if name not in scores:
        near = did_you_mean(name, scores)
        raise InvalidInput(f"There is no score {name!r}{near}; there are {', '.join(scores)}.")
    return scores[name]


def read_scores(
    tx: Connection, scores: Sequence[ScoreColumn], customers: Collection[int]
) -> dict[int, dict[str, Value | None]]:
    """The scores of these customers, moments in microseconds; a table is read once."""
    found: dict[int, dict[str, Value | None]] = {customer: {} for customer in customers}
    tables: dict[str, list[ScoreColumn]] = {}
    for score in scores:
        tables.setdefault(score.column.table.name, []).append(score)
    for wanted in tables.values():
        owner = wanted[0].column.table.c.customer
        keys = [(customer,) for customer in found]
        columns = [owner, *(score.column for score in wanted)]
        for row in fetch_by_keys(tx, [owner], keys, columns):
            values = (_plain(score, value) for score, value in zip(wanted, row[1:], strict=True))
            names = (score.name for score in wanted)
            found[row[0]].update(zip(names, values, strict=True))
    return found


def _plain(score: ScoreColumn, value: Any) -> Value | None:
    if isinstance(value, datetime):
        return to_micros(value)
    if isinstance(score.column.type, Boolean) and value is not None:
        return bool(value)
    plain: Value | None = value
    return plain
