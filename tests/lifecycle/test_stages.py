"""The state machine against a day-by-day telling of the same story."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifecycle_shops import day_us, history_of, order, refund, sign_up

from lingxi.lifecycle.history import DAY_US
from lingxi.lifecycle.stages import (
    NOWHERE,
    STAGES,
    TRANSITIONS,
    Stage,
    count_stages,
    derive_transitions,
    stages_as_of,
)
from lingxi.lifecycle.thresholds import (
    MIN_GAPS,
    Thresholds,
    learn_horizon,
    learn_thresholds,
    list_order_days,
    usual_gaps,
)

RULES = Thresholds(
    gap_days=10, at_risk_ratio=2, lapsed_ratio=3, lost_ratio=6, loyal_orders=3, prior_gaps=3
)


def stage_of(days, now, *, seen=0.0, rules=RULES):
    """The stage at ``now`` of one customer who ordered on ``days``: told one order at a time."""
    stage, run, logs = Stage.REGISTERED, 0, []
    last = None
    for at in [d for d in days if d <= now]:
        if last is None:
            stage, run = Stage.NEW, 1
        else:
            gap = at - last
            usual = np.exp((3 * np.log(rules.gap_days) + sum(logs)) / (3 + len(logs)))
            if gap >= usual * rules.lapsed_ratio:
                stage, run = Stage.WON_BACK, 1
            else:
                run += 1
                stage = Stage.LOYAL if run >= rules.loyal_orders else Stage.ACTIVE
            logs.append(np.log(gap))
        last = at
    if last is None:
        return stage if now >= seen else None
    usual = np.exp((3 * np.log(rules.gap_days) + sum(logs)) / (3 + len(logs)))
    for late, ratio in (
        (Stage.LOST, rules.lost_ratio),
        (Stage.LAPSED, rules.lapsed_ratio),
        (Stage.AT_RISK, rules.at_risk_ratio),
    ):
        if now - last >= usual * ratio:
            return late
    return stage


@st.composite
def shops(draw):
    """A few customers, each ordering on whole days with gaps from a day to a year."""
    people = draw(st.lists(st.lists(st.integers(1, 120), max_size=9), min_size=1, max_size=4))
    starts = [draw(st.integers(0, 40)) for _ in people]
    return [
        (start, [start + 1 + int(d) for d in np.cumsum(gaps)])
        for start, gaps in zip(starts, people, strict=True)
    ]


def events_of(people):
    events = []
    for customer, (start, days) in enumerate(people, 1):
        events.append(sign_up(customer, start))
        events.extend(order(customer, d) for d in days)
    return events


@settings(max_examples=150, deadline=None)
@given(shops(), st.lists(st.integers(0, 900), min_size=1, max_size=6))
def test_stage_as_of_any_moment_is_the_one_told_day_by_day(people, moments):
    history = history_of(events_of(people))
    for moment in moments:
        now = moment + 0.5
        customers, stages, since = stages_as_of(history, RULES, day_us(now))
        told = {
            customer: stage_of(days, now, seen=start)
            for customer, (start, days) in enumerate(people, 1)
            if now >= start
        }
        assert customers.tolist() == sorted(told)
        assert [STAGES[s] for s in stages] == [told[c] for c in customers.tolist()]
        assert (since <= day_us(now)).all()


@settings(max_examples=150, deadline=None)
@given(shops())
def test_only_allowed_transitions_ever_happen(people):
    history = history_of(events_of(people))
    changes = derive_transitions(history, RULES, day_us(2000))
    for before, after in zip(changes.before.tolist(), changes.after.tolist(), strict=True):
        if before == NOWHERE:
            assert STAGES[after] == Stage.REGISTERED
        else:
            assert STAGES[after] in TRANSITIONS[STAGES[before]]
    key = changes.customer * 10**7 + (changes.at_us - day_us(0)) // DAY_US
    assert (np.diff(key) >= 0).all()


@settings(max_examples=80, deadline=None)
@given(shops(), st.lists(st.integers(0, 900), min_size=1, max_size=8))
def test_weekly_counts_add_up_to_all_customers_in_exactly_one_stage(people, moments):
    history = history_of(events_of(people))
    asked = np.array([day_us(m + 0.5) for m in moments])
    counts = count_stages(history, RULES, asked)
    for row, moment in zip(counts, asked.tolist(), strict=True):
        _, stages, _ = stages_as_of(history, RULES, moment)
        assert row.tolist() == np.bincount(stages, minlength=len(STAGES)).tolist()
        assert row.sum() == (history.seen_us <= moment).sum()


@settings(max_examples=60, deadline=None)
@given(shops(), st.integers(0, 600))
def test_what_happens_later_does_not_change_an_earlier_stage(people, moment):
    now = moment + 0.5
    cut = [(start, [d for d in days if d <= now]) for start, days in people]
    whole = stages_as_of(history_of(events_of(people)), RULES, day_us(now))
    part = stages_as_of(history_of(events_of(cut)), RULES, day_us(now))
    assert [a.tolist() for a in whole] == [a.tolist() for a in part]


def test_every_transition_of_the_table_can_happen_and_no_other():
    assert set(TRANSITIONS) == set(Stage)
    assert Stage.REGISTERED not in set().union(*TRANSITIONS.values())
    assert Stage.LOYAL not in TRANSITIONS[Stage.NEW]
    assert Stage.ACTIVE not in TRANSITIONS[Stage.LOST]
    stories = [[0], [0, 5], [0, 5, 10], [0, 25], [0, 5, 30], [0, 5, 10, 15], [0, 50], [0, 90]]
    stories += [[0, 50, 55], [0, 5, 10, 15, 40], [0, 5, 25, 45], [0, 50, 55, 60, 65]]
    history = history_of(events_of([(0, story) for story in stories]))
    changes = derive_transitions(history, RULES, day_us(3000))
    seen = {
        (STAGES[b], STAGES[a])
        for b, a in zip(changes.before.tolist(), changes.after.tolist(), strict=True)
        if b != NOWHERE
    }
    assert seen == {(b, a) for b, many in TRANSITIONS.items() for a in many}


def test_a_wholly_refunded_order_counts_only_until_the_refund():
    events = [sign_up(1, 0), order(1, 5, 1000, "A"), refund(1, 9, 1000, of="A")]
    history = history_of(events)
    _, before, _ = stages_as_of(history, RULES, day_us(8))
    _, after, _ = stages_as_of(history, RULES, day_us(10))
    assert (STAGES[before[0]], STAGES[after[0]]) == (Stage.NEW, Stage.REGISTERED)


def test_two_orders_on_one_day_are_one_order_day():
    history = history_of([order(1, 0.2, number="a"), order(1, 0.6, number="b"), order(1, 7)])
    days = list_order_days(history)
    assert days.rank.tolist() == [0, 1]
    assert days.gap_days[1] == pytest.approx(6.8)


def test_usual_gap_starts_at_the_shops_and_moves_to_the_customers_own():
    history = history_of([order(1, 40 * i) for i in range(30)])
    usual = usual_gaps(list_order_days(history), RULES)
    assert usual[0] == pytest.approx(10)
    assert usual[1] == pytest.approx((10**3 * 40) ** 0.25)
    assert usual[-1] == pytest.approx(40, rel=0.15)


def test_thresholds_are_the_quantiles_of_the_shops_own_gaps():
    rng = np.random.default_rng(0)
    events = []
    for customer in range(400):
        at = np.cumsum(rng.lognormal(3.0, 0.8, 6) + 0.5)
        events += [order(customer + 1, float(t)) for t in at]
    history = history_of(events)
    found = learn_thresholds(history)
    assert found.learned
    assert found.gaps == pytest.approx(2000, abs=60)
    days = list_order_days(history)
    again = ~np.isnan(days.gap_days)
    ratio = days.gap_days[again] / usual_gaps(days, found)[np.flatnonzero(again) - 1]
    assert (ratio >= found.at_risk_ratio).mean() == pytest.approx(0.20, abs=0.01)
    assert (ratio >= found.lapsed_ratio).mean() == pytest.approx(0.10, abs=0.01)
    assert (ratio >= found.lost_ratio).mean() == pytest.approx(0.03, abs=0.01)
    gaps = days.gap_days[again]
    wanted = np.ceil(np.quantile(gaps, 0.85) / 7) * 7
    assert found.horizon_days == min(wanted, (history.last_us - day_us(0)) / DAY_US / 4 // 7 * 7)
    assert learn_horizon(gaps, history) == found.horizon_days


def test_too_few_gaps_leave_the_stated_defaults():
    history = history_of([order(c, d) for c in range(1, 20) for d in (0, 10)])
    found = learn_thresholds(history)
    assert not found.learned
    assert found.gaps == 19 < MIN_GAPS
    assert (found.gap_days, found.horizon_days) == (45.0, 90)
    assert learn_thresholds(history, horizon_days=30).horizon_days == 30


def test_a_shop_without_orders_has_registered_customers_only():
    history = history_of([sign_up(1, 0), sign_up(2, 5)])
    assert not learn_thresholds(history).learned
    customers, stages, _ = stages_as_of(history, RULES, day_us(10))
    assert customers.tolist() == [1, 2]
    assert [STAGES[s] for s in stages] == [Stage.REGISTERED] * 2
    assert count_stages(history, RULES, np.zeros(0, dtype=np.int64)).shape == (0, 8)


def test_an_empty_shop_is_not_an_error():
    history = history_of([])
    customers, stages, _ = stages_as_of(history, RULES, day_us(1))
    assert len(customers) == len(stages) == 0
