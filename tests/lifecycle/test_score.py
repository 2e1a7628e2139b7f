"""Scoring: one row for every known customer, and changes that reach the log exactly once."""

import msgspec
import pytest
import sqlalchemy as sa
from lifecycle_shops import day, draw_shop, open_store, order, refund, sign_up

from lingxi.clock import FixedClock
from lingxi.i18n import LANGUAGES, Sentence, Translator
from lingxi.lifecycle import (
    STAGES,
    data_moment,
    find_data_moment,
    forget,
    score_customers,
    train_churn,
    train_lifecycle,
)
from lingxi.lifecycle.reasons import ChurnReason
from lingxi.lifecycle.stages import TRANSITIONS, Stage
from lingxi.lifecycle.tables import customer_state
from lingxi.schema import Name


def states_of(store):
    with store.read() as tx:
        rows = tx.execute(sa.select(customer_state)).mappings().all()
    return {row["customer"]: dict(row) for row in rows}


def changes_of(store):
    return store.log.read(names=[Name.STAGE_CHANGED], limit=100_000)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    events = [*draw_shop(), sign_up(9001, 3), refund(9002, 5, 100)]
    store, settings, clock = open_store(tmp_path_factory.mktemp("shop"), events)
    train_lifecycle(store, settings, clock)
    train_churn(store, settings, clock)
    n = score_customers(store, settings, clock)
    yield store, settings, clock, n
    store.close()


def test_every_known_customer_has_one_row(shop):
    store, _, clock, n = shop
    states = states_of(store)
    assert n == len(states) == 502
    assert {s["stage"] for s in states.values()} <= {str(s) for s in STAGES}
    assert {s["as_of"] for s in states.values()} == {clock.now()}
    assert all(s["since"] <= s["as_of"] for s in states.values())


def test_who_has_not_ordered_is_registered_without_scores(shop):
    states = states_of(shop[0])
    for customer in (9001, 9002):
        assert states[customer]["stage"] == "registered"
        for column in ("segment", "r", "churn_probability", "churn_level", "value_cents"):
            assert states[customer][column] is None


def test_buyers_have_segment_risk_and_value(shop):
    for state in states_of(shop[0]).values():
        if state["stage"] == "registered":
            continue
        assert 0 < state["churn_probability"] < 1
        assert state["value_cents"] >= 0
        assert {state["r"], state["f"], state["m"]} <= {1, 2, 3, 4, 5}
        high, low = state["churn_probability"] >= 2 / 3, state["churn_probability"] < 1 / 3
        assert state["churn_level"] == ("high" if high else "low" if low else "medium")


def test_risk_rises_from_active_to_lost(shop):
    states = states_of(shop[0]).values()

    def mean(*stages):
        found = [s["churn_probability"] for s in states if s["stage"] in stages]
        return sum(found) / len(found)

    assert mean("active", "loyal") < mean("at_risk") < mean("lost")


def test_every_reason_can_be_read_in_every_language(shop):
    for state in states_of(shop[0]).values():
        sentences = [msgspec.json.decode(state["reason"], type=Sentence)]
        reasons = msgspec.json.decode(state["churn_reasons"] or "[]", type=list[ChurnReason])
        sizes = [abs(r.contribution) for r in reasons]
        assert sizes == sorted(sizes, reverse=True)
        sentences += [r.sentence for r in reasons]
        for language in LANGUAGES:
            for sentence in sentences:
                assert "{" not in Translator(language).text(sentence)


def test_scoring_again_changes_nothing(shop):
    store, settings, clock, _ = shop
    before, events = states_of(store), store.log.count()
    score_customers(store, settings, clock)
    assert states_of(store) == before
    assert store.log.count() == events


def test_a_change_is_an_event_with_from_to_and_reason(shop):
    store = shop[0]
    states = states_of(store)
    changes = changes_of(store)
    assert len({c.event_id for c in changes}) == len(changes)
    assert {c.subject for c in changes} == {
        c for c, s in states.items() if s["stage"] != "registered"
    }
    for change in changes:
        before, after = Stage(change.properties["from"]), Stage(change.properties["to"])
        assert after in TRANSITIONS[before]
        assert states[change.subject]["stage"] == after
        assert change.occurred_at == states[change.subject]["since"]
        reason = msgspec.json.decode(change.properties["reason"], type=Sentence)
        assert reason.code == f"lifecycle.change.{after}"


