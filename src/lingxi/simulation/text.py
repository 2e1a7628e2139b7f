"""Numbers, moments and looked-up words, by the column."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

HOUR = 3_600

Column: TypeAlias = "pa.Array[pa.Scalar[pa.DataType]]"
"""An Arrow array of any type."""


def join_number(prefix: str, numbers: NDArray[np.int64], width: int = 0) -> Column:
    """A prefix and a zero-padded number.

    >>> join_number("U", np.array([7, 12]), width=3).to_pylist()
    ['U007', 'U012']
    """
    digits = pc.utf8_lpad(pa.array(numbers, pa.int64()).cast(pa.string()), width, "0")
    joined: Column = pc.utf8_replace_slice(digits, 0, 0, prefix)
    return joined


def pick(
    words: "Sequence[str | None] | Column",
    index: NDArray[np.int64],
    known: NDArray[np.bool_] | None = None,
) -> Column:
    """Words by index; nothing where ``known`` is false or, without it, the index is negative.

    >>> pick(["a", "b"], np.array([1, -1, 0])).to_pylist()
    ['b', None, 'a']
    """
    missing = index < 0 if known is None else ~known
    rows = pa.array(np.where(missing, 0, index), pa.int64(), mask=missing)
    every: Column = words if isinstance(words, pa.Array) else pa.array(list(words), pa.string())
    return every.take(rows)


def to_timestamps(
    moments: NDArray[np.int64], start: datetime, known: NDArray[np.bool_] | None = None
) -> Column:
    """Seconds from ``start`` as UTC timestamps; nothing where ``known`` is false.

    >>> from datetime import UTC
    >>> to_timestamps(np.array([60]), datetime(2025, 1, 1, tzinfo=UTC))[0].as_py().isoformat()
    '2025-01-01T00:01:00+00:00'
    """
    micros = (moments + int(start.timestamp())) * 1_000_000
    mask = None if known is None else ~known
    times: Column = pa.array(micros, pa.int64(), mask=mask).cast(pa.timestamp("us", tz="UTC"))
    return times


def _offset_seconds(moment: datetime, zone: ZoneInfo) -> int:
    return int((moment.astimezone(zone).utcoffset() or timedelta(0)).total_seconds())


def render_moments(moments: NDArray[np.int64], start: datetime, zone: ZoneInfo) -> Column:
    """Seconds from ``start`` as local text, as a database export writes it.

    >>> from datetime import UTC
    >>> july = datetime(2025, 7, 1, tzinfo=UTC)
    >>> render_moments(np.array([61]), july, ZoneInfo("Europe/London")).to_pylist()
    ['2025-07-01 01:01:01']
    """
    first, last = (int(m) // HOUR for m in (moments.min(initial=0), moments.max(initial=0)))
    hours = [start + timedelta(hours=h) for h in range(first, last + 1)]
    offsets = [_offset_seconds(hour, zone) for hour in hours]
    local = moments + np.array(offsets, np.int64)[moments // HOUR - first]
    seconds = (local + int(start.timestamp())).astype("datetime64[s]")
    texts = np.char.replace(np.datetime_as_string(seconds), "T", " ")
    return pa.array(texts.tolist(), pa.string())
