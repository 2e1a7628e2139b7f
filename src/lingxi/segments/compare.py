"""Whether a value passes a test, one value at a time."""

from collections.abc import Callable
from datetime import UTC, datetime
from math import inf, isfinite

from lingxi.segments.form import DAY_US
from lingxi.segments.rule import Test, Value
from lingxi.store.tables import to_micros


def passes(test: Test, value: Value | None) -> bool:
    """Whether a text, number or truth passes every part of the test; unknown passes only
    ``known: false``.

    >>> passes(Test(at_least=2), 2), passes(Test(at_least=2), "2")
    (True, False)
    """
    if test.known is not None and test.known is (value is None):
        return False
    if value is None:
        return test == Test(known=False)
    if test.moves or test.before is not None or test.after is not None:
        return False  # a value that is no moment
    return _passes_words(test, value) and _passes_numbers(test, value)


def compile_test(test: Test) -> Callable[[Value | None], bool]:
    """``passes`` made once for a test that is asked again and again.

    >>> [compile_test(Test(at_least=2))(value) for value in (1, 2.0, "2", None)]
    [False, True, False, False]
    """
    least, less = test.at_least, test.less_than
    if least is not None and test == Test(at_least=least, less_than=less):
        high = inf if less is None else less

        def lies_between(value: Value | None) -> bool:
            if value is None or isinstance(value, bool | str):
                return False
            number = float(value)
            return number >= least and (less is None or number < high)

        return lies_between
    return lambda value: passes(test, value)


def passes_moment(test: Test, at_us: int | None, now_us: int) -> bool:
    """The same for a moment, in microseconds since 1970."""
    if test.known is not None and test.known is (at_us is None):
        return False
    if at_us is None:
        return test == Test(known=False)
    if any(part is not None for part in (test.equals, test.not_equals, test.one_of)) or any(
        part is not None
        for part in (
            test.contains,
            test.starts_with,
            test.more_than,
            test.at_least,
            test.less_than,
            test.at_most,
        )
    ):
        return False
    low, high = moment_bounds(test, now_us)
    return low <= at_us <= high


def moment_bounds(test: Test, now_us: int) -> tuple[int, int]:
    """The least and greatest moment that pass, in microseconds."""
    low, high = -(2**62), 2**62
    if test.after is not None:
        low = max(low, to_micros(test.after))
    if test.before is not None:
        high = min(high, to_micros(test.before) - 1)
    if test.within_days is not None:
        low = max(low, now_us - round(test.within_days * DAY_US) + 1)
        high = min(high, now_us)
    if test.older_than_days is not None:
        high = min(high, now_us - round(test.older_than_days * DAY_US))
    if test.in_next_days is not None:
        low = max(low, now_us + 1)
        high = min(high, now_us + round(test.in_next_days * DAY_US))
    return low, high


def turning_points(test: Test, at_us: int) -> list[int]:
    """The moments at which the answer about a moment may change with time alone, sorted."""
    points: list[int] = []
    if test.within_days is not None:
        points += [at_us, at_us + round(test.within_days * DAY_US)]
    if test.older_than_days is not None:
        points.append(at_us + round(test.older_than_days * DAY_US))
    if test.in_next_days is not None:
        points += [at_us - round(test.in_next_days * DAY_US), at_us]
    return sorted(points)


def same(left: Value, right: Value) -> bool:
    """Whether two values are the same: numbers by value, and never a truth and a number.

    >>> same(1, 1.0), same(1, True), same("1", 1)
    (True, False, False)
    """
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, str) or isinstance(right, str):
        return isinstance(left, str) and isinstance(right, str) and left == right
    return float(left) == float(right)


def _passes_words(test: Test, value: Value) -> bool:
    if test.equals is not None and not same(value, test.equals):
        return False
    if test.not_equals is not None and same(value, test.not_equals):
        return False
    if test.one_of is not None and not any(same(value, each) for each in test.one_of):
        return False
    if test.contains is None and test.starts_with is None:
        return True
    if not isinstance(value, str):
        return False
    if test.contains is not None and test.contains not in value:
        return False
    return test.starts_with is None or value.startswith(test.starts_with)


def _passes_numbers(test: Test, value: Value) -> bool:
    parts = (test.more_than, test.at_least, test.less_than, test.at_most)
    if all(part is None for part in parts):
        return True
    if isinstance(value, bool | str):
        return False
    more, least, less, most = parts
    number = float(value)
    return (
        (more is None or number > more)
        and (least is None or number >= least)
        and (less is None or number < less)
        and (most is None or number <= most)
    )


def passes_trait(test: Test, text: str | None, now_us: int) -> bool:
    """Whether a trait passes; traits are texts, and one that reads as a number, true or false, or
    moment is tested as such where the test asks for one.

    >>> passes_trait(Test(at_least=18), "21", 0), passes_trait(Test(equals=True), "true", 0)
    (True, True)
    """
    if text is None or test.known is False:
        return passes(test, text)
    if test.moves or test.before is not None or test.after is not None:
        return passes_moment(test, read_moment_us(text), now_us)
    asked = [test.equals, test.not_equals, *(test.one_of or ())]
    parts = (test.more_than, test.at_least, test.less_than, test.at_most)
    if any(part is not None for part in parts) or any(
        isinstance(each, int | float) for each in asked
    ):
        return passes(test, _read_value(text))
    return passes(test, text)


def read_moment_us(text: str) -> int | None:
    """The moment that a text says, in microseconds; a date is its midnight in UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return to_micros(at if at.tzinfo is not None else at.replace(tzinfo=UTC))


def _read_value(text: str) -> Value:
    if text in ("true", "false"):
        return text == "true"
    try:
        number = float(text)
    except ValueError:
        return text
    return number if isfinite(number) else text
