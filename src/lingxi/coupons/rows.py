"""A coupon as its row says it is: found by its code, its key or its number, made, and moved on."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from lingxi.coupons.ledger import OUTSTANDING, Account
from lingxi.coupons.tables import coupon
from lingxi.store.people import is_theirs
from lingxi.store.prepared import Prepared, PreparedChange
from lingxi.store.tables import driver_type, from_micros, to_micros

_c = coupon.c


class CouponRow(NamedTuple):
    """One coupon; the columns are those of ``tables.coupon``, in their order."""

    coupon: int
    offer: str
    version: int
    state: str
    found_by: str | None = None
    sealed: bytes | None = None
    customer: int | None = None
    key: str | None = None
    issued_at: datetime | None = None
    seen_at: datetime | None = None
    starts_at: datetime | None = None
    expires_at: datetime | None = None


_NAMES = CouponRow._fields
_FIRST_MOMENT = _NAMES.index("issued_at")
COUPONS = sa.select(*(sa.type_coerce(_c[name], driver_type(_c[name].type)) for name in _NAMES))
"""The columns of ``to_coupon``."""
_NUMBER = sa.bindparam("number", type_=sa.BigInteger)
_OFFER = sa.bindparam("offer", type_=sa.String)
_BY_NUMBER = Prepared(COUPONS.where(_c.coupon == _NUMBER), "number")
_BY_CODE = Prepared(
    COUPONS.where(_c.found_by == sa.bindparam("found_by", type_=sa.String)), "found_by"
)
_BY_KEY = Prepared(
    COUPONS.where(_c.offer == _OFFER, _c.key == sa.bindparam("key", type_=sa.String)),
    "offer",
    "key",
)
_HELD = Prepared(
    COUPONS.where(
        _c.offer == _OFFER,
        is_theirs(_c.customer),
        # as an expression, lest SQLite look through all that are out instead of the customer's few
        sa.or_(*(sa.func.coalesce(_c.state, "") == str(each) for each in OUTSTANDING)),
    )
    .order_by(_c.expires_at.is_(None), _c.expires_at, _c.coupon)
    .limit(1),
    "offer",
    "customer",
)
_FREE = Prepared(
    sa.select(_c.coupon)
    .where(_c.offer == _OFFER, _c.state == str(Account.FREE))
    .order_by(_c.coupon)
    .limit(1),
    "offer",
)
_INSERT = PreparedChange.insert(coupon, *_NAMES)
_MOVE = PreparedChange(
    sa.update(coupon)
    .where(_c.coupon == _NUMBER, _c.state == sa.bindparam("source", type_=sa.String))
    .values(state=sa.bindparam("target", type_=sa.String)),
    "target",
    "number",
    "source",
)


def to_coupon(row: Sequence[object]) -> CouponRow:
    """A row of ``COUPONS``, its moments read."""
    moments = (
        from_micros(micros) if isinstance(micros, int) else None for micros in row[_FIRST_MOMENT:]
    )
    return CouponRow._make((*row[:_FIRST_MOMENT], *moments))


def get_coupon(tx: sa.Connection, number: int) -> CouponRow | None:
    """The coupon of this number, if there is one."""
    return _find(_BY_NUMBER.first(tx, number))


def find_by_code(tx: sa.Connection, found_by: str) -> CouponRow | None:
    """The coupon with a code of its own that is found by this."""
    return _find(_BY_CODE.first(tx, found_by))


def find_by_key(tx: sa.Connection, offer: str, key: str) -> CouponRow | None:
    """The coupon of an offer that was issued for this key."""
    return _find(_BY_KEY.first(tx, offer, key))


def find_held(tx: sa.Connection, offer: str, customer: int) -> CouponRow | None:
    """The customer's outstanding coupon of an offer that ends first, if they have one."""
    return _find(_HELD.first(tx, offer, customer))


def find_free(tx: sa.Connection, offer: str) -> int | None:
    """The number of the first coupon in the pool of an offer that nobody has."""
    row = _FREE.first(tx, offer)
    return None if row is None else int(row[0])


def insert_coupon(tx: sa.Connection, row: CouponRow) -> None:
    """Keep a new coupon."""
    moments = (
        to_micros(each) if isinstance(each, datetime) else None for each in row[_FIRST_MOMENT:]
    )
    _INSERT.execute(tx, *row[:_FIRST_MOMENT], *moments)


def move_coupon(tx: sa.Connection, number: int, source: Account, target: Account) -> bool:
    """Move a coupon from one state to another; false where it is in the first no more."""
    return _MOVE.execute(tx, str(target), number, str(source)) == 1


def _find(row: Sequence[object] | None) -> CouponRow | None:
    return None if row is None else to_coupon(row)
