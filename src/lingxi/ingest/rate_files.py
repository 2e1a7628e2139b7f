"""Files of exchange rates, as central banks publish them.

Read are: a column a currency ("Date,USD,JPY,..."; the European Central Bank's ``eurofxref-hist``,
also zipped), a line a rate with ``TIME_PERIOD``, ``CURRENCY``, ``CURRENCY_DENOM`` and ``OBS_VALUE``
(the columns of its data portal), and a line a rate with ``date``, ``currency``, ``rate`` and maybe
``base``.
"""

import csv
import io
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import islice
from pathlib import Path

import msgspec

from lingxi.clock import Clock
from lingxi.errors import FileUnreadable, InvalidInput, UnknownColumn
from lingxi.i18n import is_currency
from lingxi.ingest.rates import Quote, is_value, put_quotes
from lingxi.store import Store

EURO = "EUR"
_MOST_BYTES = 100 * 1024 * 1024
_MOST_RATES = 2_000_000
_LONGEST_VALUE = 40
_DAY = ("date", "time_period", "day")
_CURRENCY = ("currency", "code")
_VALUE = ("obs_value", "rate", "value")
_BASE = ("currency_denom", "base")
_NONE = frozenset({"", "n/a", "na", "-", "null"})


class RatesReport(msgspec.Struct, frozen=True):
    """What an import of rates brought; ``skipped`` counts cells that are none, by reason."""

    file: str
    base: str
    rates: int
    currencies: tuple[str, ...]
    first: date | None
    last: date | None
    skipped: Mapping[str, int]


def import_rates(store: Store, clock: Clock, path: Path, *, base: str = EURO) -> RatesReport:
    """Keep the rates of a file; those that are there for the same day are replaced.

    Raises
    ------
    FileUnreadable
        If the file is absent, no text, too large, or a damaged archive.
    UnknownColumn
        If it has none of the known forms.
    InvalidInput
        If ``base`` is no currency, or no rate could be read.
    """
    if not is_currency(base):
        raise InvalidInput(f"{base!r} is not a currency; write three capital letters such as EUR.")
    skipped: Counter[str] = Counter()
    try:
        found = read_quotes(_read_text(path), base, clock.now().date(), skipped)
        quotes = list(islice(found, _MOST_RATES + 1))
    except csv.Error as error:
        raise FileUnreadable(f"{path} is no CSV file: {error}.") from error
    if len(quotes) > _MOST_RATES:
        raise FileUnreadable(f"{path.name} holds more than {_MOST_RATES:,} rates; split it.")
    if not quotes:
        told = ", ".join(f"{reason}: {n}" for reason, n in sorted(skipped.items()))
        raise InvalidInput(f"{path.name} holds no rate that can be used ({told or 'no line'}).")
    with store.write() as tx:
        kept = put_quotes(tx, quotes)
    return RatesReport(
        file=path.name,
        base=", ".join(sorted({q.base for q in quotes})),
        rates=kept,
        currencies=tuple(sorted({q.currency for q in quotes})),
        first=min(q.day for q in quotes),
        last=max(q.day for q in quotes),
        skipped=dict(skipped),
    )


