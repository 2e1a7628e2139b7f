"""Which segments an event can change: from its name, and from what rules ask of its contents."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from lingxi.schema import Event, Name
from lingxi.segments.direction import FALLING, RISING, find_directions
from lingxi.segments.due import Judgement, make_judgement
from lingxi.segments.needs import Needs, find_needs, reads_contents
from lingxi.segments.predicate import Predicates
from lingxi.segments.rule import (
    Aggregate,
    Consent,
    Did,
    InList,
    Rule,
    Score,
    Stream,
    Trait,
    leaves,
)
from lingxi.segments.stream import Goods, belongs

_MERGES = frozenset({Name.CUSTOMERS_MERGED.value, Name.MERGE_UNDONE.value})
_CONSENT = (Name.CONSENT_GIVEN.value, Name.CONSENT_WITHDRAWN.value)
_NONE: frozenset[str] = frozenset()
_LISTS = (Name.LIST_JOINED.value, Name.LIST_LEFT.value)


@dataclass(frozen=True)
class Compiled:
    """A segment that can be asked: its rule resolved, and the judgement of customers that the shop
    knows."""

    name: str
    rule: Rule
    judge: Judgement
    needs: Needs


def compile_segments(rules: Mapping[str, Rule], moments: frozenset[str]) -> dict[str, Compiled]:
    """Every segment, compiled; they share what they look at."""
    predicates = Predicates(moments)
    return {
        name: Compiled(name, rule, make_judgement(predicates, rule), find_needs([rule]))
        for name, rule in rules.items()
    }


class Index:
    """Segments by what changes them.

    ``profile`` are the scores that events may change, each with the names of those that do, or
    nothing where any may; other scores and the stage change when they are computed, which no
    single event tells.
    """

    def __init__(
        self, compiled: Mapping[str, Compiled], profile: Mapping[str, frozenset[str] | None]
    ) -> None:
        self._all = frozenset(compiled)
        self._always: set[str] = set()
        self.starts: set[str] = set()
        """Segments that a customer's first event may change, whatever it is: it makes a profile,
        whose counts are 0 and no longer unknown."""
        self._by_name: dict[str, set[str]] = {}
        self._by_stream: dict[str, dict[Stream, set[str]]] = {}
        self._by_item: dict[str, dict[str, set[str]]] = {}
        self._uncounted: dict[str, set[str]] = {}
        for each in compiled.values():
            for leaf in leaves(each.rule):
                self._enter(each.name, leaf, profile)
        self._settled = {RISING: self._list_moving(compiled, RISING)}
        self._settled[FALLING] = self._list_moving(compiled, FALLING)

    def _list_moving(
        self, compiled: Mapping[str, Compiled], direction: int
    ) -> dict[str, frozenset[str]]:
        """By name of event the segments whose rules it can move in one direction only."""
        found: dict[str, set[str]] = {}
        for each in compiled.values():
            for event, moves in find_directions(each.rule).items():
                changed = self._uncounted.get(event, set())
                if moves == direction and each.name not in changed | self._always:
                    found.setdefault(event, set()).add(each.name)
        return {event: frozenset(names) for event, names in found.items()}

    def _enter(self, name: str, leaf: object, profile: Mapping[str, frozenset[str] | None]) -> None:
        match leaf:
            case Did() | Aggregate():
                edge = isinstance(leaf, Did) and leaf.which
                stream = leaf.stream
                if stream.items and not edge and stream == Stream(stream.event, items=stream.items):
                    items = self._by_item.setdefault(stream.event, {})
                    for item_id in stream.items:
                        items.setdefault(item_id, set()).add(name)
                elif reads_contents(leaf) and not edge:
                    streams = self._by_stream.setdefault(leaf.stream.event, {})
                    streams.setdefault(leaf.stream, set()).add(name)
                else:
                    self._by_name.setdefault(leaf.stream.event, set()).add(name)
            case Trait():
                self._enter_names(name, [Name.IDENTIFIED.value])
            case Consent():
                self._enter_names(name, _CONSENT)
            case InList():
                self._enter_names(name, _LISTS)
            case Score() if leaf.score in profile:
                names = profile[leaf.score]
                if names is None:
                    self._always.add(name)
                else:
                    self._enter_names(name, names)
                    self.starts.add(name)

    def _enter_names(self, segment: str, names: Iterable[str]) -> None:
        for name in names:
            self._by_name.setdefault(name, set()).add(segment)
            self._uncounted.setdefault(name, set()).add(segment)

    def find_open(self, event: Event, goods: Goods, members: Collection[str]) -> Collection[str]:
        """The segments to ask for a customer who was asked for all before and is in ``members``.

        Whoever fulfils a rule that the event can only make true goes on fulfilling it, and whoever
        does not, where it can only make it false; their timers wake too early at worst.
        """
        found = self.find(event, goods)
        if event.name in _MERGES:
            return found
        rising = self._settled[RISING].get(event.name, _NONE)
        falling = self._settled[FALLING].get(event.name, _NONE)
        if rising or falling:
            inside = found.intersection(members)
            found = found - (rising & inside) - (falling - inside)
        return found

    def find(self, event: Event, goods: Goods) -> frozenset[str] | set[str]:
        """The segments that an event of a customer may change."""
        if event.name in _MERGES:
            return self._all
        found = self._by_name.get(event.name, frozenset()) | self._always
        items = self._by_item.get(event.name)
        if items:
            found = found.union(*(items.get(line.item_id, ()) for line in event.lines))
        streams = self._by_stream.get(event.name)
        if streams:
            found = set(found)
            for stream, names in streams.items():
                if not names <= found and belongs(stream, event, goods):
                    found |= names
        return found
