"""When time alone may next change whether a rule holds of a customer."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from heapq import merge
from itertools import islice

from lingxi.segments.compare import compile_test, read_moment_us, turning_points
from lingxi.segments.facts import Facts
from lingxi.segments.predicate import Predicate, Predicates, add_up
from lingxi.segments.rule import (
    Aggregate,
    All,
    Any,
    Did,
    Leaf,
    Not,
    Rule,
    Score,
    Trait,
    Value,
    Window,
    leaves,
)

NEVER = 2**62
_LOOKED_AT = 24
"""Moments tried for a condition; if it still holds as it does, the last one is answered."""
Due = Callable[[Facts, int], int]
Judgement = Callable[[Facts, int], tuple[bool, int]]
"""Whether a rule holds of a customer at a moment, and when to look again."""


def make_judgement(predicates: Predicates, rule: Rule) -> Judgement:
    """The rule's predicate for customers that the shop knows, and the first moment after ``now`` at
    which it may change without an event (see ``make_due``): what both look at is looked at once."""
    if all(_counts_plainly(leaf) for leaf in leaves(rule)):
        return _judge_counts(predicates, rule)
    holds, due = predicates.make_known(rule), make_due(predicates, rule)
    if due is None:
        return lambda facts, now: (holds(facts, now), NEVER)
    return lambda facts, now: (holds(facts, now), due(facts, now))


def _judge_counts(predicates: Predicates, rule: Rule) -> Judgement:
    match rule:
        case All() | Any():
            parts = [_judge_counts(predicates, part) for part in rule.rules]
            return _join(parts, decisive=isinstance(rule, Any))
        case Not():
            inner = _judge_counts(predicates, rule.rule)

            def judge(facts: Facts, now: int) -> tuple[bool, int]:
                holds, due = inner(facts, now)
                return not holds, due

            return judge
        case Did():
            return _judge_count(predicates, rule)
        case Aggregate():
            return _judge_value(predicates, rule)
    raise TypeError(f"{type(rule).__name__} counts nothing")


def _join(parts: list[Judgement], *, decisive: bool) -> Judgement:
    def judge(facts: Facts, now: int) -> tuple[bool, int]:
        answer, first = not decisive, NEVER
        for part in parts:
            holds, due = part(facts, now)
            if holds is decisive:
                answer = decisive
            if due < first:
                first = due
        return answer, first

    return judge


def _counts_plainly(leaf: Leaf) -> bool:
    """Whether a condition counts events in a window that ends now, or adds up what they say."""
    if isinstance(leaf, Did):
        return not leaf.which and leaf.window.is_plain
    return isinstance(leaf, Aggregate) and leaf.window.is_plain


def make_due(predicates: Predicates, rule: Rule) -> Due | None:
    """The first moment after ``now`` at which a condition of the rule may change without an event;
    never later than it does. Microseconds, ``NEVER`` for never; nothing if no condition can."""
    parts = [_make(predicates, leaf) for leaf in dict.fromkeys(leaves(rule))]
    moving = [part for part in parts if part is not None]
    if len(moving) < 2:
        return moving[0] if moving else None
    return lambda facts, now: min(part(facts, now) for part in moving)


def _make(predicates: Predicates, leaf: Leaf) -> Due | None:
    match leaf:
        case Did() | Aggregate() if _counts_plainly(leaf):
            judge = _judge_counts(predicates, leaf)
            return lambda facts, now: judge(facts, now)[1]
        case Did() | Aggregate():
            return _first_change(predicates.make_leaf(leaf), _event_turns(predicates, leaf))
        case Score() | Trait():
            if leaf.test.moves:
                return _first_change(predicates.make_leaf(leaf), _moment_turns(leaf))
    return None


def _judge_count(predicates: Predicates, leaf: Did) -> Judgement:
    """Whether so many events are in the window, and the moment at which so many have left it that
    the count decides otherwise."""
    stream, within, holds = leaf.stream, leaf.window.within_us, predicates.make_leaf(leaf)
    fewest, most = leaf.at_least, NEVER if leaf.at_most is None else leaf.at_most
    slot = predicates.slot(stream)
    slow = _first_change(holds, _event_turns(predicates, leaf))

    def judge(facts: Facts, now: int) -> tuple[bool, int]:
        times = facts.counted.get(slot)
        if times is None:
            times = facts.times(slot, stream)
        if not times:
            return fewest <= 0, NEVER
        if times[-1] > now:  # it has not happened yet, and will count when it has
            return holds(facts, now), slow(facts, now)
        if within is None:
            return fewest <= len(times) <= most, NEVER
        n = len(times) - bisect_right(times, now - within)
        if n > most:
            return False, times[-1 - most] + within
        if n >= fewest:
            return True, times[-fewest] + within if fewest > 0 else NEVER
        return False, NEVER

    return judge


def _judge_value(predicates: Predicates, leaf: Aggregate) -> Judgement:
    """Whether what the window holds passes the test, and the moment at which what is left of it
    decides otherwise."""
    stream, within, function, of = leaf.stream, leaf.window.within_us, leaf.function, leaf.of
    slot, ask, holds = predicates.slot(stream), compile_test(leaf.test), predicates.make_leaf(leaf)
    slow = _first_change(holds, _event_turns(predicates, leaf))

    def judge(facts: Facts, now: int) -> tuple[bool, int]:
        times = facts.times(slot, stream)
        if not times:
            return holds(facts, now), NEVER
        if times[-1] > now:
            return holds(facts, now), slow(facts, now)
        if within is None or times[-1] <= now - within:
            return holds(facts, now), NEVER
        values = [] if function == "count" else facts.values(slot, stream, of)
        turns = [now - within, *dict.fromkeys(times[bisect_right(times, now - within) :])]
        left = _list_left(function, times, values, turns[: _LOOKED_AT + 1])
        before = ask(next(left))
        for tried, value in enumerate(left, 1):
            if ask(value) is not before or tried == _LOOKED_AT:
                return before, turns[tried] + within
        return before, NEVER

    return judge


def _list_left(
    function: str, times: list[int], values: list[tuple[int, Value]], turns: list[int]
) -> Iterator[float | None]:
    """What a function makes of what is later than each of some moments, which are in order."""
    if function == "count":
        for at in turns:
            yield len(times) - bisect_right(times, at)
    elif function == "sum" and all(type(value) is int for _, value in values):
        rest, place = sum(int(value) for _, value in values), 0
        for at in turns:
            while place < len(values) and values[place][0] <= at:
                rest -= int(values[place][1])
                place += 1
            yield rest
    else:
        for at in turns:
            yield add_up(function, [value for when, value in values if when > at])


def _first_change(holds: Predicate, turns: Callable[[Facts, int], Iterator[int]]) -> Due:
    def due(facts: Facts, now: int) -> int:
        before: bool | None = None
        last = NEVER
        for at in islice(turns(facts, now), _LOOKED_AT):
            if before is None:
                before = holds(facts, now)
            last = at
            if holds(facts, at) is not before:
                return at
        # all that there are were tried, or only the first of them
        return last if last != NEVER and _more(turns, facts, now) else NEVER

    return due


def _more(turns: Callable[[Facts, int], Iterator[int]], facts: Facts, now: int) -> bool:
    return next(islice(turns(facts, now), _LOOKED_AT, None), None) is not None


def _event_turns(
    predicates: Predicates, leaf: Did | Aggregate
) -> Callable[[Facts, int], Iterator[int]]:
    """The moments, in order, at which an event comes into the window or leaves it."""
    stream, window = leaf.stream, leaf.window
    slot = predicates.slot(stream)
    whole = isinstance(leaf, Did) and bool(leaf.which)

    def turns(facts: Facts, now: int) -> Iterator[int]:
        if whole:
            times = [row[0] for row in facts.rows.get(stream.event, ())]
        else:
            times = facts.times(slot, stream)
        if not times or (not window.moves and times[-1] <= now):
            return iter(())
        return merge(*(_later(times, age, now) for age in _ages(window, edge=whole)))

    return turns


def _ages(window: Window, *, edge: bool) -> list[int]:
    ages = [window.older_us]
    if window.within_us is not None:
        ages.append(window.within_us)
    if edge and window.older_us:
        ages.append(0)  # a newer event becomes the last one as soon as it has happened
    return ages


def _later(times: list[int], age: int, now: int) -> Iterator[int]:
    start = bisect_right(times, now - age)
    return (times[place] + age for place in range(start, len(times)))


def _moment_turns(leaf: Score | Trait) -> Callable[[Facts, int], Iterator[int]]:
    def turns(facts: Facts, now: int) -> Iterator[int]:
        if isinstance(leaf, Trait):
            text = facts.trait(leaf.trait)
            at = None if text is None else read_moment_us(text)
        else:
            value = facts.scores.get(leaf.score)
            at = value if isinstance(value, int) and not isinstance(value, bool) else None
        if at is None:
            return iter(())
        return iter([point for point in turning_points(leaf.test, at) if point > now])

    return turns
