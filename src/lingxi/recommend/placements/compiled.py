"""A variant made ready for a table: what is barred, and what each score is multiplied by."""

import itertools
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.expressions import Facts, Moment
from lingxi.recommend.item_table import ItemTable
from lingxi.recommend.placements.bars import Bar, Reason, list_bars, to_bar
from lingxi.recommend.placements.context import Context
from lingxi.recommend.placements.definition import Do, Rule, Variant
from lingxi.recommend.placements.scored import Vector
from lingxi.recommend.rerank import Goal, find_goal_factors

_numbers = itertools.count(1)
KEPT = 64
"""Variants that stay ready for one table."""


@dataclass(frozen=True)
class Boost:
    """A rule that multiplies the scores of the items it is about."""

    rule: str
    by: float
    about: Bar


@dataclass(frozen=True)
class Compiled:
    """What holds for all requests of one kind within a minute.

    ``open``: shape (n_items,), items that nothing bars. ``factors``: goals and boosts. ``later``
    and ``later_boosts`` ask about the request and are applied to each.
    """

    bars: tuple[Bar, ...]
    boosts: tuple[Boost, ...]
    pins: tuple[Rule, ...]
    open: NDArray[np.bool_]
    goals: Vector
    factors: Vector
    later: tuple[Bar, ...]
    later_boosts: tuple[Boost, ...]
    number: int = 0
    """Another one for everything that was compiled; what lists made of it are known by."""

    @cached_property
    def is_plain(self) -> bool:
        """Whether nothing multiplies any score."""
        return not self.later_boosts and bool((self.factors == 1.0).all())

    def find_open(self, table: ItemTable, moment: Moment) -> NDArray[np.bool_]:
        """The items that nothing bars in this request, shape (n_items,)."""
        found = self.open
        for bar in self.later:
            found = found & ~bar.mask(table, moment)
        return found

    def find_factors(self, table: ItemTable, moment: Moment) -> Vector:
        """What scores are multiplied by in this request, shape (n_items,)."""
        found = self.factors
        for boost in self.later_boosts:
            found = np.where(boost.about.mask(table, moment), found * boost.by, found)
        return found

    def list_boosts(self, facts: Facts, moment: Moment) -> list[Boost]:
        """The boosts that one item gets."""
        return [boost for boost in self.boosts if boost.about.holds(facts, moment)]

    def find_bars(self, facts: Facts, moment: Moment) -> list[Bar]:
        """Everything about one item that keeps it out."""
        return [bar for bar in self.bars if bar.holds(facts, moment)]


def compile_variant(
    variant: Variant, rules: Sequence[Rule], context: Context, table: ItemTable
) -> Compiled:
    """Evaluate all that does not depend on who asks; ``rules`` are the shop's own for all lists."""
    on = [r for r in (*rules, *variant.rules) if r.is_on(context.now, context.country)]
    bars = list_bars(variant, on, context, listed=table.has_catalogue)
    boosts = [
        Boost(rule.name, rule.by, to_bar(rule, Reason.EXCLUDED))
        for rule in on
        if rule.do is Do.BOOST and rule.by is not None
    ]
    moment = context.moment(table)
    opened = np.ones(len(table), dtype=np.bool_)
    for bar in bars:
        if not bar.asks_request:
            opened &= ~bar.mask(table, moment)
    goals = find_goal_factors(table, Goal(variant.aim))
    factors = goals.copy()
    for boost in boosts:
        if not boost.about.asks_request:
            factors[boost.about.mask(table, moment)] *= boost.by
    return Compiled(
        bars=tuple(bars),
        boosts=tuple(boosts),
        pins=tuple(rule for rule in on if rule.do is Do.PIN),
        open=opened,
        goals=goals,
        factors=factors,
        later=tuple(bar for bar in bars if bar.asks_request),
        later_boosts=tuple(boost for boost in boosts if boost.about.asks_request),
        number=next(_numbers),
    )


_Key = tuple[object, ...]


class Compiler:
    """Keeps what it compiled for the table in use, the least recently used goes first.

    What was compiled is used for a minute, so a moment in a rule counts to the minute.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[_Key, Compiled] = OrderedDict()
        self._lock = Lock()
        self._table: ItemTable | None = None

    def get(
        self, variant: Variant, rules: Sequence[Rule], context: Context, table: ItemTable
    ) -> Compiled:
        """The variant made ready for this table and kind of request."""
        found = self.find(variant, rules, context, table)
        if found is not None:
            return found
        found = compile_variant(variant, rules, context, table)
        with self._lock:
            if self._table is table:
                self._kept[_key_of(variant, rules, context)] = found
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
        return found

    def find(
        self, variant: Variant, rules: Sequence[Rule], context: Context, table: ItemTable
    ) -> Compiled | None:
        """As ``get``, where it is ready already."""
        key = _key_of(variant, rules, context)
        with self._lock:
            if self._table is not table:
                self._kept.clear()
                self._table = table
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found


def _key_of(variant: Variant, rules: Sequence[Rule], context: Context) -> _Key:
    minute = int(context.now.timestamp() // 60)
    return variant, tuple(rules), context.country, context.age, context.category, minute
