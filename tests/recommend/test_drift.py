"""Whether the recommender has become worse: customers whose tastes stay, and some whose change."""

from datetime import timedelta

import msgspec
import numpy as np
import pytest
from tastes_shop import CUSTOMERS, GARDEN, KITCHEN, make_order, make_orders, open_store

from lingxi.errors import NotEnoughData
from lingxi.recommend import Recommender, drift, train_recommenders
from lingxi.recommend.recommender import read_recipe
from lingxi.recommend.stored import read_described
from lingxi.store import silent

FEW = 15


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Trained on 200 days; the last of them are the window that was measured."""
    store = open_store(tmp_path_factory.mktemp("drift"))
    store.log.append(make_orders())
    manifest = train_recommenders(store, store.settings, store.clock, silent)
    yield store, manifest, Recommender.load(store)
    store.close()


def _later(tastes, days):
    """Orders of the days after: each customer buys of one taste."""
    rng = np.random.default_rng(1)
    return [
        make_order(
            20_000 + subject, subject, rng.choice(tastes[subject % 2], 3, replace=False).tolist(),
            201 + (subject * days) // CUSTOMERS,
        )
        for subject in range(1, CUSTOMERS + 1)
    ]  # fmt: skip


def _measure(trained, tmp_path, tastes):
    _, manifest, recommender = trained
    again = open_store(tmp_path)
    again.log.append(make_orders())
    days = int(manifest.extra["window_days"])
    again.log.append(_later(tastes, days + 3))
    interactions, _ = read_described(again)
    found = drift.measure_drift(recommender, manifest, interactions, 7)
    again.close()
    return found


def test_tastes_that_stay_are_no_drift(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(drift, "FEWEST", FEW)
    found = _measure(trained, tmp_path, (KITCHEN, GARDEN))
    assert found.customers >= FEW
    assert found.now.value > 0.3
    assert not found.is_worse


def test_tastes_that_change_are(trained, tmp_path, monkeypatch):
    """Who bought for the garden buys for the kitchen: the lists find next to nothing."""
    monkeypatch.setattr(drift, "FEWEST", FEW)
    found = _measure(trained, tmp_path, (GARDEN, KITCHEN))
    assert found.now.value < found.then.value
    assert found.is_worse


def test_a_renewed_recommender_is_asked_without_the_days_it_is_asked_about(
    trained, tmp_path, monkeypatch
):
    """It has learnt from them; judged on what it knows by heart, no change would ever show."""
    monkeypatch.setattr(drift, "FEWEST", FEW)
    store, manifest, recommender = trained
    again = open_store(tmp_path)
    again.log.append(make_orders())
    days = int(manifest.extra["window_days"])
    again.log.append(_later((GARDEN, KITCHEN), days + 3))
    interactions, _ = read_described(again)
    recipe = read_recipe(store.artefacts.current("recommender"))
    renewed = msgspec.structs.replace(
        manifest,
        data_to=interactions.last_moment,
        extra={**manifest.extra, "refit": "renewal"},
    )
    found = drift.measure_drift(recommender, renewed, interactions, 7, recipe)
    assert found.is_worse
    again.close()


def test_what_the_recommender_does_not_know_counts_as_not_found(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(drift, "FEWEST", FEW)
    new = [f"new{n}" for n in range(12)]
    found = _measure(trained, tmp_path, (new, new))
    assert found.now.value == 0.0


def test_it_is_not_measured_before_the_window_is_full(trained):
    store, manifest, recommender = trained
    interactions, _ = read_described(store)
    with pytest.raises(NotEnoughData, match="more days"):
        drift.measure_drift(recommender, manifest, interactions, 7)
    assert manifest.data_to + timedelta(days=1) > interactions.last_moment


def test_few_customers_tell_nothing(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(drift, "FEWEST", CUSTOMERS + 1)
    with pytest.raises(NotEnoughData, match="at least"):
        _measure(trained, tmp_path, (KITCHEN, GARDEN))
