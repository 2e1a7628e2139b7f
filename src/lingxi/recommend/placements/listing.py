"""From a request to a list: candidates, rules, goals, pins, diversity, exploration.

Every step only reads what it is given and says what it did, so that a list can be explained and
made again.
"""

import itertools
from dataclasses import dataclass, field
from typing import cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.expressions import Moment
from lingxi.recommend.expressions.nodes import Kind
from lingxi.recommend.expressions.vectorised import Words
from lingxi.recommend.largest import find_floor
from lingxi.recommend.placements.bars import FIRM, Own, Reason, bar_own, to_bar
from lingxi.recommend.placements.compiled import Compiled
from lingxi.recommend.placements.context import Context
from lingxi.recommend.placements.definition import Diversity, Rule, Strategy, Variant
from lingxi.recommend.placements.knowledge import Knowledge
from lingxi.recommend.placements.scored import Places, Scored, Vector
from lingxi.recommend.placements.sources import SOURCES
from lingxi.recommend.rerank import Caps, Exploring, Method, diversify, explore

_WIDTH = 6
"""Candidates that diversity chooses from, by the length of the list."""

_LEAST_WIDTH = 60


@dataclass(frozen=True)
class Tier:
    """The candidates of one strategy that nothing bars, best first, not in an earlier tier.

    ``cut`` says that there are more than these.
    """

    strategy: Strategy
    scored: Scored
    places: Places
    values: Vector
    cut: bool = False


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One place of a list.

    ``base`` is the strategy's value, ``value`` after goals and boosts; ``rank`` the place that the
    item has by value alone, from 1, nothing for what no strategy scored. ``moved`` says that it is
    in the list for being different, ``pin`` the rule that pinned it.
    """

    place: int
    strategy: Strategy | None
    base: float
    value: float
    rank: int | None = None
    moved: bool = False
    pin: str = ""
    explored: bool = False
    propensity: float = 1.0


@dataclass(frozen=True)
class Listed:
    """A list and how it came to be. ``loss``: share of relevance that diversity cost."""

    variant: Variant
    entries: tuple[Entry, ...]
    loss: float
    log_propensity: float
    tiers: tuple[Tier, ...]
    own: Own
    compiled: Compiled
    moment: Moment
    factors: Vector
    without: tuple[int, ...] = field(default=())
    """Places of the list before exploration."""


def make_list(
    known: Knowledge,
    variant: Variant,
    compiled: Compiled,
    context: Context,
    rng: np.random.Generator,
    *,
    n: int | None = None,
    exploring: bool = True,
) -> Listed:
    """The list of a variant for a request.

    ``n`` shortens or lengthens the list; ``rng`` decides where and what is explored, nothing else.
    With ``exploring`` false nothing is.
    """
    length = variant.n if n is None else n
    maker = _Maker(known, variant, compiled, context, length)
    maker.pin()
    wanted = variant.exploration
    share = wanted.share if exploring else 0.0
    maker.fill(length + (wanted.pool if share > 0 else 0))
    return maker.finish(Exploring(share, wanted.first_position - 1), rng)


class _Maker:
    """Builds one list, step by step."""

    def __init__(
        self, known: Knowledge, variant: Variant, compiled: Compiled, context: Context, n: int
    ) -> None:
        self.known, self.variant, self.compiled = known, variant, compiled
        self.context, self.n = context, n
        self.moment = context.moment(known.table)
        self.own = bar_own(variant, context, known.table)
        self.open = compiled.find_open(known.table, self.moment).copy()
        self.open[self.own.places] = False
        self.factors = compiled.find_factors(known.table, self.moment)
        self.tiers: list[Tier] = []
        self.pins: dict[int, Entry] = {}
        self.chosen: list[Entry] = []
        self.losses: list[tuple[float, float]] = []
        self.scores: dict[Strategy, Scored] = {}

    def score(self, strategy: Strategy) -> Scored:
        """What a strategy says; asked once."""
        if strategy not in self.scores:
            self.scores[strategy] = SOURCES[strategy](self.known, self.context, self.variant)
        return self.scores[strategy]

    def pin(self) -> None:
        """Give the pinned items their positions; a position that is taken passes to the next."""
        for rule in self.compiled.pins:
            position = (rule.position or 1) - 1
            while position in self.pins:
                position += 1
            place = self._find_pinned(rule) if position < self.n else None
            if place is not None:
                scored = self.score(self.variant.strategy)
                base = _value_of(scored, place)
                value = base * float(self.factors[place])
                strategy = self.variant.strategy if base > 0 else None
                self.pins[position] = Entry(place, strategy, base, value, pin=rule.name)
                self.open[place] = False

    def _find_pinned(self, rule: Rule) -> int | None:
        """The best item that a pin is about: by the strategy, then popularity, then place."""
        table = self.known.table
        wanted = to_bar(rule, Reason.EXCLUDED).mask(table, self.moment)
        for entry in self.pins.values():
            wanted[entry.place] = False
        places = np.flatnonzero(wanted)
        places = np.array([p for p in places.tolist() if not self._is_firm(p)], dtype=np.int64)
        if not len(places):
            return None
        if rule.items:
            order = {item_id: at for at, item_id in enumerate(rule.items)}
            return min(places.tolist(), key=lambda p: order[table.facts[p].item_id])
        scored = self.score(self.variant.strategy)
        values = np.array([_value_of(scored, p) for p in places.tolist()]) * self.factors[places]
        popularity = np.append(self.known.popularity, 0.0)[np.minimum(places, self.known.n_known)]
        return int(places[np.lexsort((places, -popularity, -values))[0]])

    def _is_firm(self, place: int) -> bool:
        facts = self.known.table.facts[place]
        bars = self.compiled.find_bars(facts, self.moment)
        return self.own.find(place) is Reason.LOOKED_AT or any(bar.reason in FIRM for bar in bars)

    def fill(self, wanted: int) -> None:
        """Choose items, tier after tier, until there are as many as wanted."""
        for strategy in self.variant.strategies:
            missing = wanted - len(self.pins) - len(self.chosen)
            if missing <= 0 and self.tiers:
                break
            missing = max(missing, 0)
            tier = self._make_tier(strategy, missing)
            self.tiers.append(tier)
            if len(tier.places):
                self._choose(tier, missing, self.variant.diversity)
            missing = wanted - len(self.pins) - len(self.chosen)
            if tier.cut and missing > 0:  # caps left places empty that later candidates can fill
                rest = self._make_tier(strategy, missing, whole=True)
                self._choose(rest, missing, _only_caps(self.variant.diversity))

    def _make_tier(self, strategy: Strategy, missing: int, *, whole: bool = False) -> Tier:
        scored = self.score(strategy)
        values = scored.values * self.open.take(scored.places)  # above 0 are those that stay
        if not self.compiled.is_plain:
            values *= self.factors.take(scored.places)
        width = len(values) if whole else max(_WIDTH * missing, _LEAST_WIDTH)
        floor = find_floor(values, width) if width < len(values) else 0.0
        kept = (values >= floor if floor > 0 else values > 0).nonzero()[0]
        cut = len(kept) > width or (floor > 0 and np.count_nonzero(values) > width)
        places, values = scored.places[kept], values[kept]
        order = np.lexsort((places, -values))[:width]
        return Tier(strategy, scored, places[order], values[order], cut=bool(cut))

    def _choose(self, tier: Tier, missing: int, wanted: Diversity) -> None:
        """The best list of a tier's items after those chosen before."""
        before = [e.place for e in (*self.pins.values(), *self.chosen)]
        places = np.concatenate((np.array(before, dtype=np.int64), tier.places))
        values = np.concatenate((np.zeros(len(before)), tier.values))
        varied = wanted.method is not Method.NONE and wanted.strength > 0
        likeness = self.known.likeness.among(places) if varied else np.zeros((0, 0))
        first, caps = np.arange(len(before)), _find_caps(self.known, wanted, places)
        own = max(0, self.n - len(before))
        found = diversify(
            values,
            likeness,
            min(own, missing),
            method=wanted.method,
            strength=wanted.strength if varied else 0.0,
            caps=caps,
            first=first,
        )
        chosen: list[int] = found.chosen.tolist()
        self.losses.append((found.loss, float(values[chosen].sum())))
        moved = set(itertools.compress(chosen, found.moved.tolist()))
        spare = missing - len(chosen)
        if spare > 0:
            rest = np.concatenate((first, found.chosen))
            chosen += diversify(
                values, likeness, spare, method=Method.NONE, caps=caps, first=rest
            ).chosen.tolist()
        places, values = places[chosen], values[chosen]
        bases = _values_of(tier.scored, places).tolist()
        told = zip(chosen, places.tolist(), values.tolist(), bases, strict=True)
        self.chosen += [
            Entry(place, tier.strategy, base, value, rank=at - len(before) + 1, moved=at in moved)
            for at, place, value, base in told
        ]
        self.open[places] = False

    def finish(self, exploring: Exploring, rng: np.random.Generator) -> Listed:
        """Put the pins in their positions, explore, and answer."""
        listed: list[Entry] = []
        queue = self.chosen[: self.n - len(self.pins)]
        spare = self.chosen[len(queue) :]
        while queue or any(position >= len(listed) for position in self.pins):
            pinned = self.pins.get(len(listed))
            if pinned is None and not queue:
                later = min(position for position in self.pins if position >= len(listed))
                pinned = self.pins[later]
                self.pins = {p: e for p, e in self.pins.items() if p != later}
                self.pins[len(listed)] = pinned
            listed.append(pinned if pinned is not None else queue.pop(0))
        best = np.array([entry.place for entry in listed], dtype=np.int64)
        drawn = explore(
            best,
            np.array([entry.place for entry in spare], dtype=np.int64),
            exploring,
            rng,
            fixed=np.array([bool(entry.pin) for entry in listed], dtype=np.bool_),
        )
        by_place = {entry.place: entry for entry in (*listed, *spare)}
        entries = [
            by_place[place]
            if propensity == 1.0
            else msgspec.structs.replace(by_place[place], explored=explored, propensity=propensity)
            for place, explored, propensity in zip(
                drawn.items.tolist(),
                drawn.explored.tolist(),
                drawn.propensities.tolist(),
                strict=True,
            )
        ]
        return Listed(
            variant=self.variant,
            entries=tuple(entries),
            loss=_weigh_losses(self.losses),
            log_propensity=drawn.log_propensity,
            tiers=tuple(self.tiers),
            own=self.own,
            compiled=self.compiled,
            moment=self.moment,
            factors=self.factors,
            without=tuple(best.tolist()),
        )


