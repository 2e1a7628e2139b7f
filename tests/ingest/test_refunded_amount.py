"""What a column of an order export says came back counts, once, whoever else tells of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from lingxi.ingest.settle import settle_orders
from lingxi.schema import Event, Line, Name

if TYPE_CHECKING:
    from ingest.conftest import Bench

HEAD = (
    "Name,Email,Financial Status,Created at,Currency,Shipping,Discount Amount,Refunded Amount,"
    "Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku\n"
)
ORDERED = datetime(2024, 1, 5, 9, tzinfo=UTC)
EXPORTED = datetime(2026, 3, 1, tzinfo=UTC)


def shopify(back: str, status: str = "partially_refunded", discount: str = "0.00") -> str:
    """An order of 25.00 and 5.00 of postage."""
    return (
        f"{HEAD}#1001,a@x.com,{status},2024-01-05 10:00:00 +0100,GBP,5.00,{discount},{back},"
        "1,Mug,10.00,M\n#1001,a@x.com,,2024-01-05 10:00:00 +0100,,,,,2,Bowl,7.50,B\n"
    )


def list_refunds(bench: Bench) -> list[tuple[str | None, int | None, int | None, int]]:
    told = [e for e in bench.log() if e.name == Name.ORDER_REFUNDED]
    return [(e.order_id, e.amount_cents, e.cost_cents, len(e.lines)) for e in told]


def net(bench: Bench) -> int:
    signs = {Name.ORDER_COMPLETED: 1, Name.ORDER_REFUNDED: -1}
    return sum(signs.get(Name(e.name), 0) * (e.amount_cents or 0) for e in bench.log())


@pytest.mark.parametrize(
    ("back", "refund"),
    [
        ("5.00", ("#1001", 500, None, 0)),
        ("-5.00", ("#1001", 500, None, 0)),
        ("27.00", ("#1001", 2500, 200, 0)),
        ("30.00", ("#1001", 2500, 500, 2)),
        ("99.00", ("#1001", 2500, 500, 2)),
        ("0.00", None),
        ("", None),
    ],
)
def test_what_came_back_is_taken_off_once(
    bench: Bench, back: str, refund: tuple[str, int, int | None, int] | None
) -> None:
    report = bench.orders(shopify(back))
    assert list_refunds(bench) == ([] if refund is None else [refund])
    assert all(e.occurred_at == ORDERED and e.subject is not None for e in bench.log())
    assert report.revenue_after_cents == net(bench) == 2500 - (0 if refund is None else refund[1])
    assert (report.refunds, report.refunds_tied) == ((0, 0) if refund is None else (1, 1))
    before = bench.log()
    again = bench.orders(shopify(back))
    assert (again.events_new, bench.log()) == (0, before)
    assert again.revenue_after_cents == report.revenue_after_cents


def test_a_discounted_order_came_back_whole_by_what_was_paid(bench: Bench) -> None:
    bench.orders(shopify("20.00", discount="10.00"))
    assert list_refunds(bench) == [("#1001", 2500, -500, 2)]


@pytest.mark.parametrize(
    "header", ["Refund Amount", "Amount Refunded", "Order Refund Amount", "Rückerstattet"]
)
def test_the_column_is_known_by_its_name(bench: Bench, header: str) -> None:
    bench.orders(f"order,customer,sku,qty,price,date,{header}\n1,k1,A,2,10,2024-01-05,5\n")
    assert list_refunds(bench) == [("1", 500, None, 0)]


def test_of_an_order_with_lines_of_what_came_back_those_say_it(bench: Bench) -> None:
    head = "order,customer,sku,qty,price,date,refunded amount\n"
    bench.orders(f"{head}1,k1,A,2,10,2024-01-05,10\n1,k1,A,-1,10,2024-01-07,10\n")
    assert [(order, amount, n) for order, amount, _, n in list_refunds(bench)] == [("1", 1000, 1)]


def test_a_later_export_adds_what_came_back_since(bench: Bench) -> None:
    for text, left in (
        (shopify("0.00", "paid"), 2500),
        (shopify("5.00"), 2000),
        (shopify("5.00"), 2000),
        (shopify("12.00"), 1300),
        (shopify("5.00"), 1300),
        (shopify("30.00", "refunded"), 0),
        (shopify("30.00", "refunded"), 0),
    ):
        bench.orders(text)
        assert net(bench) == left
    assert [amount for _, amount, _, _ in list_refunds(bench)] == [500, 700, 1300]


def test_an_order_that_came_back_in_part_and_then_whole_came_back_once(bench: Bench) -> None:
    """The refund of the whole was the whole again, beside what had come back before."""
    head = "order,customer,sku,qty,price,date,status\n"
    sold = "1,k1,A,2,10,2024-01-05,{0}\n1,k1,B,1,5,2024-01-05,{0}\n"
    part = "C1,k1,A,-1,10,2024-01-07,\n"
    bench.orders(head + sold.format("paid") + part)
    report = bench.orders(head + sold.format("refunded") + part)
    assert (report.events_new, net(bench)) == (1, 0)
    last = bench.log()[-1]
    assert (last.amount_cents, [(x.item_id, x.quantity) for x in last.lines]) == (
        1500,
        [("A", 1), ("B", 1)],
    )


def webhook(
    name: Name, number: str, at: datetime, lines: tuple[Line, ...], subject: int | None
) -> Event:
    refund = name == Name.ORDER_REFUNDED
    return Event(
        event_id=f"shopify:{number}",
        name=name.value,
        occurred_at=at,
        received_at=EXPORTED,
        subject=subject,
        order_id="5001",
        currency="GBP",
        amount_cents=sum(line.amount_cents or 0 for line in lines),
        cost_cents=0,
        lines=lines,
        properties={"refund_id": number} if refund else {"order_name": "#1001"},
        source="shopify",
    )


MUG, BOWLS, BOWL = Line("M", 1, 1000, 1000), Line("B", 2, 750, 1500), Line("B", 1, 750, 750)


def settle(bench: Bench, *events: Event) -> None:
    with bench.store.write() as tx:
        bench.store.log.append(settle_orders(bench.store, tx, events), tx=tx)


@pytest.mark.parametrize("first", ["order", "refund", "together"])
def test_a_refund_of_before_that_a_webhook_tells_of_counts_once(bench: Bench, first: str) -> None:
    bench.orders(shopify("7.50"))
    assert net(bench) == 2500 - 750
    who = bench.log()[0].subject
    at = EXPORTED - timedelta(days=9)
    update = webhook(Name.ORDER_UPDATED, "u1", at, (MUG, BOWLS), who)
    refund = webhook(Name.ORDER_REFUNDED, "r1", at, (BOWL,), None if first == "refund" else who)
    if first == "together":
        settle(bench, update, refund)
    else:
        for event in (update, refund) if first == "order" else (refund, update):
            settle(bench, event)
    assert net(bench) == 2500 - 750
    late = webhook(Name.ORDER_REFUNDED, "r2", EXPORTED + timedelta(days=1), (MUG,), None)
    settle(bench, late)
    assert net(bench) == 2500 - 750 - 1000
    taken = [e for e in bench.log() if e.name == Name.ORDER_REFUNDED and e.amount_cents]
    assert [e.order_id for e in taken] == ["#1001", "#1001"]
    settle(bench, webhook(Name.ORDER_CANCELLED, "c1", EXPORTED + timedelta(days=2), (), who))
    assert net(bench) == 0


def test_of_a_refund_that_a_file_held_in_part_the_rest_counts(bench: Bench) -> None:
    bench.orders(shopify("5.00"))
    who, at = bench.log()[0].subject, EXPORTED - timedelta(days=9)
    settle(bench, webhook(Name.ORDER_UPDATED, "u1", at, (MUG, BOWLS), who))
    settle(bench, webhook(Name.ORDER_REFUNDED, "r1", at, (BOWL,), who))
    assert net(bench) == 2500 - 750


def test_a_file_after_messages_adds_what_they_did_not_tell(bench: Bench) -> None:
    head = "order,customer,sku,qty,price,date,refunded amount\n"
    bench.orders(f"{head}5001,k1,M,1,10,2024-01-05,0\n5001,k1,B,2,7.5,2024-01-05,0\n")
    who, at = bench.log()[0].subject, EXPORTED - timedelta(days=9)
    settle(bench, webhook(Name.ORDER_REFUNDED, "r1", at, (BOWL,), who))
    for back, left in (("7.50", 1750), ("9.00", 1600), ("9.00", 1600)):
        bench.orders(f"{head}5001,k1,M,1,10,2024-01-05,{back}\n5001,k1,B,2,7.5,2024-01-05,0\n")
        assert net(bench) == left
