"""The answers over a shop that went the whole road: whole, in order, and nothing twice."""

from collections.abc import Callable

import pytest

from lingxi.app.queries import customers as customer_queries
from lingxi.app.queries import items as item_queries
from lingxi.app.shop import Shop
from lingxi.app.views import CustomersView, ItemsView
from lingxi.errors import InvalidInput, UnknownCustomer, UnknownItem
from lingxi.i18n import Translator


def walk_customers(shop: Shop, n: int, **filters: str) -> list[str]:
    """All customers of a list, page by page."""
    found: list[str] = []
    cursor = None
    while True:
        page: CustomersView = shop.answers.customers(cursor=cursor, n=n, **filters)
        found += [row.customer_id for row in page.rows]
        if page.next_cursor is None:
            assert len(found) == page.total
            return found
        cursor = page.next_cursor


@pytest.mark.parametrize("sort", [*customer_queries.SORTS])
@pytest.mark.parametrize("sign", ["", "-"])
def test_pages_of_customers_hold_everyone_once_in_order(
    demo_shop: Shop, sort: str, sign: str
) -> None:
    ids = walk_customers(demo_shop, 37, sort=sign + sort)
    assert len(ids) == len(set(ids)) == demo_shop.answers.overview().customers
    field = {"revenue": "revenue_cents", "last_order": "last_order_at"}.get(sort, sort)
    field = {"churn": "churn_probability", "value": "value_cents"}.get(sort, field)
    rows = demo_shop.answers.customers(sort=sign + sort, n=500).rows
    values = [getattr(row, field) for row in rows]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=bool(sign))
    assert values[len(known) :] == [None] * (len(values) - len(known))


def test_filters_partition_the_customers(demo_shop: Shop) -> None:
    everyone = walk_customers(demo_shop, 100)
    stages = demo_shop.answers.overview().stages
    by_stage = {stage: walk_customers(demo_shop, 100, stage=stage) for stage in stages}
    assert {stage: len(ids) for stage, ids in by_stage.items()} == dict(stages)
    assert sorted(each for ids in by_stage.values() for each in ids) == sorted(everyone)


def test_search_by_the_beginning_of_an_id(demo_shop: Shop) -> None:
    wanted = demo_shop.answers.customers(n=1).rows[0].customer_id
    found = demo_shop.answers.customers(search=wanted).rows
    assert wanted in [row.customer_id for row in found]
    hits = demo_shop.answers.search(wanted).hits
    assert ("customer", wanted) in [(hit.kind, hit.id) for hit in hits]
    assert demo_shop.answers.search("%").hits == ()


@pytest.mark.parametrize(
    "ask",
    [
        lambda a: a.customers(sort="shoe_size"),
        lambda a: a.customers(cursor="not-a-cursor"),
        lambda a: a.customers(cursor=a.items(n=1).next_cursor),
        lambda a: a.customers(n=0),
        lambda a: a.customers(n=10**9),
        lambda a: a.items(sort="weight"),
        lambda a: a.items(cursor="!!!"),
        lambda a: a.plan(cursor="WyJhIl0"),
        lambda a: a.quarantine(cursor="WyJhIl0"),
        lambda a: a.recommendations(None, n=0),
        lambda a: a.recommendations(None, n=10**6),
        lambda a: a.recommendations(None, history=["x"] * 101),
    ],
)
def test_wrong_input_is_named(demo_shop: Shop, ask: Callable[..., object]) -> None:
    with pytest.raises(InvalidInput):
        ask(demo_shop.answers)


def test_unknown_customer_and_item_are_named(demo_shop: Shop) -> None:
    with pytest.raises(UnknownCustomer, match="nobody"):
        demo_shop.answers.customer("nobody")
    with pytest.raises(UnknownItem, match="nothing"):
        demo_shop.answers.item("nothing")
    with pytest.raises(UnknownItem):
        demo_shop.answers.similar("nothing")


