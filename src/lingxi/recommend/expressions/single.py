"""A condition asked of one item; nothing (``None``) stands for unknown."""

from typing import cast

from lingxi.recommend.expressions.compare import NUMBERS, compare_folded, fold
from lingxi.recommend.expressions.facts import Facts, Moment
from lingxi.recommend.expressions.nodes import (
    Arithmetic,
    Asked,
    Attribute,
    Comparison,
    Junction,
    Kind,
    Known,
    Literal,
    Membership,
    Negation,
    Node,
    Scalar,
)


def evaluate(node: Node, facts: Facts, moment: Moment) -> Scalar | None:
    """The value of a node for one item."""
    match node:
        case Literal():
            return node.value
        case Attribute():
            return facts.read(node.name, node.kind)
        case Asked():
            return moment.read(node.name, node.kind)
        case Arithmetic():
            return _calculate(node, facts, moment)
        case Comparison():
            return _compare(node, facts, moment)
        case Membership():
            value = evaluate(node.value, facts, moment)
            if value is None:
                return None
            return any(fold(value) == fold(option.value) for option in node.options)
        case Known():
            return evaluate(node.value, facts, moment) is not None
        case Negation():
            value = evaluate(node.value, facts, moment)
            return None if value is None else not value
        case Junction():
            return _join(node, facts, moment)


def _calculate(node: Arithmetic, facts: Facts, moment: Moment) -> float | None:
    left = cast("float | None", evaluate(node.left, facts, moment))
    right = cast("float | None", evaluate(node.right, facts, moment))
    if left is None or right is None:
        return None
    match node.operator:
        case "+":
            value = left + right
        case "-":
            value = left - right
        case "*":
            value = left * right
        case _:
            if right == 0:
                return None
            value = left / right
    return value if abs(value) < float("inf") else None


def _compare(node: Comparison, facts: Facts, moment: Moment) -> bool | None:
    left = evaluate(node.left, facts, moment)
    right = evaluate(node.right, facts, moment)
    if left is None or right is None:
        return None
    if node.left.kind is Kind.NUMBER:
        return NUMBERS[node.operator](cast(float, left), cast(float, right))
    return compare_folded(node.operator, fold(left), fold(right))


def _join(node: Junction, facts: Facts, moment: Moment) -> bool | None:
    left = evaluate(node.left, facts, moment)
    right = evaluate(node.right, facts, moment)
    decisive = node.operator == "or"
    if left is decisive or right is decisive:
        return decisive
    return None if left is None or right is None else not decisive
