"""Asked of all at once or of one customer: the same answer, for any rule and any history."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lingxi.segments import read_rule
from segments.happenings import NOW
from segments.place import Place
from segments.random_rules import rules

HOW = {"deadline": None, "suppress_health_check": list(HealthCheck)}


def check(place: Place, data: st.DataObject, forms: list[dict[str, object]]) -> None:
    """Both compilers now, and the first moment at which either may change its mind."""
    place.fill(data)
    asked = {f"r{n}": read_rule(form) for n, form in enumerate(forms)}
    now = NOW + timedelta(days=data.draw(st.sampled_from([0, 0, 1, 6]), label="later"))
    ours, theirs = place.ask_all(asked, now), place.ask_each(asked, now)
    for name, form in zip(asked, forms, strict=True):
        assert ours[name] == theirs[name], form
    every = {"all": [{"any": [form, forms[0]]} for form in forms[:3]]}
    both = set.intersection(*(theirs[name] | theirs["r0"] for name in list(asked)[:3]))
    assert place.ask_one(read_rule(every), now) == both, every


@settings(max_examples=8, **HOW)
@given(st.data(), st.lists(rules(), min_size=5, max_size=9))
def test_asked_of_all_or_of_one_the_answer_is_the_same(
    place: Place, data: st.DataObject, forms: list[dict[str, object]]
) -> None:
    check(place, data, forms)


@pytest.mark.slow
@settings(max_examples=40, **HOW)
@given(st.data(), st.lists(rules(), min_size=5, max_size=9))
def test_the_same_on_many_more(
    place: Place, data: st.DataObject, forms: list[dict[str, object]]
) -> None:
    check(place, data, forms)
