"""How two values compare; one function for one item and for a table, so that they cannot differ."""

import operator
from collections.abc import Callable, Mapping
from typing import cast

from lingxi.recommend.expressions.nodes import Scalar

NUMBERS: Mapping[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
"""Comparisons of numbers; NumPy arrays go through them too."""


def fold(value: Scalar) -> Scalar:
    """A text or path without regard to case."""
    if isinstance(value, str):
        return value.casefold()
    if isinstance(value, tuple):
        return tuple(part.casefold() for part in value)
    return value


def split_path(text: str) -> tuple[str, ...]:
    """The parts of a path as it is written.

    >>> split_path("Home > Lamps")
    ('Home', 'Lamps')
    """
    return tuple(part.strip() for part in text.split(">") if part.strip())


def compare_folded(sign: str, left: Scalar, right: Scalar) -> bool:
    """Compare two folded texts or paths.

    >>> compare_folded("under", ("home", "lamps", "desk"), ("lamps", "desk"))
    True
    """
    match sign:
        case "==":
            return left == right
        case "!=":
            return left != right
        case "contains":
            return cast(str, right) in cast(str, left)
        case "starts":
            return cast(str, left).startswith(cast(str, right))
        case "under":
            return _is_under(cast("tuple[str, ...]", left), right)
    raise KeyError(sign)


def _is_under(path: tuple[str, ...], wanted: Scalar) -> bool:
    """Whether the wanted parts stand one after another in the path."""
    parts = split_path(wanted) if isinstance(wanted, str) else cast("tuple[str, ...]", wanted)
    starts = range(len(path) - len(parts) + 1)
    return bool(parts) and any(path[at : at + len(parts)] == parts for at in starts)
