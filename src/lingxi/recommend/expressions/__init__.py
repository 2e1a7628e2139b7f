"""Conditions on items, written as text, read safely, asked of one item or of a whole table."""

from lingxi.recommend.expressions.expression import Expression, parse_expression
from lingxi.recommend.expressions.facts import Facts, Moment
from lingxi.recommend.expressions.names import ATTRIBUTES, REQUEST
from lingxi.recommend.expressions.nodes import Kind

__all__ = [
    "ATTRIBUTES",
    "REQUEST",
    "Expression",
    "Facts",
    "Kind",
    "Moment",
    "parse_expression",
]
