"""All models by name: how each is built, what is tried first, and what next. One entry a model."""

from collections.abc import Callable, Mapping

from lingxi.errors import InvalidInput, MissingExtra, did_you_mean
from lingxi.recommend.als import Als
from lingxi.recommend.blend import Blend
from lingxi.recommend.family import Family, Params
from lingxi.recommend.neighbourhoods import UserKnn
from lingxi.recommend.operators import ItemKnn, Rp3Beta
from lingxi.recommend.pairs import Similarity
from lingxi.recommend.popularity import Popularity
from lingxi.recommend.recipe import COMMON, Param, Recipe
from lingxi.recommend.scorer import Scorer
from lingxi.recommend.sequence_families import SEQUENCE


def _vary(recipe: Recipe, **changes: Param) -> Recipe:
    return Recipe(
        name=recipe.name,
        params={**recipe.params, **changes},
        parts=recipe.parts,
        shares=recipe.shares,
    )


def _around_k(recipe: Recipe) -> tuple[Recipe, ...]:
    k = int(FAMILIES[recipe.name].read(recipe)["k"])
    return (_vary(recipe, k=k * 2), _vary(recipe, k=max(k // 2, 5)))


def _item_knn(similarity: Similarity) -> Callable[[Recipe, Params], Scorer]:
    def build(recipe: Recipe, params: Params) -> Scorer:
        return ItemKnn(
            recipe.name,
            similarity,
            k=int(params["k"]),
            length=int(params["length"]),
            shrinkage=float(params["shrinkage"]),
            taught=recipe.taught_weighting,
            heard=recipe.history_weighting,
        )

    return build


def _user_knn(similarity: Similarity) -> Callable[[Recipe, Params], Scorer]:
    def build(recipe: Recipe, params: Params) -> Scorer:
        return UserKnn(
            recipe.name,
            similarity,
            k=int(params["k"]),
            shrinkage=float(params["shrinkage"]),
            taught=recipe.taught_weighting,
            heard=recipe.history_weighting,
        )

    return build


def _rp3beta(recipe: Recipe, params: Params) -> Scorer:
    return Rp3Beta(
        recipe.name,
        k=int(params["k"]),
        alpha=float(params["alpha"]),
        beta=float(params["beta"]),
        length=int(params["length"]),
        taught=recipe.taught_weighting,
        heard=recipe.history_weighting,
    )


def _popularity(recipe: Recipe, _params: Params) -> Scorer:
    return Popularity(recipe.name, taught=recipe.taught_weighting)


def _als(recipe: Recipe, params: Params) -> Scorer:
    return Als(
        recipe.name,
        factors=int(params["factors"]),
        reg=float(params["reg"]),
        frequency=float(params["frequency"]),
        unobserved=float(params["unobserved"]),
        epochs=int(params["epochs"]),
        taught=recipe.taught_weighting,
        heard=recipe.history_weighting,
    )


def _blend(recipe: Recipe, _params: Params) -> Scorer:
    if not recipe.parts or len(recipe.parts) != len(recipe.shares):
        raise InvalidInput("A blend is made of at least one part, with one share for each.")
    return Blend(recipe.name, [build_scorer(part) for part in recipe.parts], recipe.shares)


def _walks(_rows: int, items: int, events: int) -> float:
    """Seconds of a product of all customers' items with each other."""
    return 0.05 + 2e-6 * events + 1e-4 * items


_KNN: Params = {"k": 100, "length": 400, "shrinkage": 0.0}
_USER: Params = {"k": 100, "shrinkage": 0.0}
_WALK: Params = {"k": 100, "alpha": 0.6, "beta": 0.2, "length": 400}
_FACTORS: Params = {
    "factors": 64,
    "reg": 0.003,
    "frequency": 1.0,
    "unobserved": 0.1,
    "epochs": 8,
}
_NEAR: Params = {"k": 50, "taught_half_life": 90.0}
_NAMES: Mapping[str, Similarity] = {
    "cosine": "cosine",
    "pearson": "pearson_zero_filled",
    "jaccard": "jaccard",
    "tfidf": "tfidf",
    "bm25": "bm25",
    "log_likelihood": "log_likelihood",
}
_TRIED = ("cosine", "pearson", "tfidf")
"""Similarities that auto tries; the others are there to be named."""

_ALL = (
    Family(
        "popularity",
        _popularity,
        starts=tuple({"taught_half_life": days} for days in (7.0, 30.0, 0.0)),
    ),
    *(
        Family(
            f"item_{name}",
            _item_knn(similarity),
            _KNN,
            (_NEAR,) if name in _TRIED else (),
            _around_k,
            visitors=True,
            cost=_walks,
        )
        for name, similarity in _NAMES.items()
    ),
    Family(
        "item_adjusted_cosine", _item_knn("adjusted_cosine"), _KNN, (), _around_k, visitors=True
    ),
    Family(
        "rp3beta",
        _rp3beta,
        _WALK,
        (
            {"k": 100, "taught_half_life": 90.0},
            {"k": 200, "alpha": 0.8, "beta": 0.4, "taught_half_life": 90.0},
        ),
        _around_k,
        visitors=True,
        cost=_walks,
    ),
    *(
        Family(
            f"user_{name}",
            _user_knn(similarity),
            _USER,
            (_NEAR,) if name in _TRIED else (),
            _around_k,
        )
        for name, similarity in _NAMES.items()
    ),
    Family(
        "als",
        _als,
        _FACTORS,
        ({},),
        cost=lambda rows, items, events: 8 * (3e-5 * (rows + items) + 1e-6 * events),
    ),
    *SEQUENCE,
    Family("blend", _blend, starts=()),
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
    if not family.available:
        raise MissingExtra(
            f"{recipe.name} needs more than the core: pip install 'lingxi[{family.extra}]'."
        )
    return family.build(recipe, family.read(recipe))
