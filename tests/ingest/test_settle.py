"""An order counts once, whoever tells of it and however often."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.conftest import Bench
from lingxi.ingest.goods import sum_goods
from lingxi.ingest.order_rows import Order
from lingxi.ingest.settle import settle_orders, tell
from lingxi.profiles.ledger import Ledger
from lingxi.schema import Event, Line, Name

NOW = datetime(2026, 3, 1, tzinfo=UTC)
Lines = dict[str, tuple[int, int]]


def told(
    number: int,
    name: Name,
    goods: Lines | None = None,
    amount: int | None = None,
    subject: int | None = 7,
    cost: int | None = None,
) -> Event:
    lines = tuple(Line(i, n, price, n * price) for i, (n, price) in (goods or {}).items())
    total = sum(line.amount_cents or 0 for line in lines) if goods else amount
    return Event(
        event_id=f"web:{number}",
        name=name.value,
        occurred_at=NOW + timedelta(minutes=number),
        received_at=NOW,
        subject=subject,
        order_id="A",
        currency="GBP",
        amount_cents=total,
        cost_cents=cost,
        lines=lines,
    )


def play(*events: Event) -> tuple[list[Event], Order | None]:
    order: Order | None = None
    log: list[Event] = []
    for event in events:
        added, order = tell(order, event)
        log += added
    return log, order


def net(log: list[Event]) -> int:
    signs = {Name.ORDER_COMPLETED: 1, Name.ORDER_REFUNDED: -1}
    return sum(signs.get(Name(e.name), 0) * (e.amount_cents or 0) for e in log)


def test_a_second_telling_of_the_same_order_changes_nothing() -> None:
    log, _ = play(
        told(1, Name.ORDER_COMPLETED, {"a": (2, 500)}),
        told(2, Name.ORDER_COMPLETED, {"a": (2, 500)}),
    )
    assert [e.name for e in log] == ["Order Completed", "Order Updated"]
    assert net(log) == 1000


def test_a_cancelled_order_comes_back_in_full() -> None:
    log, _ = play(told(1, Name.ORDER_COMPLETED, {"a": (2, 500)}), told(2, Name.ORDER_CANCELLED))
    assert [e.name for e in log] == ["Order Completed", "Order Cancelled", "Order Refunded"]
    assert log[-1].order_id == "A"
    assert log[-1].lines == (Line("a", 2, 500, 1000),)
    assert net(log) == 0


def test_a_cancellation_and_its_refund_take_the_money_back_once() -> None:
    order = told(1, Name.ORDER_COMPLETED, {"a": (2, 500)})
    refund = told(3, Name.ORDER_REFUNDED, {"a": (2, 500)})
    for second, third in (
        (told(2, Name.ORDER_CANCELLED), refund),
        (refund, told(4, Name.ORDER_CANCELLED)),
    ):
        assert net(play(order, second, third)[0]) == 0


def test_goods_that_left_and_goods_that_came() -> None:
    log, order = play(
        told(1, Name.ORDER_COMPLETED, {"a": (2, 500), "b": (1, 300)}),
        told(2, Name.ORDER_UPDATED, {"a": (1, 500), "c": (1, 700)}),
    )
    assert [(e.name, e.order_id, e.amount_cents) for e in log[2:]] == [
        ("Order Refunded", "A", 800),
        ("Order Completed", "A", 700),
    ]
    assert net(log) == 1200
    assert order is not None
    assert order.goods == {"a": (1, 500), "c": (1, 700)}


def test_an_older_telling_that_arrives_late_changes_nothing() -> None:
    log, _ = play(
        told(5, Name.ORDER_COMPLETED, {"a": (1, 500)}),
        told(1, Name.ORDER_UPDATED, {"a": (9, 500)}),
    )
    assert net(log) == 500


def test_a_refund_that_names_nothing_is_of_everything() -> None:
    log, _ = play(told(1, Name.ORDER_COMPLETED, {"a": (2, 500)}), told(2, Name.ORDER_REFUNDED))
    assert (log[-1].amount_cents, log[-1].lines) == (1000, (Line("a", 2, 500, 1000),))


GOODS = st.dictionaries(
    st.sampled_from("abcd"), st.tuples(st.integers(1, 4), st.sampled_from([100, 250])), min_size=1
)
KINDS = st.sampled_from([Name.ORDER_COMPLETED, Name.ORDER_UPDATED, Name.ORDER_CANCELLED])


@given(st.lists(st.tuples(KINDS, GOODS), min_size=1, max_size=8))
def test_what_the_log_adds_up_to_is_what_was_told_last(
    tellings: list[tuple[Name, Lines]],
) -> None:
    events = [
        told(
            n,
            kind,
            None if kind is Name.ORDER_CANCELLED else {i: (q, 100) for i, (q, _) in g.items()},
        )
        for n, (kind, g) in enumerate(tellings)
    ]
    log, order = play(told(-1, Name.ORDER_COMPLETED, {"a": (1, 100)}), *events)
    last = events[-1]
    expected = 0 if last.name == Name.ORDER_CANCELLED else last.amount_cents
    assert net(log) == expected
    assert order is not None
    assert sum_goods(order.goods) == expected
    assert len({e.event_id for e in log}) == len(log)


def test_the_state_is_kept_between_batches_and_an_imported_order_is_known(
    make_bench: Callable[[], Bench],
) -> None:
    bench = make_bench()
    imported = Event(
        event_id="order:A",
        name=Name.ORDER_COMPLETED.value,
        occurred_at=NOW,
        received_at=NOW,
        order_id="A",
        amount_cents=1000,
        lines=(Line("a", 2, 500, 1000),),
    )
    with bench.store.write() as tx:
        bench.store.log.append(settle_orders(bench.store, tx, [imported], imported=True), tx=tx)
    for number in (1, 2):
        with bench.store.write() as tx:
            told_again = told(number, Name.ORDER_UPDATED, {"a": (1, 500)})
            bench.store.log.append(settle_orders(bench.store, tx, [told_again]), tx=tx)
    assert [e.name for e in bench.log()] == [
        "Order Completed",
        "Order Updated",
        "Order Refunded",
        "Order Updated",
    ]
    assert net(bench.log()) == 500


def test_what_a_file_told_before_is_not_taken_back_twice(make_bench: Callable[[], Bench]) -> None:
    """A file has the order refunded; the shop's webhook cancels it again: nothing is left."""
    bench = make_bench()
    text = "order,customer,sku,qty,price,date,status\nA,k1,a,2,10,2024-01-05,{}\n"
    bench.orders(text.format("paid"))
    bench.orders(text.format("refunded"))
    cancelled = told(1, Name.ORDER_CANCELLED)
    with bench.store.write() as tx:
        bench.store.log.append(settle_orders(bench.store, tx, [cancelled]), tx=tx)
    assert net(bench.log()) == 0
    assert sum(e.name == Name.ORDER_REFUNDED for e in bench.log()) == 1


