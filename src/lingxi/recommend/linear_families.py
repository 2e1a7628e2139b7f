"""Neighbours, walks, graph filters, regression and factorisation, for ``families``."""

from collections.abc import Callable, Mapping

from lingxi.recommend.als import Als
from lingxi.recommend.family import Family, Params, try_each
from lingxi.recommend.graph import MOST_MULTIPLIED, TERMS, GraphFilter
from lingxi.recommend.memory import (
    MOST_DENSE,
    Size,
    of_factors,
    of_graph,
    of_inverse,
    of_rows,
    of_systems,
    reads_factors,
)
from lingxi.recommend.neighbourhoods import UserKnn
from lingxi.recommend.operators import ItemKnn, Rp3Beta
from lingxi.recommend.pairs import Similarity
from lingxi.recommend.recipe import Param, Recipe
from lingxi.recommend.regression import Ease, Slim
from lingxi.recommend.scorer import Scorer

Builder = Callable[[Recipe, Params], Scorer]


def _item_knn(similarity: Similarity) -> Builder:
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


def _user_knn(similarity: Similarity) -> Builder:
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


def _walk(recipe: Recipe, params: Params) -> Scorer:
    return Rp3Beta(
        recipe.name,
        k=int(params["k"]),
        alpha=float(params["alpha"]),
        beta=float(params["beta"]),
        length=int(params["length"]),
        taught=recipe.taught_weighting,
        heard=recipe.history_weighting,
    )


def _graph(recipe: Recipe, params: Params) -> Scorer:
    return GraphFilter(
        recipe.name,
        customer=float(params["customer"]),
        given=float(params["given"]),
        wanted=float(params["wanted"]),
        rank=int(params["rank"]),
        weights=tuple(float(params[term]) for term in TERMS),
        length=int(params["length"]),
        taught=recipe.taught_weighting,
        heard=recipe.history_weighting,
    )


def _ease(recipe: Recipe, params: Params) -> Scorer:
    return Ease(
        recipe.name,
        reg=float(params["reg"]),
        length=int(params["length"]),
        taught=recipe.taught_weighting,
        heard=recipe.history_weighting,
    )


def _slim(recipe: Recipe, params: Params) -> Scorer:
    return Slim(
        recipe.name,
        k=int(params["k"]),
        reg=float(params["reg"]),
        taught=recipe.taught_weighting,
        heard=recipe.history_weighting,
    )


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


def _product_cost(rows: int, items: int, events: int) -> float:
    """Seconds of a product of all customers' items with each other."""
    pairs = Size(rows, items, events).pairs
    different = min(0.4 * pairs, 0.5 * float(items) ** 2)
    return 0.05 + 3e-7 * events + 1e-8 * pairs + 5e-8 * different + 2e-5 * items


def _zero_filled_cost(rows: int, items: int, events: int) -> float:
    """The same with means and variances of every pair."""
    return 1.7 * _product_cost(rows, items, events)


def _graph_cost(rows: int, items: int, events: int) -> float:
    return 0.1 + 4e-6 * events + 3e-5 * (items + rows)


def _graph_effort(params: Params) -> float:
    return 0.5 + 0.5 * float(params["rank"]) / 448.0


def _graph_reads(params: Params, size: Size) -> float:
    """Nothing where it is multiplied out before it is stored; else its factors."""
    if size.items <= MOST_MULTIPLIED:
        return 0.0
    return reads_factors({"factors": params["rank"]}, size)


def _inverse_cost(_rows: int, items: int, events: int) -> float:
    """Seconds of one inverse; where most items are left out (``Family.dense``) there is none."""
    return 2e-11 * min(items, MOST_DENSE) ** 3 + 1e-6 * events


def _slim_cost(rows: int, items: int, events: int) -> float:
    return 0.1 + 3e-4 * items + 2 * _product_cost(rows, items, events)


def _als_cost(rows: int, items: int, events: int) -> float:
    return 0.1 + 3e-5 * (rows + items) + 4e-6 * events


def _als_effort(params: Params) -> float:
    return float(params["factors"]) / 64.0


