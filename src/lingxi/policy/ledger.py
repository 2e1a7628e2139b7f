"""Keeps the plan in its table and reads it back, a page at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import sqlalchemy as sa

from lingxi.i18n import Sentence
from lingxi.policy.plan import PlannedAction
from lingxi.policy.tables import planned_action

_ROWS_PER_STATEMENT = 2000

UNKNOWN = -(2**62)
"""Stands for an expected value that cannot be known in the order of the plan: below all others."""


@dataclass(frozen=True)
class StoredAction:
    """One line of the stored plan."""

    customer: int
    stage: str
    segment: str | None
    value_cents: int
    churn_probability: float | None
    action: str
    rule: str
    offer: str
    channel: str
    item_ids: tuple[str, ...]
    reason: Sentence
    expected_value_cents: int | None


@dataclass(frozen=True)
class PlanTotals:
    """The plan in numbers, by action; an action whose value nobody can know has no value."""

    as_of: datetime
    customers: Mapping[str, int]
    expected_value_cents: Mapping[str, int]


def put_plan(tx: sa.Connection, lines: Sequence[PlannedAction], as_of: datetime) -> None:
    """Replace the stored plan in one transaction."""
    tx.execute(sa.delete(planned_action))
    for start in range(0, len(lines), _ROWS_PER_STATEMENT):
        rows = [_to_row(line, as_of) for line in lines[start : start + _ROWS_PER_STATEMENT]]
        tx.execute(sa.insert(planned_action), rows)


def get_action(tx: sa.Connection, customer: int) -> StoredAction | None:
    """The planned action of one customer."""
    query = sa.select(planned_action).where(planned_action.c.customer == customer)
    row = tx.execute(query).mappings().one_or_none()
    return None if row is None else _from_row(row)


def get_totals(tx: sa.Connection) -> PlanTotals | None:
    """The plan's totals by action, or nothing before the first plan."""
    c = planned_action.c
    query = sa.select(
        c.action, sa.func.count(), sa.func.sum(c.expected_value_cents), sa.func.max(c.as_of)
    ).group_by(c.action)
    rows = tx.execute(query.order_by(c.action)).all()
    if not rows:
        return None
    return PlanTotals(
        as_of=max(row[3] for row in rows),
        customers={row[0]: row[1] for row in rows},
        expected_value_cents={row[0]: int(row[2]) for row in rows if row[2] is not None},
    )


def list_actions(
    tx: sa.Connection,
    *,
    action: str = "",
    stage: str = "",
    after: tuple[int, int] | None = None,
    n: int | None = 50,
) -> list[StoredAction]:
    """The next ``n`` lines (all without it), best first, after (expected value, customer)."""
    c = planned_action.c
    rank = sa.func.coalesce(c.expected_value_cents, UNKNOWN)
    query = sa.select(planned_action)
    if action:
        query = query.where(c.action == action)
    if stage:
        query = query.where(c.stage == stage)
    if after is not None:
        value, customer = after
        query = query.where(
            sa.or_(
                rank < value,
                sa.and_(rank == value, c.customer > customer),
            )
        )
    query = query.order_by(rank.desc(), c.customer).limit(n)
    return [_from_row(row) for row in tx.execute(query).mappings()]


def forget(tx: sa.Connection, customers: frozenset[int]) -> int:
    """Remove the customers' lines from the plan; returns how many."""
    query = sa.delete(planned_action).where(planned_action.c.customer.in_(sorted(customers)))
    return tx.execute(query).rowcount


def _to_row(line: PlannedAction, as_of: datetime) -> dict[str, object]:
    customer, proposal = line.customer, line.proposal
    return {
        "customer": customer.customer,
        "stage": customer.stage,
        "segment": customer.segment,
        "value_cents": customer.value_cents,
        "churn_probability": customer.churn_probability,
        "action": proposal.action,
        "rule": line.rule,
        "offer": proposal.offer,
        "channel": proposal.channel,
        "item_ids": msgspec.json.encode(proposal.item_ids).decode(),
        "reason": msgspec.json.encode(proposal.reason).decode(),
        "expected_value_cents": line.expected_value_cents,
        "as_of": as_of,
    }


def _from_row(row: Mapping[str, object] | sa.RowMapping) -> StoredAction:
    values = {str(key): value for key, value in row.items() if key != "as_of"}
    values["item_ids"] = msgspec.json.decode(str(row["item_ids"]), type=tuple[str, ...])
    values["reason"] = msgspec.json.decode(str(row["reason"]), type=Sentence)
    return msgspec.convert(values, StoredAction)