def read_quotes(text: str, base: str, today: date, skipped: Counter[str]) -> Iterator[Quote]:
    """The rates of a text; what is none is counted in ``skipped``.

    >>> aside = Counter()
    >>> [str(q.value) for q in read_quotes("Date,USD,\\n2026-01-02,1.08,\\n", "EUR",
    ...     date(2026, 1, 3), aside)]
    ['1.08']
    """
    rows = csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=None))
    header = [cell.strip() for cell in next(rows, [])]
    names = [cell.lower() for cell in header]
    day = _find(names, _DAY)
    if day is None:
        raise UnknownColumn(
            "The file has no column Date or TIME_PERIOD. Known forms: 'Date,USD,JPY,...' and "
            "'date,currency,rate'."
        )
    currency, value = _find(names, _CURRENCY), _find(names, _VALUE)
    if currency is not None and value is not None:
        places = _Places(day, currency, value, _find(names, _BASE))
        yield from _read_long(rows, places, base, today, skipped)
        return
    columns = [(i, cell.upper()) for i, cell in enumerate(header) if i != day and cell]
    known = [(i, code) for i, code in columns if is_currency(code)]
    if not known:
        raise UnknownColumn(
            "No column is named after a currency, and there are no columns currency and rate."
        )
    skipped["currency_unknown"] += len(columns) - len(known)
    for row in rows:
        at = _read_day(row[day] if day < len(row) else "", today, skipped)
        if at is None:
            continue
        for i, code in known:
            rate = _read_value(row[i] if i < len(row) else "", skipped)
            if rate is not None:
                yield Quote(base, code, at, rate)


class _Places(msgspec.Struct, frozen=True):
    day: int
    currency: int
    value: int
    base: int | None


def _read_long(
    rows: Iterator[list[str]], places: _Places, base: str, today: date, skipped: Counter[str]
) -> Iterator[Quote]:
    last = max(places.day, places.currency, places.value)
    for row in rows:
        if len(row) <= last:
            skipped["line_malformed"] += bool(row)
            continue
        at = _read_day(row[places.day], today, skipped)
        rate = _read_value(row[places.value], skipped)
        code = row[places.currency].strip().upper()
        own = base
        if places.base is not None and places.base < len(row) and row[places.base].strip():
            own = row[places.base].strip().upper()
        if not is_currency(code) or not is_currency(own):
            skipped["currency_unknown"] += 1
        elif at is not None and rate is not None:
            yield Quote(own, code, at, rate)


def _find(names: Sequence[str], wanted: Sequence[str]) -> int | None:
    return next((names.index(name) for name in wanted if name in names), None)


def _read_day(cell: str, today: date, skipped: Counter[str]) -> date | None:
    try:
        day = date.fromisoformat(cell.strip())
    except ValueError:
        skipped["date_unreadable"] += 1
        return None
    if day > today or day.year < 1990:
        skipped["date_impossible"] += 1
        return None
    return day


def _read_value(cell: str, skipped: Counter[str]) -> Decimal | None:
    text = cell.strip()
    if text.lower() in _NONE:
        return None
    try:
        value = Decimal(text[: _LONGEST_VALUE + 1])
    except InvalidOperation:
        skipped["rate_unreadable"] += 1
        return None
    if len(text) > _LONGEST_VALUE or not is_value(value):
        skipped["rate_impossible"] += 1
        return None
    return value


def _read_text(path: Path) -> str:
    try:
        raw = _unpack(path) if zipfile.is_zipfile(path) else _read_bounded(path)
        return raw.decode("utf-8-sig")
    except FileNotFoundError:
        raise FileUnreadable(f"There is no file {path}.") from None
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError) as error:
        raise FileUnreadable(f"{path} cannot be read: {error}.") from error
    except UnicodeDecodeError as error:
        raise FileUnreadable(f"{path} is no CSV file in UTF-8: {error.reason}.") from error


def _read_bounded(path: Path) -> bytes:
    with path.open("rb") as file:
        return _check(path, file.read(_MOST_BYTES + 1))


def _unpack(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        inside = [each for each in archive.infolist() if each.filename.lower().endswith(".csv")]
        if len(inside) != 1:
            raise FileUnreadable(f"{path} holds {len(inside)} CSV files; one is needed.")
        if inside[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise FileUnreadable(f"{path} is packed in a way that few programs read; unpack it.")
        with archive.open(inside[0]) as file:
            return _check(path, file.read(_MOST_BYTES + 1))


def _check(path: Path, raw: bytes) -> bytes:
    if len(raw) > _MOST_BYTES:
        raise FileUnreadable(f"{path} is larger than {_MOST_BYTES // 1024**2} MB.")
    return raw
