"""The one form of a rule: read, written, and refused by path."""

import pytest

from lingxi.errors import InvalidInput
from lingxi.segments import read_rule, read_segment, write_rule

RULES = [
    {"everyone": True},
    {"trait": "plan", "equals": "gold"},
    {"trait": "birthday", "in_next_days": 7.0},
    {"trait": "age", "at_least": 18.0, "less_than": 30.0},
    {"trait": "signed_up", "after": "2026-01-01T00:00:00Z"},
    {"trait": "plan", "one_of": ["gold", "silver"]},
    {"score": "churn_probability", "more_than": 0.5},
    {"score": "country", "known": False},
    {"stage": ["loyal", "at_risk"]},
    {"consent": "marketing", "channel": "email"},
    {"consent": "analytics", "granted": False},
    {"did": "Order Completed"},
    {"did": "Order Completed", "at_least": 2, "at_most": 5, "within_days": 30},
    {"did": "Product Viewed", "times": 3, "within_hours": 36, "older_than_minutes": 5},
    {"did": "Order Completed", "which": "first", "within_days": 7},
    {"did": "Quiz", "where": [{"property": "score", "at_least": 3.0}]},
    {"did": "Quiz", "after": "2025-01-01T00:00:00Z", "before": "2026-01-01T00:00:00Z"},
    {"did_not": "Order Completed", "within_minutes": 432},
    {"bought": {"items": ["a"], "categories": ["Lamps"]}, "within_days": 90},
    {"viewed": {"categories": ["Lamps"]}, "at_least": 3},
    {"aggregate": "sum", "of": "amount_cents", "event": "A", "within_days": 365, "at_least": 1.0},
    {"aggregate": "count", "event": "Product Viewed", "less_than": 3.0},
    {"segment": "vip"},
    {"list": "staff"},
    {"random": "test", "from": 0.0, "to": 0.1},
    {"all": [{"did": "A"}, {"any": [{"did": "B"}, {"not": {"did": "C"}}]}]},
]  # fmt: skip


@pytest.mark.parametrize("form", RULES)
def test_what_is_written_is_what_was_read(form: dict[str, object]) -> None:
    assert write_rule(read_rule(form)) == form


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({}, "rule: a condition has exactly one of"),
        ("vip", "rule: a condition is an object"),
        ({"dif": "Order Completed"}, "did you mean 'did'?"),
        ({"did": "A", "list": "x"}, "has exactly one of"),
        ({"all": []}, "rule.all: is a list of 1 to 1000 entries"),
        ({"all": [{"did": "A"}, {"did": ""}]}, "rule.all[1].did: is a text"),
        ({"not": {"did": "A", "times": -1}}, "rule.not.times: is a whole number from 0"),
        ({"did": "A", "within_day": 3}, "no 'within_day' here (did you mean 'within_days'?)"),
        ({"did": "A", "within_days": 3, "within_hours": 3}, "within_days and within_hours"),
        ({"did": "A", "within_days": 3, "older_than_days": 3}, "older_than is not shorter"),
        ({"did": "A", "at_least": 3, "at_most": 2}, "rule.at_most: is less than at_least"),
        ({"did": "A", "which": "first", "times": 2}, "rule.which: cannot stand beside"),
        ({"did": "A", "where": [{"property": "x"}]}, "rule.where[0]: say what it must be"),
        ({"did": "A", "after": "soon"}, "rule.after: is a moment such as"),
        ({"did": "Segment Entered"}, "write 'segment: NAME'"),
        ({"trait": "age", "at_least": "18"}, "rule.at_least: is a number"),
        ({"trait": "age", "at_least": float("nan")}, "rule.at_least: is a number"),
        ({"consent": "marketting"}, "did you mean 'marketing'?"),
        ({"consent": "marketing", "channel": "fax"}, "rule.channel: 'fax' is none of"),
        ({"bought": {}}, "rule.bought: needs items or categories"),
        ({"aggregate": "sum", "event": "A", "at_least": 1}, "'of' is missing"),
        ({"random": "x", "from": 0.5, "to": 0.4}, "rule.to: is less than from"),
        ({"random": "x", "to": 2}, "rule.to: is a share from 0 to 1"),
    ],
)
def test_a_mistake_is_named_by_its_path(form: object, told: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_rule(form)
    assert told in str(caught.value)


def test_a_rule_may_not_be_endless() -> None:
    deep: dict[str, object] = {"did": "A"}
    for _ in range(40):
        deep = {"not": deep}
    with pytest.raises(InvalidInput, match="levels deep"):
        read_rule(deep)
    with pytest.raises(InvalidInput, match="200 conditions"):
        read_rule({"all": [{"did": "A"}] * 300})


def test_a_segment_needs_a_name_and_a_rule() -> None:
    assert read_segment({"name": "vip", "rule": {"everyone": True}}).title == "vip"
    for wrong in ({"name": "V I P", "rule": {"everyone": True}}, {"name": "vip"}, []):
        with pytest.raises(InvalidInput):
            read_segment(wrong)
    with pytest.raises(InvalidInput, match="did you mean 'title'"):
        read_segment({"name": "vip", "titel": "x", "rule": {"everyone": True}})
