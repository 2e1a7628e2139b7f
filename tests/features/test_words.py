"""Every feature has its words, in every language, and its row in the documentation."""

from pathlib import Path

import pytest

from lingxi.features import FEATURES
from lingxi.features.reference import render_table
from lingxi.i18n.catalogue import LANGUAGES, load_catalogue

DOCS = Path(__file__).parents[2] / "docs" / "features.md"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_feature_has_a_name_and_a_whole_sentence(language: str):
    words = load_catalogue(language)
    for feature in FEATURES.values():
        assert words[feature.label.code].singular
        assert words[feature.help.code].singular.endswith((".", "。"))
        assert words[f"feature.unit.{feature.unit}"].singular


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_features_share_a_name(language: str):
    words = load_catalogue(language)
    names = [words[feature.label.code].singular for feature in FEATURES.values()]
    assert len(set(names)) == len(names)


def test_documentation_has_the_table_of_the_registry():
    assert render_table() in DOCS.read_text(encoding="utf-8")
