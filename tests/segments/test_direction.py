"""Which rules one more event can move in one direction only; held against the rules themselves."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from lingxi.schema import Event
from lingxi.segments import read_rule
from lingxi.segments.direction import FALLING, RISING, find_directions
from lingxi.segments.facts import Facts
from lingxi.segments.needs import list_references
from lingxi.segments.predicate import Predicates
from lingxi.store.codec import to_rows
from lingxi.store.tables import to_micros
from segments.happenings import NOW
from segments.random_rules import histories, rules

VIEWED: dict[str, Any] = {"did": "Product Viewed", "at_least": 2, "within_days": 7}
NONE: dict[str, Any] = {"did_not": "Product Viewed", "within_days": 7}


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (VIEWED, {"Product Viewed": RISING}),
        (NONE, {"Product Viewed": FALLING}),
        ({"not": VIEWED}, {"Product Viewed": FALLING}),
        ({"not": {"not": VIEWED}}, {"Product Viewed": RISING}),
        ({"any": [VIEWED, {"stage": ["loyal"]}]}, {"Product Viewed": RISING}),
        ({"all": [VIEWED, NONE]}, {}),
        ({**VIEWED, "at_most": 3}, {}),
        ({"did": "Product Viewed", "which": "last", "within_days": 7}, {}),
        (
            {"aggregate": "sum", "of": "amount_cents", "event": "Order Completed", "at_least": 1},
            {},
        ),
        ({"score": "orders", "at_least": 1}, {}),
        (
            {"all": [NONE, {"did": "Product Added"}]},
            {"Product Viewed": FALLING, "Product Added": RISING},
        ),
    ],
)
def test_the_direction_of_a_rule(form: dict[str, Any], expected: dict[str, int]) -> None:
    assert find_directions(read_rule(form)) == expected


def make_facts(events: Sequence[Event]) -> Facts:
    rows: dict[str, list[tuple[int, int, bytes]]] = {}
    for position, each in enumerate(events, 1):
        payload = to_rows([each], position)[0][-1]
        rows.setdefault(each.name, []).append((to_micros(each.occurred_at), position, payload))
    ordered = {name: sorted(found) for name, found in rows.items()}
    return Facts(1, rows=ordered, consents=defaultdict(bool))


@settings(max_examples=60, deadline=None)
@given(rules(), histories())
def test_one_more_event_never_moves_a_rule_against_its_direction(
    form: dict[str, object], events: list[Event]
) -> None:
    rule = read_rule(form)
    if list_references(rule) or not events:
        return
    holds = Predicates().make(rule)
    *past, new = events
    direction = find_directions(rule).get(new.name)
    before, after = make_facts(past), make_facts(events)
    for days in (0, 0.5, 1, 2, 3, 5, 8, 13, 40):
        now = to_micros(NOW + timedelta(days=days))
        if direction == RISING:
            assert holds(after, now) or not holds(before, now)
        elif direction == FALLING:
            assert holds(before, now) or not holds(after, now)
