"""How a history is best heard: the ageing of its events that a fitted model does best with."""

from collections.abc import Mapping
from dataclasses import replace

from lingxi.recommend.bench import Bench
from lingxi.recommend.pool import Head, Pool, take_head
from lingxi.recommend.recipe import Param
from lingxi.recommend.scorer import Hears, Scorer, Vector

AGEINGS: tuple[Mapping[str, Param], ...] = (
    {"position_decay": 0.85},
    {"position_decay": 0.6},
    {"history_half_life": 60.0},
)
"""Ageings of a history that are tried on every model that has one."""
HEARD_BY = 2_000
"""Customers by whom that is decided, at most."""


def listen(
    scorer: Scorer, bench: Bench, hearing: Bench, popularity: Vector
) -> tuple[Head, dict[str, Param]]:
    """The head with the ageing of the history that does best, and that ageing; nothing is fitted.

    ``hearing``: the part of the bench by which that is decided.
    """
    if not bench.asked.timed or not isinstance(scorer, Hears) or scorer.heard.fades:
        return take_head(scorer, bench), {}
    heard, value, params = scorer.heard, -1.0, dict[str, Param]()
    for option in ({}, *AGEINGS):
        half_life = float(option.get("history_half_life", 0.0))
        decay = float(option.get("position_decay", 1.0))
        scorer.heard = replace(heard, half_life_days=half_life, position_decay=decay)
        tried = take_head(scorer, hearing)
        pool = Pool.build([tried], hearing, popularity)
        found = float(pool.measure(pool.scores[0]).mean())
        if found > value:
            best, head, value, params = scorer.heard, tried, found, dict(option)
    scorer.heard = best
    return (head if hearing is bench else take_head(scorer, bench)), params
