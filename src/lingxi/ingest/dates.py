"""Moments as shops write them, and whether 03/04/2011 is in March or in April.

The order of day and month is decided once for the whole column. Local times take the shop's time
zone: a time that a clock change skips is moved forward by the skipped hour, and a time that it
repeats is taken as the first of the two.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import InvalidInput
from lingxi.ingest.text import Mask, Text

NO_TIME = np.iinfo(np.int64).min
"""Microseconds since 1970 that stand for: no moment."""


class Order(StrEnum):
    """How a numeric date is written."""

    YEAR_FIRST = "Y-M-D"
    DAY_FIRST = "D/M/Y"
    MONTH_FIRST = "M/D/Y"


@dataclass(frozen=True, eq=False)
class Moments:
    """``micros``: UTC per distinct value (``NO_TIME`` where unreadable); ``form`` says how they
    were read and ``evidence`` what decided it: stated, only_fit, in_order, not_future, iso."""

    micros: NDArray[np.int64]
    form: str
    evidence: str


_CLOCK = (
    r"(?:[T ,]+(?:at )?(\d{1,2})(?::|h|时|点)(\d{2})(?:[:分](\d{2})(?:[.,](\d{1,9}))?秒?|分)?"
    r"\s*([AaPp]\.?[Mm]\.?|上午|下午)?)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?"
)
_YEAR_FIRST = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?" + _CLOCK, re.ASCII)
_THREE = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4}|\d{2})" + _CLOCK, re.ASCII)
_NAMED = re.compile(
    r"(?:[A-Za-z]{3,9},? )?(?:(\d{1,2})(?:st|nd|rd|th)?[- ]([A-Za-z]{3,9})\.?|"
    r"([A-Za-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?),?[- ](\d{4}|\d{2})" + _CLOCK,
    re.ASCII,
)
_COMPACT = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})(?:[T ]?(\d{2})(\d{2})(\d{2})?)?", re.ASCII)
_DIGITS = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_MIDNIGHT = re.compile(r"(.*\d)[T ]00:00(?::00(?:\.0+)?)?", re.ASCII)
_PART = re.compile(r"0(?:\.\d+)?", re.ASCII)
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}[T ](\d{2}:.*)", re.ASCII)
_SERIAL_ZERO = datetime(1899, 12, 30, tzinfo=UTC)
"""Spreadsheets count days from here, of local time."""
_MONTHS = {
    name: number
    for number, names in enumerate(
        [
            "jan january januar janvier enero",
            "feb february februar février febrero",
            "mar march märz mars marzo",
            "apr april avril abril",
            "may mai mayo",
            "jun june juni juin junio",
            "jul july juli juillet julio",
            "aug august août agosto",
            "sep sept september septembre septiembre",
            "oct october oktober octobre octubre",
            "nov november novembre noviembre",
            "dec december dezember décembre diciembre",
        ],
        start=1,
    )
    for name in names.split()
}
_WORDS = {
    "dmy": Order.DAY_FIRST,
    "d/m/y": Order.DAY_FIRST,
    "dd/mm/yyyy": Order.DAY_FIRST,
    "mdy": Order.MONTH_FIRST,
    "m/d/y": Order.MONTH_FIRST,
    "mm/dd/yyyy": Order.MONTH_FIRST,
    "ymd": Order.YEAR_FIRST,
    "y-m-d": Order.YEAR_FIRST,
    "yyyy-mm-dd": Order.YEAR_FIRST,
    "iso": Order.YEAR_FIRST,
}
_NEAR_ORDERED = 0.99
_CLEARLY_LESS = 0.95


def read_moments(column: Text, zone: tzinfo, now: datetime, form: str | None = None) -> Moments:
    """Read a column of dates, deciding between day first and month first over all of it.

    Raises
    ------
    InvalidInput
        If every date fits both and nothing else decides, or ``form`` is no known format.
    """
    if form is not None and form.lower() not in _WORDS:
        return Moments(_by_pattern(column.values, form, zone), form, "stated")
    if form is not None:
        order, evidence = _WORDS[form.lower()], "stated"
    else:
        order, evidence = _choose_order(column, zone, now)
    read = _reader(order, zone)
    micros = np.array([read(value) for value in column.values], dtype=np.int64)
    return Moments(micros, order.value, evidence)


def join_clock(day: str, clock: str) -> str:
    """A day and a time of day that stand in two cells, also as spreadsheets keep them: a day as a
    number or at midnight, a time as a part of a day or after a day of its own.

    >>> join_clock("45296", "0.60416666"), join_clock("2024-01-05 00:00:00", "14:30:00")
    ('2024-01-05 14:30:00', '2024-01-05 14:30:00')
    >>> join_clock("5/1/2024", "2:30 pm"), join_clock("2024-01-05", "1899-12-30 14:30:00")
    ('5/1/2024 2:30 pm', '2024-01-05 14:30:00')
    """
    if midnight := _MIDNIGHT.fullmatch(day):
        day = midnight[1]
    elif _DIGITS.fullmatch(day) and _is_serial(number := float(day)):
        day = str((_SERIAL_ZERO + timedelta(days=int(number))).date())
    if _PART.fullmatch(clock) and day[4:5] == "-":
        clock = str((_SERIAL_ZERO + timedelta(seconds=round(float(clock) * 86_400))).time())
    elif dated := _DATED.fullmatch(clock):
        clock = dated[1]
    return f"{day} {clock}"


def parse_moments(values: Sequence[str], form: str, zone: tzinfo) -> NDArray[np.int64]:
    """Distinct cells → microseconds UTC, by a form that ``read_moments`` settled on."""
    if form in list(Order):
        read = _reader(Order(form), zone)
        return np.array([read(value) for value in values], dtype=np.int64)
    return _by_pattern(values, form, zone)


def moment_reader(form: str, zone: tzinfo) -> Callable[[str], int]:
    """What reads one cell at a time, by a form that ``read_moments`` settled on."""
    if form in list(Order):
        return _reader(Order(form), zone)
    return lambda value: int(_by_pattern([value], form, zone)[0])


def parse_moment(value: str, order: Order, zone: tzinfo) -> int:
    """One moment in microseconds UTC, or ``NO_TIME``.

    >>> from zoneinfo import ZoneInfo
    >>> parse_moment("1/12/2010 8:26", Order.DAY_FIRST, ZoneInfo("UTC")) // 10**6
    1291191960
    """
    return _reader(order, zone)(value)


def _reader(order: Order, zone: tzinfo) -> Callable[[str], int]:
    def read(value: str) -> int:
        try:
            moment = datetime.fromisoformat(value) if value[4:5] == "-" else None
        except ValueError:
            moment = None
        try:
            if moment is None:
                moment = _read_written(value.strip(), order, zone)
            if moment is None:
                return NO_TIME
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=zone)
            return _micros(moment)
        except (ValueError, OverflowError):
            return NO_TIME

    return read


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _micros(moment: datetime) -> int:
    # fold=0: a skipped local time keeps the offset before the change, a repeated one is the first
    since = moment.astimezone(UTC) - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _read_written(value: str, order: Order, zone: tzinfo) -> datetime | None:
    if found := _YEAR_FIRST.fullmatch(value):
        year, month, day, *clock = found.groups()
        return _moment(int(year), int(month), int(day), clock, zone)
    if found := _THREE.fullmatch(value):
        first, second, year, *clock = found.groups()
        day, month = (second, first) if order is Order.MONTH_FIRST else (first, second)
        return _moment(_full_year(year), int(month), int(day), clock, zone)
    if found := _NAMED.fullmatch(value):
        day, name, other_name, other_day, year, *clock = found.groups()
        number = _MONTHS.get((name or other_name).lower())
        if number is None:
            return None
        return _moment(_full_year(year), number, int(day or other_day), clock, zone)
    if found := _COMPACT.fullmatch(value):
        year, month, day, hour, minute, second = found.groups()
        if 1 <= int(month) <= 12:
            return _moment(int(year), int(month), int(day), [hour, minute, second], zone)
    if _DIGITS.fullmatch(value):
        return _from_count(value, zone)
    return None


def _full_year(year: str) -> int:
    if len(year) == 4:
        return int(year)
    # two digits: the POSIX rule, 69-99 are 19xx
    return int(year) + (1900 if int(year) >= 69 else 2000)


def _moment(year: int, month: int, day: int, clock: Sequence[str | None], zone: tzinfo) -> datetime:
    hour, minute, second, fraction, half, offset = [*clock, None, None, None, None, None, None][:6]
    hours = int(hour or 0)
    if half:
        late = half[0] in "pP下"
        hours = hours % 12 + (12 if late else 0)
    micro = int((fraction or "0")[:6].ljust(6, "0"))
    place = zone if offset is None else _offset(offset)
    return datetime(
        year, month, day, hours, int(minute or 0), int(second or 0), micro, tzinfo=place
    )


def _offset(text: str) -> tzinfo:
    if text in ("Z", "UTC", "GMT"):
        return UTC
    digits = text[1:].replace(":", "")
    delta = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-delta if text[0] == "-" else delta)


def _is_serial(number: float) -> bool:
    """Whether this may be a spreadsheet's day, from 1954 to 2119."""
    return 20_000 <= number < 80_000