def test_time_alone_brings_the_changes_it_should(tmp_path):
    events = [sign_up(1, 0), *(order(1, d) for d in (1, 11, 21))]
    store, settings, clock = open_store(tmp_path / "s", events)
    score_customers(store, settings, clock, as_of=day(22))
    assert states_of(store)[1]["stage"] == "active"
    score_customers(store, settings, clock, as_of=day(400))
    told = [(c.properties["from"], c.properties["to"]) for c in changes_of(store)]
    assert told == [
        ("new", "active"),
        ("active", "at_risk"),
        ("at_risk", "lapsed"),
        ("lapsed", "lost"),
    ]
    moments = [c.occurred_at for c in changes_of(store)]
    assert moments == sorted(moments)
    assert states_of(store)[1]["since"] == moments[-1]
    store.close()


def test_scoring_in_steps_tells_the_same_as_scoring_once(tmp_path):
    events = [sign_up(1, 0), *(order(1, d) for d in (1, 11, 300, 310, 320, 330))]
    told = []
    for name, steps in (("fine", range(0, 700, 50)), ("coarse", (0, 250, 500, 693))):
        store, settings, clock = open_store(tmp_path / name, events)
        for step in steps:
            score_customers(store, settings, clock, as_of=day(step))
        told.append({c.event_id for c in changes_of(store)})
        store.close()
    assert told[0] == told[1]
    assert len(told[0]) > 8


def test_an_order_that_arrives_late_is_corrected_by_one_event(tmp_path):
    store, settings, clock = open_store(tmp_path / "s", [order(1, 0), order(2, 199)])
    score_customers(store, settings, clock, as_of=day(200))
    assert states_of(store)[1]["stage"] == "lapsed"
    store.log.append([order(1, 190)])
    score_customers(store, settings, clock, as_of=day(201))
    assert states_of(store)[1]["stage"] == "won_back"
    last = changes_of(store)[-1]
    assert (last.properties["from"], last.properties["to"]) == ("lapsed", "won_back")
    assert "corrected" in str(last.properties["reason"])
    assert last.occurred_at == day(201)
    n = store.log.count()
    score_customers(store, settings, clock, as_of=day(202))
    assert store.log.count() == n
    store.close()


def test_our_own_events_are_no_sign_of_life(tmp_path):
    store, settings, clock = open_store(tmp_path / "s", [order(1, 0), order(2, 1)])
    clock.moment = day(500)
    assert find_data_moment(store, clock) == day(1)
    score_customers(store, settings, clock, as_of=day(400))
    assert changes_of(store)
    assert find_data_moment(store, clock) == day(1)
    store.close()


def test_without_a_churn_model_everything_else_is_scored(tmp_path):
    store, settings, clock = open_store(tmp_path / "s", draw_shop(30))
    assert score_customers(store, settings, clock) == 30
    for state in states_of(store).values():
        assert state["churn_probability"] is None
        assert state["churn_reasons"] is None
        assert state["segment"]
        assert state["value_cents"] >= 0
        assert state["horizon_days"] == 90
    store.close()


def test_an_empty_shop_scores_nobody(tmp_path):
    store, settings, clock = open_store(tmp_path / "s", [])
    assert score_customers(store, settings, clock) == 0
    store.close()


def test_forgetting_removes_the_row_and_only_that(tmp_path):
    store, settings, clock = open_store(tmp_path / "s", draw_shop(20))
    score_customers(store, settings, clock)
    with store.write() as tx:
        assert forget(tx, frozenset({3, 4, 999})) == 2
    assert set(states_of(store)) == set(range(1, 21)) - {3, 4}
    store.close()


def test_archives_are_seen_from_their_end_and_live_shops_from_now():
    now = day(500)
    assert data_moment(day(499), now, 90) == now
    assert data_moment(day(410), now, 90) == now
    assert data_moment(day(409), now, 90) == day(409)
    assert data_moment(None, now, 90) == now
    assert data_moment(day(501), now, 90) == now
    assert FixedClock(now).now() == now
