"""Which order a refund belongs to: known answers."""

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lingxi.ingest.documents import Document
from lingxi.ingest.refunds import Buyer, Shelf, Tied, tie_refunds
from lingxi.schema import Line

START = datetime(2024, 1, 1, tzinfo=UTC)
ANN: Buyer = ("user_id", "ann")


def document(
    order_id: str, day: int, *lines: Line, refund: bool = False, buyer: Buyer = ANN
) -> Document:
    return Document(
        order_id=order_id,
        refund=refund,
        occurred_at=START + timedelta(days=day),
        buyer=buyer,
        country=None,
        currency="GBP",
        lines=lines,
        amount_cents=sum(line.amount_cents or 0 for line in lines),
        cost_cents=0,
        fingerprint="",
        index=np.zeros(0, dtype=np.int64),
    )


def mugs(quantity: int, price: int = 500) -> Line:
    return Line("MUG", quantity, price, quantity * price)


def tie(orders: list[Document], *refunds: Document) -> list[Tied]:
    shelf = Shelf.for_refunds(refunds)
    for order in orders:
        shelf.put(order.buyer, order.order_id, order.occurred_at, order.lines)
    return tie_refunds(refunds, shelf)


def quantities(tied: Tied) -> dict[str | None, int]:
    return {order: sum(line.quantity for line in lines) for order, lines in tied.by_order.items()}


def test_the_latest_earlier_order_with_enough_units_is_chosen() -> None:
    orders = [document("1", 1, mugs(9)), document("2", 2, mugs(9)), document("3", 3, mugs(1))]
    (tied,) = tie(orders, document("C9", 5, mugs(4), refund=True))
    assert quantities(tied) == {"2": 4}


def test_later_orders_and_other_customers_are_no_candidates() -> None:
    orders = [document("1", 9, mugs(9)), document("2", 1, mugs(9), buyer=("user_id", "bea"))]
    (tied,) = tie(orders, document("C9", 5, mugs(1), refund=True))
    assert quantities(tied) == {None: 1}
    assert not tied.complete


def test_units_come_back_only_once() -> None:
    orders = [document("1", 1, mugs(5))]
    first, second = tie(
        orders, document("C8", 2, mugs(4), refund=True), document("C9", 3, mugs(4), refund=True)
    )
    assert quantities(first) == {"1": 4}
    assert quantities(second) == {"1": 1, None: 3}


def test_a_large_refund_is_split_over_orders_latest_first() -> None:
    orders = [document("1", 1, mugs(2)), document("2", 2, mugs(3))]
    (tied,) = tie(orders, document("C9", 5, mugs(5, 333), refund=True))
    assert quantities(tied) == {"2": 3, "1": 2}
    assert sum(p.amount_cents or 0 for part in tied.by_order.values() for p in part) == 5 * 333


def test_an_order_at_the_same_price_goes_before_a_later_one_at_another() -> None:
    orders = [document("1", 1, mugs(5, 500)), document("2", 2, mugs(5, 450))]
    (tied,) = tie(orders, document("C9", 5, mugs(2, 500), refund=True))
    assert quantities(tied) == {"1": 2}


def test_the_order_that_the_refund_names_goes_first_even_for_a_guest() -> None:
    orders = [document("7", 1, mugs(5), buyer=None), document("8", 2, mugs(5), buyer=None)]
    (tied,) = tie(orders, document("C7", 5, mugs(2), refund=True, buyer=None))
    assert quantities(tied) == {"7": 2}


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), max_size=8),
    st.lists(st.tuples(st.integers(0, 9), st.integers(1, 30)), max_size=8),
)
def test_no_unit_is_lost_or_made(sold: list[tuple[int, int]], back: list[tuple[int, int]]) -> None:
    orders = [document(f"{i}", day, mugs(n)) for i, (day, n) in enumerate(sold)]
    refunds = [document(f"R{i}x", day, mugs(n, 7), refund=True) for i, (day, n) in enumerate(back)]
    ties = tie(orders, *refunds)
    assert [sum(quantities(t).values()) for t in ties] == [n for _, n in back]
    returned: dict[str | None, int] = {}
    for tied in ties:
        for order, n in quantities(tied).items():
            returned[order] = returned.get(order, 0) + n
    assert all(returned.get(o.order_id, 0) <= o.lines[0].quantity for o in orders)
