"""What must be known of a customer to judge some rules."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import msgspec

from lingxi.errors import InvalidInput
from lingxi.segments.rule import (
    Aggregate,
    All,
    Any,
    Consent,
    Did,
    InList,
    InSegment,
    Not,
    Rule,
    Score,
    Stage,
    Stream,
    Trait,
    leaves,
)

STAGE = "stage"
"""The score that conditions on stages read."""
Find = Callable[[str], Rule]


@dataclass(frozen=True)
class Needs:
    """Names of events, and of them those whose contents are read; scores, consents, lists,
    categories of items; whether traits are read."""

    events: frozenset[str]
    payloads: frozenset[str]
    scores: frozenset[str]
    consents: frozenset[tuple[str, str]]
    lists: frozenset[str]
    categories: frozenset[tuple[str, ...]]
    traits: frozenset[str]


def find_needs(rules: Iterable[Rule]) -> Needs:
    """What the rules read; references to other segments must be resolved already."""
    events: set[str] = set()
    payloads: set[str] = set()
    scores: set[str] = set()
    consents: set[tuple[str, str]] = set()
    lists: set[str] = set()
    categories: set[tuple[str, ...]] = set()
    traits: set[str] = set()
    for leaf in (leaf for rule in rules for leaf in leaves(rule)):
        match leaf:
            case Did() | Aggregate():
                events.add(leaf.stream.event)
                if reads_contents(leaf):
                    payloads.add(leaf.stream.event)
                if leaf.stream.categories:
                    categories.add(leaf.stream.categories)
            case Score():
                scores.add(leaf.score)
            case Stage():
                scores.add(STAGE)
            case Consent():
                consents.add((leaf.purpose, leaf.channel))
            case InList():
                lists.add(leaf.list)
            case Trait():
                traits.add(leaf.trait)
    return Needs(
        frozenset(events),
        frozenset(payloads),
        frozenset(scores),
        frozenset(consents),
        frozenset(lists),
        frozenset(categories),
        frozenset(traits),
    )


def reads_contents(leaf: Did | Aggregate) -> bool:
    """Whether more than the moments of events is read."""
    stream = leaf.stream
    of = leaf.of if isinstance(leaf, Aggregate) else ""
    return bool(of or stream.where or stream.items or stream.categories)


def list_streams(rules: Iterable[Rule]) -> Iterator[Stream]:
    """The streams that the rules count."""
    for rule in rules:
        for leaf in leaves(rule):
            if isinstance(leaf, Did | Aggregate):
                yield leaf.stream


def resolve(rule: Rule, find: Find, above: tuple[str, ...] = ()) -> Rule:
    """The rule with those of the segments that it names in their place.

    Raises
    ------
    InvalidInput
        If a segment would be a part of itself, or ``find`` knows none of a name.
    """
    match rule:
        case InSegment():
            if rule.segment in above:
                circle = " → ".join((*above[above.index(rule.segment) :], rule.segment))
                raise InvalidInput(f"A segment cannot be a part of itself: {circle}.")
            return resolve(find(rule.segment), find, (*above, rule.segment))
        case All() | Any():
            parts = tuple(resolve(part, find, above) for part in rule.rules)
            return msgspec.structs.replace(rule, rules=parts)
        case Not():
            return Not(resolve(rule.rule, find, above))
        case _:
            return rule


def list_references(rule: Rule) -> frozenset[str]:
    """The segments that a rule names itself."""
    return frozenset(leaf.segment for leaf in leaves(rule) if isinstance(leaf, InSegment))
