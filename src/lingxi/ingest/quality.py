"""Columns before and after cleaning, and what the import decided, for the report."""

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


def measure_columns(
    before: Lines, after: Lines, mapping: dict[str, str]
) -> tuple[ColumnQuality, ...]:
    """Missing shares and ranges of every mapped field; no range where it would show a person."""
    rows = []
    for field in mapping:
        if field in _TEXT_FIELDS:
            rows.append(_measure_text(field, getattr(before, field), getattr(after, field)))
        elif field == "time":
            rows.append(_measure_times(before.micros, after.micros))
        elif field in ("quantity", "price", "amount"):
            rows.append(_measure_numbers(field, _column(before, field), _column(after, field)))
    return tuple(rows)


def _column(lines: Lines, field: str) -> NDArray[np.float64]:
    return {"quantity": lines.quantity, "price": lines.price, "amount": lines.amount}[field]


def _share(missing: NDArray[np.bool_]) -> float:
    return float(missing.mean()) if len(missing) else 0.0


def _measure_text(field: str, before: Text, after: Text) -> ColumnQuality:
    return ColumnQuality(
        field, _share(before.missing), _share(after.missing), None, None, None, None
    )


def _measure_times(before: NDArray[np.int64], after: NDArray[np.int64]) -> ColumnQuality:
    ranges: list[str | None] = []
    for micros in (before, after):
        good = micros[micros != NO_TIME]
        ranges += [_iso(good.min()), _iso(good.max())] if len(good) else [None, None]
    return ColumnQuality(
        "time",
        _share(before == NO_TIME),
        _share(after == NO_TIME),
        ranges[0],
        ranges[2],
        ranges[1],
        ranges[3],
    )


def _iso(micros: np.int64) -> str:
    return from_micros(int(micros)).isoformat()


def _measure_numbers(
    field: str, before: NDArray[np.float64], after: NDArray[np.float64]
) -> ColumnQuality:
    ranges: list[str | None] = []
    for values in (before, after):
        good = values[np.isfinite(values)]
        ranges += [f"{good.min():g}", f"{good.max():g}"] if len(good) else [None, None]
    return ColumnQuality(
        field,
        _share(np.isnan(before)),
        _share(np.isnan(after)),
        ranges[0],
        ranges[2],
        ranges[1],
        ranges[3],
    )


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
