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


def compare_folded(sign: str, left: Scalar, right: Scalar) -> bool:
    """Compare two folded texts or paths.

    >>> compare_folded("under", ("home", "lamps"), ("home",))
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
            path, wanted = cast("tuple[str, ...]", left), cast("tuple[str, ...]", right)
            return path[: len(wanted)] == wanted
        case "within":
            return cast(str, right) in cast("tuple[str, ...]", left)
    raise KeyError(sign)
