"""Single customers, by hand: every kind of condition, current with the last event."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from lingxi.app.shop import Shop
from lingxi.catalogue import put_items
from lingxi.errors import InvalidInput, UnknownList, UnknownSegment
from lingxi.ingest.consent import consent_event
from lingxi.profiles import put_traits
from lingxi.schema import Item
from lingxi.segments import Segment, add_to_list, put_segment, read_rule, remove_from_list
from lingxi.segments.bulk import Crowd, compile_rule
from lingxi.segments.lists import put_list
from segments.happenings import NOW, happen, make_customers


def holds(shop: Shop, form: object, customer: int, later_days: float = 0.0) -> bool:
    with shop.store.read() as tx:
        now = NOW + timedelta(days=later_days)
        return shop.judge.matches(tx, read_rule(form), customer, now)


def test_how_often_within_a_window_to_the_microsecond(shop: Shop) -> None:
    (a,) = make_customers(shop, "a")
    views = [happen("Product Viewed", a, days_ago=days) for days in (30, 29, 1)]
    shop.store.log.append(views)
    rule = {"did": "Product Viewed", "within_days": 30}
    assert holds(shop, {**rule, "times": 2}, a)  # an age of the whole window is outside it
    assert not holds(shop, {**rule, "at_least": 3}, a)
    assert holds(shop, {**rule, "older_than_days": 29, "times": 1}, a)
    assert holds(shop, {"did_not": "Product Viewed", "within_days": 1}, a)
    assert not holds(shop, {"did_not": "Product Viewed", "within_hours": 25}, a)
    assert holds(shop, {"did_not": "Product Viewed", "within_days": 30}, a, later_days=29)
    assert not holds(shop, {"did": "Product Viewed"}, a, later_days=-31)


def test_first_and_last_and_properties(shop: Shop) -> None:
    (a,) = make_customers(shop, "a")
    shop.store.log.append(
        [
            happen("Quiz", a, days_ago=9, properties={"result": "red", "score": 3}),
            happen("Quiz", a, days_ago=2, properties={"result": "blue", "score": 5}),
        ]
    )
    red = {"where": [{"property": "result", "equals": "red"}]}
    assert holds(shop, {"did": "Quiz", "which": "first", **red}, a)
    assert not holds(shop, {"did": "Quiz", "which": "last", **red}, a)
    assert holds(shop, {"did": "Quiz", **red, "times": 1}, a)
    assert not holds(shop, {"did": "Quiz", **red, "within_days": 8}, a)
    assert not holds(shop, {"did": "Quiz", "which": "first", "within_days": 8}, a)
    many = {"aggregate": "average", "of": "score", "event": "Quiz"}
    assert holds(shop, {**many, "equals": 4}, a)
    assert holds(shop, {**many, "within_days": 3, "equals": 5}, a)
    assert not holds(shop, {**many, "within_days": 1, "at_most": 99}, a)  # of nothing: unknown


def test_items_categories_and_sums_of_lines(shop: Shop) -> None:
    (a,) = make_customers(shop, "a")
    items = [Item(item_id="x", category="Lamps"), Item(item_id="y", category_path=("Home", "Rugs"))]
    with shop.store.write() as tx:
        put_items(shop.store, tx, items, now=NOW)
    bought = happen("Order Completed", a, items=("x", "x", "z"), amount_cents=900, order_id="1")
    shop.store.log.append([bought, happen("Product Viewed", a, items=("y",))])
    assert holds(shop, {"bought": {"categories": ["Lamps"]}}, a)
    assert not holds(shop, {"bought": {"categories": ["Rugs"]}}, a)
    assert holds(shop, {"viewed": {"categories": ["Home"], "items": ["q"]}}, a)
    assert holds(shop, {"viewed": {"categories": ["Home > Rugs"]}}, a)
    assert holds(shop, {"viewed": {"categories": ["Home>Rugs"]}}, a)
    assert not holds(shop, {"viewed": {"categories": ["Rugs > Home"]}}, a)
    assert holds(shop, {"bought": {"items": ["z"]}, "times": 1}, a)
    kinds = {"aggregate": "distinct", "of": "item_id", "event": "Order Completed"}
    assert holds(shop, {**kinds, "equals": 2}, a)
    units = {"aggregate": "sum", "of": "quantity", "event": "Order Completed"}
    assert holds(shop, {**units, "equals": 3}, a)
    assert holds(shop, {**units, "where": [{"property": "item_id", "equals": "x"}], "equals": 2}, a)
    money = {"aggregate": "sum", "of": "amount_cents", "event": "Order Completed"}
    assert holds(shop, {**money, "equals": 900}, a)


def test_traits_scores_consent_lists_and_buckets(shop: Shop) -> None:
    a, b = make_customers(shop, "a", "b")
    put_traits(shop.store, a, {"plan": "gold", "age": "31", "born": "1995-03-04"})
    order = happen("Order Completed", a, amount_cents=5000, order_id="7", country="GB")
    no = consent_event(a, "marketing", "email", granted=False, now=NOW, source="test")
    shop.store.log.append([order, no])
    assert holds(shop, {"trait": "plan", "one_of": ["gold", "black"]}, a)
    assert holds(shop, {"trait": "age", "more_than": 30}, a)
    assert not holds(shop, {"trait": "age", "more_than": 31}, a)
    assert holds(shop, {"trait": "born", "before": "2000-01-01"}, a)
    assert holds(shop, {"trait": "plan", "known": False}, b)
    assert not holds(shop, {"trait": "plan", "not_equals": "silver"}, b)
    assert holds(shop, {"score": "orders", "at_least": 1}, a)
    assert holds(shop, {"score": "country", "equals": "GB"}, a)
    assert holds(shop, {"score": "last_order_at", "within_days": 2}, a)
    assert holds(shop, {"score": "last_order_at", "older_than_days": 2}, a, later_days=1)
    refused = {"consent": "marketing", "channel": "email", "granted": False}
    assert [holds(shop, refused, each) for each in (a, b)] == [True, False]
    assert holds(shop, {"consent": "marketing", "channel": "sms"}, a)
    with shop.store.write() as tx:
        put_list(tx, "staff", "Staff", NOW)
        assert add_to_list(tx, "staff", b, NOW, log=shop.store.log)
        assert not add_to_list(tx, "staff", b, NOW, log=shop.store.log)
    assert holds(shop, {"list": "staff"}, b)
    with shop.store.write() as tx:
        assert remove_from_list(tx, "staff", b, NOW, log=shop.store.log)
        with pytest.raises(UnknownList):
            add_to_list(tx, "stuff", b, NOW, log=shop.store.log)
    assert not holds(shop, {"list": "staff"}, b)
    halves = [{"random": "s", "to": 0.5}, {"random": "s", "from": 0.5}]
    assert [holds(shop, half, a) for half in halves].count(True) == 1


def test_the_later_word_counts_for_everybody_as_for_one(shop: Shop) -> None:
    consent = replace(shop.store.settings.consent, marketing="assumed", analytics="required")
    shop.store.settings = replace(shop.store.settings, consent=consent)
    words = [None, (True, 0), (False, 0), (True, 1), (False, 1)]
    pairs = list(product(words, words))
    people = make_customers(shop, *(f"c{number}" for number in range(len(pairs))))
    shop.store.log.append(
        [
            consent_event(
                who,
                purpose,
                channel,
                granted=word[0],
                now=NOW + timedelta(days=word[1]),
                source="t",
            )
            for who, pair in zip(people, pairs, strict=True)
            for channel, word in zip(("*", "email"), pair, strict=True)
            for purpose in ("marketing", "analytics")
            if word is not None
        ]
    )
    for purpose, channel in product(("marketing", "analytics"), ("email", "*", "sms")):
        rule = {"consent": purpose, "channel": channel}
        alone = [who for who in people if holds(shop, rule, who, later_days=1)]
        with shop.store.analytics() as analytics:
            crowd = Crowd(shop.store, shop.judge.scores, analytics, NOW + timedelta(days=1))
            table = analytics.to_arrow(compile_rule(crowd, read_rule(rule)))
        assert sorted(table["customer"].to_pylist()) == alone
        assert 0 < len(alone) < len(people)


def test_segments_in_segments_and_no_circles(shop: Shop) -> None:
    a, b = make_customers(shop, "a", "b")
    shop.store.log.append([happen("Order Completed", a)])
    with shop.store.write() as tx:
        buyers = read_rule({"did": "Order Completed"})
        assert put_segment(tx, Segment("buyers", "Buyers", buyers), NOW).version == 1
        put_segment(tx, Segment("others", "Others", read_rule({"not": {"segment": "buyers"}})), NOW)
        with pytest.raises(InvalidInput, match="buyers → others → buyers"):
            put_segment(tx, Segment("buyers", "Buyers", read_rule({"segment": "others"})), NOW)
        with pytest.raises(InvalidInput, match="did you mean 'buyers'"):
            put_segment(tx, Segment("x", "X", read_rule({"segment": "buyer"})), NOW)
    with shop.store.read() as tx:
        judge = shop.judge
        assert judge.is_member(tx, "buyers", a, NOW)
        assert judge.is_member(tx, "others", b, NOW)
        assert not judge.is_member(tx, "others", a, NOW)
        with pytest.raises(UnknownSegment):
            judge.is_member(tx, "nobody", a, NOW)
        told = judge.explain(tx, read_rule({"all": [{"segment": "buyers"}, {"list": "x"}]}), a, NOW)
        assert [part.holds for part in told.parts] == [True, False]
        for wrong in ({"score": "churn"}, {"stage": "loyall"}, {"list": "nope"}):
            with pytest.raises((InvalidInput, UnknownList)):
                judge.check(tx, read_rule(wrong))


def test_who_is_nobody_is_in_nothing(shop: Shop) -> None:
    make_customers(shop, "a")
    assert not holds(shop, {"everyone": True}, 12345)
    assert not holds(shop, {"not": {"did": "Order Completed"}}, 12345)