def test_goods_added_later_are_a_part_of_the_same_order() -> None:
    log, _ = play(
        told(1, Name.ORDER_COMPLETED, {"a": (1, 500)}),
        told(2, Name.ORDER_UPDATED, {"a": (1, 500), "b": (1, 300)}),
    )
    ledger = Ledger()
    for event in log:
        ledger.add(event)
    assert (ledger.standing.orders, net(log)) == (1, 800)


ORDERED = {"a": (2, 500)}
HALF = {"a": (1, 500)}


def refund(number: int, goods: Lines | None = None, **more: int | None) -> Event:
    return told(number, Name.ORDER_REFUNDED, goods, **more)


@pytest.mark.parametrize("now", [ORDERED, HALF], ids=["as ordered", "as left"])
def test_a_telling_after_a_refund_takes_nothing_back_again(now: Lines) -> None:
    """Platforms tell of an order again with every refund, some with all goods and some with what
    is left: neither moves money."""
    order = told(1, Name.ORDER_COMPLETED, ORDERED)
    log, after = play(order, refund(2, HALF), told(3, Name.ORDER_UPDATED, now))
    assert net(log) == 500
    assert after is not None
    assert after.goods == {"a": (1, 500)}


def test_after_a_refund_goods_may_still_leave_and_come() -> None:
    order, back = told(1, Name.ORDER_COMPLETED, {"a": (3, 500)}), refund(2, HALF)
    log, _ = play(order, back, told(3, Name.ORDER_UPDATED, HALF))
    assert net(log) == 500
    log, _ = play(order, back, told(3, Name.ORDER_UPDATED, {"a": (4, 500)}))
    assert net(log) == 1500


