"""What a file has met, and what has to wait, takes little memory and loses nothing."""

from __future__ import annotations

import random
from itertools import pairwise

from lingxi.ingest.files.held import HeldOrders
from lingxi.ingest.files.met import MetIds
from lingxi.ingest.files.units import Unit, join_units


def test_an_id_is_met_again_however_long_ago_it_was() -> None:
    rng = random.Random(5)
    met = MetIds(few=64)
    seen: set[str] = set()
    for _ in range(400):
        ids = [f"m{rng.randrange(20_000)}" for _ in range(rng.randrange(1, 60))]
        expected = []
        for each in ids:
            expected.append(each in seen)
            seen.add(each)
        assert met.note(ids) == expected
    assert len(seen) > 5_000


def test_an_id_takes_eight_bytes_in_few_arrays() -> None:
    """A set of numbers took eighty and more: a third of a gigabyte for four million lines."""
    met = MetIds(few=1_000)
    for start in range(0, 100_000, 1_000):
        met.note([f"id-{number}" for number in range(start, start + 1_000)])
    assert met.size_bytes == 8 * 100_000
    lengths = [len(words) for words in met._sorted]
    assert all(one >= 2 * other for one, other in pairwise(lengths))


def make_unit(row: int, order: int) -> Unit:
    product: dict[str, object] = {"product_id": f"I{row % 7}", "price": 1.5}
    properties: dict[str, object] = {"order_id": f"O{order}", "products": [product]}
    if row % 3 == 0:
        properties["note"] = f"n{row}"
    record: dict[str, object] = {"order": f"O{order}", "item": f"I{row % 7}", "name": "é\ud800"}
    body: dict[str, object] = {"messageId": f"m{row}", "properties": properties}
    return Unit([row], [record], body, fields=frozenset({"order", f"f{row % 2}"}))


def join_in_memory(lines: list[tuple[int, int]]) -> list[Unit]:
    orders: dict[int, Unit] = {}
    for row, order in lines:
        unit = make_unit(row, order)
        known = orders.setdefault(order, unit)
        if known is not unit:
            join_units(known, unit)
    return list(orders.values())


def test_orders_come_back_whole_and_in_the_order_of_their_first_lines() -> None:
    rng = random.Random(9)
    lines = [(row, row // 3 if rng.random() < 0.8 else rng.randrange(400)) for row in range(1_200)]
    held = HeldOrders(together=50)
    for row, order in lines:
        held.add(("Order Completed", f"O{order}"), make_unit(row, order))
    assert len(held) == 1_200
    assert list(held.release()) == join_in_memory(lines)
    assert (len(held), held.size_bytes, list(held.release())) == (0, 0, [])


def test_a_line_that_waits_is_packed() -> None:
    held = HeldOrders()
    for row in range(5_120):
        held.add(("Order Completed", f"O{row}"), make_unit(row, row))
    assert held.size_bytes / 5_120 < 100  # as objects they take some 1,500 bytes each


def test_orders_are_given_while_later_ones_are_still_packed() -> None:
    held = HeldOrders(together=100)
    for row in range(1_000):
        held.add(("Order Completed", f"O{row // 2}"), make_unit(row, row // 2))
    units = held.release()
    assert next(units).rows == [0, 1]
    assert len(held._packed) == 0
    assert sum(len(unit.rows) for unit in units) == 998
