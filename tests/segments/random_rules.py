"""Random rules in their written form, and random events, with moments at the edges of windows."""

from datetime import datetime, timedelta

from hypothesis import strategies as st

from lingxi.schema import Event, Line
from segments.happenings import NOW

EVENTS = ["Order Completed", "Product Viewed", "Quiz"]
ITEMS = ["x", "y", "z"]
CATEGORIES = ["Lamps", "Home", "Rugs"]
DAYS = [0.0, 1.0, 2.0, 3.0, 7.0]
VALUES = st.sampled_from(["a", "A", "", "1", "a\nb", '"', "é", 0, 1, 2.5, -1, True, False])
SUBJECTS = [1, 2, 3, 4, 5]


def moments() -> st.SearchStrategy[datetime]:
    """Moments at the edges of the windows, and a microsecond beside them."""
    return st.builds(
        lambda days, micros: NOW - timedelta(days=days, microseconds=micros),
        st.sampled_from([*DAYS, -1.0, 30.0]),
        st.sampled_from([-1, 0, 1]),
    )


def histories() -> st.SearchStrategy[list[Event]]:
    line = st.builds(
        Line,
        item_id=st.sampled_from(ITEMS),
        quantity=st.integers(1, 3),
        price_cents=st.none() | st.integers(0, 300),
    )
    one = st.fixed_dictionaries(
        {
            "name": st.sampled_from(EVENTS),
            "occurred_at": moments(),
            "subject": st.sampled_from([*SUBJECTS, 9, None]),
            "lines": st.lists(line, max_size=3).map(tuple),
            "amount_cents": st.none() | st.integers(0, 900),
            "category": st.none() | st.sampled_from(CATEGORIES),
            "properties": st.dictionaries(
                st.sampled_from(["p", "q q", "a.b"]), VALUES | st.none(), max_size=2
            ),
        }
    )
    return st.lists(one, max_size=25).map(
        lambda rows: [Event(event_id=f"e{n}", received_at=NOW, **row) for n, row in enumerate(rows)]
    )


def values(*, moment: bool) -> st.SearchStrategy[dict[str, object]]:
    number = st.sampled_from([-1.0, 0, 1, 2, 2.5, 300])
    parts: dict[str, st.SearchStrategy[object]] = {
        "equals": VALUES,
        "not_equals": VALUES,
        "one_of": st.lists(VALUES, min_size=1, max_size=3),
        "contains": st.sampled_from(["a", "1", "n"]),
        "starts_with": st.sampled_from(["a", "A", "\n"]).filter(str.strip),
        "more_than": number,
        "at_least": number,
        "less_than": number,
        "at_most": number,
        "known": st.booleans(),
    }
    if moment:
        ages = st.sampled_from([d for d in DAYS if d])
        parts = parts | {"within_days": ages, "older_than_days": ages, "in_next_days": ages}
        parts |= {"after": st.just("2026-02-27"), "before": st.just("2026-02-28T12:00:00Z")}
    single = st.one_of(*(st.fixed_dictionaries({k: v}) for k, v in parts.items()))
    return single | st.builds(lambda a, b: {**a, **b}, single, single)


def windows() -> st.SearchStrategy[dict[str, object]]:
    ages = [d for d in DAYS if d]
    return st.sampled_from(
        [
            {},
            *({"within_days": d} for d in ages),
            *({"older_than_days": d} for d in ages),
            {"within_days": 7, "older_than_hours": 48},
            {"after": "2026-02-26T12:00:00Z"},
            {"before": "2026-02-28T12:00:00Z", "within_days": 3},
        ]
    )


def wheres() -> st.SearchStrategy[dict[str, object]]:
    named = st.sampled_from(
        ["p", "q q", "a.b", "amount_cents", "category", "item_id", "quantity", "price_cents"]
    )
    one = st.builds(lambda name, test: {"property": name, **test}, named, values(moment=False))
    return st.lists(one, max_size=2).map(lambda found: {"where": found} if found else {})


Form = dict[str, object]
Forms = st.SearchStrategy[Form]


def merge(*parts: Form) -> Form:
    return {key: value for part in parts for key, value in part.items()}


def names() -> st.SearchStrategy[str]:
    return st.sampled_from(EVENTS)


def counts() -> Forms:
    return st.sampled_from(
        [{}, {"at_least": 2}, {"at_most": 1}, {"times": 1}, {"times": 0}, {"at_least": 0}]
    )


def happened() -> Forms:
    """How often something was done, not done, and what was done first or last."""
    did = st.builds(merge, names().map(lambda n: {"did": n}), counts(), windows(), wheres())
    never = st.builds(merge, names().map(lambda n: {"did_not": n}), windows(), wheres())
    edge = st.builds(
        merge,
        names().map(lambda n: {"did": n}),
        st.sampled_from([{"which": "first"}, {"which": "last"}]),
        windows(),
        wheres(),
    )
    return st.one_of(did, never, edge)


def goods() -> Forms:
    """Items and categories bought or viewed."""
    return st.builds(
        lambda verb, what, *rest: merge({verb: what}, *rest),
        st.sampled_from(["bought", "viewed"]),
        st.sampled_from(
            [{"items": ["x"]}, {"categories": ["Home"]}, {"items": ["z"], "categories": ["Rugs"]}]
        ),
        counts(),
        windows(),
        wheres(),
    )


def aggregates() -> Forms:
    """Sums, counts, averages and numbers of different values."""
    measures = st.sampled_from(["amount_cents", "quantity", "price_cents", "p", "item_id", "a.b"])
    bounds = st.sampled_from(["more_than", "at_least", "less_than", "at_most", "equals"])
    return st.builds(
        lambda function, of, name, bound, value, *rest: merge(
            {"aggregate": function, "event": name, bound: value},
            {} if function == "count" else {"of": of},
            *rest,
        ),
        st.sampled_from(["sum", "count", "average", "distinct"]),
        measures,
        names(),
        bounds,
        st.sampled_from([0, 1, 2, 2.5, 300]),
        windows(),
        wheres(),
    )


def known_values() -> Forms:
    """Traits and scores."""
    trait = st.builds(
        lambda name, test: {"trait": name, **test},
        st.sampled_from(["plan", "age", "born"]),
        values(moment=True),
    )
    scores = ["orders", "revenue_cents", "last_order_at", "country"]
    scores += ["churn_probability", "churn_level"]
    score = st.builds(
        lambda name, test: {"score": name, **test}, st.sampled_from(scores), values(moment=True)
    )
    return trait | score


def states() -> Forms:
    """Stages, lists, random shares and consent."""
    return st.sampled_from(
        [
            {"everyone": True},
            {"stage": ["loyal", "new"]},
            {"list": "hand"},
            {"random": "s", "to": 0.5},
            {"random": "t", "from": 0.2, "to": 0.7},
            *(
                {"consent": purpose, "channel": channel, "granted": granted}
                for purpose in ("marketing", "analytics")
                for channel in ("*", "email", "sms")
                for granted in (True, False)
            ),
        ]
    )


def rules() -> Forms:
    """Any condition, alone or below all, any and not."""
    leaf = st.one_of(happened(), goods(), aggregates(), known_values(), states())
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(lambda p: {"all": p}),
            st.lists(inner, min_size=1, max_size=3).map(lambda p: {"any": p}),
            inner.map(lambda p: {"not": p}),
        ),
        max_leaves=6,
    )
