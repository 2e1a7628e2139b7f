"""The ledger: every coupon is in one account, and every move between two of them is an entry.

What left one account came into another, so the entries balance by construction; ``audit`` holds the
running totals, the coupons and the redemptions to them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa

from lingxi.coupons.tables import coupon, coupon_entry, coupon_redemption, coupon_total
from lingxi.store.adding import Columns, add_rows
from lingxi.store.counters import allocate
from lingxi.store.prepared import Prepared, PreparedChange
from lingxi.store.tables import to_micros

_COUNTER = "coupon_entry"
_COLUMNS = tuple(column.name for column in coupon_entry.columns)
_INSERT = PreparedChange.insert(coupon_entry, *_COLUMNS)
_TOTALS = Prepared(
    sa.select(coupon_total.c.account, coupon_total.c.coupons, coupon_total.c.cents).where(
        coupon_total.c.offer == sa.bindparam("offer", type_=sa.String)
    ),
    "offer",
)


class Account(StrEnum):
    """Where a coupon is. ``NOWHERE`` is the world outside: codes come from there."""

    NOWHERE = "nowhere"
    FREE = "free"
    ISSUED = "issued"
    SEEN = "seen"
    REDEEMED = "redeemed"
    EXPIRED = "expired"
    REVOKED = "revoked"


OUTSTANDING = (Account.ISSUED, Account.SEEN)
"""Accounts whose coupons may still be redeemed."""
ACCOUNTS = tuple(Account)[1:]


@dataclass(frozen=True)
class Entry:
    """One line of the ledger."""

    entry: int
    at: datetime
    offer: str
    coupon: int | None
    customer: int | None
    source: str
    target: str
    coupons: int
    cents: int
    order_id: str | None
    actor: str
    note: str


@dataclass(frozen=True)
class Totals:
    """The balance of an offer: coupons in each account, and what was spent."""

    coupons: Mapping[str, int]
    spent_cents: int

    def count(self, *accounts: Account) -> int:
        """Coupons in these accounts."""
        return sum(self.coupons.get(account, 0) for account in accounts)

    @property
    def issued(self) -> int:
        """Coupons ever given to somebody, whatever became of them."""
        return self.count(*ACCOUNTS) - self.count(Account.FREE)


@dataclass(frozen=True)
class Move:
    """Coupons to be moved from one account to another, and what that cost."""

    offer: str
    source: Account
    target: Account
    coupon: int | None = None
    customer: int | None = None
    coupons: int = 1
    cents: int = 0
    order_id: str | None = None
    note: str = ""


def post(tx: sa.Connection, moves: Sequence[Move], now: datetime, *, actor: str = "") -> None:
    """Write moves into the ledger, and the balances with them. The caller holds the write lock."""
    if not moves:
        return
    numbers = allocate(tx, _COUNTER, len(moves))
    micros = to_micros(now)
    for number, move in zip(numbers, moves, strict=True):
        _INSERT.execute(tx, *_to_row(move, number, micros, actor))
    changes: dict[tuple[str, str], list[int]] = {}
    for move in moves:
        for account, sign in ((move.source, -1), (move.target, 1)):
            if account is not Account.NOWHERE:
                change = changes.setdefault((move.offer, account), [0, 0])
                change[0] += sign * move.coupons
        # money stands where redeemed coupons stand, whichever way they go
        money = changes.setdefault((move.offer, Account.REDEEMED), [0, 0])
        money[1] += move.cents
    add_rows(
        tx,
        coupon_total,
        _add_up,
        [(*key, *change) for key, change in changes.items() if any(change)],
    )


def _to_row(move: Move, number: int, micros: int, actor: str) -> tuple[object, ...]:
    """The values of ``_COLUMNS``."""
    return (
        number,
        micros,
        move.offer,
        move.coupon,
        move.customer,
        str(move.source),
        str(move.target),
        move.coupons,
        move.cents,
        move.order_id,
        actor[:80],
        move.note[:200],
    )


def _add_up(old: Columns, new: Columns) -> Columns:
    return {name: old[name] + new[name] for name in ("coupons", "cents")}


def read_totals(tx: sa.Connection, offer: str) -> Totals:
    """The balance of one offer."""
    rows = _TOTALS.fetch(tx, offer)
    return Totals({row[0]: row[1] for row in rows}, sum(row[2] for row in rows))


def read_all_totals(tx: sa.Connection) -> dict[str, Totals]:
    """The balance of every offer that has one."""
    coupons: dict[str, dict[str, int]] = {}
    cents: dict[str, int] = {}
    for row in tx.execute(sa.select(coupon_total)):
        coupons.setdefault(row.offer, {})[row.account] = row.coupons
        cents[row.offer] = cents.get(row.offer, 0) + row.cents
    return {name: Totals(held, cents[name]) for name, held in coupons.items()}


def list_entries(
    tx: sa.Connection,
    *,
    offer: str = "",
    coupon_id: int | None = None,
    customers: Collection[int] | None = None,
    before: int | None = None,
    n: int = 50,
) -> list[Entry]:
    """The latest entries, newest first; ``before`` is the number of the last one of a page.

    ``customers``: only of these surrogates.
    """
    c = coupon_entry.c
    query = sa.select(coupon_entry)
    if offer:
        query = query.where(c.offer == offer)
    if coupon_id is not None:
        query = query.where(c.coupon == coupon_id)
    if customers is not None:
        query = query.where(c.customer.in_(customers))
    if before is not None:
        query = query.where(c.entry < before)
    rows = tx.execute(query.order_by(c.entry.desc()).limit(n))
    return [Entry(**dict(row._mapping)) for row in rows]


def audit(tx: sa.Connection) -> list[str]:
    """Where ledger, totals, coupons and redemptions differ; nothing when all is well.

    Examples
    --------
    A line says: ``spring: account redeemed holds 3 by its entries, 2 by its total``.
    """
    entries = _sum_entries(tx)
    found = []
    for what, held in (("its total", _read_total(tx)), ("the coupons in it", _count_coupons(tx))):
        for key in sorted(entries.keys() | held.keys()):
            ours, theirs = entries.get(key, 0), held.get(key, 0)
            if ours != theirs:
                found.append(
                    f"{key[0]}: account {key[1]} holds {ours} by its entries, {theirs} by {what}"
                )
    return found + _audit_money(tx)


_Held = dict[tuple[str, str], int]


def _sum_entries(tx: sa.Connection) -> _Held:
    c = coupon_entry.c
    held: _Held = {}
    for column, sign in ((c.source, -1), (c.target, 1)):
        query = sa.select(c.offer, column, sa.func.sum(c.coupons)).group_by(c.offer, column)
        for offer, account, n in tx.execute(query):
            if account != Account.NOWHERE:
                held[offer, account] = held.get((offer, account), 0) + sign * int(n)
    return {key: n for key, n in held.items() if n}


def _read_total(tx: sa.Connection) -> _Held:
    rows = tx.execute(sa.select(coupon_total))
    return {(row.offer, row.account): row.coupons for row in rows if row.coupons}


def _count_coupons(tx: sa.Connection) -> _Held:
    c = coupon.c
    query = sa.select(c.offer, c.state, sa.func.count()).group_by(c.offer, c.state)
    return {(offer, state): n for offer, state, n in tx.execute(query)}


def _audit_money(tx: sa.Connection) -> list[str]:
    c = coupon_entry.c
    by_entries = dict(tx.execute(sa.select(c.offer, sa.func.sum(c.cents)).group_by(c.offer)).all())
    r = coupon_redemption.c
    query = sa.select(r.offer, sa.func.sum(r.cost_cents)).where(r.voided_at.is_(None))
    by_redemptions = dict(tx.execute(query.group_by(r.offer)).all())
    by_totals = {name: each.spent_cents for name, each in read_all_totals(tx).items()}
    found = []
    for name in sorted(by_entries.keys() | by_redemptions.keys() | by_totals.keys()):
        amounts = [int(held.get(name, 0)) for held in (by_entries, by_redemptions, by_totals)]
        if len(set(amounts)) > 1:
            found.append(
                f"{name}: {amounts[0]} were spent by the entries, {amounts[1]} by the redemptions, "
                f"{amounts[2]} by the total"
            )
    return found
