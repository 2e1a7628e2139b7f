"""The form of a placement and the definition it means are two ways of writing the same."""

from datetime import UTC, datetime

import pytest

from lingxi.errors import InvalidInput
from lingxi.i18n import LANGUAGES, Translator, load_catalogue
from lingxi.recommend.placements.defaults import DEFAULTS
from lingxi.recommend.placements.definition import Do, Rule, Strategy
from lingxi.recommend.placements.file import read_definitions, read_placement
from lingxi.recommend.rerank import Method
from lingxi.server.pages.placement_form import (
    GROUPS,
    RULE_FIELDS,
    count_rules,
    explain,
    list_rules,
    spell,
    tidy,
    understand,
)
from lingxi.server.pages.words import Words

RICH = """
[placements.home]
n = 7
aim = 0.35
weights = {view = 0.2}

[placements.home.filters]
price_max = 19.99
blocklist = ["A", "B"]

[[placements.home.rules]]
name = "gold"
do = "boost"
where = "attributes.material == 'gold'"
by = 1.5
countries = ["GB", "IE"]
since = 2026-06-01T00:00:00Z

[[placements.home.rules]]
name = "first"
do = "pin"
items = ["A", "C"]
position = 2
on = false

[placements.home.experiment]
name = "x"
share = 0.25
variant = {strategy = "taste", diversity = {strength = 0.9}}
"""


@pytest.mark.parametrize("name", list(DEFAULTS))
def test_a_built_in_placement_is_what_its_form_means(name: str) -> None:
    assert read_placement(name, understand(spell(name, DEFAULTS[name]))) == DEFAULTS[name]


def test_everything_that_a_form_holds_comes_back() -> None:
    placement = read_definitions(RICH).get("home")
    values = spell("home", placement)
    assert read_placement("home", understand(values)) == placement
    assert values["rule.0.since"] == "2026-06-01T00:00:00Z"
    assert 'strategy = "taste"' in values["experiment.variant"]


def test_empty_rules_are_dropped_and_the_others_numbered_anew() -> None:
    values = {
        "rule.0.name": "",
        "rule.0.do": "boost",
        "rule.2.name": "b",
        "rule.2.do": "exclude",
        "rule.2.items": "A, B",
        "n": "3",
    }
    tidied = tidy(values)
    assert count_rules(tidied) == 1
    assert (tidied["rule.0.name"], tidied["rule.0.items"]) == ("b", "A, B")
    assert list(list_rules(tidied)) == [0, 1]
    assert count_rules({"rule.x.name": "a", "rule.99999999999.name": "a"}) == 0


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"n": "many"}, "must be a whole number, not text"),
        ({"n": ""}, "must be a whole number >= 1"),
        ({"aim": "2"}, "placements.home.aim"),
        (
            {"rule.0.name": "a", "rule.0.do": "boost", "rule.0.where": "price < 2"},
            "a boost needs it",
        ),
        ({"experiment.name": "x", "experiment.share": "0.5", "experiment.variant": "n ="}, "TOML"),
    ],
)
def test_what_cannot_be_used_is_told_as_in_the_file(change: dict[str, str], problem: str) -> None:
    values = {**spell("home", DEFAULTS["home"]), **change}
    with pytest.raises(InvalidInput, match=r".") as raised:
        read_placement("home", understand(values))
    assert problem in str(raised.value)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_field_and_choice_has_a_word(language: str) -> None:
    words = load_catalogue(language)
    codes = {f"placement.group.{group.code}" for group in GROUPS}
    codes |= {f"placement.field.{field.code}" for group in GROUPS for field in group.fields}
    codes |= {f"placement.field.{field.code}" for field in RULE_FIELDS}
    codes |= {f"placement.strategy.{each}" for each in Strategy}
    codes |= {f"placement.method.{each}" for each in Method}
    codes |= {f"placement.do.{each}" for each in Do}
    codes |= {f"placement.name.{name}" for name in DEFAULTS}
    assert codes <= words.keys()
    assert Rule(name="a", do=Do.EXCLUDE, items=("x",)).on


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"n": "many"}, "“列表商品数”必须是整数。"),
        ({"n": "0"}, "“列表商品数”不能小于 1。"),
        ({"n": "1000"}, "“列表商品数”不能大于 100。"),
        ({"filters.price_min": "cheap"}, "“最低价格”必须是数字。"),
        ({"filters.price_min": "9", "filters.price_max": "2"}, "最低价格 9 高于最高价格 2"),
        ({"experiment.name": "x y"}, "“名称”为 1 到 40 个小写英文字母"),
        ({"rule.0.name": "r", "rule.0.items": "A", "rule.0.position": "x"}, "“规则 1：位置”必须"),
    ],
)
def test_a_mistake_is_told_by_its_field_in_the_readers_language(typed, said) -> None:
    """It was told as "placements.home.n: must be a whole number, not text."."""
    values = {**spell("home", DEFAULTS["home"]), **typed}
    with pytest.raises(InvalidInput) as caught:
        read_placement("home", understand(values))
    words = Words(Translator("zh"), datetime(2026, 3, 2, tzinfo=UTC))
    problem = explain(words, "home", caught.value)
    assert said in problem.text
    assert not problem.foreign


def test_ids_may_stand_between_chinese_commas() -> None:
    values = {**spell("home", DEFAULTS["home"]), "filters.blocklist": "A，B、C"}
    assert understand(values)["filters"]["blocklist"] == ["A", "B", "C"]
