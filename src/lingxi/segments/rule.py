"""The rule of a segment: a tree of conditions on one customer, frozen, comparable, hashable.

Truth has two values: what is unknown fulfils no test but ``known: false``. ``docs/segments.md``
describes every node in the form in which people write it.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

import msgspec

Value = str | int | float | bool
Function = Literal["sum", "count", "average", "distinct"]


class Test(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a value must be; every part that is given must hold, and at least one is.

    Numbers compare with numbers only, ``contains`` and ``starts_with`` with texts, moments with
    moments; a value of another kind fulfils nothing. Texts compare letter by letter.
    """

    equals: Value | None = None
    not_equals: Value | None = None
    one_of: tuple[Value, ...] | None = None
    contains: str | None = None
    starts_with: str | None = None
    more_than: float | None = None
    at_least: float | None = None
    less_than: float | None = None
    at_most: float | None = None
    before: datetime | None = None
    after: datetime | None = None
    within_days: float | None = None
    older_than_days: float | None = None
    in_next_days: float | None = None
    known: bool | None = None

    @property
    def moves(self) -> bool:
        """Whether the answer changes with time alone."""
        ages = (self.within_days, self.older_than_days, self.in_next_days)
        return any(age is not None for age in ages)


class Where(msgspec.Struct, frozen=True):
    """A condition on a field of an event, on one of its lines, or on one of its properties."""

    property: str
    test: Test


class Window(msgspec.Struct, frozen=True):
    """Which moments count: ages in microseconds before now, and fixed moments.

    A moment counts if ``older_us`` <= age < ``within_us`` and ``after`` <= moment < ``before``;
    what lies in the future never counts.
    """

    within_us: int | None = None
    older_us: int = 0
    after: datetime | None = None
    before: datetime | None = None

    @property
    def moves(self) -> bool:
        """Whether a past event can come or go with time alone."""
        return self.within_us is not None or self.older_us > 0

    @property
    def is_plain(self) -> bool:
        """Whether it ends now: what has happened is in it, or is too old."""
        return not self.older_us and self.after is None and self.before is None


class Stream(msgspec.Struct, frozen=True):
    """Which events: those of a name that fulfil every condition of ``where``.

    With ``items`` or ``categories`` only events with a line of one of these items, or of an item
    of one of these categories. Conditions on lines must hold of one and the same line.
    """

    event: str
    where: tuple[Where, ...] = ()
    items: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


class Everyone(msgspec.Struct, frozen=True):
    """Every customer that the shop knows."""


class All(msgspec.Struct, frozen=True):
    """All of these hold; of none of them that is true."""

    rules: tuple["Rule", ...]


class Any(msgspec.Struct, frozen=True):
    """One of these holds at least; of none of them that is false."""

    rules: tuple["Rule", ...]


class Not(msgspec.Struct, frozen=True):
    """True where the other is false."""

    rule: "Rule"


class Trait(msgspec.Struct, frozen=True):
    """A trait of the customer: what they, or the shop, said of them."""

    trait: str
    test: Test


class Score(msgspec.Struct, frozen=True):
    """A number, word or moment that the product keeps of every customer."""

    score: str
    test: Test


class Stage(msgspec.Struct, frozen=True):
    """One of these stages of the customer's life with the shop."""

    stages: tuple[str, ...]


class Consent(msgspec.Struct, frozen=True):
    """Whether the customer may be reached for a purpose on a channel."""

    purpose: str
    channel: str = "*"
    granted: bool = True


class Did(msgspec.Struct, frozen=True):
    """How often something happened in a window; ``at_most`` 0 is "did not".

    With ``which`` it is the customer's first or last event of this name (whatever ``where`` and
    window say) that must fulfil ``where`` and lie in the window.
    """

    stream: Stream
    window: Window = Window()
    at_least: int = 1
    at_most: int | None = None
    which: Literal["", "first", "last"] = ""


class Aggregate(msgspec.Struct, frozen=True):
    """A sum, count, average or number of different values over events of a window.

    ``of`` is a field of events or lines; of no events the sum and the counts are 0 and the average
    is unknown. Events without the value are left out.
    """

    function: Function
    of: str
    stream: Stream
    window: Window
    test: Test


class InSegment(msgspec.Struct, frozen=True):
    """A member of another segment, by its rule as it is now."""

    segment: str


class InList(msgspec.Struct, frozen=True):
    """On a list that people keep by hand."""

    list: str


class Random(msgspec.Struct, frozen=True):
    """In a share of all customers that never changes: bucket in [``low``, ``high``) of [0, 1)."""

    salt: str
    low: float
    high: float


Leaf = Everyone | Trait | Score | Stage | Consent | Did | Aggregate | InSegment | InList | Random
Rule = Leaf | All | Any | Not


def walk(rule: Rule) -> Iterator[Rule]:
    """The rule and everything below it, from the top, from left to right."""
    yield rule
    match rule:
        case All() | Any():
            for part in rule.rules:
                yield from walk(part)
        case Not():
            yield from walk(rule.rule)


def leaves(rule: Rule) -> Iterator[Leaf]:
    """The conditions of a rule, each as often as it stands there."""
    for node in walk(rule):
        if not isinstance(node, All | Any | Not):
            yield node
