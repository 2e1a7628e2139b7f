"""Numbers as shops write them: decimal comma or point, thousands, currency signs, brackets."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from lingxi.ingest.text import Mask

_PLAIN = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d{1,3})?|[+-]?\.\d+", re.ASCII)
_CURRENCY = re.compile(
    r"(?:[A-Z]{2})?[\$£€¥₹₽₩₺₫฿₴₦]|(?<![A-Za-z])(?:[A-Z]{3}|kr\.?|zł|Kč|Ft|R\$|RMB|Rs\.?)(?![A-Za-z])|元|円|块",
    re.IGNORECASE,
)
_SPACES = re.compile(r"[\s'’_\u00a0\u202f]")
_LONGEST = 40


def choose_decimal_mark(cells: Iterable[str], *, hint: str = ".") -> str:
    """Whether a file writes 1.5 or 1,5, judged over all its numbers: ``"."`` or ``","``.

    A mark that stands last of two kinds, or alone with other than three digits after it, votes for
    itself; a mark that repeats, or alone stands before exactly three digits beside a leading digit
    other than 0, could be a thousands mark and does not. ``hint`` decides when nobody votes.

    >>> choose_decimal_mark(["1.234,50", "12,9"])
    ','
    >>> choose_decimal_mark(["1,234", "0.5"])
    '.'
    """
    votes = Counter(mark for cell in cells if (mark := own_decimal_mark(cell)))
    if votes["."] == votes[","]:
        return hint
    return "." if votes["."] > votes[","] else ","


def own_decimal_mark(cell: str) -> str:
    """The decimal mark that a number tells by itself, empty where it could be either.

    >>> own_decimal_mark("1.234,50 EUR"), own_decimal_mark("9.99"), own_decimal_mark("1,234")
    (',', '.', '')
    """
    marks = [c for c in cell if c in ".,"]
    if not marks:
        return ""
    last = marks[-1]
    if len(set(marks)) == 2:
        return last if marks.count(last) == 1 else ""
    if len(marks) > 1:
        return "," if last == "." else "."
    after = re.search(rf"\{last}(\d*)\D*$", cell)
    before = re.search(rf"(\d*)\{last}", cell)
    digits, lead = (found.group(1) if found else "" for found in (after, before))
    return last if len(digits) != 3 or lead in ("", "0") or len(lead) > 3 else ""


def parse_number(cell: str, mark: str = ".") -> float | None:
    """One number, or nothing when the cell is not one.

    >>> parse_number("£1,234.50"), parse_number("(3.20)"), parse_number("1.234,5 EUR", ",")
    (1234.5, -3.2, 1234.5)
    >>> parse_number("twelve") is None
    True
    """
    if len(cell) > _LONGEST:
        return None
    if _PLAIN.fullmatch(cell) and (mark == "." or "." not in cell):
        return _finite(cell)
    text = unicodedata.normalize("NFKC", cell).replace("\u2212", "-").strip()
    text = _SPACES.sub("", _CURRENCY.sub("", text))
    sign = 1.0
    if text.startswith("(") and text.endswith(")"):
        text, sign = text[1:-1], -1.0
    if text.endswith("-"):
        text, sign = text[:-1], -sign
    thousands = "," if mark == "." else "."
    if thousands in text:
        text = _drop_thousands(text, thousands, mark)
    text = text.replace(mark, ".")
    if not _PLAIN.fullmatch(text):
        return None
    value = _finite(text)
    return None if value is None else sign * value


def _drop_thousands(text: str, thousands: str, mark: str) -> str:
    whole, point, rest = text.partition(mark)
    groups = whole.lstrip("+-").split(thousands)
    # Indian grouping has two digits between the marks; the last group always has three
    good = len(groups[-1]) == 3 and all(len(g) in (2, 3) for g in groups[1:]) and groups[0]
    if thousands in rest or (len(groups) > 1 and not good):
        return "?"
    return whole.replace(thousands, "") + point + rest


def _finite(text: str) -> float | None:
    value = float(text)
    return value if np.isfinite(value) else None


def parse_numbers(
    values: Sequence[str], mark: str, *, each: bool = False
) -> tuple[NDArray[np.float64], Mask]:
    """Distinct cells → numbers (NaN where unreadable) and where they are unreadable.

    ``each``: a cell that tells its own decimal mark is read by it, and ``mark`` is for the others.
    """
    numbers = np.full(len(values), np.nan, dtype=np.float64)
    bad = np.zeros(len(values), dtype=np.bool_)
    for place, cell in enumerate(values):
        number = parse_number(cell, (own_decimal_mark(cell) or mark) if each else mark)
        if number is None:
            bad[place] = True
        else:
            numbers[place] = number
    return numbers, bad