def test_customer_view_agrees_with_list_and_plan(demo_shop: Shop) -> None:
    for row in demo_shop.answers.customers(sort="-value", n=5).rows:
        view = demo_shop.answers.customer(row.customer_id)
        assert (view.stage, view.segment, view.orders) == (row.stage, row.segment, row.orders)
        assert view.revenue_cents == row.revenue_cents
        assert view.value_cents == row.value_cents
        assert view.action is not None
        assert view.action.action == row.action
        assert view.features["frequency"] is not None
        if view.churn is not None:
            assert view.churn.probability == row.churn_probability
            assert view.churn.reasons


@pytest.mark.parametrize(("place", "n"), [(0, 61), (60, 7)])
def test_timeline_pages_hold_every_event_once(demo_shop: Shop, place: int, n: int) -> None:
    customer = demo_shop.answers.customers(sort="-orders", n=100).rows[place].customer_id
    entries, before = [], None
    while True:
        view = demo_shop.answers.customer(customer, before=before, n=n)
        entries += view.timeline
        if view.next_cursor is None:
            break
        before = view.next_cursor
    ids = [entry.event_id for entry in entries]
    assert len(ids) > 3 * n
    assert len(ids) == len(set(ids))
    whole = demo_shop.answers.customer(customer, n=500).timeline
    assert ids[:500] == [entry.event_id for entry in whole]
    moments = [entry.occurred_at for entry in entries]
    assert moments == sorted(moments, reverse=True)
    orders = [e for e in entries if e.name == "Order Completed"]
    assert len(orders) >= view.orders


def test_plan_pages_hold_everyone_once_and_its_totals_add_up(demo_shop: Shop) -> None:
    rows, cursor = [], None
    while True:
        page = demo_shop.answers.plan(cursor=cursor, n=41)
        rows += page.rows
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len({row.customer_id for row in rows}) == len(rows) == page.customers
    assert sum(row.expected_value_cents or 0 for row in rows) == page.expected_value_cents
    assert sum(page.by_action.values()) == page.customers
    words = {language: Translator(language) for language in ("en", "zh")}
    for row in rows:
        for translator in words.values():
            assert "{" not in translator.text(row.reason)


def test_items_are_listed_with_what_they_sold(demo_shop: Shop) -> None:
    found: list[str] = []
    cursor = None
    while True:
        page: ItemsView = demo_shop.answers.items(cursor=cursor, n=13)
        found += [row.item_id for row in page.rows]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len(found) == len(set(found)) == page.total
    best = demo_shop.answers.items(n=1).rows[0]
    view = demo_shop.answers.item(best.item_id)
    assert view.item == best
    assert best.item_id not in [item.item_id for item in view.similar]
    assert all(0 < pair.confidence <= 1 and pair.lift > 0 for pair in view.bought_together)
    assert set(item_queries.SORTS) >= {"revenue", "item_id"}


def test_overview_agrees_with_its_weeks(demo_shop: Shop) -> None:
    view = demo_shop.answers.overview()
    assert view.customers == sum(view.stages.values())
    assert sum(view.todo.values()) == view.customers
    last = view.weeks[-1]
    assert {s: n for s, n in last.stages.items() if n} == {
        s: n for s, n in view.stages.items() if n
    }
    month = view.weeks[-4:]
    assert sum(week.orders for week in month) <= view.orders
    assert view.orders <= sum(week.orders for week in view.weeks[-5:])


def test_quality_counts_what_waits_in_quarantine(demo_shop: Shop) -> None:
    quality = demo_shop.answers.quality()
    assert len(quality.imports) == 3
    for report in quality.imports:
        assert report.lines_in == report.lines_kept + report.lines_set_aside
    assert quality.quarantined == sum(quality.quarantined_by_reason.values())
    seen, cursor = 0, None
    while True:
        page = demo_shop.answers.quarantine(cursor=cursor, n=100)
        seen += len(page.rows)
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == quality.quarantined
