"""The models that look at what follows what, for ``families``: one entry a model."""

from lingxi.recommend.basket import NextBasket
from lingxi.recommend.family import Family, Params, try_each
from lingxi.recommend.history import Weighting
from lingxi.recommend.memory import (
    of_counts,
    of_rows,
    of_tables,
    of_whole_operator,
    reads_pairs,
)
from lingxi.recommend.next_item import NextItem, Teaching
from lingxi.recommend.recipe import Param, Recipe
from lingxi.recommend.repeat import Repeat
from lingxi.recommend.scorer import Scorer
from lingxi.recommend.sessions import Nearness, SessionKnn
from lingxi.recommend.smooth import Embedding, SmoothTransitions
from lingxi.recommend.transitions import Following, Transitions

NEXT_FLOPS = 8e10
"""What the teaching of ``next_item`` gets out of two processors."""
LATEST = 1e-6
"""A decay by which the newest item speaks alone; older ones only where it has nothing to say."""

_FOLLOWING: Params = {
    "window": 10,
    "power": 1.0,
    "reverse": 0.0,
    "together": 1.0,
    "gap_half_life": 0.0,
    "itself": 0,
}
_TRANSITIONS: Params = {
    **_FOLLOWING,
    "source": 0.3,
    "target": 0.0,
    "length": 400,
    "position_decay": 0.7,
}
_SMOOTH: Params = {
    **_FOLLOWING,
    "rank": 256,
    "source": 0.8,
    "target": 0.2,
    "position_decay": 0.7,
}
_EMBEDDING: Params = {**_FOLLOWING, "rank": 200, "position_decay": 0.7}
_NEXT: Params = {"size": 256, "epochs": 12, "negatives": 2048, "position_decay": 0.7}
_RULES: Params = {
    **_FOLLOWING,
    "itself": 1,
    "source": 0.0,
    "target": 0.0,
    "length": 20,
    "position_decay": LATEST,
}
_SESSIONS: Params = {
    "k": 500,
    "sample": 2500,
    "recency": 2.0,
    "match": 1.0,
    "half_life": 0.0,
    "rarity": 0.0,
    "spread": 0.0,
    "before": 1.0,
    "cosine": 0,
}


def _heard(params: Params) -> Weighting:
    return Weighting(
        half_life_days=float(params["history_half_life"]),
        position_decay=float(params["position_decay"]),
        repeats=str(params["repeats"]),
    )


def _following(params: Params) -> Following:
    return Following(
        window=int(params["window"]),
        power=float(params["power"]),
        reverse=float(params["reverse"]),
        together=float(params["together"]),
        gap_half_life=float(params["gap_half_life"]),
        itself=bool(params["itself"]),
    )


def _transitions(recipe: Recipe, params: Params) -> Scorer:
    return Transitions(
        recipe.name,
        _following(params),
        source=float(params["source"]),
        target=float(params["target"]),
        length=int(params["length"]),
        taught=recipe.taught_weighting,
        heard=_heard(params),
    )


def _smooth(recipe: Recipe, params: Params) -> Scorer:
    return SmoothTransitions(
        recipe.name,
        _following(params),
        rank=int(params["rank"]),
        source=float(params["source"]),
        target=float(params["target"]),
        taught=recipe.taught_weighting,
        heard=_heard(params),
    )


def _embedding(recipe: Recipe, params: Params) -> Scorer:
    return Embedding(
        recipe.name,
        _following(params),
        rank=int(params["rank"]),
        taught=recipe.taught_weighting,
        heard=_heard(params),
    )


def _next_item(recipe: Recipe, params: Params) -> Scorer:
    return NextItem(
        recipe.name,
        size=int(params["size"]),
        teaching=Teaching(epochs=int(params["epochs"]), negatives=int(params["negatives"])),
        taught=recipe.taught_weighting,
        heard=_heard(params),
    )


def _repeat(recipe: Recipe, params: Params) -> Scorer:
    return Repeat(recipe.name, timing=float(params["timing"]), heard=_heard(params))


def _next_basket(recipe: Recipe, params: Params) -> Scorer:
    return NextBasket(
        recipe.name,
        own=float(params["own"]),
        k=int(params["k"]),
        decay=float(params["decay"]),
        group=int(params["group"]),
        group_decay=float(params["group_decay"]),
    )


def _sessions(recipe: Recipe, params: Params) -> Scorer:
    nearness = Nearness(
        recency=float(params["recency"]),
        cosine=bool(params["cosine"]),
        match=float(params["match"]),
        half_life=float(params["half_life"]),
        rarity=float(params["rarity"]),
        spread=float(params["spread"]),
        before=float(params["before"]),
    )
    return SessionKnn(recipe.name, nearness, k=int(params["k"]), sample=int(params["sample"]))


_DECAYS: tuple[Param, ...] = (LATEST, 0.3, 0.5, 0.7, 0.85, 1.0)
_LADDERS: dict[str, tuple[Param, ...]] = {
    "source": (0.0, 0.3, 0.5, 0.8),
    "position_decay": _DECAYS,
    "itself": (0, 1),
    "power": (0.5, 1.0, 2.0),
    "reverse": (0.0, 0.3, 1.0),
    "window": (2, 5, 10, 20),
    "target": (0.0, 0.2, 0.4),
}
_SMOOTH_LADDERS: dict[str, tuple[Param, ...]] = {
    "rank": (64, 128, 256, 512),
    "position_decay": _DECAYS,
    "target": (0.0, 0.2, 0.4),
}
_EMBEDDING_LADDERS: dict[str, tuple[Param, ...]] = {
    "rank": (50, 100, 200, 400),
    "position_decay": _DECAYS,
    "window": (2, 5, 10, 20),
}
_NEAR_LADDERS: dict[str, tuple[Param, ...]] = {
    "k": (100, 200, 500, 1000),
    "recency": (0.0, 1.0, 2.0, 4.0),
    "rarity": (0.0, 1.0, 5.0, 10.0),
    "spread": (0.0, 2.0, 5.0),
    "before": (0.0, 0.5, 1.0),
    "half_life": (0.0, 30.0, 7.0),
    "cosine": (0, 1),
}


