"""A judgement says what the predicate says, and nothing changes before the moment it names."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lingxi.schema import Event
from lingxi.segments import read_rule
from lingxi.segments.due import make_judgement
from lingxi.segments.facts import Facts
from lingxi.segments.form import DAY_US
from lingxi.segments.predicate import Predicates
from lingxi.store.codec import to_rows
from lingxi.store.tables import from_micros

NAMES = ("a", "b")
NOW = 20 * DAY_US


def counts() -> st.SearchStrategy[dict[str, Any]]:
    """Conditions that count or add up, alone or below all, any and not."""
    days = {"within_days": st.sampled_from([1, 2, 5])}
    did = st.fixed_dictionaries(
        {"did": st.sampled_from(NAMES), "at_least": st.integers(0, 3)},
        optional={"at_most": st.integers(3, 4), **days},
    )
    value = st.fixed_dictionaries(
        {
            "aggregate": st.sampled_from(["sum", "average", "distinct"]),
            "event": st.sampled_from(NAMES),
            "of": st.just("amount_cents"),
        },
        optional={"at_least": st.integers(-1, 5), "less_than": st.integers(2, 7), **days},
    ).filter(lambda form: {"at_least", "less_than"} & form.keys())
    return st.recursive(
        did | value,
        lambda inner: st.one_of(
            st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=3)),
            st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3)),
            st.builds(lambda part: {"not": part}, inner),
        ),
        max_leaves=4,
    )


@given(
    counts(),
    st.lists(
        st.tuples(
            st.sampled_from(NAMES),
            st.integers(12, 22),
            st.integers(-1, 1),
            st.none() | st.integers(-2, 3),
        ),
        max_size=6,
    ),
)
@settings(max_examples=150, deadline=None)
def test_nothing_changes_before_the_moment_of_a_judgement(
    form: dict[str, Any], happened: list[tuple[str, int, int, int | None]]
) -> None:
    rule, predicates = read_rule(form), Predicates()
    rows: dict[str, list[tuple[int, int, bytes]]] = {name: [] for name in NAMES}
    for position, (name, day, off, cents) in enumerate(happened):
        at = from_micros(day * DAY_US + off)
        event = Event(
            event_id="e", name=name, occurred_at=at, received_at=at, subject=1, amount_cents=cents
        )
        rows[name].append((day * DAY_US + off, position, to_rows([event], position)[0][-1]))
    facts = Facts(1, rows={name: sorted(found) for name, found in rows.items()})
    judge, predicate = make_judgement(predicates, rule), Predicates().make_known(rule)
    holds, due = judge(facts, NOW)
    assert holds is predicate(facts, NOW)
    assert due > NOW
    moments = [
        row[0] + days * DAY_US for own in rows.values() for row in own for days in (0, 1, 2, 5)
    ]
    turns = {at + off for at in moments for off in (-1, 0, 1) if at + off > NOW}
    assert all(predicate(facts, at) is holds for at in turns if at < due)
