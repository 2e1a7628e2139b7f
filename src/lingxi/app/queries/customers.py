"""Customers, a page at a time: searched, filtered, sorted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from lingxi.app.cursors import check_size, decode_cursor, encode_cursor
from lingxi.app.views import CustomerRow, CustomersView
from lingxi.errors import InvalidInput, did_you_mean
from lingxi.ingest import customer_ids, find_customer
from lingxi.ingest.identity import CUSTOMER, find_contact
from lingxi.ingest.tables import identifier
from lingxi.lifecycle.tables import customer_state
from lingxi.policy.tables import planned_action
from lingxi.profiles.tables import customer_profile
from lingxi.store import Store
from lingxi.store.tables import identity

_P, _S, _A = customer_profile.c, customer_state.c, planned_action.c
_UNKNOWN: Mapping[str, int | float | str] = {"customer_id": "", "churn": -1.0}
"""Stands for an unknown value in the order, in the order's own type; -1 for the others."""

SORTS: dict[str, sa.ColumnElement[Any]] = {
    "revenue": _P.revenue_cents,
    "orders": _P.orders,
    "last_order": sa.type_coerce(_P.last_order_at, sa.BigInteger),
    "churn": _S.churn_probability,
    "value": _S.value_cents,
    "customer_id": identifier.c.value,
}


@dataclass(frozen=True)
class Filters:
    """Which customers to list; empty means all."""

    search: str
    stage: str
    segment: str
    action: str
    country: str


def require(store: Store, customer_id: str) -> None:
    """Raise UnknownCustomer unless the shop has this customer."""
    with store.read() as tx:
        find_customer(tx, customer_id, store=store)


def list_customers(
    store: Store, currency: str, filters: Filters, *, sort: str, cursor: str | None, n: int
) -> CustomersView:
    """A page of known customers in the order of ``sort``; unknown values come last."""
    check_size(n)
    name, descending = sort.removeprefix("-"), sort.startswith("-")
    if name not in SORTS:
        near = did_you_mean(name, SORTS)
        raise InvalidInput(f"sort must be one of {', '.join(SORTS)}, not {name[:40]!r}{near}.")
    key = sa.func.coalesce(SORTS[name], _UNKNOWN.get(name, -1))
    known = sa.case((SORTS[name].is_(None), 1), else_=0)
    with store.read() as tx:
        contact = find_contact(tx, store, filters.search.strip())
    matching = _apply(sa.select(sa.func.count()).select_from(_joined()), filters, contact)
    query = _apply(sa.select(*_SHOWN, known, key).select_from(_joined()), filters, contact)
    if cursor is not None:
        query = query.where(_after(decode_cursor(cursor, 3), known, key, descending))
    order = (known, key.desc() if descending else key, _P.customer)
    with store.read() as tx:
        total = tx.execute(matching).scalar_one()
        rows = tx.execute(query.order_by(*order).limit(n + 1)).all()
        ids = customer_ids(tx, [row[0] for row in rows])
    page = rows[:n]
    end = page[-1] if len(rows) > n else None
    return CustomersView(
        currency=currency,
        total=total,
        rows=tuple(_to_row(row, ids) for row in page),
        next_cursor=None if end is None else encode_cursor([end[-2], end[-1], end[0]]),
    )


_SHOWN = (
    _P.customer,
    _P.country,
    _S.stage,
    _S.segment,
    _P.orders,
    _P.revenue_cents,
    _P.last_order_at,
    _S.churn_probability,
    _S.value_cents,
    _A.action,
)


def _joined() -> sa.FromClause:
    return (
        customer_profile.join(
            identity, sa.and_(identity.c.subject == _P.customer, identity.c.known)
        )
        .outerjoin(
            identifier,
            sa.and_(identifier.c.subject == _P.customer, identifier.c.kind == CUSTOMER),
        )
        .outerjoin(customer_state, _S.customer == _P.customer)
        .outerjoin(planned_action, _A.customer == _P.customer)
    )


def _apply(query: sa.Select[Any], filters: Filters, contact: int | None) -> sa.Select[Any]:
    for column, wanted in (
        (_S.stage, filters.stage),
        (_S.segment, filters.segment),
        (_A.action, filters.action),
        (_P.country, filters.country),
    ):
        if wanted:
            query = query.where(column == wanted)
    if filters.search:
        named = (
            sa.select(identity.c.customer)
            .join(identifier, identifier.c.subject == identity.c.subject)
            .where(identifier.c.kind == CUSTOMER)
            .where(identifier.c.value.istartswith(filters.search.strip(), autoescape=True))
        )
        query = query.where(_P.customer.in_(named) | (_P.customer == contact))
    return query


def _after(
    key: list[str | int | float | None],
    known: sa.ColumnElement[int],
    column: sa.ColumnElement[Any],
    descending: bool,
) -> sa.ColumnElement[bool]:
    flag, value, customer = key
    if value is None or not isinstance(customer, int):
        raise InvalidInput("cursor is not one that this list gave; begin without it.")
    past = column < value if descending else column > value
    same = sa.and_(column == value, _P.customer > customer)
    return sa.or_(known > flag, sa.and_(known == flag, sa.or_(past, same)))


def _to_row(row: sa.Row[Any], ids: Mapping[int, str]) -> CustomerRow:
    values = {"customer_id": ids[row.customer]} | {
        name: getattr(row, name) for name in CustomerRow.__struct_fields__ if name != "customer_id"
    }
    values["stage"] = row.stage or "registered"
    return msgspec.convert(values, CustomerRow)
