"""All models by name: how each is built, what is tried first, and what next. One entry a model."""

from collections.abc import Mapping
from math import isfinite

from lingxi.errors import InvalidInput, MissingExtra, did_you_mean
from lingxi.recommend.blend import Blend
from lingxi.recommend.content import Content
from lingxi.recommend.deep.family import TRANSFORMER
from lingxi.recommend.family import Family, Params, try_each
from lingxi.recommend.learned import Learned
from lingxi.recommend.linear_families import LINEAR
from lingxi.recommend.popularity import CategoryPopularity, NewArrivals, Popularity, Trending
from lingxi.recommend.ranker import Ranked
from lingxi.recommend.recipe import COMMON, Param, Recipe
from lingxi.recommend.scorer import Scorer
from lingxi.recommend.sequence_families import SEQUENCE


def _vary(recipe: Recipe, **changes: Param) -> Recipe:
    return Recipe(
        name=recipe.name,
        params={**recipe.params, **changes},
        parts=recipe.parts,
        shares=recipe.shares,
        trees=recipe.trees,
    )


def _popularity(recipe: Recipe, _params: Params) -> Scorer:
    return Popularity(recipe.name, taught=recipe.taught_weighting)


def _trending(recipe: Recipe, params: Params) -> Scorer:
    half_life = float(params["half_life"])
    return Trending(recipe.name, half_life=half_life, taught=recipe.taught_weighting)


def _arrivals(recipe: Recipe, params: Params) -> Scorer:
    half_life = float(params["half_life"])
    return NewArrivals(recipe.name, half_life=half_life, taught=recipe.taught_weighting)


def _category(recipe: Recipe, params: Params) -> Scorer:
    return CategoryPopularity(
        recipe.name,
        length=int(params["length"]),
        taught=recipe.taught_weighting,
        heard=recipe.history_weighting,
    )


def _blend(recipe: Recipe, _params: Params) -> Scorer:
    if not recipe.parts or len(recipe.parts) != len(recipe.shares):
        raise InvalidInput("A blend is made of at least one part, with one share for each.")
    return Blend(recipe.name, [build_scorer(part) for part in recipe.parts], recipe.shares)


def _learned(recipe: Recipe, _params: Params) -> Scorer:
    return Learned(recipe.name, [build_scorer(part) for part in recipe.parts], recipe.shares)


def _ranker(recipe: Recipe, _params: Params) -> Scorer:
    parts = [build_scorer(part) for part in recipe.parts]
    return Ranked(recipe.name, parts, recipe.shares, recipe.trees)


def _content(recipe: Recipe, params: Params) -> Scorer:
    return Content(recipe.name, length=int(params["length"]), heard=recipe.history_weighting)


_ALL = (
    Family(
        "popularity",
        _popularity,
        starts=tuple({"taught_half_life": days} for days in (7.0, 30.0, 0.0)),
        memory=lambda _params, size: 60.0 * size.events,
    ),
    Family(
        "trending",
        _trending,
        {"half_life": 7.0},
        ({}, {"half_life": 30.0}),
        try_each({"half_life": 7.0}, {"half_life": (2.0, 7.0, 14.0, 30.0)}),
        timed=True,
        memory=lambda _params, size: 60.0 * size.events,
        gain=0.25,
    ),
    Family(
        "new_arrivals",
        _arrivals,
        {"half_life": 14.0},
        timed=True,
        memory=lambda _params, size: 60.0 * size.events,
        gain=0.15,
    ),
    Family(
        "category_popularity",
        _category,
        {"length": 100},
        ({"taught_half_life": 30.0},),
        grouped=True,
        gain=0.3,
    ),
    *LINEAR,
    *SEQUENCE,
    TRANSFORMER,
    Family(
        "content",
        _content,
        {"length": 200},
        visitors=True,
        described=True,
        cost=lambda _rows, items, _events: 0.1 + 1e-3 * items,
        gain=0.5,
    ),
    Family("blend", _blend, starts=(), composed=True),
    Family("learned", _learned, starts=(), composed=True),
    Family("ranker", _ranker, starts=(), boosts=True, composed=True),
)

FAMILIES: Mapping[str, Family] = {family.name: family for family in _ALL}
"""Every model, the simpler first."""


def find_family(name: str) -> Family:
    """The model of this name.

    Raises
    ------
    InvalidInput
        If there is none.
    """
    if name not in FAMILIES:
        raise InvalidInput(
            f"There is no model {name!r}{did_you_mean(name, FAMILIES)}. "
            f"Choose one of {', '.join(FAMILIES)}."
        )
    return FAMILIES[name]


def make_recipe(name: str, params: Params | None = None) -> Recipe:
    """A recipe with checked parameters.

    Raises
    ------
    InvalidInput
        If there is no such model, or it has no such parameter, or the value is of another type.

    Examples
    --------
    >>> make_recipe("rp3beta", {"alpha": 1}).params
    {'alpha': 1.0}
    """
    known = {**COMMON, **find_family(name).defaults}
    checked: dict[str, Param] = {}
    for key, value in (params or {}).items():
        if key not in known:
            raise InvalidInput(
                f"{name} has no parameter {key!r}{did_you_mean(key, known)}. "
                f"It has {', '.join(known)}."
            )
        if type(known[key]) is float and type(value) is int:
            value = float(value)
        if type(value) is not type(known[key]):
            raise InvalidInput(
                f"{key} of {name} must be of type {type(known[key]).__name__}, but is {value!r}."
            )
        if isinstance(value, float) and not isfinite(value):
            raise InvalidInput(f"{key} of {name} must be a number, but is {value!r}.")
        if key == "k" and isinstance(value, int) and value < 1:
            raise InvalidInput(f"k of {name} must be at least 1, but is {value}.")
        checked[key] = value
    return Recipe(name=name, params=checked)


def vary(recipe: Recipe, **changes: Param) -> Recipe:
    """The recipe with some parameters changed."""
    return _vary(recipe, **make_recipe(recipe.name, changes).params)


def build_scorer(recipe: Recipe) -> Scorer:
    """The unfitted scorer of a recipe.

    Raises
    ------
    InvalidInput
        If there is no such model or parameter.
    MissingExtra
        If what it needs is not installed.

    Examples
    --------
    >>> build_scorer(make_recipe("rp3beta")).personal
    False
    """
    family = find_family(recipe.name)
    make_recipe(recipe.name, recipe.params)
    if not family.served:
        raise MissingExtra(f"{recipe.name} cannot be used here: {family.lacks}.")
    return family.build(recipe, family.read(recipe))
