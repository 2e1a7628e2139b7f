"""A condition that was read: asked of one item or of all."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

from lingxi.recommend.expressions import single, vectorised
from lingxi.recommend.expressions.facts import Facts, Moment
from lingxi.recommend.expressions.grammar import Parser
from lingxi.recommend.expressions.nodes import Asked, Node, walk
from lingxi.recommend.expressions.vectorised import Mask, Table


@dataclass(frozen=True)
class Expression:
    """A condition with the text it was written as; equal texts are equal conditions."""

    text: str
    node: Node

    def holds(self, facts: Facts, moment: Moment) -> bool:
        """Whether it is true of one item; unknown is not true."""
        return single.evaluate(self.node, facts, moment) is True

    def mask(self, table: Table, moment: Moment) -> Mask:
        """For which items of a table it is true, shape (n_items,)."""
        return vectorised.hold(self.node, table, moment)

    @cached_property
    def asks_request(self) -> bool:
        """Whether the answer depends on more than the item and the day."""
        asked: list[str] = []
        walk(self.node, lambda node: asked.append(node.name) if isinstance(node, Asked) else None)
        return any(name != "now" for name in asked)


@lru_cache(maxsize=4096)
def parse_expression(text: str) -> Expression:
    """Read a condition such as ``category under 'Home' and price < 20``.

    Only the names of ``ATTRIBUTES`` and ``REQUEST`` mean something; nothing is ever run as code.

    Raises
    ------
    InvalidInput
        With the character at which the text cannot be understood.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from lingxi.schema import Item
    >>> cheap = parse_expression("brand in ['Willow', 'Finch'] and price < 20")
    >>> facts = Facts("a", Item(item_id="a", brand="finch", price_cents=1999))
    >>> cheap.holds(facts, Moment(datetime(2026, 6, 1, tzinfo=UTC)))
    True
    """
    return Expression(text, Parser(text).read())
