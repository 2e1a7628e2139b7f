"""The parts of a parsed condition, each with the kind of value that it has."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a value is; ``OPEN`` is a custom attribute whose kind its neighbour decides."""

    NUMBER = "a number"
    TEXT = "a text"
    PATH = "a category path"
    TRUTH = "true or false"
    OPEN = "an attribute"


Scalar = float | str | bool | tuple[str, ...]


@dataclass(frozen=True)
class Literal:
    """A value that stands in the text."""

    kind: Kind
    value: Scalar


@dataclass(frozen=True)
class Attribute:
    """A column of the item table; custom ones are named ``attributes.<name>``."""

    kind: Kind
    name: str


@dataclass(frozen=True)
class Asked:
    """A value of the request: the same for all items of one answer."""

    kind: Kind
    name: str


@dataclass(frozen=True)
class Arithmetic:
    """Two numbers put together; a division by zero is unknown."""

    operator: str
    left: "Node"
    right: "Node"
    kind: Kind = Kind.NUMBER


@dataclass(frozen=True)
class Comparison:
    """Two values of one kind compared; texts without regard to case."""

    operator: str
    left: "Node"
    right: "Node"
    kind: Kind = Kind.TRUTH


@dataclass(frozen=True)
class Membership:
    """Whether a value is one of some."""

    value: "Node"
    options: tuple[Literal, ...]
    kind: Kind = Kind.TRUTH


@dataclass(frozen=True)
class Known:
    """Whether a value is known; itself always known."""

    value: "Node"
    kind: Kind = Kind.TRUTH


@dataclass(frozen=True)
class Negation:
    """True where the other is false."""

    value: "Node"
    kind: Kind = Kind.TRUTH


@dataclass(frozen=True)
class Junction:
    """``and`` or ``or`` of two conditions, with unknown as a third value (Kleene 1952)."""

    operator: str
    left: "Node"
    right: "Node"
    kind: Kind = Kind.TRUTH


Node = (
    Literal | Attribute | Asked | Arithmetic | Comparison | Membership | Known | Negation | Junction
)


def walk(node: Node, visit: Callable[[Node], None]) -> None:
    """Call ``visit`` for the node and all below it."""
    visit(node)
    match node:
        case Arithmetic() | Comparison() | Junction():
            walk(node.left, visit)
            walk(node.right, visit)
        case Membership() | Known() | Negation():
            walk(node.value, visit)
        case Literal() | Attribute() | Asked():
            pass
