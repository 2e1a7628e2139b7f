"""What an order redeemed is given back: to its holder while its time lasts."""

from datetime import datetime

import sqlalchemy as sa

from lingxi.coupons.events import coupon_event
from lingxi.coupons.ledger import Account, Move, post
from lingxi.coupons.redeeming import is_of
from lingxi.coupons.rows import get_coupon
from lingxi.coupons.tables import coupon, coupon_redemption
from lingxi.coupons.vault import Vault
from lingxi.schema import Event, Name


def release_order(
    vault: Vault,
    tx: sa.Connection,
    order_id: str,
    now: datetime,
    *,
    code: str = "",
    actor: str = "",
) -> tuple[int, list[Event]]:
    """Give back what an order redeemed; how many coupons, and their events."""
    c = coupon_redemption.c
    query = sa.select(coupon_redemption).where(c.order_id == order_id, c.voided_at.is_(None))
    events, moves = [], []
    for row in tx.execute(query.order_by(c.redemption)).all():
        values = row._mapping
        if code and not is_of(vault, tx, values["coupon"], code):
            continue
        tx.execute(
            sa.update(coupon_redemption)
            .where(c.redemption == values["redemption"])
            .values(voided_at=now)
        )
        target = _give_back(tx, values["coupon"], now)
        moves.append(_to_move(values, target))
        events.append(_to_release(values, target, now))
    post(tx, moves, now, actor=actor or "release")
    return len(moves), events


def _give_back(tx: sa.Connection, number: int, now: datetime) -> Account:
    """Where a coupon goes whose order is gone: back to its holder while its time lasts."""
    row = get_coupon(tx, number)
    assert row is not None  # it was redeemed, and none is ever removed
    if row.expires_at is not None and row.expires_at <= now:
        target = Account.EXPIRED
    elif row.sealed is None and row.customer is None:
        target = Account.REVOKED  # a shared code used by nobody in particular: no one holds it
    else:
        target = Account.ISSUED if row.seen_at is None else Account.SEEN
    tx.execute(sa.update(coupon).where(coupon.c.coupon == number).values(state=str(target)))
    return target


def _to_move(values: sa.RowMapping, target: Account) -> Move:
    return Move(
        values["offer"],
        Account.REDEEMED,
        target,
        values["coupon"],
        values["customer"],
        cents=-values["cost_cents"],
        order_id=values["order_id"],
    )


def _to_release(values: sa.RowMapping, target: Account, now: datetime) -> Event:
    return coupon_event(
        Name.COUPON_RELEASED,
        values["coupon"],
        values["offer"],
        values["customer"],
        now,
        part=f"-{values['redemption']}",
        order_id=values["order_id"],
        redemption=values["redemption"],
        cost_cents=values["cost_cents"],
        state=str(target),
    )
