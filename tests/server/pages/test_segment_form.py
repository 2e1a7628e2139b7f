"""A rule as a form and back, and the builder's buttons."""

import pytest

from lingxi.segments import read_rule, write_rule
from lingxi.server.pages.segment_form import NEW, Node, as_group, change, spell, understand

RULES = [
    {"all": [{"did": "Order Completed", "at_least": 2, "within_days": 30}]},
    {"any": [{"did_not": "A"}, {"not": {"did": "B", "which": "last"}}]},
    {"all": [{"bought": {"items": ["a", "b"], "categories": ["Lamps"]}, "at_least": 2}]},
    {"all": [{"trait": "plan", "equals": "7"}, {"trait": "age", "at_least": 7, "less_than": 9.5}]},
    {"all": [{"score": "country", "one_of": ["GB", "FR"]}, {"score": "orders", "known": False}]},
    {"all": [{"did": "Quiz", "where": [{"property": "result", "equals": "red"}]}]},
    {
        "all": [
            {"aggregate": "sum", "of": "amount_cents", "event": "A", "at_least": 5},
            {"any": [{"stage": ["loyal", "new"]}, {"everyone": True}]},
            {"consent": "marketing", "channel": "email", "granted": False},
            {"random": "x", "from": 0, "to": 0.1},
            {"did": "A", "within_hours": 5, "after": "2026-01-01T00:00:00Z"},
        ]
    },
]


def collect(node: Node) -> dict[str, str]:
    """What a browser would send for the form."""
    found: dict[str, str] = {}
    for part in node.parts:
        found |= collect(part)
    if node.kind not in ("all", "any", "not"):
        found[f"{node.path}.{node.kind}/"] = ""
    for entry in node.entries:
        found[entry.name] = entry.value
    for row in (*node.tests, *node.where):
        found |= {f"{row.name}/op": row.op, f"{row.name}/value": row.value}
        if row.property is not None:
            found[f"{row.name}/property"] = row.property
    return found


@pytest.mark.parametrize("rule", RULES)
def test_a_form_sent_unchanged_says_the_same_rule(rule: dict[str, object]) -> None:
    said = understand(collect(spell(rule)))
    assert write_rule(read_rule(said)) == write_rule(read_rule(rule))


def test_conditions_are_added_removed_and_turned() -> None:
    rule = as_group({"did": "A"})
    rule = change(rule, "add:r:trait")
    rule = change(rule, "add:r:any")
    assert rule == {"all": [{"did": "A"}, NEW["trait"], NEW["any"]]}
    rule = change(rule, "add:r.all.2:list")
    rule = change(rule, "turn:r.all.2")
    rule = change(rule, "remove:r.all.1")
    assert rule == {"all": [{"did": "A"}, {"all": [{"did": "Product Viewed"}, NEW["list"]]}]}
    for nonsense in ("", "add:r.all.9:did", "remove:r", "remove:r.all.x", "add:r:zzz"):
        assert change(rule, nonsense) == rule
