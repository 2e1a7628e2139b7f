"""Which rules one more event of a name can only make true, and which only false."""

from collections.abc import Iterator, Mapping

from lingxi.segments.rule import Aggregate, All, Any, Did, Leaf, Not, Rule, Test

RISING, FALLING = 1, -1
_MIXED = 0
_FLOOR = frozenset({"at_least", "more_than"})
_CEILING = frozenset({"at_most", "less_than"})


def find_directions(rule: Rule) -> Mapping[str, int]:
    """Names of events to ``RISING`` or ``FALLING``; names that can do both are left out.

    It holds at every moment, not only now: more events never end sooner what a rising rule says.
    Only conditions that count events have a direction; what else an event of a name may change
    the caller must know.
    """
    found: dict[str, set[int]] = {}
    for leaf, sign in _signed(rule, RISING):
        if isinstance(leaf, Did | Aggregate):
            found.setdefault(leaf.stream.event, set()).add(sign * _direction(leaf))
    return {
        name: next(iter(signs))
        for name, signs in found.items()
        if len(signs) == 1 and _MIXED not in signs
    }


def _signed(rule: Rule, sign: int) -> Iterator[tuple[Leaf, int]]:
    """The conditions of a rule, with -1 for those that stand under an odd number of "not"."""
    match rule:
        case All() | Any():
            for part in rule.rules:
                yield from _signed(part, sign)
        case Not():
            yield from _signed(rule.rule, -sign)
        case _:
            yield rule, sign


def _direction(leaf: Did | Aggregate) -> int:
    if isinstance(leaf, Did):
        if leaf.which:
            return _MIXED
        if leaf.at_most is None:
            return RISING
        return FALLING if leaf.at_least <= 0 else _MIXED
    if leaf.function not in ("count", "distinct"):
        return _MIXED  # amounts may be negative
    asked = _list_asked(leaf.test)
    return RISING if asked <= _FLOOR else FALLING if asked <= _CEILING else _MIXED


def _list_asked(test: Test) -> frozenset[str]:
    return frozenset(name for name in test.__struct_fields__ if getattr(test, name) is not None)
