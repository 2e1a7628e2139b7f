"""Conditions on events as Ibis expressions; unknown is false, as for one customer."""

from functools import reduce
from operator import and_, or_
from typing import Any

import ibis
import ibis.expr.datatypes as dt

from lingxi.segments.fields import FIELDS, property_key
from lingxi.segments.predicate import make_bounds
from lingxi.segments.rule import Stream, Test, Value, Where, Window
from lingxi.segments.stream import Goods
from lingxi.store.tables import from_micros

Expr = Any
"""An Ibis value: its declared types do not follow its operators."""
_EARLIEST, _LATEST = -2_208_988_800_000_000, 16_725_225_600_000_000
"""The years 1900 and 2500, in microseconds: bounds beyond them bound nothing."""
_PROPERTY = (dt.string, dt.string)
property_text = ibis.udf.scalar.builtin(name="property_text", signature=(_PROPERTY, dt.string))(
    lambda properties, _key: properties
)
property_number = ibis.udf.scalar.builtin(
    name="property_number", signature=(_PROPERTY, dt.float64)
)(lambda properties, _key: properties)
property_truth = ibis.udf.scalar.builtin(name="property_truth", signature=(_PROPERTY, dt.boolean))(
    lambda properties, _key: properties
)
"""A property if it is a text, a number, a truth; else nothing. The store gives them to engines."""
array_position = ibis.udf.scalar.builtin(
    name="array_position", signature=((dt.dtype("array<string>"), dt.string), dt.int64)
)(lambda names, _name: names)


def conjoin(parts: list[Expr]) -> Expr:
    """All of these; of none of them that is true."""
    return reduce(and_, parts, ibis.literal(True))


def in_window(rows: ibis.Table, window: Window, now_us: int) -> Expr:
    """Whether a row's moment counts."""
    low, high = make_bounds(window)(now_us)
    parts = [rows.occurred_at <= _moment(min(high, now_us))]
    if low > _EARLIEST:
        parts.append(rows.occurred_at > _moment(low))
    return conjoin(parts)


def since(rows: ibis.Table, us: int) -> list[Expr]:
    """That a row is later than a moment, if that is one; files that are older are not read."""
    return [later_than(rows, us)] if us > _EARLIEST else []


def later_than(rows: ibis.Table, us: int) -> Expr:
    """Whether a row's moment is later than this one."""
    return rows.occurred_at > _moment(us)


def _moment(us: int) -> Expr:
    at = from_micros(min(max(us, _EARLIEST), _LATEST))
    return ibis.literal(at, type="timestamp('UTC', 6)")


def find_place(name: Expr, names: list[str]) -> Expr:
    """The place of a name in a list, from 1 on; 0 or nothing if it is not in it.

    DuckDB asks this once for each name that a file holds, where it compares texts row by row.
    """
    return array_position(ibis.array(names), name)


def meets(rows: ibis.Table, stream: Stream, goods: Goods) -> Expr:
    """Whether a row, which is one line of an event, fulfils all that a stream asks."""
    return conjoin([rows.name == stream.event, meets_contents(rows, stream, goods)])


def meets_contents(rows: ibis.Table, stream: Stream, goods: Goods) -> Expr:
    """The same of a row of an event whose name is the stream's."""
    parts = [meets_where(rows, each) for each in stream.where]
    if stream.items or stream.categories:
        wanted = {*stream.items, *goods.get(stream.categories, ())}
        named = [rows.item_id.isin(sorted(wanted)).fill_null(False)] if wanted else []
        if stream.categories:
            known = rows.category.isin(list(stream.categories)).fill_null(False)
            named.append(known & rows.item_id.notnull())
        parts.append(reduce(or_, named))
    return conjoin(parts)


def meets_where(rows: ibis.Table, where: Where) -> Expr:
    """Whether a field or property of a row passes a test."""
    field = FIELDS.get(where.property)
    if field is None:
        return _test_property(rows, property_key(where.property), where.test)
    column = rows[field.column]
    kind = column.cast("float64") if field.kind == "number" else column
    texts = kind if field.kind == "text" else None
    numbers = kind if field.kind == "number" else None
    return _test(where.test, texts, numbers, None, column.notnull())


def read_number(rows: ibis.Table, of: str) -> Expr:
    """A field or property as a number, null where it is none."""
    field = FIELDS.get(of)
    if field is None:
        return property_number(rows.properties, property_key(of))
    if field.kind == "text":
        return ibis.null("float64")
    return rows[field.column].cast("float64")


def read_text(rows: ibis.Table, of: str) -> Expr:
    """A field or property as a text that is the same where the values are, null where unknown."""
    field = FIELDS.get(of)
    if field is not None and field.kind == "text":
        return "s" + rows[field.column]
    number = "n" + read_number(rows, of).cast("string")
    if field is not None:
        return number
    text: Expr = property_text(rows.properties, property_key(of))
    return ibis.coalesce("s" + text, number)


def _test_property(rows: ibis.Table, key: str, test: Test) -> Expr:
    texts = property_text(rows.properties, key)
    numbers = property_number(rows.properties, key)
    truths = property_truth(rows.properties, key)
    known = texts.notnull() | numbers.notnull() | truths.notnull()
    return _test(test, texts, numbers, truths, known)


def _test(
    test: Test,
    texts: Expr | None,
    numbers: Expr | None,
    truths: Expr | None,
    known: Expr,
) -> Expr:
    """A test of a value that is a text, a number or a truth, as far as it can be."""

    def equals(value: Value) -> Expr:
        if isinstance(value, bool):
            found = truths if truths is None else truths == value
        elif isinstance(value, str):
            found = texts if texts is None else texts == value
        else:
            found = numbers if numbers is None else numbers == float(value)
        return ibis.literal(False) if found is None else found.fill_null(False)

    parts: list[Expr] = []
    if test.known is not None:
        parts.append(known if test.known else ~known)
    if test.equals is not None:
        parts.append(equals(test.equals))
    if test.not_equals is not None:
        parts.append(known & ~equals(test.not_equals))
    if test.one_of is not None:
        parts.append(reduce(or_, [equals(value) for value in test.one_of]))
    parts += _test_texts(test, texts) + _test_numbers(test, numbers)
    return conjoin(parts)


def _test_texts(test: Test, texts: Expr | None) -> list[Expr]:
    if test.contains is None and test.starts_with is None:
        return []
    if texts is None:
        return [ibis.literal(False)]
    parts = []
    if test.contains is not None:
        parts.append(texts.contains(test.contains).fill_null(False))
    if test.starts_with is not None:
        parts.append(texts.startswith(test.starts_with).fill_null(False))
    return parts


def _test_numbers(test: Test, numbers: Expr | None) -> list[Expr]:
    bounds = (test.more_than, test.at_least, test.less_than, test.at_most)
    if all(bound is None for bound in bounds):
        return []
    if numbers is None:
        return [ibis.literal(False)]
    parts = []
    if test.more_than is not None:
        parts.append((numbers > test.more_than).fill_null(False))
    if test.at_least is not None:
        parts.append((numbers >= test.at_least).fill_null(False))
    if test.less_than is not None:
        parts.append((numbers < test.less_than).fill_null(False))
    if test.at_most is not None:
        parts.append((numbers <= test.at_most).fill_null(False))
    return parts


def passes_number(test: Test, number: Expr) -> Expr:
    """Whether a number passes a test."""
    return _test(test, None, number, None, number.notnull())
