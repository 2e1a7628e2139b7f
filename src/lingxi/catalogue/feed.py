"""Import of a catalogue file: one line an item."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import msgspec
import numpy as np
from numpy.typing import NDArray

from lingxi.catalogue.write import put_items
from lingxi.clock import Clock
from lingxi.config import Settings
from lingxi.i18n import minor_units
from lingxi.ingest import DropReason, ImportOptions, ImportReport, ReasonCount, read_table
from lingxi.ingest.columns import missing_columns, recognise
from lingxi.ingest.numbers import choose_decimal_mark, parse_numbers
from lingxi.ingest.puts import tidy, tidy_id
from lingxi.ingest.quarantine import Found, put_quarantine
from lingxi.ingest.raw import RawTable, map_cells
from lingxi.ingest.runs import next_import_id, put_run
from lingxi.ingest.synonyms import ITEM_FIELDS
from lingxi.ingest.text import Mask
from lingxi.schema import Item
from lingxi.store import Progress, Store, silent

_NUMBERS = ("price", "margin", "cost", "stock")
_NO = frozenset(["0", "false", "no", "n", "inactive", "draft", "archived", "off", "否", "下架"])
_MOST = 1e9


@dataclass(frozen=True, eq=False)
class Feed:
    """A catalogue file read: items kept, and lines set aside by step and reason."""

    items: list[Item]
    dropped: list[tuple[str, str, NDArray[np.int64]]]


def import_items(
    store: Store,
    settings: Settings,
    clock: Clock,
    path: Path,
    progress: Progress = silent,
    options: ImportOptions | None = None,
) -> ImportReport:
    """Bring in a catalogue: code, name, category, brand, price, margin or cost, stock.

    Raises
    ------
    FileUnreadable
        If the file is absent, empty, damaged or of another form than its name says.
    UnknownColumn
        If no column holds the item's code, or two could.
    """
    chosen = options or ImportOptions()
    started, clocked = clock.now(), perf_counter()
    progress("Reading", 0, None)
    raw = read_table(path, encoding=chosen.encoding, delimiter=chosen.delimiter, sheet=chosen.sheet)
    mapping = recognise(
        raw.headers, ITEM_FIELDS, chosen.mapping, same=raw.same, needed=("item", "name", "price")
    )
    if "item" not in mapping:
        raise missing_columns(raw.headers, mapping, ["item"], mapped=False)
    currency = chosen.currency or settings.shop.currency
    feed = read_feed(raw, mapping, digits=minor_units(currency))
    progress("Writing items", 0, len(feed.items))
    found = [
        Found(m.row, "drop_malformed", DropReason.LINE_MALFORMED.value, {"line": m.text})
        for m in raw.malformed
    ]
    found += [
        Found(int(raw.rows[line]), step, reason, raw.record(line))
        for step, reason, index in feed.dropped
        for line in index.tolist()
    ]
    with store.write() as tx:
        written = put_items(store, tx, feed.items, started).items
        import_id = next_import_id(store, tx)
        put_quarantine(store, tx, import_id, found, started)
        report = _report(raw, mapping, feed, import_id, path)
        report = msgspec.structs.replace(
            report,
            started_at=started,
            timezone=settings.shop.timezone,
            currency=currency,
            seconds=round(perf_counter() - clocked, 3),
        )
        put_run(tx, report, chosen)
    progress("Writing items", written, written)
    return report


def read_feed(raw: RawTable, mapping: Mapping[str, str], *, digits: int) -> Feed:
    """Items of a catalogue; the last line of a code wins, unreadable lines are set aside."""
    code = map_cells(raw, mapping.get("item"), tidy_id)
    numbers, bad = _read_numbers(raw, mapping)
    dropped: list[tuple[str, str, NDArray[np.int64]]] = []
    keep = np.ones(len(raw), dtype=np.bool_)

    def drop(step: str, reason: DropReason, mask: Mask) -> None:
        nonlocal keep
        index = np.flatnonzero(mask & keep)
        keep &= ~mask
        if len(index):
            dropped.append((step, reason.value, index))

    drop("drop_missing_item", DropReason.ITEM_MISSING, code.missing)
    drop("drop_unreadable_number", DropReason.NUMBER_UNREADABLE, bad)
    absurd = np.zeros(len(raw), dtype=np.bool_)
    for field in ("price", "stock"):
        absurd |= np.nan_to_num(np.abs(numbers[field])) > _MOST
    drop("drop_absurd_number", DropReason.NUMBER_ABSURD, absurd)
    drop("drop_negative_price", DropReason.PRICE_NEGATIVE, np.nan_to_num(numbers["price"]) < 0)
    last = {int(code.codes[i]): i for i in np.flatnonzero(keep).tolist()}
    latest = np.zeros(len(raw), dtype=np.bool_)
    latest[list(last.values())] = True
    drop("drop_repeated_item", DropReason.EXACT_DUPLICATE, ~latest)
    return Feed(_make_items(raw, mapping, numbers, np.flatnonzero(keep), digits), dropped)


def _read_numbers(
    raw: RawTable, mapping: Mapping[str, str]
) -> tuple[dict[str, NDArray[np.float64]], Mask]:
    own = [field for field in _NUMBERS if field in mapping]
    mark = choose_decimal_mark(
        (cell for field in own for cell in raw.columns[mapping[field]].values),
        hint=raw.decimal_hint,
    )
    bad = np.zeros(len(raw), dtype=np.bool_)
    numbers = {}
    for field in _NUMBERS:
        column = map_cells(raw, mapping.get(field), lambda cell: cell)
        values, unreadable = parse_numbers(column.values, mark)
        numbers[field] = column.spread_numbers(values)
        bad |= column.spread(unreadable)
    return numbers, bad


def _make_items(
    raw: RawTable,
    mapping: Mapping[str, str],
    numbers: Mapping[str, NDArray[np.float64]],
    lines: NDArray[np.int64],
    digits: int,
) -> list[Item]:
    text = {
        field: map_cells(raw, mapping.get(field), tidy)
        for field in ("item", "name", "category", "brand", "active")
    }
    margin = numbers["margin"]
    if "margin" not in mapping:
        margin = numbers["price"] - numbers["cost"]
    items = []
    for i in lines.tolist():
        active = text["active"].get(i)
        items.append(
            Item(
                item_id=(text["item"].get(i) or "")[:200],
                name=text["name"].get(i) or "",
                category=text["category"].get(i),
                price_cents=_to_cents(numbers["price"][i], digits),
                margin_cents=_to_cents(margin[i], digits),
                stock=None if np.isnan(numbers["stock"][i]) else max(0, int(numbers["stock"][i])),
                brand=text["brand"].get(i),
                active=active is None or active.lower() not in _NO,
            )
        )
    return items


def _to_cents(value: float, digits: int) -> int | None:
    return None if np.isnan(value) else round(float(value) * 10**digits)


def _report(
    raw: RawTable, mapping: dict[str, str], feed: Feed, import_id: str, path: Path
) -> ImportReport:
    reasons = [
        ReasonCount(step, reason, len(index), False, f"row {int(raw.rows[index[0]])}")
        for step, reason, index in feed.dropped
    ]
    if raw.malformed:
        reasons.insert(
            0, ReasonCount("drop_malformed", "line_malformed", len(raw.malformed), False)
        )
    return msgspec.structs.replace(
        ImportReport.empty(import_id, path.name, "items"),
        mapping=mapping,
        lines_in=len(raw) + len(raw.malformed),
        lines_kept=len(feed.items),
        lines_set_aside=sum(reason.lines for reason in reasons),
        reasons=tuple(reasons),
        items=len(feed.items),
    )