_AGEING: tuple[Param, ...] = (0.0, 30.0, 90.0)
_KNN: Params = {"k": 100, "length": 400, "shrinkage": 0.0}
_USER: Params = {"k": 100, "shrinkage": 0.0}
_WALK: Params = {"k": 100, "alpha": 0.6, "beta": 0.2, "length": 400}
_GRAPH: Params = {
    "customer": 0.6,
    "given": 0.5,
    "wanted": 0.3,
    "rank": 448,
    "length": 1000,
    **dict(zip(TERMS, (0.3, 0.5), strict=True)),
}
_EASE: Params = {"reg": 200.0, "length": 1000}
_SLIM: Params = {"k": 50, "reg": 50.0}
_ALS: Params = {
    "factors": 64,
    "reg": 0.003,
    "frequency": 1.0,
    "unobserved": 20.0,
    "epochs": 8,
}
_NEAR: Params = {"k": 50, "taught_half_life": 90.0}
_AGED: Params = {"taught_half_life": 90.0}
_K: dict[str, tuple[Param, ...]] = {
    "k": (12, 25, 50, 100, 200, 400, 800),
    "taught_half_life": _AGEING,
}
_SHRUNK: dict[str, tuple[Param, ...]] = {**_K, "shrinkage": (0.0, 5.0, 20.0, 100.0)}
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

_ITEMS = tuple(
    Family(
        f"item_{name}",
        _item_knn(similarity),
        _KNN,
        (_NEAR,) if name in _TRIED else (),
        try_each(_KNN, _SHRUNK),
        visitors=True,
        cost=_zero_filled_cost if name == "pearson" else _product_cost,
        gain={"cosine": 0.85, "tfidf": 0.8}.get(name, 0.7),
    )
    for name, similarity in _NAMES.items()
)
_USERS = tuple(
    Family(
        f"user_{name}",
        _user_knn(similarity),
        _USER,
        (_NEAR,) if name in _TRIED else (),
        try_each(_USER, _SHRUNK),
        meets=True,
        memory=of_rows,
        gain=0.8 if name == "tfidf" else 0.7,
    )
    for name, similarity in _NAMES.items()
)

LINEAR = (
    *_ITEMS,
    Family(
        "item_adjusted_cosine",
        _item_knn("adjusted_cosine"),
        _KNN,
        (),
        try_each(_KNN, _SHRUNK),
        visitors=True,
        cost=_product_cost,
    ),
    Family(
        "p3alpha",
        _walk,
        {**_WALK, "beta": 0.0},
        (),
        try_each(_WALK, {**_K, "alpha": (0.4, 0.6, 0.8, 1.0)}),
        visitors=True,
        cost=_product_cost,
    ),
    Family(
        "rp3beta",
        _walk,
        _WALK,
        (
            {"k": 100, "taught_half_life": 90.0},
            {"k": 400, "alpha": 0.6, "beta": 0.0},
            {"k": 200, "alpha": 0.8, "beta": 0.4, "taught_half_life": 90.0},
        ),
        try_each(_WALK, {**_K, "alpha": (0.4, 0.6, 0.8, 1.0), "beta": (0.0, 0.2, 0.4, 0.6)}),
        visitors=True,
        cost=_product_cost,
        gain=0.95,
    ),
    *_USERS,
    Family(
        "graph",
        _graph,
        _GRAPH,
        ({}, _AGED, {"customer": 0.4}),
        try_each(
            _GRAPH,
            {
                "customer": (0.2, 0.4, 0.6, 0.8, 1.0),
                "wanted": (0.1, 0.2, 0.3, 0.4, 0.5),
                "rank": (112, 224, 448, 896),
                "given": (0.3, 0.4, 0.5, 0.6),
            },
        ),
        cost=_graph_cost,
        effort=_graph_effort,
        asks=6.0,
        memory=of_graph,
        reads=_graph_reads,
        gain=1.0,
    ),
    Family(
        "ease",
        _ease,
        _EASE,
        ({}, _AGED),
        try_each(_EASE, {"reg": (20.0, 60.0, 200.0, 600.0, 2000.0), "taught_half_life": _AGEING}),
        visitors=True,
        dense=True,
        cost=_inverse_cost,
        memory=of_inverse,
        gain=0.95,
    ),
    Family(
        "slim",
        _slim,
        _SLIM,
        ({}, _AGED),
        try_each(
            _SLIM,
            {"reg": (5.0, 15.0, 50.0, 150.0), "k": (25, 50, 100), "taught_half_life": _AGEING},
        ),
        visitors=True,
        cost=_slim_cost,
        memory=of_systems,
        gain=0.9,
    ),
    Family(
        "als",
        _als,
        _ALS,
        ({}, {"factors": 256, "reg": 0.01}),
        try_each(
            _ALS,
            {
                "factors": (16, 32, 64, 128, 256),
                "unobserved": (5.0, 10.0, 20.0, 40.0, 80.0),
                "reg": (0.0003, 0.001, 0.003, 0.01),
            },
        ),
        cost=_als_cost,
        effort=_als_effort,
        memory=of_factors,
        reads=reads_factors,
        gain=0.85,
    ),
)
"""The simpler first."""
