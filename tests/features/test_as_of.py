"""Features are as of their moment: equal to the oracle, blind to what comes later."""

from datetime import timedelta

import pytest
from feature_histories import AS_OF, EVENTS, HISTORIES, IDENTITY, START, Bench, place
from feature_oracle import describe
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from lingxi.errors import InvalidInput, UnknownFeature
from lingxi.features import FEATURES
from lingxi.schema import SYSTEM_EVENTS, Event, Line, Name


def near(row):
    """The row, its numbers compared to nine digits."""
    return {
        k: pytest.approx(v, rel=1e-9, abs=1e-9) if isinstance(v, int | float) else v
        for k, v in row.items()
    }


@settings(max_examples=40, deadline=None)
@given(history=HISTORIES)
def test_features_equal_the_oracle(bench: Bench, history: list[Event]):
    events = place(history)
    rows = bench.rows(events)
    known = {s for s, (_, flag) in IDENTITY.items() if flag}
    expected = {}
    for customer in (1, 2):
        own = [e for e in events if e.subject in known and IDENTITY[e.subject][0] == customer]
        if any(e.occurred_at <= AS_OF and e.name not in SYSTEM_EVENTS for e in own):
            expected[customer] = describe(own, events, AS_OF)
    assert rows.keys() == expected.keys()
    for customer, row in expected.items():
        assert {name: rows[customer][name] for name in row} == near(row)


def test_oracle_covers_every_feature_but_the_viewed_categories():
    event = Event(event_id="e", name="Signed Up", occurred_at=START, received_at=START, subject=1)
    missing = FEATURES.keys() - describe([event], [event], AS_OF).keys()
    assert missing == {name for name in FEATURES if name.startswith("viewed_category")}


def within(earliest: int, latest: int) -> st.SearchStrategy[Event]:
    """Events of these half days since the start."""
    return st.builds(_put, EVENTS, st.integers(earliest, latest))


def _put(event: Event, half_days: int) -> Event:
    at = START + timedelta(hours=12 * half_days)
    return structs.replace(event, occurred_at=at, received_at=at)


_LAST = (AS_OF - START) // timedelta(hours=12)


@settings(max_examples=20, deadline=None)
@given(
    before=st.lists(within(0, _LAST), max_size=15),
    after=st.lists(within(_LAST + 1, 180), max_size=10),
    changed=st.lists(within(_LAST + 1, 180), max_size=10),
    soon=EVENTS,
    split=st.integers(0, 15),
)
def test_no_feature_changes_when_later_events_are_added_removed_or_altered(
    bench: Bench,
    before: list[Event],
    after: list[Event],
    changed: list[Event],
    soon: Event,
    split: int,
):
    past = place(before)
    expected = bench.rows(past)
    start = len(past) + 1
    first = structs.replace(soon, occurred_at=AS_OF + timedelta(microseconds=1))
    for later in (after, changed, [first]):
        # arrival: some of what is later in time comes first, at other positions of the log
        tail = [
            structs.replace(e, position=start + n, event_id=f"late{n}") for n, e in enumerate(later)
        ]
        assert bench.rows([*tail[:split], *past, *tail[split:]]) == expected


@settings(max_examples=15, deadline=None)
@given(history=HISTORIES, data=st.data())
def test_order_of_arrival_does_not_matter_between_different_moments(
    bench: Bench, history: list[Event], data: st.DataObject
):
    distinct = {e.occurred_at: e for e in history}
    events = place(list(distinct.values()))
    shuffled = place(data.draw(st.permutations([structs.replace(e, position=0) for e in events])))
    assert {c: near(r) for c, r in bench.rows(events).items()} == bench.rows(shuffled)


