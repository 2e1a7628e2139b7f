"""One JSON object while it is read: what is taken from it, and what is left over is refused."""

import math
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time

import msgspec

from lingxi.errors import InvalidInput, did_you_mean
from lingxi.segments.rule import Test, Value, Window

DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000
MINUTE_US = 60_000_000
_UNITS = {"days": DAY_US, "hours": HOUR_US, "minutes": MINUTE_US}
_LONGEST = 200
_LONGEST_DAYS = 36_500.0
_MOST = 1_000
_FIELD = re.compile(r"[\w .:/-]+")
_NUMBERS = ("more_than", "at_least", "less_than", "at_most")
_MOMENTS = ("before", "after")
_AGES = ("within_days", "older_than_days", "in_next_days")
_TESTS = ("equals", "not_equals", "one_of", "contains", "starts_with", *_NUMBERS)


class Form:
    """A mapping read key by key; every mistake is told with its path."""

    def __init__(self, values: Mapping[str, object], path: str) -> None:
        self.path = path
        self._values = dict(values)
        self._known: set[str] = set()

    def fail(self, key: str, problem: str) -> InvalidInput:
        """The error of one key."""
        return InvalidInput(f"{self.path}.{key}: {problem}.")

    def has(self, key: str) -> bool:
        """Whether the key is there and not yet taken."""
        self._known.add(key)
        return key in self._values

    def take(self, key: str) -> object:
        """The value of a key that must be there."""
        self._known.add(key)
        if key not in self._values:
            raise InvalidInput(f"{self.path}: {key!r} is missing.")
        return self._values.pop(key)

    def take_text(self, key: str) -> str:
        """A text of 1 to 200 characters."""
        return self._text(self.take(key), key)

    def _text(self, value: object, key: str) -> str:
        if not isinstance(value, str) or not 0 < len(value.strip()) <= _LONGEST:
            raise self.fail(key, f"is a text of 1 to {_LONGEST} characters")
        return value

    def take_field(self, key: str) -> str:
        """The name of a field or property of events."""
        name = self.take_text(key)
        if not _FIELD.fullmatch(name):
            raise self.fail(key, f"{name!r} has other signs than letters, digits and _ . : / -")
        return name

    def take_list(self, key: str) -> Sequence[object]:
        """A list, not empty."""
        value = self.take(key)
        if not isinstance(value, list | tuple) or not 0 < len(value) <= _MOST:
            raise self.fail(key, f"is a list of 1 to {_MOST} entries")
        return value

    def take_texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, or one text; each once, in order."""
        if isinstance(self._values.get(key), str):
            return (self.take_text(key),)
        values = self.take_list(key)
        texts = [self._text(value, f"{key}[{place}]") for place, value in enumerate(values)]
        return tuple(dict.fromkeys(texts))

    def take_object(self, key: str) -> Mapping[str, object]:
        """An object."""
        value = self.take(key)
        if not isinstance(value, Mapping):
            raise self.fail(key, "is an object")
        return {str(name): each for name, each in value.items()}

    def take_choice(self, key: str, choices: Collection[str], *, default: str | None = None) -> str:
        """One of some words."""
        if default is not None and not self.has(key):
            return default
        value = self.take(key)
        if not isinstance(value, str) or value not in choices:
            near = did_you_mean(str(value), choices)
            raise self.fail(key, f"{value!r} is none of {', '.join(choices)}{near}")
        return value

    def take_truth(self, key: str, *, default: bool) -> bool:
        """True or false."""
        if not self.has(key):
            return default
        value = self.take(key)
        if not isinstance(value, bool):
            raise self.fail(key, "is true or false")
        return value

    def take_count(self, key: str) -> int:
        """A whole number from 0."""
        value = self.take(key)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 10**9:
            raise self.fail(key, f"is a whole number from 0, not {value!r}")
        return value

    def take_share(self, key: str, *, default: float) -> float:
        """A number from 0 to 1."""
        if not self.has(key):
            return default
        value = self._number(key)
        if not 0 <= value <= 1:
            raise self.fail(key, f"is a share from 0 to 1, not {value}")
        return value

    def _number(self, key: str) -> float:
        value = self.take(key)
        good = isinstance(value, int | float) and not isinstance(value, bool)
        if not good or not math.isfinite(float(value)):  # type: ignore[arg-type]
            raise self.fail(key, f"is a number, not {value!r}")
        return value  # type: ignore[return-value]

    def _age(self, key: str) -> float:
        value = self._number(key)
        days = value * _UNITS[key.rpartition("_")[2]] / DAY_US
        if not 0 < days <= _LONGEST_DAYS:
            raise self.fail(
                key, f"is a number above 0, at most {_LONGEST_DAYS:g} days, not {value}"
            )
        return value

    def _moment(self, key: str) -> datetime:
        value = self.take(key)
        if isinstance(value, str):
            try:
                value = msgspec.convert(value, datetime)
            except msgspec.ValidationError:
                try:
                    value = date.fromisoformat(str(value))
                except ValueError:
                    raise self.fail(key, "is a moment such as 2026-01-31T09:00:00Z") from None
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime.combine(value, time(), UTC)
        if not isinstance(value, datetime) or value.year < 1900:
            raise self.fail(key, "is a moment such as 2026-01-31T09:00:00Z")
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)

    def take_window(self) -> Window:
        """``within_*``, ``older_than_*``, ``after`` and ``before``, as far as they are there."""
        within, older = self._window_us("within"), self._window_us("older_than")
        if within is not None and older is not None and older >= within:
            raise InvalidInput(f"{self.path}: older_than is not shorter than within.")
        after, before = (self._moment(k) if self.has(k) else None for k in ("after", "before"))
        if after is not None and before is not None and after >= before:
            raise self.fail("before", "is not later than after")
        return Window(within, older or 0, after, before)

    def _window_us(self, word: str) -> int | None:
        keys = [f"{word}_{unit}" for unit in _UNITS if self.has(f"{word}_{unit}")]
        if len(keys) > 1:
            raise InvalidInput(f"{self.path}: write one of {' and '.join(keys)}, not both.")
        return round(self._age(keys[0]) * _UNITS[keys[0].rpartition("_")[2]]) if keys else None

    def take_test(self, *, numbers: bool = False, ages: bool = True) -> Test:
        """The parts of a test that are there: at least one.

        ``numbers`` leaves out all but comparisons of numbers, ``ages`` lets moments be tested.
        """
        given: dict[str, object] = {}
        for key in _NUMBERS:
            if self.has(key):
                given[key] = self._number(key)
        if not numbers:
            self._take_words(given)
        if ages and not numbers:
            given.update({key: self._moment(key) for key in _MOMENTS if self.has(key)})
            given.update({key: self._age(key) for key in _AGES if self.has(key)})
        if numbers and self.has("equals"):
            given["equals"] = self._number("equals")
        if not given:
            raise InvalidInput(f"{self.path}: say what it must be, for instance with 'equals'.")
        return msgspec.convert(given, Test)

    def _take_words(self, given: dict[str, object]) -> None:
        for key in ("equals", "not_equals"):
            if self.has(key):
                given[key] = self._value(self.take(key), key)
        if self.has("one_of"):
            values = self.take_list("one_of")
            each = [self._value(value, f"one_of[{place}]") for place, value in enumerate(values)]
            given["one_of"] = tuple(each)
        for key in ("contains", "starts_with"):
            if self.has(key):
                given[key] = self.take_text(key)
        if self.has("known"):
            given["known"] = self.take_truth("known", default=True)

    def _value(self, value: object, key: str) -> Value:
        if isinstance(value, float) and not math.isfinite(value):
            raise self.fail(key, f"is a text, a number, true or false, not {value!r}")
        if isinstance(value, str | int | float):
            return value
        raise self.fail(key, f"is a text, a number, true or false, not {value!r}")

    def finish(self) -> None:
        """Refuse what nobody asked for."""
        for key in self._values:
            near = did_you_mean(key, self._known)
            raise InvalidInput(f"{self.path}: there is no {key!r} here{near}.")


def write_test(test: Test) -> dict[str, object]:
    """The test as it is written beside what it is about."""
    given: dict[str, object] = msgspec.to_builtins(test)
    if "one_of" in given:
        given["one_of"] = list(test.one_of or ())
    return given


def write_window(window: Window) -> dict[str, object]:
    """The window as it is written; in the largest unit that leaves a whole number, or in days."""
    given: dict[str, object] = {}
    for word, us in (("within", window.within_us), ("older_than", window.older_us or None)):
        if us is not None:
            unit = next((unit for unit, size in _UNITS.items() if us % size == 0), "days")
            amount = us / _UNITS[unit]
            given[f"{word}_{unit}"] = int(amount) if amount.is_integer() else amount
    for word, moment in (("after", window.after), ("before", window.before)):
        if moment is not None:
            given[word] = moment.isoformat().replace("+00:00", "Z")
    return given
