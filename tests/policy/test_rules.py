"""Each rule by a customer it is meant for, and the order in which they are asked."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingxi.coupons.file import read_offer
from lingxi.coupons.openness import OpenOffer
from lingxi.coupons.usual import USUAL_OFFERS
from lingxi.i18n import Translator, load_catalogue
from lingxi.policy import Candidate, Due, ShopFacts, make_plan
from lingxi.policy.candidate import NO_OFFER
from lingxi.policy.rules import NO_RULE, RULES, decide

SHOP = ShopFacts(
    currency="GBP",
    gap_days=40.0,
    horizon_days=90,
    order_cents=3000,
    value_median_cents=10_000,
    delivery_cents=395,
)
ACTIVE = Candidate(
    customer=1,
    stage="active",
    segment="loyal_customers",
    orders=4,
    net_revenue_cents=20_000,
    tenure_days=300.0,
    recency_days=35.0,
    gap_days=40.0,
    return_rate=0.0,
    churn_probability=0.25,
    churn_level="low",
    value_cents=12_000,
    order_cents=5000,
    item_ids=("A", "B"),
)


def variant(**changes: object) -> Candidate:
    return dataclasses.replace(ACTIVE, **changes)


@pytest.mark.parametrize(
    ("customer", "rule", "action", "offer"),
    [
        (ACTIVE, "cross_sell", "cross_sell", "none"),
        (variant(recency_days=12.0), "leave_alone", "leave_alone", "none"),
        (variant(recency_days=1.0), "leave_alone", "leave_alone", "none"),
        (variant(stage="won_back", recency_days=3.0), "leave_alone", "leave_alone", "none"),
        (
            variant(stage="registered", orders=0, recency_days=None, tenure_days=3.0),
            "welcome",
            "welcome",
            "free_shipping",
        ),
        (
            variant(stage="registered", orders=0, recency_days=None, tenure_days=90.0),
            "welcome",
            "leave_alone",
            "none",
        ),
        (
            variant(stage="new", orders=1, recency_days=20.0, churn_level="high"),
            "second_order",
            "second_order",
            "percent_10",
        ),
        (
            variant(stage="new", orders=1, recency_days=20.0),
            "second_order",
            "second_order",
            "none",
        ),
        (
            variant(stage="new", orders=1, recency_days=2.0),
            "second_order",
            "leave_alone",
            "none",
        ),
        (
            variant(stage="loyal", recency_days=3.0),
            "loyalty_thanks",
            "loyalty_thanks",
            "early_access",
        ),
        (
            variant(due=Due("A", "Coffee", 5, 30.0, 31.0)),
            "replenishment",
            "replenishment",
            "none",
        ),
        (variant(stage="at_risk", recency_days=90.0), "win_back", "win_back", "none"),
        (variant(stage="lapsed", recency_days=150.0), "win_back", "win_back", "percent_10"),
        (
            variant(stage="lapsed", recency_days=150.0, value_cents=100),
            "win_back",
            "win_back",
            "free_shipping",
        ),
        (
            variant(stage="lost", recency_days=400.0, net_revenue_cents=2999),
            "win_back",
            "leave_alone",
            "none",
        ),
        (variant(net_revenue_cents=0), "leave_alone", "leave_alone", "none"),
        (variant(return_rate=0.51), "leave_alone", "leave_alone", "none"),
        (variant(item_ids=()), NO_RULE, "leave_alone", "none"),
    ],
)
def test_rule_decides_for_whom_it_is_meant(
    customer: Candidate, rule: str, action: str, offer: str
) -> None:
    decided, proposal = decide(customer, SHOP)
    assert (decided, proposal.action, proposal.offer) == (rule, action, offer)


def test_replenished_item_stands_first_and_once() -> None:
    _, proposal = decide(variant(due=Due("B", "Tea", 4, 20.0, 22.0)), SHOP)
    assert proposal.item_ids == ("B", "A")


def test_expected_value_is_next_order_less_offer() -> None:
    line = make_plan([variant(stage="lapsed", recency_days=150.0)], SHOP)[0]
    assert line.expected_value_cents == round(0.75 * (5000 - 500))


def test_value_is_unknown_where_churn_is() -> None:
    plan = make_plan([variant(churn_probability=None), variant(customer=2)], SHOP)
    assert [line.expected_value_cents is None for line in plan] == [False, True]


customers = st.builds(
    Candidate,
    customer=st.integers(1, 10**6),
    stage=st.sampled_from(
        ["registered", "new", "active", "loyal", "at_risk", "lapsed", "lost", "won_back"]
    ),
    segment=st.just("champions"),
    orders=st.integers(0, 50),
    net_revenue_cents=st.integers(-(10**7), 10**8),
    tenure_days=st.floats(0, 5000),
    recency_days=st.none() | st.floats(0, 5000),
    gap_days=st.none() | st.floats(0, 2000),
    return_rate=st.none() | st.floats(0, 1),
    churn_probability=st.none() | st.floats(0, 1),
    churn_level=st.sampled_from([None, "low", "medium", "high"]),
    value_cents=st.integers(0, 10**8),
    order_cents=st.integers(0, 10**7),
    item_ids=st.lists(st.sampled_from("ABC"), unique=True).map(tuple),
    due=st.none() | st.just(Due("A", "Coffee", 3, 30.0, 31.0)),
)


@given(st.lists(customers, max_size=20))
def test_everyone_is_in_the_plan_once_with_words_in_both_languages(
    candidates: list[Candidate],
) -> None:
    plan = make_plan(candidates, SHOP)
    assert sorted(p.customer.customer for p in plan) == sorted(c.customer for c in candidates)
    values = [p.expected_value_cents for p in plan]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=True)
    assert values[len(known) :] == [None] * (len(values) - len(known))
    for line in plan:
        assert line.rule in RULES or line.rule == NO_RULE
        assert line.proposal.offer in {NO_OFFER, *(each.name for each in USUAL_OFFERS)}
        for language in ("en", "zh"):
            words = Translator(language)
            assert words.text(line.proposal.reason)
            assert f"action.{line.proposal.action}" in load_catalogue(language)
            assert words.text(f"channel.{line.proposal.channel}")
        silent = line.proposal.action == "leave_alone"
        assert silent == (line.proposal.channel == "none")


LAPSED = variant(stage="lapsed", recency_days=150.0)


def make_shop(*offers: OpenOffer) -> ShopFacts:
    return dataclasses.replace(SHOP, offers=offers)


def win_back(name: str = "own", percent: float = 10, **parts: Any) -> OpenOffer:
    plan = {"occasions": ["win_back_valued"], **parts.pop("plan", {})}
    left, budget = parts.pop("left", None), parts.pop("budget", None)
    raw = {"benefit": {"kind": "percent", "percent": percent}, "plan": plan, **parts}
    return OpenOffer(read_offer(raw, name=name), left, budget)


def test_the_plan_takes_the_cheapest_of_the_shop_s_own_offers() -> None:
    shop = make_shop(win_back("twenty", 20), win_back("seven", 7), win_back("nine", 9))
    line = make_plan([LAPSED], shop)[0]
    assert line.proposal.offer == "seven"
    assert line.expected_value_cents == round(0.75 * (5000 - 350))


@pytest.mark.parametrize(
    ("parts", "changes", "given"),
    [
        ({"plan": {"margin_floor": 30}}, {"margin_share": 0.40}, True),
        ({"plan": {"margin_floor": 30}}, {"margin_share": 0.39}, False),
        ({"plan": {"margin_floor": 30}}, {}, False),  # no margin is known
        ({"conditions": {"segment": "vips"}}, {"segments": frozenset({"vips"})}, True),
        ({"conditions": {"segment": "vips"}}, {}, False),
        ({"conditions": {"first_order": True}}, {}, False),
        ({}, {"used_offers": frozenset({"own"})}, False),
        ({"budget": 500}, {}, True),
        ({"budget": 499}, {}, False),
        ({"plan": {"occasions": ["welcome"]}}, {}, False),
    ],
)
def test_an_offer_is_chosen_only_where_it_may_be_used_and_leaves_its_margin(
    parts: dict[str, Any], changes: dict[str, Any], given: bool
) -> None:
    line = make_plan([dataclasses.replace(LAPSED, **changes)], make_shop(win_back(**parts)))[0]
    assert line.proposal.action == "win_back"
    assert line.proposal.offer == ("own" if given else NO_OFFER)


def test_what_is_left_goes_to_whom_the_most_is_expected_of() -> None:
    people = [dataclasses.replace(LAPSED, customer=n, value_cents=12_000 + n) for n in range(1, 6)]
    by_count = make_plan(people, make_shop(win_back(left=2)))
    by_budget = make_plan(people, make_shop(win_back(budget=1_499)))
    for plan in (by_count, by_budget):
        assert {p.customer.customer for p in plan if p.proposal.offer == "own"} == {4, 5}
