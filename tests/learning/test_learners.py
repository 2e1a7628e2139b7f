"""What every learner must do, and what each is checked against."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from lingxi.errors import NotEnoughData, UnknownModel
from lingxi.learning import LEARNERS, load_model
from lingxi.learning.prepare import Preparation
from lingxi.learning.trees import flatten_trees
from lingxi.stats.classification import area_under_curve


@pytest.fixture(params=list(LEARNERS))
def learner(request):
    return LEARNERS[request.param]


@pytest.fixture(scope="module")
def models(table):
    return {name: learner.fit(*table, seed=3) for name, learner in LEARNERS.items()}


def test_a_known_signal_is_found_on_later_rows(learner, models, later_table):
    X, y = later_table
    truth = 1.5 * X[:, 0] - X[:, 1] + np.isnan(X[:, 2])
    best = area_under_curve(y, truth).value
    found = area_under_curve(y, models[learner.name].predict(X)).value
    slack = {"logistic": 0.02, "decision_tree": 0.08, "random_forest": 0.03, "lightgbm": 0.02}
    assert best - slack[learner.name] <= found <= best + 0.01


def test_probabilities_lie_between_zero_and_one_and_keep_the_order_of_scores(
    learner, models, later_table
):
    model = models[learner.name]
    scores, found = model.score(later_table[0]), model.predict(later_table[0])
    assert found.shape == (1500,)
    assert ((found >= 0) & (found <= 1)).all()
    order = np.argsort(scores, kind="stable")
    assert (np.diff(found[order]) >= 0).all()


def test_contributions_and_base_sum_to_the_score(learner, models, later_table):
    X = later_table[0]
    parts = models[learner.name].explain(X)
    assert parts.values.shape == X.shape
    total = parts.base + parts.values.sum(axis=1)
    assert np.abs(total - models[learner.name].score(X)).max() <= 1e-6


def test_a_feature_that_says_nothing_gets_no_credit(learner, models, later_table):
    parts = models[learner.name].explain(later_table[0])
    assert np.abs(parts.values[:, 4:]).max() == 0
    strength = np.abs(parts.values).mean(axis=0)
    assert strength[0] > 3 * strength[3]


def test_a_missing_value_can_itself_be_the_reason(learner, models, later_table):
    X = later_table[0]
    values = models[learner.name].explain(X).values[:, 2]
    missing = np.isnan(X[:, 2])
    assert values[missing].mean() > values[~missing].mean() + 0.02


def test_the_same_seed_gives_the_same_model(learner, table, later_table):
    one = learner.fit(*table, seed=5).score(later_table[0])
    assert np.array_equal(one, learner.fit(*table, seed=5).score(later_table[0]))


def test_a_model_comes_back_from_its_parts(learner, models, later_table, parts):
    model = models[learner.name]
    model.save(parts)
    again = load_model(learner.name, parts)
    assert again.unit == model.unit
    assert np.allclose(again.score(later_table[0]), model.score(later_table[0]), atol=1e-12)
    assert again.explain(later_table[0]).base == pytest.approx(model.explain(later_table[0]).base)


def test_one_class_is_refused(learner, table):
    X, y = table
    with pytest.raises(NotEnoughData, match="examples of each outcome"):
        learner.fit(X, np.zeros_like(y), seed=0)
    with pytest.raises(NotEnoughData):
        learner.fit(X[:3], np.array([1, 0, 0], dtype=np.int8), seed=0)


def test_twenty_rows_do_not_crash(learner, table):
    X, y = table
    rows = np.concatenate([np.flatnonzero(y == 1)[:10], np.flatnonzero(y == 0)[:10]])
    found = learner.fit(X[rows], y[rows], seed=0).predict(X[:50])
    assert np.isfinite(found).all()


def test_an_unknown_learner_is_named():
    with pytest.raises(UnknownModel, match="did you mean 'logistic'"):
        load_model("logistics", object())


def test_flat_trees_equal_scikit_learn_holes_included(table, later_table):
    X, y = table
    forest = RandomForestClassifier(n_estimators=20, max_depth=8, random_state=0).fit(X, y)
    ours = flatten_trees(forest.estimators_).predict(later_table[0])
    assert np.abs(ours - forest.predict_proba(later_table[0])[:, 1]).max() < 1e-12


def test_preparation_knows_the_training_rows_only(table, later_table):
    X = table[0]
    prepared = Preparation.fit(X)
    before = prepared.medians.copy()
    shifted = later_table[0] + 100
    prepared.apply(shifted)
    assert np.array_equal(prepared.medians, before)
    ready = prepared.apply(X)
    assert np.abs(ready.mean(axis=0)).max() < 1e-9
    assert prepared.flagged.tolist() == [0, 0, 1, 0, 0, 0]
    assert ready.shape == (3000, 7)


def test_logistic_weight_of_a_flag_goes_to_its_feature():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 1))
    hole = rng.uniform(size=2000) < 0.5
    X[hole] = np.nan
    y = (rng.uniform(size=2000) < np.where(hole, 0.8, 0.2)).astype(np.int8)
    model = LEARNERS["logistic"].fit(X, y, seed=0)
    values = model.explain(np.array([[np.nan], [0.0]])).values[:, 0]
    assert values[0] - values[1] == pytest.approx(np.log(16), abs=0.3)
