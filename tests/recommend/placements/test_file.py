"""Definitions of placements: the file, its errors, and that nothing is lost on the way to it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingxi.errors import InvalidInput, UnknownPlacement
from lingxi.recommend.placements.defaults import DEFAULTS
from lingxi.recommend.placements.definition import (
    Diversity,
    Do,
    Experiment,
    Exploration,
    Filters,
    Placement,
    Rule,
    Strategy,
    Variant,
)
from lingxi.recommend.placements.file import (
    read_definitions,
    read_placement,
    render_section,
    replace_section,
)
from lingxi.recommend.rerank import Method

FILE = """
# the shop's own words
[[rules]]
name = "no-gift-cards"
do = "exclude"
where = 'category == "Gift cards"'

[placements.home]
strategy = "taste"
n = 6

[placements.home.filters]
price_min = 5

[[placements.home.rules]]
name = "summer"
do = "boost"
where = "attributes.season == 'summer'"
by = 1.5
since = 2026-06-01T00:00:00Z
until = 2026-09-01T00:00:00+01:00
countries = ["GB"]

[placements.home.experiment]
name = "home-dpp"
share = 0.3

[placements.home.experiment.variant]
n = 8
diversity = {method = "dpp", strength = 0.5}

[placements.wish_list]
strategy = "similar"
"""


def test_a_section_overrides_what_it_names_and_leaves_the_rest() -> None:
    found = read_definitions(FILE)
    home = found.get("home")
    assert (home.strategy, home.n, home.filters.price_min) == (Strategy.TASTE, 6, 5.0)
    assert home.diversity == DEFAULTS["home"].diversity
    assert home.fallbacks == DEFAULTS["home"].fallbacks
    assert found.get("wish_list").fallbacks == Placement().fallbacks
    assert found.get("cart") == DEFAULTS["cart"]
    assert [rule.name for rule in found.rules] == ["no-gift-cards"]


def test_the_variant_of_an_experiment_overrides_its_placement() -> None:
    home = read_definitions(FILE).get("home")
    assert home.experiment is not None
    variant = home.experiment.variant
    assert (variant.n, variant.strategy) == (8, Strategy.TASTE)
    assert variant.rules == home.rules
    assert variant.diversity.method is Method.DPP
    assert variant.diversity.most_per_category == home.diversity.most_per_category


def test_an_empty_file_is_what_is_built_in() -> None:
    assert read_definitions("").placements == DEFAULTS
    assert len(DEFAULTS) == 10


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[placements.home", "is not valid TOML"),
        ("[placement.home]\nn = 3", "unknown part 'placement' (did you mean 'placements'?)"),
        ("[placements.home]\nn = '3'", "placements.home.n: must be a whole number, not text"),
        ("[placements.home]\nn = 0", "placements.home.n: must be a whole number >= 1"),
        ("[placements.home]\nm = 3", "placements.home: unknown setting 'm'"),
        (
            "[placements.home]\nfallback = []",
            "placements.home: unknown setting 'fallback' (did you mean 'fallbacks'?)",
        ),
        (
            "[placements.home]\nstrategy = 'persnal'",
            "Line 2: placements.home.strategy: 'persnal' is none of personal, ",
        ),
        ("[placements.home]\nfallbacks = ['popula']", "(did you mean 'popular'?)"),
        ("# ours\n\n[placements.home]\nn = 3\nm = 3", "Line 5: placements.home: unknown setting"),
        (
            "[[rules]]\nname='a'\ndo='exclude'\nitems=['x']\n[[rules]]\nname='b'\ndo='drop'",
            "Line 7: placements.toml: rules[1].do: 'drop' is none of",
        ),
        (
            "[placements.home]\nn = 3\n[[placements.home.rules]]\nname='a'\ndo='exclude'\n"
            "where='prise < 3'",
            "Line 6: placements.home: In the condition",
        ),
        ("[placements.home.diversity]\nstrength = 2", "placements.home.diversity.strength"),
        ("[placements.'Home page']\nn = 3", "placements.Home page: a name is"),
        ("placements = 3", "placements must be tables"),
        ("[placements]\nhome = 3", "placements.home must be a table, but is 3"),
        (
            "[[placements.home.rules]]\nname='a'\ndo='boost'\nwhere='prise < 3'\nby=2",
            "did you mean 'price'",
        ),
        ("[[rules]]\nname='a'\ndo='boost'\nwhere='price < 3'", "a boost needs it"),
        ("[[rules]]\nname='a'\ndo='pin'\nwhere='price < 3'", "a pin needs it"),
        ("[[rules]]\nname='a'\ndo='exclude'\nwhere='price < 3'\nby=2", "belongs to a boost"),
        ("[[rules]]\nname='a'\ndo='exclude'", "needs either 'where' or 'items'"),
        ("[[rules]]\nname='a'\ndo='exclude'\nitems=['x']\nwhere='price < 3'", "needs either"),
        (
            "[[rules]]\nname='a'\ndo='exclude'\nitems=['x']\nsince=2026-01-01T00:00:00",
            "with its offset",
        ),
        (
            "[[rules]]\nname='a'\ndo='exclude'\nitems=['x']\n"
            "since=2026-01-01T00:00:00Z\nuntil=2025-01-01T00:00:00Z",
            "ends before it begins",
        ),
        ("[[rules]]\nname='a'\ndo='exclude'\nitems=['x']\ncountries=['uk']", "countries"),
        (
            "[[placements.home.rules]]\nname='a'\ndo='pin'\nitems=['x']\nposition=13",
            "position 13 of a list of 12",
        ),
        (
            "[[placements.home.rules]]\nname='a'\ndo='exclude'\nitems=['x']\n" * 2,
            "Two rules are called 'a'",
        ),
        ("[placements.home.filters]\nprice_min=9\nprice_max=3", "No price is from 9.0 to 3.0"),
        ("[placements.home.filters]\nkinds=[]", "must name at least one kind"),
        ("[placements.home]\nexperiment = {name = 'x', variant = 3}", "must be a table"),
        ("[placements.home]\nexperiment = {name = 'x', share = 1.0}", "experiment.share"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        read_definitions(text)
    assert problem in str(raised.value)


def test_a_placement_that_is_not_there_is_named_with_a_guess() -> None:
    with pytest.raises(UnknownPlacement, match="did you mean 'home'"):
        read_definitions("").get("hom")


rules = st.builds(
    Rule,
    name=st.sampled_from(["a", "b-2", "c_3"]),
    do=st.just(Do.EXCLUDE),
    where=st.sampled_from(['brand == "W\\"x"', "name contains '\\u4e2d\\u6587'", "price < 3"]),
    countries=st.sampled_from([(), ("GB", "IE")]),
    on=st.booleans(),
)
parts = {
    "strategy": st.sampled_from(list(Strategy)),
    "fallbacks": st.lists(st.sampled_from(list(Strategy)), max_size=3).map(tuple),
    "n": st.integers(1, 100),
    "aim": st.floats(0, 1),
    "filters": st.builds(
        Filters,
        price_min=st.sampled_from([0.0, 1.5]),
        ignored_after=st.integers(0, 5),
        blocklist=st.lists(st.text(max_size=5), max_size=2).map(tuple),
    ),
    "diversity": st.builds(
        Diversity, method=st.sampled_from(list(Method)), most_per_brand=st.integers(0, 4)
    ),
    "exploration": st.builds(Exploration, share=st.sampled_from([0.0, 0.25])),
    "rules": st.lists(rules, max_size=3, unique_by=lambda rule: rule.name).map(tuple),
}
placements = st.builds(
    Placement,
    **parts,
    title=st.text(max_size=8),
    experiment=st.one_of(
        st.none(),
        st.builds(
            Experiment, name=st.just("x"), share=st.just(0.3), variant=st.builds(Variant, **parts)
        ),
    ),
)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["home", "offers", "mine"]), placements)
def test_what_is_written_is_read_again(name: str, placement: Placement) -> None:
    text = replace_section(FILE, name, render_section(name, placement))
    found = read_definitions(text)
    assert found.get(name) == placement
    others = {key for key in read_definitions(FILE).placements if key != name}
    assert all(found.get(key) == read_definitions(FILE).get(key) for key in others)
    assert text.startswith("# the shop's own words" if name != "home" else "")


def test_replacing_a_section_leaves_words_and_neighbours() -> None:
    text = replace_section(FILE, "home", "[placements.home]\nn = 3\n")
    assert "# the shop's own words" in text
    assert "[placements.wish_list]" in text
    assert "summer" not in text
    assert read_definitions(text).get("home").n == 3
    assert replace_section("", "home", "[placements.home]\nn = 3\n") == "[placements.home]\nn = 3\n"
    assert replace_section("[placements.home]\nn = 3\n", "home", "") == ""


def test_a_definition_that_came_over_the_api_is_read_alike() -> None:
    assert read_placement("home", {"n": 5}) == read_definitions("[placements.home]\nn=5").get(
        "home"
    )
