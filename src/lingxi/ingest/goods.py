"""The goods of an order as units and amounts by item, and their arithmetic."""

from collections.abc import Iterable, Mapping

from lingxi.schema import Line

Goods = dict[str, tuple[int, int]]
"""Item → units and their amount in minor units."""


def collect_goods(lines: Iterable[Line]) -> Goods:
    """Units and amount by item.

    >>> collect_goods([Line("a", 2, 500, 1000), Line("a", 1, 500, 500)])
    {'a': (3, 1500)}
    """
    goods: Goods = {}
    for line in lines:
        units, cents = goods.get(line.item_id, (0, 0))
        goods[line.item_id] = (units + line.quantity, cents + (line.amount_cents or 0))
    return goods


def add_goods(some: Goods, others: Goods) -> Goods:
    """The units and amounts of both.

    >>> add_goods({"a": (1, 500)}, {"a": (1, 400), "b": (1, 200)})
    {'a': (2, 900), 'b': (1, 200)}
    """
    total = dict(some)
    for item_id, (units, cents) in others.items():
        old = total.get(item_id, (0, 0))
        total[item_id] = (old[0] + units, old[1] + cents)
    return total


def subtract_goods(goods: Goods, gone: Goods) -> Goods:
    """What is left of goods, each at its own price.

    >>> subtract_goods({"a": (2, 1000), "b": (1, 200)}, {"a": (1, 500), "b": (1, 150)})
    {'a': (1, 500)}
    """
    left: Goods = {}
    for item_id, (units, cents) in goods.items():
        taken, worth = gone.get(item_id, (0, 0))
        if units > taken:
            left[item_id] = (units - taken, cents - worth)
    return left


def compare_goods(before: Goods, after: Goods, returned: Goods) -> tuple[Goods, Goods]:
    """What left and what was added, each at its own price.

    Whether a telling has taken off what refunds brought back, it does not say: with as many units
    as were ordered, as are left, or any number between, nothing has changed.

    >>> compare_goods({"a": (3, 1500), "b": (1, 200)}, {"a": (2, 1000), "c": (1, 700)}, {})
    ({'a': (1, 500), 'b': (1, 200)}, {'c': (1, 700)})
    >>> compare_goods({"a": (3, 1500)}, {"a": (2, 1000)}, {"a": (1, 500)})
    ({}, {})
    """
    less: Goods = {}
    more: Goods = {}
    standing = subtract_goods(before, returned)
    for item_id in (*before, *(i for i in after if i not in before)):
        had, cost = before.get(item_id, (0, 0))
        left, worth = standing.get(item_id, (0, 0))
        has, costs = after.get(item_id, (0, 0))
        if has < left:
            less[item_id] = (left - has, worth - costs if has else worth)
        elif has > had:
            more[item_id] = (has - had, costs - cost)
    return less, more


def count_units(goods: Goods) -> int:
    """The units of all goods."""
    return sum(units for units, _ in goods.values())


def sum_goods(goods: Mapping[str, tuple[int, int]]) -> int:
    """The amount of all goods."""
    return sum(cents for _, cents in goods.values())


def to_lines(goods: Goods) -> tuple[Line, ...]:
    """A line an item, at its mean price."""
    return tuple(
        Line(item_id, units, round(cents / units) if units else None, cents)
        for item_id, (units, cents) in goods.items()
    )
