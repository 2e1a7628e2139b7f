"""Lengths of time and times of day as a journey's file writes them."""

import re
from datetime import time, timedelta
from functools import lru_cache

from lingxi.errors import InvalidInput

_PART = re.compile(r"(\d{1,6})\s*(w|d|h|m|s)")
_WHOLE = re.compile(r"-?\s*(?:\d{1,6}\s*[wdhms]\s*)+")
_SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_LONGEST = 3650 * 86_400
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@lru_cache(maxsize=1000)
def read_duration(text: str) -> timedelta:
    """A length of time from a text such as ``30m``, ``2h``, ``1d 12h``, ``3w`` or ``-3d``.

    Raises
    ------
    InvalidInput
        If the text is none, or is longer than ten years.

    Examples
    --------
    >>> read_duration("1d 12h")
    datetime.timedelta(days=1, seconds=43200)
    >>> read_duration("-3d").days
    -3
    """
    plain = text.strip().lower()
    if not _WHOLE.fullmatch(plain):
        raise InvalidInput(
            f"{text[:40]!r} is no length of time; write it as 30m, 2h, 1d 12h or 3w."
        )
    seconds = sum(int(count) * _SECONDS[unit] for count, unit in _PART.findall(plain))
    if seconds > _LONGEST:
        raise InvalidInput(f"{text[:40]!r} is longer than ten years.")
    return timedelta(seconds=-seconds if plain.startswith("-") else seconds)


def write_duration(length: timedelta) -> str:
    """The shortest text that ``read_duration`` reads as this length, whole seconds.

    >>> write_duration(timedelta(hours=36))
    '1d 12h'
    """
    left = int(length.total_seconds())
    sign, left = ("-", -left) if left < 0 else ("", left)
    parts = []
    for unit, seconds in list(_SECONDS.items())[1:]:
        count, left = divmod(left, seconds)
        if count:
            parts.append(f"{count}{unit}")
    return sign + (" ".join(parts) or "0s")


@lru_cache(maxsize=1000)
def read_time(text: str) -> time:
    """A time of day from ``09:00``.

    Raises
    ------
    InvalidInput
        If the text is none.

    Examples
    --------
    >>> read_time("18:30")
    datetime.time(18, 30)
    """
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text.strip())
    if not found:
        raise InvalidInput(f"{text[:20]!r} is no time of day; write it as 09:00 or 18:30.")
    return time(int(found[1]), int(found[2]))


def check_durations(*texts: str) -> None:
    """Refuse what is neither empty nor a positive length of time.

    Raises
    ------
    InvalidInput
        Naming the text.
    """
    for text in texts:
        if text and read_duration(text) <= timedelta(0):
            raise InvalidInput(f"{text[:40]!r} must be longer than nothing.")
