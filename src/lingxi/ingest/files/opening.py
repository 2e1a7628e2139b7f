"""Before the first line: which column is which, how dates and numbers are written."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from lingxi.config import Settings
from lingxi.ingest.columns import missing_columns, recognise
from lingxi.ingest.dates import Order, read_moments
from lingxi.ingest.files.nested import to_cell
from lingxi.ingest.files.told import EVENTS, Teller
from lingxi.ingest.numbers import choose_decimal_mark
from lingxi.ingest.options import ImportOptions
from lingxi.ingest.synonyms import CUSTOMER_FIELDS, EVENT_FIELDS
from lingxi.ingest.text import Text

_NAMES_PERSON = {EVENTS: ("user", "anonymous", "email", "phone"),
                 "customers": ("customer", "email", "phone")}  # fmt: skip
Rows = Sequence[Mapping[str, object]]


def open_teller(
    kind: str,
    rows: Rows,
    headers: Sequence[str],
    *,
    options: ImportOptions,
    settings: Settings,
    now: datetime,
    untimed: datetime,
    hint: str,
    form: str = "",
) -> tuple[Teller, str, str]:
    """What reads these rows, how the form of their dates was found, and that form.

    ``form`` is what an earlier part of the file has settled; nothing until there was a date.

    Raises
    ------
    UnknownColumn
        If a needed column is not recognised or could be several.
    InvalidInput
        If dates are ambiguous.
    """
    mapping = choose_columns(kind, rows, headers, options.mapping)
    zone = options.zone(settings)
    evidence, settled = "", form
    if not form:
        column = mapping.get("time") or mapping.get("consent_time")
        cells = Text.of(_strip(row.get(column or "")) for row in rows)
        if cells.values:
            moments = read_moments(cells, zone, now, options.date_format or None)
            evidence, settled = moments.evidence, moments.form
    numbers = [mapping[name] for name in ("price", "quantity") if name in mapping]
    texts = (row[name] for row in rows for name in numbers if isinstance(row.get(name), str))
    mark = options.decimal_mark or choose_decimal_mark((str(text) for text in texts), hint=hint)
    teller = Teller(
        kind,
        mapping,
        zone=zone,
        form=settled or Order.YEAR_FIRST.value,
        decimal_mark=mark,
        currency=options.currency,
        untimed=untimed,
    )
    return teller, evidence, settled


def choose_columns(
    kind: str, rows: Rows, headers: Sequence[str], stated: Mapping[str, str]
) -> dict[str, str]:
    """Field → column.

    Raises
    ------
    UnknownColumn
        If a needed one is not recognised or could be several.
    """
    fields = EVENT_FIELDS if kind == EVENTS else CUSTOMER_FIELDS
    needed = ("event", "time") if kind == EVENTS else ()

    def same(left: str, right: str) -> bool:
        return all(to_cell(row.get(left)) == to_cell(row.get(right)) for row in rows)

    mapping = recognise(headers, fields, stated, same=same, needed=needed)
    missing = [name for name in needed if name not in mapping]
    persons = _NAMES_PERSON[kind]
    if not any(name in mapping for name in persons):
        missing.append(persons[0])
    if missing:
        raise missing_columns(headers, mapping, missing, mapped=True)
    return mapping


def _strip(value: object) -> str | None:
    cell = to_cell(value)
    return None if cell is None else cell.strip()
