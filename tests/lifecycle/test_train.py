"""Training on shops whose customers leave at a known rate, and on shops that cannot teach."""

import numpy as np
import pytest
from lifecycle_shops import day, day_us, draw_shop, history_of, open_store, order, refund, sign_up

from lingxi.errors import NotEnoughData
from lingxi.lifecycle import load_thresholds, train_churn, train_lifecycle
from lingxi.lifecycle.frames import observe_outcome, read_frame, sample
from lingxi.lifecycle.history import read_history
from lingxi.lifecycle.score import load_scorers
from lingxi.store.tables import to_micros


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    store, settings, clock = open_store(tmp_path_factory.mktemp("shop"), draw_shop())
    lifecycle = train_lifecycle(store, settings, clock)
    churn = train_churn(store, settings, clock)
    yield store, settings, clock, lifecycle, churn
    store.close()


def measures_of(manifest, name):
    found = next(c for c in manifest.candidates if c.name == name)
    return {m.metric: m for m in found.measures}


def test_thresholds_are_kept_with_how_they_were_learned(shop):
    store, _, _, manifest, _ = shop
    found = load_thresholds(store)
    assert manifest.chosen == "learned"
    assert manifest.extra["horizon_days"] == found.horizon_days
    assert found.gaps > 1000
    assert 14 <= found.horizon_days <= 180


def test_every_learner_stands_beside_every_rule_on_the_same_customers(shop):
    manifest = shop[4]
    names = {c.name: c.baseline for c in manifest.candidates}
    assert names == {
        "logistic": False,
        "decision_tree": False,
        "random_forest": False,
        "lightgbm": False,
        "rfm_sum": True,
        "recency": True,
        "frequency": True,
    }
    rates = {measures_of(manifest, n)["base_rate"].value for n in names}
    assert len(rates) == 1
    for name in names:
        auc = measures_of(manifest, name)["auc"]
        assert auc.low < auc.value < auc.high


def test_the_one_chosen_finds_those_who_left(shop):
    manifest = shop[4]
    assert [c.name for c in manifest.candidates if c.chosen] == [manifest.chosen]
    found = measures_of(manifest, manifest.chosen)
    assert found["auc"].value > 0.75
    assert found["auc"].value > measures_of(manifest, "frequency")["auc"].value
    assert found["calibration_error"].value < 0.12


def test_the_choice_is_made_on_validation_by_the_one_error_rule(shop):
    manifest = shop[4]
    order_of = ["logistic", "decision_tree", "random_forest", "lightgbm"]
    aucs = {n: measures_of(manifest, n)["validation_auc"] for n in order_of}
    best = max(a.value for a in aucs.values())
    chosen = aucs[manifest.chosen]
    assert best - chosen.value < (chosen.high - chosen.low) / 2
    assert manifest.why.code == "lifecycle.churn.chosen"


def test_no_training_outcome_reaches_past_the_test_moment(shop):
    manifest = shop[4]
    horizon_us = int(manifest.extra["horizon_days"]) * 86_400_000_000
    *train, test = (to_micros(c) for c in manifest.cutoffs)
    assert all(c + horizon_us <= test for c in train)
    assert test + horizon_us <= to_micros(manifest.data_to)


def test_value_is_tested_beside_spending_rules(shop):
    store = shop[0]
    manifest = store.artefacts.list("value")[0]
    expected = measures_of(manifest, "expected_revenue")
    assert expected["spearman"].value > measures_of(manifest, "last_year_spend")["spearman"].value
    assert abs(expected["bias"].value) < 0.3
    assert 0 < expected["top_decile_capture"].value < 1


def test_training_twice_gives_the_same_model(shop):
    store, settings, clock, _, manifest = shop
    again = train_churn(store, settings, clock)
    assert again.version > manifest.version
    assert again.chosen == manifest.chosen
    for one, two in zip(manifest.candidates, again.candidates, strict=True):
        assert one.measures == two.measures