_REPEAT: Params = {"timing": 0.3, "position_decay": 1.0, "repeats": "linear"}
_BASKET: Params = {"own": 0.7, "k": 300, "decay": 0.9, "group": 7, "group_decay": 0.7}
_BASKET_LADDERS: dict[str, tuple[Param, ...]] = {
    "own": (0.0, 0.2, 0.4, 0.7, 0.9, 1.0),
    "k": (100, 300, 900),
    "decay": (0.7, 0.9, 1.0),
    "group_decay": (0.5, 0.7, 0.9),
}


def _count_cost(rows: int, items: int, events: int) -> float:
    """Seconds of counting pairs of events within a window and keeping the longest lists."""
    reach = min(20.0, events / max(rows, 1))  # a long window, or a history
    return 0.05 + (4e-7 + 3e-7 * reach) * events + 2e-5 * items


def _smooth_cost(rows: int, items: int, events: int) -> float:
    return _count_cost(rows, items, events) + 5e-4 * items


def _next_cost(_rows: int, items: int, events: int) -> float:
    """Seconds of three products an event with the items drawn, and of the steps of all items."""
    steps = events / 2048 + 1
    work = 6.0 * events * min(items, int(_NEXT["negatives"])) + 60.0 * steps * items
    return 0.5 + work * int(_NEXT["epochs"]) * int(_NEXT["size"]) / NEXT_FLOPS


def _session_cost(rows: int, _items: int, events: int) -> float:
    """Fitting is cheap; the seconds are those of asking on the bench."""
    return 0.1 + 1e-6 * events + 1e-3 * min(rows, 5000)


_VSKNN: Params = {**_SESSIONS, "rarity": 5.0}
_VSTAN: Params = {**_SESSIONS, "rarity": 1.0, "spread": 5.0, "cosine": 1, "before": 0.5}

SEQUENCE = (
    Family(
        "association_rules",
        _transitions,
        {**_RULES, "power": 0.0, "reverse": 1.0, "window": 60},
        visitors=True,
        timed=True,
        cost=_count_cost,
        memory=of_counts,
        gain=0.6,
    ),
    Family(
        "sequential_rules",
        _transitions,
        {**_RULES, "power": 2.0, "window": 60},
        visitors=True,
        timed=True,
        cost=_count_cost,
        memory=of_counts,
        gain=0.7,
    ),
    Family(
        "transitions",
        _transitions,
        _TRANSITIONS,
        ({}, {"window": 2, "source": 0.5, "position_decay": 0.5}),
        try_each(_TRANSITIONS, _LADDERS),
        timed=True,
        visitors=True,
        cost=_count_cost,
        memory=of_counts,
        gain=0.95,
    ),
    Family(
        "smooth_transitions",
        _smooth,
        _SMOOTH,
        ({},),
        try_each(_SMOOTH, _SMOOTH_LADDERS),
        timed=True,
        cost=_smooth_cost,
        memory=of_whole_operator,
        gain=0.9,
    ),
    Family(
        "item_embedding",
        _embedding,
        _EMBEDDING,
        ({},),
        try_each(_EMBEDDING, _EMBEDDING_LADDERS),
        timed=True,
        cost=_smooth_cost,
        memory=of_whole_operator,
        gain=0.75,
    ),
    Family(
        "next_item",
        _next_item,
        _NEXT,
        ({},),
        try_each(_NEXT, {"position_decay": (0.5, 0.7, 0.85), "size": (128, 256, 512)}),
        timed=True,
        cost=_next_cost,
        memory=of_tables,
        reads=reads_pairs,
        gain=1.0,
    ),
    Family(
        "session_knn",
        _sessions,
        {**_SESSIONS, "recency": 0.0, "match": 0.0, "cosine": 1},
        timed=True,
        cost=_session_cost,
        memory=of_rows,
        gain=0.6,
    ),
    Family(
        "v_sknn",
        _sessions,
        _VSKNN,
        ({},),
        try_each(_VSKNN, _NEAR_LADDERS),
        timed=True,
        cost=_session_cost,
        memory=of_rows,
        gain=0.85,
    ),
    Family(
        "v_stan",
        _sessions,
        _VSTAN,
        ({},),
        try_each(_VSTAN, _NEAR_LADDERS),
        timed=True,
        cost=_session_cost,
        memory=of_rows,
        gain=0.9,
    ),
    Family(
        "repeat",
        _repeat,
        _REPEAT,
        ({},),
        try_each(_REPEAT, {"timing": (0.0, 0.3, 0.6), "position_decay": _DECAYS}),
        timed=True,
        repeats=True,
        memory=of_rows,
        gain=0.8,
    ),
    Family(
        "next_basket",
        _next_basket,
        _BASKET,
        ({"own": 0.7}, {"own": 0.0}),
        try_each(_BASKET, _BASKET_LADDERS),
        timed=True,
        memory=of_rows,
        gain=0.9,
    ),
)
"""What follows what, then sessions, then repeats; the simpler first."""
