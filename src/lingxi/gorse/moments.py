"""Moments as Gorse reads and writes them: any common form in, RFC 3339 in UTC out."""

from datetime import UTC, datetime, timedelta

from dateutil.parser import parse

from lingxi.errors import InvalidInput

LONG_AGO = "0001-01-01T00:00:00Z"
"""How Gorse writes that no moment is known."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Also what a text that leaves parts of a moment out is filled up with."""
_UNITS = {10: 1, 13: 1_000, 16: 1_000_000}
"""Digits of a moment in seconds, thousandths and millionths since 1970, and how many a second."""
_LONGEST = 64


def read_moment(text: str | None) -> datetime | None:
    """The moment that a text names, in UTC; nothing where it names none, or the year 1.

    A text without a time zone is in UTC; ten, thirteen or sixteen digits count from 1970.

    Raises
    ------
    InvalidInput
        If it cannot be read.

    Examples
    --------
    >>> read_moment("2026-05-01 12:30:00").isoformat(), read_moment("")
    ('2026-05-01T12:30:00+00:00', None)
    >>> read_moment("1777638600").isoformat()
    '2026-05-01T12:30:00+00:00'
    """
    if not text or not text.strip():
        return None
    found = _read(text.strip())
    if found is None:
        raise InvalidInput(f"Timestamp {text[:40]!r} cannot be read; write 2026-05-01T12:30:00Z.")
    return None if found.year == 1 else found


def _read(text: str) -> datetime | None:
    if len(text) > _LONGEST:
        return None
    try:
        if text.isascii() and text.isdecimal() and len(text) in _UNITS:
            micros = int(text) * 1_000_000 // _UNITS[len(text)]
            return _EPOCH + timedelta(microseconds=micros)
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            found = parse(_drop_clock(text), default=_EPOCH)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _drop_clock(text: str) -> str:
    """Without what Go's own form of a moment says of the process: ``... +0000 UTC m=+0.1``."""
    return text.partition(" m=")[0].removesuffix(" UTC") if " +" in text else text


def show_moment(moment: datetime | None) -> str:
    """A moment in RFC 3339, without zeros at the end of its fraction.

    >>> show_moment(datetime(2026, 5, 1, 12, 30, 0, 250_000, tzinfo=UTC)), show_moment(None)
    ('2026-05-01T12:30:00.25Z', '0001-01-01T00:00:00Z')
    """
    if moment is None:
        return LONG_AGO
    whole = moment.astimezone(UTC)
    fraction = f".{whole.microsecond:06d}".rstrip("0") if whole.microsecond else ""
    return f"{whole.year:04d}-{whole:%m-%dT%H:%M:%S}{fraction}Z"