def test_a_stored_model_predicts_what_it_was_measured_with(shop):
    store, settings, _, _, manifest = shop
    scorers = load_scorers(store, settings)
    with store.analytics() as analytics:
        history = read_history(analytics)
        frame = read_frame(analytics, history, manifest.cutoffs[-1], scorers.horizon_days)
    told = scorers.churn.predict(frame.X)
    assert abs(told.mean() - frame.churned.mean()) < 0.03


def test_outcome_is_an_order_within_the_horizon_that_still_stands():
    events = [order(c, 0, number=f"{c}a") for c in (1, 2, 3, 4, 5)]
    events += [order(2, 10, 500), order(3, 30, 700), order(4, 20, 900, "back")]
    events += [refund(4, 22, 900, of="back"), order(5, 30.5, 100), sign_up(6, 0), sign_up(7, 60)]
    history = history_of(events)
    customers = np.array([1, 2, 3, 4, 5])
    churned, revenue = observe_outcome(history, customers, day_us(5), day_us(30))
    assert churned.tolist() == [1, 0, 0, 1, 1]
    assert revenue.tolist() == [0, 500, 700, 0, 0]


def test_features_stop_at_the_moment_and_labels_begin_after_it(tmp_path):
    events = [order(1, 0), order(1, 10), order(2, 0), order(2, 10.1), order(3, 40)]
    store, _, _ = open_store(tmp_path / "s", events)
    with store.analytics() as analytics:
        frame = read_frame(analytics, read_history(analytics), day(10), 20)
    assert frame.customers.tolist() == [1, 2]
    assert frame.column("frequency").tolist() == [2, 1]
    assert frame.churned.tolist() == [1, 0]
    store.close()


def test_an_outcome_that_is_not_over_yet_is_no_label(tmp_path):
    store, _, _ = open_store(tmp_path / "s", [order(1, 0), order(2, 20)])
    with store.analytics() as analytics:
        frame = read_frame(analytics, read_history(analytics), day(15), 20)
    assert len(frame.customers) == 1
    assert len(frame.churned) == 0
    assert sample(frame, 5, np.random.default_rng(0)) is frame
    store.close()


def test_a_short_history_says_how_many_days_are_needed(tmp_path):
    store, settings, clock = open_store(tmp_path / "s", draw_shop(200, 100), horizon_days=60)
    with pytest.raises(NotEnoughData, match=r"150 days of history are needed, but there are \d+"):
        train_churn(store, settings, clock)
    store.close()


def test_few_customers_say_how_many_are_needed(tmp_path):
    store, settings, clock = open_store(tmp_path / "s", draw_shop(40), horizon_days=60)
    with pytest.raises(NotEnoughData, match="at least 100 customers"):
        train_churn(store, settings, clock)
    store.close()


def test_a_shop_that_nobody_leaves_says_what_is_missing(tmp_path):
    events = [order(c, d + c % 7) for c in range(150) for d in range(0, 400, 20)]
    store, settings, clock = open_store(tmp_path / "s", events, horizon_days=60)
    with pytest.raises(NotEnoughData, match="of whom 150 did and 0 did not"):
        train_churn(store, settings, clock)
    store.close()


def test_a_shop_without_orders_or_without_events_is_refused_in_words(tmp_path):
    for name, events in (("empty", []), ("visits", [sign_up(1, 0), sign_up(2, 9)])):
        store, settings, clock = open_store(tmp_path / name, events)
        assert train_lifecycle(store, settings, clock).chosen == "defaults"
        with pytest.raises(NotEnoughData, match="No known customer has ordered"):
            train_churn(store, settings, clock)
        store.close()


def test_without_room_for_validation_the_simplest_is_taken_and_said(tmp_path):
    store, settings, clock = open_store(tmp_path / "s", draw_shop(600, 200), horizon_days=70)
    manifest = train_churn(store, settings, clock)
    assert manifest.chosen == "logistic"
    assert manifest.why.code == "lifecycle.churn.unvalidated"
    store.close()
