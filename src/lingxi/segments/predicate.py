"""A rule as a function of one customer's facts and a moment."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from math import fsum

from lingxi.segments.bucket import bucket_of
from lingxi.segments.compare import compile_test, passes_moment, passes_trait
from lingxi.segments.facts import Facts
from lingxi.segments.needs import STAGE, reads_contents
from lingxi.segments.rule import (
    Aggregate,
    All,
    Any,
    Consent,
    Did,
    Everyone,
    InList,
    InSegment,
    Not,
    Random,
    Rule,
    Score,
    Stage,
    Stream,
    Trait,
    Value,
    Window,
)
from lingxi.segments.stream import belongs
from lingxi.store.tables import to_micros

Predicate = Callable[[Facts, int], bool]


class Predicates:
    """Makes predicates that share what they look at: each stream has one number.

    ``moments`` are the names of scores that are moments.
    """

    def __init__(self, moments: frozenset[str] = frozenset()) -> None:
        self._moments = moments
        self._slots: dict[Stream, int] = {}

    def make(self, rule: Rule) -> Predicate:
        """Whether a customer fulfils the rule at a moment in microseconds; who is not known does
        not."""
        inner = self.make_known(rule)
        return lambda facts, now: facts.known and inner(facts, now)

    def slot(self, stream: Stream) -> int:
        """The number of a stream."""
        return self._slots.setdefault(stream, len(self._slots))

    def make_known(self, rule: Rule) -> Predicate:
        """The same of a customer that the shop knows; whether it does is not asked."""
        match rule:
            case Everyone():
                return lambda _facts, _now: True
            case All():
                return _join([self.make_known(part) for part in rule.rules], decisive=False)
            case Any():
                return _join([self.make_known(part) for part in rule.rules], decisive=True)
            case Not():
                inner = self.make_known(rule.rule)
                return lambda facts, now: not inner(facts, now)
            case _:
                return self.make_leaf(rule)

    def make_leaf(self, rule: Rule) -> Predicate:
        """The predicate of a single condition; whether the customer is known is not asked."""
        match rule:
            case Did():
                return self._did(rule)
            case Aggregate():
                return self._aggregate(rule)
            case Trait():
                return _trait(rule)
            case Score():
                return self._score(rule)
            case Stage():
                stages = frozenset(rule.stages)
                return lambda facts, _now: facts.scores.get(STAGE) in stages
            case Consent():
                key, granted = (rule.purpose, rule.channel), rule.granted
                return lambda facts, _now: facts.consents[key] is granted
            case InList():
                name = rule.list
                return lambda facts, _now: name in facts.lists
            case Random():
                salt, low, high = rule.salt, rule.low, rule.high
                return lambda facts, _now: low <= bucket_of(salt, facts.customer) < high
            case InSegment():
                raise ValueError(f"segment {rule.segment!r} was not resolved")
        return self.make_known(rule)

    def _score(self, rule: Score) -> Predicate:
        name, test = rule.score, rule.test
        if name in self._moments:
            return lambda facts, now: passes_moment(test, _whole(facts.scores.get(name)), now)
        ask = compile_test(test)
        return lambda facts, _now: ask(facts.scores.get(name))

    def _did(self, rule: Did) -> Predicate:
        stream, window, which = rule.stream, rule.window, rule.which
        if which:
            return _edge(rule)
        slot, bounds = self.slot(stream), make_bounds(window)
        fewest, most = rule.at_least, 2**62 if rule.at_most is None else rule.at_most
        if window.is_plain:
            return _count_plain(stream, slot, window.within_us, fewest, most)

        def test(facts: Facts, now: int) -> bool:
            times = facts.times(slot, stream)
            if not times:
                return fewest <= 0
            low, high = bounds(now)
            n = bisect_right(times, high) - bisect_right(times, low)
            return fewest <= max(n, 0) <= most

        return test

    def _aggregate(self, rule: Aggregate) -> Predicate:
        stream, of, function = rule.stream, rule.of, rule.function
        ask = compile_test(rule.test)
        slot, bounds = self.slot(stream), make_bounds(rule.window)
        plain = not reads_contents(rule)

        def test(facts: Facts, now: int) -> bool:
            low, high = bounds(now)
            if plain or function == "count":
                times = facts.times(slot, stream)
                n = max(0, bisect_right(times, high) - bisect_right(times, low))
                return ask(n)
            values = facts.values(slot, stream, of)
            kept = [value for at, value in values if low < at <= high]
            return ask(add_up(function, kept))

        return test


def _count_plain(
    stream: Stream, slot: int, within: int | None, fewest: int, most: int
) -> Predicate:
    """Whether so many events lie in a window that ends now."""

    def test(facts: Facts, now: int) -> bool:
        times = facts.counted.get(slot)
        if times is None:
            times = facts.times(slot, stream)
        if not times:
            return fewest <= 0
        n = len(times) if times[-1] <= now else bisect_right(times, now)
        if within is not None:
            n -= bisect_right(times, now - within)
        return fewest <= n <= most

    return test


def add_up(function: str, values: Sequence[Value]) -> float | int | None:
    """The sum, average or number of different values; texts are left out of sums.

    >>> add_up("sum", [1, 2.5, "x"]), add_up("distinct", ["a", "a", "b"]), add_up("average", [])
    (3.5, 2, None)
    """
    if function == "distinct":
        return len({(isinstance(value, str), value) for value in values if _countable(value)})
    numbers = [value for value in values if isinstance(value, int | float) and _countable(value)]
    if function == "average":
        return fsum(numbers) / len(numbers) if numbers else None
    return fsum(numbers)


def _countable(value: Value) -> bool:
    return not isinstance(value, bool)


def make_bounds(window: Window) -> Callable[[int], tuple[int, int]]:
    """The moments that a window holds as seen from a moment: above the first, up to the second."""
    after = -(2**62) if window.after is None else to_micros(window.after) - 1
    before = 2**62 if window.before is None else to_micros(window.before) - 1
    within, older = window.within_us, window.older_us

    def bounds(now: int) -> tuple[int, int]:
        low = after if within is None else max(after, now - within)
        return low, min(before, now - older)

    return bounds


def _edge(rule: Did) -> Predicate:
    """Whether the first or last event of the name fulfils all of it."""
    stream, bounds = rule.stream, make_bounds(rule.window)
    reads = bool(stream.where or stream.items or stream.categories)

    def test(facts: Facts, now: int) -> bool:
        rows = facts.rows.get(stream.event, ())
        n = bisect_right(rows, now, key=lambda row: row[0])
        if not n:
            return False
        place = 0 if rule.which == "first" else n - 1
        low, high = bounds(now)
        if not low < rows[place][0] <= high:
            return False
        return not reads or belongs(stream, facts.events(stream.event)[place], facts.goods)

    return test


def _trait(rule: Trait) -> Predicate:
    name, test = rule.trait, rule.test
    return lambda facts, now: passes_trait(test, facts.trait(name), now)


def _whole(value: Value | None) -> int | None:
    return value if isinstance(value, int) else None


def _join(parts: list[Predicate], *, decisive: bool) -> Predicate:
    def test(facts: Facts, now: int) -> bool:
        for part in parts:
            if part(facts, now) is decisive:
                return decisive
        return not decisive

    return test