def test_an_older_telling_after_a_refund_does_not_bring_the_goods_again() -> None:
    """Delivered late: told between the order and its refund."""
    order = told(1, Name.ORDER_COMPLETED, ORDERED)
    log, _ = play(order, refund(5, HALF), told(3, Name.ORDER_UPDATED, ORDERED))
    assert net(log) == 500


def test_a_refund_before_its_order_is_the_customers_once_the_order_comes() -> None:
    """A refund's webhook names no customer: stored as nobody's, the profile lost it."""
    log, order = play(refund(5, HALF, subject=None), told(1, Name.ORDER_COMPLETED, ORDERED))
    assert [(e.name, e.subject, e.amount_cents) for e in log] == [
        ("Order Refunded", None, 0),
        ("Order Completed", 7, 1000),
        ("Order Refunded", 7, 500),
    ]
    assert log[0].properties["refunded_cents"] == 500
    assert order is not None
    again, _ = tell(order, told(6, Name.ORDER_UPDATED, HALF))
    assert net(log + again) == 500


def test_a_refund_before_its_order_that_names_its_customer_counts_once() -> None:
    log, _ = play(
        refund(5, HALF),
        told(1, Name.ORDER_COMPLETED, ORDERED),
        told(6, Name.ORDER_CANCELLED),
    )
    assert net(log) == 0
    assert [e.amount_cents for e in log] == [500, 1000, None, 500]


@pytest.mark.parametrize("end", [Name.ORDER_CANCELLED, Name.ORDER_REFUNDED])
def test_an_order_that_ended_before_it_came_counts_for_nothing(end: Name) -> None:
    log, _ = play(told(5, end), told(1, Name.ORDER_COMPLETED, ORDERED))
    assert net(log) == 0


def test_an_order_placed_after_its_cancellation_stands() -> None:
    log, _ = play(told(1, Name.ORDER_CANCELLED), told(5, Name.ORDER_UPDATED, ORDERED))
    assert net(log) == 1000


def test_a_refund_of_postage_alone_leaves_the_goods() -> None:
    log, _ = play(told(1, Name.ORDER_COMPLETED, ORDERED, cost=300), refund(2, amount=0, cost=300))
    assert (net(log), log[-1].amount_cents, log[-1].cost_cents) == (1000, 0, 300)


TELLINGS = st.permutations(
    [
        told(1, Name.ORDER_COMPLETED, {"a": (4, 500)}),
        refund(2, HALF, subject=None),
        told(3, Name.ORDER_UPDATED, {"a": (4, 500)}),
        refund(4, HALF, subject=None),
        told(5, Name.ORDER_UPDATED, {"a": (4, 500)}),
    ]
)


@given(TELLINGS)
def test_in_whatever_order_they_arrive_it_comes_to_the_same(events: list[Event]) -> None:
    log, order = play(*events)
    assert net(log) == 1000
    assert order is not None
    assert order.left_cents == 1000


def test_what_waits_for_its_order_is_kept_between_batches(make_bench: Callable[[], Bench]) -> None:
    bench = make_bench()
    for event in (refund(5, HALF, subject=None), told(1, Name.ORDER_COMPLETED, ORDERED)):
        with bench.store.write() as tx:
            bench.store.log.append(settle_orders(bench.store, tx, [event, event]), tx=tx)
    assert net(bench.log()) == 500


def by(source: str, event: Event, **properties: str) -> Event:
    return msgspec.structs.replace(event, source=source, properties=properties)


SKUS = {"SKU-A": (2, 500)}


