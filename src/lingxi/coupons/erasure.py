"""Erasure: ledgers keep the amounts, without the person."""

import sqlalchemy as sa

from lingxi.coupons.tables import coupon, coupon_entry, coupon_redemption

_NO_KEY = sa.literal("forgotten-").concat(sa.cast(coupon_redemption.c.redemption, sa.String))


def forget(tx: sa.Connection, customers: frozenset[int]) -> int:
    """Take these customers out of coupons, ledger and redemptions; the rows changed.

    Their orders go with them. The coupons stay with whoever holds their codes, and the ledger
    balances as before.
    """
    wanted = sorted(customers)
    changed = 0
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        for table, values in (
            (coupon, {"customer": None, "key": None}),
            (coupon_entry, {"customer": None, "order_id": None}),
            (coupon_redemption, {"customer": None, "order_id": "", "key": _NO_KEY}),
        ):
            same = sa.update(table).where(table.c.customer.in_(part))
            changed += tx.execute(same.values(values)).rowcount
    return changed