def order(day: float, cents: int = 1000, **more: object) -> Event:
    made = Event(
        event_id="",
        name=Name.ORDER_COMPLETED,
        occurred_at=START + timedelta(days=day),
        received_at=START,
        subject=1,
        amount_cents=cents,
        lines=(Line("cup", 2, cents // 2, cents),),
    )
    return structs.replace(made, **more)


def test_gaps_of_orders_every_ten_days_are_perfectly_regular(bench: Bench):
    row = bench.rows(place([order(0), order(10), order(20), order(30)]))[1]
    assert row["frequency"] == 4
    assert row["gap_mean_days"] == row["gap_median_days"] == row["gap_last_days"] == 10
    assert row["gap_std_days"] == row["gap_cv"] == 0
    assert row["recency_days"] == 15.5
    assert row["recency_over_gap"] == 1.55


def test_gaps_of_2_4_and_9_days_have_their_known_spread(bench: Bench):
    row = bench.rows(place([order(0), order(2), order(6), order(15)]))[1]
    assert row["gap_mean_days"] == 5
    assert row["gap_median_days"] == 4
    assert row["gap_std_days"] == pytest.approx(13**0.5)  # ((-3)² + (-1)² + 4²) / 2


def test_a_window_holds_its_days_and_leaves_out_its_far_end(bench: Bench):
    at = [AS_OF - timedelta(days=7) + timedelta(microseconds=1), AS_OF - timedelta(days=7), AS_OF]
    row = bench.rows(place([order(0, occurred_at=moment) for moment in at]))[1]
    assert (row["orders_7d"], row["orders_30d"], row["revenue_7d_cents"]) == (2, 3, 2000)


def refund(day: float, cents: int, order_id: str | None) -> Event:
    return order(day, cents, name=Name.ORDER_REFUNDED, order_id=order_id)


def test_a_fully_refunded_order_counts_as_none_and_a_partly_refunded_one_does(bench: Bench):
    events = [order(1, order_id="A"), order(5, order_id="B"), refund(6, 400, "A")]
    part = bench.rows(place([*events, refund(7, 999, "B")]))[1]
    assert (part["frequency"], part["recency_days"], part["money_cents"]) == (2, 40.5, 601)
    full = bench.rows(place([*events, refund(7, 1000, "B")]))[1]
    assert (full["frequency"], full["recency_days"], full["money_cents"]) == (1, 44.5, 600)
    assert full["return_rate"] == 0.7


def test_an_untied_refund_lowers_the_money_and_cancels_nothing(bench: Bench):
    row = bench.rows(place([order(1, order_id="A"), refund(2, 5000, None)]))[1]
    assert (row["frequency"], row["money_cents"], row["refund_cents"]) == (1, -4000, 5000)


def test_what_a_shop_never_records_is_unknown_and_what_it_records_may_be_zero(bench: Bench):
    alone = bench.rows(place([order(1)]))[1]
    assert alone["views_30d"] is None
    assert alone["sessions_7d"] is None
    assert alone["category_top"] is None
    view = Event(
        event_id="v", name="Product Viewed", occurred_at=START, received_at=START, subject=2
    )
    rows = bench.rows(place([order(1), view]))
    assert (rows[1]["views_30d"], rows[2]["views_365d"], rows[2]["frequency"]) == (0, 1, 0)
    assert rows[2]["recency_days"] is None


def test_price_percentile_places_the_median_price_among_all_sold_lines(bench: Bench):
    others = [order(3, subject=None, lines=(Line("dish", 1, p, p),)) for p in (100, 200, 300, 400)]
    mine = order(4, lines=(Line("cup", 1, 300, 300),))
    row = bench.rows(place([*others, mine]))[1]
    assert row["price_percentile"] == 0.6  # two of five are cheaper, two cost the same


def test_unknown_name_is_refused_with_the_nearest(bench: Bench):
    with pytest.raises(UnknownFeature, match="did you mean 'recency_days'"):
        bench.rows([], names=["recency_day"])


def test_a_naive_moment_is_refused(bench: Bench):
    with pytest.raises(InvalidInput, match="no time zone"):
        bench.rows([], START.replace(tzinfo=None))


def test_names_choose_the_columns_and_their_order(bench: Bench):
    row = bench.rows(place([order(1)]), names=["return_rate", "frequency"])[1]
    assert list(row) == ["return_rate", "frequency"]