def _only_caps(wanted: Diversity) -> Diversity:
    return msgspec.structs.replace(wanted, method=Method.NONE)


def _value_of(scored: Scored, place: int) -> float:
    return float(_values_of(scored, np.array([place], dtype=np.int64))[0])


def _values_of(scored: Scored, places: Places) -> Vector:
    """What the strategy scores these places with, 0 where it does not."""
    if not len(scored.places):
        return np.zeros(len(places))
    at = np.minimum(np.searchsorted(scored.places, places), len(scored.places) - 1)
    found: Vector = np.where(scored.places[at] == places, scored.values[at], 0.0)
    return found


def _find_caps(known: Knowledge, wanted: Diversity, places: NDArray[np.int64]) -> Caps:
    """How many of one brand and of one narrowest category the list may hold."""
    groups = [("brand", wanted.most_per_brand), ("category", wanted.most_per_category)]
    used = [(name, most) for name, most in groups if most]
    if not used:
        return Caps.none(len(places))
    columns = [cast(Words, known.table.column(name, Kind.TEXT)).codes[places] for name, _ in used]
    return Caps(np.stack(columns), tuple(most for _, most in used))


def _weigh_losses(losses: list[tuple[float, float]]) -> float:
    """The loss of all tiers together; each is a share of what its tier could have had."""
    best = sum(kept / (1.0 - loss) if loss < 1 else 0.0 for loss, kept in losses)
    kept = sum(kept for _, kept in losses)
    loss = 1.0 - kept / best if best > 0 else 0.0
    return loss if loss > 1e-12 else 0.0
