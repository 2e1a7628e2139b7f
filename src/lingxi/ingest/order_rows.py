"""An order as it was told so far, and the row that keeps it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.ingest.goods import Goods, add_goods, subtract_goods
from lingxi.ingest.tables import order_state
from lingxi.store.keyed import fetch_typed, upsert

_MOST_REFUNDS = 20
_COLUMNS = [
    order_state.c[name]
    for name in (
        "order_id",
        "subject",
        "told_at",
        "tellings",
        "goods_cents",
        "refunded_cents",
        "name",
        "lines",
    )
]
_LINES = msgspec.json.Decoder(dict[str, tuple[int, int]])


class Refund(msgspec.Struct, frozen=True, array_like=True):
    """A refund as a source told of it: goods, their amount, all that was paid back, its number."""

    source: str
    at: datetime
    goods: Goods
    cents: int
    total_cents: int
    number: str = ""


@dataclass
class Order:
    """One order as last told. ``ordered`` are its goods without what refunds took off, ``returned``
    what those took off.

    What is told before the order itself waits: ``owed`` are refunds that named nobody, which could
    be nobody's yet, and ``ended`` says that a cancellation came, or a refund of everything.
    ``source`` told of the goods under the ids that they have, and ``refunds`` are those of which
    only one source has told yet. ``name`` is the number that customers see,
    and ``alias`` the one under which the log has it, where a file told of it first under another.
    ``filed_cents`` is what a file of ``filed_at`` said came back in all and no other source has
    told of yet.
    """

    order_id: str
    subject: int | None
    told_at: datetime
    tellings: int = 0
    goods_cents: int = 0
    refunded_cents: int = 0
    ordered: Goods = field(default_factory=dict)
    returned: Goods = field(default_factory=dict)
    returned_cents: int = 0
    owed: Goods = field(default_factory=dict)
    owed_cents: int = 0
    ended: bool = False
    source: str = ""
    refunds: list[Refund] = field(default_factory=list)
    alias: str = ""
    filed_cents: int = 0
    filed_at: datetime | None = None
    name: str = ""

    @property
    def log_id(self) -> str:
        """The number under which the log has the order."""
        return self.alias or self.order_id

    @property
    def left_cents(self) -> int:
        """What of the goods value has not come back."""
        return max(0, self.goods_cents - self.refunded_cents)

    @property
    def goods(self) -> Goods:
        """The goods that stand, refunds taken off."""
        return subtract_goods(self.ordered, self.returned)

    def take_off(self, goods: Goods, cents: int) -> None:
        """Note what a refund brought back."""
        self.refunded_cents += cents
        self.returned_cents += cents
        self.returned = add_goods(self.returned, goods)


class _Kept(msgspec.Struct, array_like=True):
    """What a row keeps of an order beside its columns."""

    ordered: Goods
    returned: Goods = {}
    returned_cents: int = 0
    owed: Goods = {}
    owed_cents: int = 0
    ended: bool = False
    source: str = ""
    refunds: list[Refund] = []
    alias: str = ""
    filed_cents: int = 0
    filed_at: datetime | None = None


_KEPT = msgspec.json.Decoder(_Kept)


def read_orders(tx: Connection, order_ids: set[str]) -> dict[str, Order]:
    """The orders of these numbers that messages have told of, by number."""
    rows = fetch_typed(tx, [order_state.c.order_id], [(o,) for o in order_ids], _COLUMNS)
    return {order.order_id: order for order in map(_open, rows)}


def read_named(tx: Connection, names: set[str]) -> dict[str, list[Order]]:
    """The orders that messages have told of under these names, beside numbers of their own."""
    rows = fetch_typed(tx, [order_state.c.name], [(name,) for name in names], _COLUMNS)
    found: dict[str, list[Order]] = {}
    for order in map(_open, sorted(rows, key=lambda row: str(row[0]))):
        found.setdefault(order.name, []).append(order)
    return found


def _open(row: tuple[Any, ...]) -> Order:
    """The order with what its row keeps; rows of before hold the goods that stood."""
    order_id, subject, told_at, tellings, cents, back, name, lines = row
    order = Order(order_id, subject, told_at, tellings, cents, back, name=name or "")
    if lines.startswith("{"):
        order.ordered = _LINES.decode(lines)
        return order
    kept = _KEPT.decode(lines)
    for name in kept.__struct_fields__:
        setattr(order, name, getattr(kept, name))
    return order


def _pack(order: Order) -> str:
    kept = _Kept(**{name: getattr(order, name) for name in _Kept.__struct_fields__})
    kept.refunds = kept.refunds[-_MOST_REFUNDS:]
    return msgspec.json.encode(kept).decode()


def write_orders(tx: Connection, orders: Sequence[Order]) -> None:
    """Keep the orders as they were told, each once, also under two numbers."""
    own = {order.order_id: order for order in orders}
    upsert(
        tx,
        order_state,
        [
            {
                "order_id": order.order_id,
                "subject": order.subject,
                "told_at": order.told_at,
                "tellings": order.tellings,
                "goods_cents": order.goods_cents,
                "refunded_cents": order.refunded_cents,
                "lines": _pack(order),
                "name": order.name or None,
            }
            for _, order in sorted(own.items())
        ],
    )


def forget_orders(tx: Connection, subjects: Sequence[int]) -> int:
    """Remove the orders of these surrogates. Rows removed."""
    own = order_state.c.subject.in_(sorted(subjects))
    return tx.execute(sa.delete(order_state).where(own)).rowcount
