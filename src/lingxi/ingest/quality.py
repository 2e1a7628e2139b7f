"""Columns before and after cleaning, and what the import decided, for the report."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lingxi.i18n import Sentence
from lingxi.ingest.dates import NO_TIME
from lingxi.ingest.lines import MOST_AMOUNT, Lines, Reading
from lingxi.ingest.raw import RawTable
from lingxi.ingest.report import ColumnQuality, ReasonCount
from lingxi.ingest.rules import Cleaned
from lingxi.ingest.text import Text
from lingxi.store.tables import from_micros

_TEXT_FIELDS = ("order", "item", "name", "customer", "email", "country", "currency", "status")


class Measured(NamedTuple):
    """The share of a column's lines that are missing, and its range."""

    missing: float
    low: str | None = None
    high: str | None = None


def measure_columns(lines: Lines, mapping: dict[str, str]) -> dict[str, Measured]:
    """Missing shares and ranges of every mapped field; no range where it would show a person."""
    found = {}
    for field in mapping:
        if field in _TEXT_FIELDS:
            column: Text = getattr(lines, field)
            found[field] = Measured(_share(column.missing))
        elif field == "time":
            found[field] = _measure_times(lines.micros)
        elif field in ("quantity", "price", "amount"):
            found[field] = _measure_numbers(_column(lines, field))
    return found


def compare_columns(
    before: Mapping[str, Measured], after: Mapping[str, Measured]
) -> tuple[ColumnQuality, ...]:
    """The columns before and after cleaning."""
    return tuple(
        ColumnQuality(
            field,
            was.missing,
            after[field].missing,
            was.low,
            after[field].low,
            was.high,
            after[field].high,
        )
        for field, was in before.items()
    )


def _column(lines: Lines, field: str) -> NDArray[np.float64]:
    return (
        lines.quantity if field == "quantity" else lines.price if field == "price" else lines.amount
    )


def _share(missing: NDArray[np.bool_]) -> float:
    return float(missing.mean()) if len(missing) else 0.0


def _measure_times(micros: NDArray[np.int64]) -> Measured:
    good = micros[micros != NO_TIME]
    ends = (_iso(good.min()), _iso(good.max())) if len(good) else (None, None)
    return Measured(_share(micros == NO_TIME), *ends)


def _iso(micros: np.int64) -> str:
    return from_micros(int(micros)).isoformat()


def _measure_numbers(values: NDArray[np.float64]) -> Measured:
    good = values[np.isfinite(values)]
    ends = (f"{good.min():g}", f"{good.max():g}") if len(good) else (None, None)
    return Measured(_share(np.isnan(values)), *ends)


def sum_revenue(lines: Lines, digits: int) -> int:
    """Quantity times price over every line that has both, in minor units."""
    amount = lines.amount
    good = np.isfinite(amount) & (np.abs(amount) <= MOST_AMOUNT)
    return round(float(amount[good].sum()) * float(10**digits))


def count_reasons(raw: RawTable, cleaned: Cleaned) -> tuple[ReasonCount, ...]:
    """What every step did, malformed rows first."""
    counts = [
        ReasonCount(t.step, t.reason, len(t.index), t.kept, t.example or None)
        for t in cleaned.touched
    ]
    if raw.malformed:
        first = raw.malformed[0]
        example = f"row {first.row}"
        counts.insert(
            0, ReasonCount("drop_malformed", "line_malformed", len(raw.malformed), False, example)
        )
    return tuple(counts)


def state_choices(
    raw: RawTable,
    reading: Reading,
    mapping: dict[str, str],
    *,
    timezone: str,
    currency: str,
    shop_currency: str,
) -> tuple[Sentence, ...]:
    """What was detected or decided, one sentence each."""
    notes = [
        Sentence(f"clean.note.dates_{reading.moments.evidence}", {"form": reading.moments.form}),
        Sentence("clean.note.zone", {"timezone": timezone}),
    ]
    if raw.encoding not in ("utf-8", "parquet"):
        notes.append(Sentence("clean.note.encoding", {"encoding": raw.encoding}))
    if reading.decimal_mark == ",":
        notes.append(Sentence("clean.note.decimal_comma"))
    if "order" not in mapping:
        notes.append(Sentence("clean.note.orders_made"))
    if "item" not in mapping and "name" not in mapping:
        notes.append(Sentence("clean.note.no_items"))
    elif "item" not in mapping:
        notes.append(Sentence("clean.note.items_by_name"))
    if "price" not in mapping:
        notes.append(Sentence("clean.note.price_from_amount"))
    if currency != shop_currency:
        notes.append(
            Sentence("clean.note.currency", {"file_currency": currency, "shop": shop_currency})
        )
    return tuple(notes)