def test_goods_that_another_source_names_otherwise_are_the_same_goods() -> None:
    """A shop's pages name products by number and its webhooks by SKU: the order came back whole and
    was placed again."""
    page = by("web", told(1, Name.ORDER_COMPLETED, ORDERED))
    log, order = play(page, by("shopify", told(2, Name.ORDER_COMPLETED, SKUS)))
    assert [e.name for e in log] == ["Order Completed", "Order Updated"]
    assert order is not None
    later = by("shopify", told(3, Name.ORDER_UPDATED, {"SKU-A": (1, 500)}))
    added, order = tell(order, later)
    assert net(log + added) == 500
    added, _ = tell(order, by("web", told(4, Name.ORDER_UPDATED, HALF)))
    assert [e.name for e in added] == ["Order Updated"]


def test_an_exchange_that_the_orders_own_source_tells_of_is_one() -> None:
    page = by("web", told(1, Name.ORDER_COMPLETED, ORDERED))
    log, _ = play(page, by("web", told(2, Name.ORDER_UPDATED, SKUS)))
    assert [e.name for e in log][2:] == ["Order Refunded", "Order Completed"]


def test_a_refund_under_other_names_leaves_what_it_should() -> None:
    page = by("web", told(1, Name.ORDER_COMPLETED, ORDERED))
    back = by("web", refund(2, HALF))
    log, _ = play(page, back, by("shopify", told(3, Name.ORDER_UPDATED, SKUS)))
    assert net(log) == 500


@pytest.mark.parametrize(
    ("second", "left"),
    [
        (by("shopify", refund(3, {"SKU-A": (1, 500)}), refund_id="9"), 500),
        (by("shopify", refund(3, amount=480, cost=20), refund_id="9"), 500),
        (by("shopify", refund(3, amount=300), refund_id="9"), 200),
        (by("web", refund(3, HALF)), 0),
        (by("shopify", refund(90, HALF)), 0),
    ],
    ids=["its money", "all paid back", "other money", "same source", "much later"],
)
def test_a_refund_that_two_sources_tell_of_counts_once(second: Event, left: int) -> None:
    page = by("web", told(1, Name.ORDER_COMPLETED, ORDERED))
    log, _ = play(page, by("web", refund(2, HALF)), second)
    assert net(log) == left


def test_two_refunds_told_by_two_sources_each_count_twice_in_all() -> None:
    tellings = [
        by(source, refund(n, HALF), **({"refund_id": str(n)} if source == "shopify" else {}))
        for n, source in ((2, "web"), (3, "shopify"), (4, "shopify"), (5, "web"))
    ]
    log, _ = play(by("web", told(1, Name.ORDER_COMPLETED, {"a": (4, 500)})), *tellings)
    assert net(log) == 1000


def shopify(event: Event, order_id: str = "5001", name: str = "A") -> Event:
    more = {**event.properties, "order_name": name}
    return msgspec.structs.replace(event, order_id=order_id, properties=more, source="shopify")


@pytest.mark.parametrize("first", ["order", "refund"])
def test_an_order_that_a_file_named_otherwise_is_the_same_order(
    make_bench: Callable[[], Bench], first: str
) -> None:
    """Shopify's exports name an order #1001, its webhooks by an id too: with the first webhook of
    an old order it counted twice."""
    bench = make_bench()
    bench.orders("order,customer,sku,qty,price,date\nA,k1,a,2,5,2024-01-05\n")
    update = shopify(told(3, Name.ORDER_UPDATED, ORDERED))
    back = msgspec.structs.replace(refund(2, HALF, subject=None), order_id="5001", source="shopify")
    for event in (update, back) if first == "order" else (back, update):
        with bench.store.write() as tx:
            bench.store.log.append(settle_orders(bench.store, tx, [event]), tx=tx)
    assert net(bench.log()) == 500
    assert sum(e.name == Name.ORDER_COMPLETED for e in bench.log()) == 1
    (taken,) = (e for e in bench.log() if e.name == Name.ORDER_REFUNDED and e.amount_cents)
    assert taken.order_id == "A"


def test_an_order_of_that_name_with_other_goods_is_another(make_bench: Callable[[], Bench]) -> None:
    bench = make_bench()
    bench.orders("order,customer,sku,qty,price,date\nA,k1,a,2,5,2024-01-05\n")
    other = shopify(told(3, Name.ORDER_UPDATED, {"z": (1, 700)}))
    with bench.store.write() as tx:
        bench.store.log.append(settle_orders(bench.store, tx, [other]), tx=tx)
    assert net(bench.log()) == 1700
