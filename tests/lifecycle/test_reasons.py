"""Reasons: nothing of a score is lost on the way to a sentence."""

import numpy as np
import pytest

from lingxi.features import FEATURES
from lingxi.i18n import LANGUAGES, Translator, load_catalogue
from lingxi.learning import Contributions
from lingxi.lifecycle.concepts import CHURN_FEATURES, CONCEPTS
from lingxi.lifecycle.reasons import describe_concept, explain_churn, group_contributions
from lingxi.lifecycle.rfm import SEGMENTS
from lingxi.lifecycle.stages import STAGES

ROWS = ({}, dict.fromkeys(CHURN_FEATURES, 3.4), dict.fromkeys(CHURN_FEATURES, float("nan")))


def test_every_feature_used_exists_and_has_one_concept():
    assert set(CHURN_FEATURES) <= set(FEATURES)
    assert len(set(CHURN_FEATURES)) == len(CHURN_FEATURES)
    assert all(FEATURES[name].dtype == "float64" for name in CHURN_FEATURES)


def test_grouping_keeps_the_sum():
    values = np.random.default_rng(0).normal(size=(20, len(CHURN_FEATURES)))
    grouped = group_contributions(Contributions(0.3, values))
    assert grouped.shape == (20, len(CONCEPTS))
    assert grouped.sum(axis=1) == pytest.approx(values.sum(axis=1))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("concept", CONCEPTS)
@pytest.mark.parametrize("row", ROWS)
def test_every_concept_can_be_said_of_any_customer(language, concept, row):
    words = Translator(language)
    up = words.text(describe_concept(concept, row, up=True))
    down = words.text(describe_concept(concept, row, up=False))
    assert up != down
    assert "nan" not in up


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_stage_segment_and_level_has_words(language):
    known = load_catalogue(language)
    for stage in STAGES:
        for code in (f"stage.{stage}", f"stage.{stage}.help", f"lifecycle.stage.{stage}"):
            assert known[code].singular
        assert known[f"lifecycle.change.{stage}"].singular
    for segment in SEGMENTS:
        assert known[f"segment.{segment}"].singular
        assert known[f"segment.{segment}.help"].singular
    for level in ("low", "medium", "high"):
        assert known[f"churn.level.{level}"].singular


def test_the_strongest_come_first_and_the_weak_are_left_out():
    grouped = np.zeros((1, len(CONCEPTS)))
    grouped[0, :5] = [0.5, -1.0, 0.01, 0.4, 0.3]
    X = np.full((1, len(CHURN_FEATURES)), 1.0)
    (reasons,) = explain_churn(grouped, X)
    assert [r.contribution for r in reasons] == [-1.0, 0.5, 0.4, 0.3]
    assert reasons[0].sentence.code.endswith(".down")
    assert reasons[1].sentence.code == "lifecycle.churn.recency.up"


def test_nothing_moved_gives_no_reasons():
    X = np.zeros((2, len(CHURN_FEATURES)))
    assert explain_churn(np.zeros((2, len(CONCEPTS))), X) == [(), ()]