def _from_count(value: str, zone: tzinfo) -> datetime | None:
    """Unix seconds, milliseconds or microseconds, or a spreadsheet's day number."""
    number = float(value)
    if _is_serial(number):
        whole = _SERIAL_ZERO + timedelta(seconds=round(number * 86_400))
        return whole.replace(tzinfo=zone)
    for scale, low in ((1, 10**8), (10**3, 10**11), (10**6, 10**14)):
        if low <= number < low * 100:
            micros = int(value.partition(".")[0]) * (10**6 // scale)
            if scale == 1 and "." in value:
                micros = round(number * 10**6)
            return _EPOCH + timedelta(microseconds=micros)
    return None


def _by_pattern(values: Sequence[str], form: str, zone: tzinfo) -> NDArray[np.int64]:
    if "%" not in form:
        raise InvalidInput(
            f"The date format {form!r} is not known. Write dmy, mdy, ymd or a pattern such as "
            "'%d/%m/%Y %H:%M'."
        )
    micros = np.full(len(values), NO_TIME, dtype=np.int64)
    for place, value in enumerate(values):
        try:
            if "%z" in form:
                moment = datetime.strptime(value, form).astimezone(UTC)
            else:
                moment = datetime.strptime(value, form).replace(tzinfo=zone)
            micros[place] = _micros(moment)
        except (ValueError, OverflowError):
            continue
    return micros


def _choose_order(column: Text, zone: tzinfo, now: datetime) -> tuple[Order, str]:
    lines = np.bincount(column.codes[column.codes >= 0], minlength=len(column.values))
    parts = [_THREE.fullmatch(value) for value in column.values]
    numeric = np.array([part is not None for part in parts], dtype=np.bool_)
    if not numeric.any():
        return Order.YEAR_FIRST, "iso"
    first = np.array([int(part[1]) if part else 0 for part in parts])
    second = np.array([int(part[2]) if part else 0 for part in parts])
    only_day_first = int(lines[numeric & (first > 12) & (second <= 12)].sum())
    only_month_first = int(lines[numeric & (second > 12) & (first <= 12)].sum())
    if only_day_first != only_month_first:
        day_first = only_day_first > only_month_first
        return (Order.DAY_FIRST if day_first else Order.MONTH_FIRST), "only_fit"
    return _choose_by_course(column, numeric, zone, now)


def _choose_by_course(
    column: Text, numeric: Mask, zone: tzinfo, now: datetime
) -> tuple[Order, str]:
    """Every date fits both: an order in which time runs forwards, and not into the future."""
    used = column.codes[column.spread(numeric)]
    limit = _micros(now + timedelta(days=1))
    forward: dict[Order, float] = {}
    future: dict[Order, bool] = {}
    for order in (Order.DAY_FIRST, Order.MONTH_FIRST):
        read = _reader(order, zone)
        micros = np.array([read(value) for value in column.values], dtype=np.int64)
        steps = np.diff(micros[used])
        moved = steps[steps != 0]
        forward[order] = (
            max(float((moved > 0).mean()), float((moved < 0).mean())) if len(moved) >= 8 else 0.0
        )
        future[order] = bool((micros[used] > limit).any())
    day, month = Order.DAY_FIRST, Order.MONTH_FIRST
    if future[day] != future[month]:
        return (month if future[day] else day), "not_future"
    better, other = (day, month) if forward[day] >= forward[month] else (month, day)
    if forward[better] >= _NEAR_ORDERED and forward[other] < _CLEARLY_LESS:
        return better, "in_order"
    if _same_either_way(column, numeric):
        return day, "only_fit"
    example = next(v for v, used_ in zip(column.values, numeric, strict=True) if used_)
    raise InvalidInput(
        f"Every date fits both day/month/year and month/day/year (for example {example!r}). "
        "Say which it is with --date-format dmy or --date-format mdy."
    )


def _same_either_way(column: Text, numeric: Mask) -> bool:
    values = [v for v, used in zip(column.values, numeric, strict=True) if used]
    parts = [_THREE.fullmatch(value) for value in values]
    return all(part is None or int(part[1]) == int(part[2]) for part in parts)
