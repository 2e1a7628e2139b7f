"""The item table: changed in place of being made anew, with the same answers."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lingxi.recommend.expressions import Facts
from lingxi.recommend.expressions.nodes import Kind
from lingxi.recommend.expressions.vectorised import Numbers, Truths, Words
from lingxi.recommend.item_table import ItemTable
from lingxi.schema import Item

COLUMNS = [
    ("price", Kind.NUMBER),
    ("brand", Kind.TEXT),
    ("path", Kind.PATH),
    ("active", Kind.TRUTH),
    ("attributes.colour", Kind.OPEN),
]
items = st.one_of(
    st.none(),
    st.builds(
        Item,
        item_id=st.just("x"),
        price_cents=st.one_of(st.none(), st.integers(0, 500)),
        brand=st.one_of(st.none(), st.sampled_from(["A", "a", "B", "C"])),
        category_path=st.sampled_from([(), ("Home",), ("Home", "Lamps")]),
        active=st.booleans(),
        attributes=st.sampled_from([{}, {"colour": "red"}, {"colour": 3}]),
    ),
)


def spell(table: ItemTable, name: str, kind: Kind) -> list[object]:
    column = table.column(name, kind)
    match column:
        case Numbers() | Truths():
            values = column.values.tolist()
        case Words():
            values = [column.words[code] if code >= 0 else None for code in column.codes]
    return list(zip(values, column.known.tolist(), strict=True))


@settings(max_examples=80, deadline=None)
@given(
    st.lists(items, min_size=1, max_size=6),
    st.dictionaries(st.integers(0, 5), items, max_size=4),
    st.lists(items, max_size=3),
)
def test_a_changed_table_is_the_one_made_anew(before, changes, new) -> None:
    table = ItemTable(tuple(Facts(str(at), item) for at, item in enumerate(before)), len(before))
    for name, kind in COLUMNS:
        table.column(name, kind)
    places = {at: item for at, item in changes.items() if at < len(before)}
    added = [Facts(f"new{at}", item) for at, item in enumerate(new)]
    old = {key: spell(table, *key) for key in COLUMNS}
    changed = table.change(places, added, "2")
    fresh = ItemTable(changed.facts, len(before))
    for key in COLUMNS:
        assert spell(changed, *key) == spell(fresh, *key)
        assert spell(table, *key) == old[key]
    assert changed.index == fresh.index
    assert np.array_equal(changed.numbers("price"), fresh.numbers("price"), equal_nan=True)
