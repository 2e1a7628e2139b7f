"""Dates written as whole numbers: 20260301, 202603011230, 20260301123059."""

import numpy as np
from numpy.typing import NDArray

_FORMS = (
    (19_000_101, 21_991_231, 1),
    (190_001_010_000, 219_912_312_359, 10**4),
    (19_000_101_000_000, 21_991_231_235_959, 10**6),
)
"""The least and the largest number of each form, and what stands before the time of day."""
_SECOND, _DAY = 10**6, 86_400 * 10**6


def read_compact(numbers: NDArray[np.float64]) -> NDArray[np.int64] | None:
    """Microseconds since 1970 in UTC, if every number is a date written so; nothing if one is not.

    Counted in seconds such numbers lie within weeks of 1970, so that whole years would be minutes.

    Examples
    --------
    >>> (read_compact(np.array([20260301.0, 20260302.0])) // 86_400_000_000).tolist()
    [20513, 20514]
    >>> read_compact(np.array([20260301.0, 20261301.0])) is None
    True
    """
    if not len(numbers):
        return None
    low, high = float(numbers.min()), float(numbers.max())
    for least, largest, unit in _FORMS:
        if least <= low and high <= largest and (numbers == np.floor(numbers)).all():
            return _read(numbers.astype(np.int64), unit)
    return None


def _read(numbers: NDArray[np.int64], unit: int) -> NDArray[np.int64] | None:
    days, clock = np.divmod(numbers, unit)
    year, month, day = days // 10_000, days // 100 % 100, days % 100
    clock = clock * 100 if unit == 10**4 else clock
    hour, minute, second = clock // 10_000, clock // 100 % 100, clock % 100
    if (month < 1).any() or (month > 12).any() or (day < 1).any():
        return None
    first = (year * 12 + month - 1 - 1970 * 12).astype("datetime64[M]")
    date = first.astype("datetime64[D]") + (day - 1).astype("timedelta64[D]")
    if (date.astype("datetime64[M]") != first).any():
        return None  # the 31st of a month that has none
    if (hour > 23).any() or (minute > 59).any() or (second > 59).any():
        return None
    seconds = hour * 3600 + minute * 60 + second
    answer: NDArray[np.int64] = date.astype(np.int64) * _DAY + seconds * _SECOND
    return answer
