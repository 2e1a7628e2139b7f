"""Import of order lines: read, clean, tie, append; what is set aside goes to quarantine."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from itertools import count
from pathlib import Path
from time import perf_counter

import msgspec
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from lingxi.clock import Clock
from lingxi.config import Settings
from lingxi.i18n import minor_units
from lingxi.ingest import quality
from lingxi.ingest.clean import clean, describe
from lingxi.ingest.counts import count_report
from lingxi.ingest.documents import Documents, build_documents
from lingxi.ingest.learnt import learn, put_learnt, read_spelling
from lingxi.ingest.lines import PRODUCT, Lines, Reading, interpret
from lingxi.ingest.load import Loaded, Sorted, load_documents, sort_documents
from lingxi.ingest.options import ImportOptions
from lingxi.ingest.order_columns import choose_columns, choose_currency, refuse_unusable
from lingxi.ingest.puts import tidy_id
from lingxi.ingest.quarantine import Found, put_quarantine
from lingxi.ingest.rates import Rate, RateBook
from lingxi.ingest.raw import RawTable
from lingxi.ingest.reading import read_table
from lingxi.ingest.reasons import DropReason, PutReason
from lingxi.ingest.report import ImportReport, ReasonCount
from lingxi.ingest.rules import Cleaned, Rules
from lingxi.ingest.runs import next_import_id, put_run
from lingxi.ingest.text import Mask, Text
from lingxi.ingest.totals import sum_documents
from lingxi.ingest.words import is_cancelled_status, is_guest
from lingxi.store import Progress, Store, silent
from lingxi.store.log import find_known
from lingxi.store.tables import to_micros

_LEAD = timedelta(days=1)


@dataclass(frozen=True, eq=False)
class Understood:
    """A file read and cleaned, before the log has seen it."""

    raw: RawTable
    mapping: dict[str, str]
    options: ImportOptions
    currency: str
    shop_currency: str
    digits: int
    timezone: str
    before: Mapping[str, quality.Measured]
    revenue_before_cents: int
    reading: Reading
    rules: Rules
    cleaned: Cleaned
    documents: Documents

    @property
    def settled(self) -> ImportOptions:
        """The options with everything that was detected filled in, to read more of the file by."""
        return replace(
            self.options,
            mapping=self.mapping,
            timezone=self.timezone,
            currency=self.currency,
            date_format=self.reading.moments.form,
            decimal_mark=self.reading.decimal_mark,
        )


def import_orders(
    store: Store,
    settings: Settings,
    clock: Clock,
    path: Path,
    options: ImportOptions | None = None,
    progress: Progress = silent,
) -> ImportReport:
    """Bring order lines into the log. Importing the same file again changes nothing.

    Raises
    ------
    FileUnreadable
        If the file is absent, empty, damaged or of another form than its name says.
    UnknownColumn
        If a needed column is not recognised or could be several.
    InvalidInput
        If dates are ambiguous or an option cannot be used.
    """
    chosen = options or ImportOptions()
    started, clocked = clock.now(), perf_counter()
    progress("Reading", 0, None)
    raw = read_table(path, encoding=chosen.encoding, delimiter=chosen.delimiter, sheet=chosen.sheet)
    progress("Reading", len(raw), len(raw))
    understood = understand(store, settings, raw, chosen, started, progress)
    with store.write() as tx:
        import_id = next_import_id(store, tx)
    documents = understood.documents
    learnt = learn(understood.cleaned.lines, understood.digits)  # now, while least is held
    with store.read() as tx:
        found = sort_documents(tx, documents)
    loaded = load_documents(
        store, documents, found.new, import_id, started, progress, known=found.known
    )
    progress("Quarantine", 0, None)
    changed = documents.lines.index[documents.list_lines(found.changed)]
    report = describe_import(
        understood, found, loaded, changed, import_id=import_id, file=path.name, started=started
    )
    with store.write() as tx:
        put_quarantine(store, tx, import_id, set_aside(store, understood, changed), started)
        put_learnt(tx, learnt)
        report = msgspec.structs.replace(report, seconds=round(perf_counter() - clocked, 3))
        put_run(tx, report, understood.settled)
        count_report(tx, report)
    return report


def understand(
    store: Store,
    settings: Settings,
    raw: RawTable,
    options: ImportOptions,
    now: datetime,
    progress: Progress = silent,
    judged: Callable[[str], bool] | None = None,
) -> Understood:
    """Interpret and clean a table; nothing is written. ``judged``: see ``Rules``."""
    refuse_unusable(raw)
    mapping = choose_columns(raw, options.mapping)
    book = RateBook(store)
    stated = choose_currency(raw, mapping, options.currency, settings.shop.currency)
    currency = settings.shop.currency if book.knows(stated) else stated
    digits = minor_units(currency)
    zone = options.zone(settings)
    before, reading = _read_lines(raw, mapping, options, zone, now)
    if stated != currency:  # what names no currency is in the file's
        own = Text.of([stated] * len(before))
        before = replace(before, currency=before.currency.fill(own, before.currency.missing))
    measured = quality.measure_columns(before, mapping)
    revenue = quality.sum_revenue(before, digits)
    rules = _make_rules(store, raw, mapping, before, now, currency, judged, book.rate)
    lines = [before]
    del before  # what cleaning has left behind is held by nobody
    done = count(1)
    cleaned = clean(lines.pop(), rules, told=lambda _: progress("Cleaning", next(done), None))
    documents = build_documents(
        cleaned.lines,
        _lines_of(cleaned, PutReason.REFUNDED_ORDER.value),
        currency=currency,
        digits=digits,
        has_items="item" in mapping or "name" in mapping,
    )
    return Understood(
        raw=raw,
        mapping=mapping,
        options=options,
        currency=currency,
        shop_currency=settings.shop.currency,
        digits=digits,
        timezone=zone.key,
        before=measured,
        revenue_before_cents=revenue,
        reading=reading,
        rules=rules,
        cleaned=cleaned,
        documents=documents,
    )


def _read_lines(
    raw: RawTable, mapping: dict[str, str], options: ImportOptions, zone: tzinfo, now: datetime
) -> tuple[Lines, Reading]:
    return interpret(
        raw,
        mapping,
        zone,
        now,
        date_format=options.date_format or None,
        decimal_mark=options.decimal_mark or None,
    )


def _make_rules(
    store: Store,
    raw: RawTable,
    mapping: dict[str, str],
    lines: Lines,
    now: datetime,
    currency: str,
    judged: Callable[[str], bool] | None,
    rate: Rate,
) -> Rules:
    with store.read() as tx:
        spelling = read_spelling(tx, lines.item.values)
        sold = find_sold(tx, lines) if judged is None else frozenset()
    return Rules(
        raw=raw,
        has=frozenset(mapping),
        currency=currency,
        digits=minor_units(currency),
        latest_micros=to_micros(now + _LEAD),
        seal=store.keyring.blind,
        spelling=spelling,
        judged=judged,
        sold=sold,
        rate=rate,
    )


def find_sold(tx: Connection, lines: Lines) -> frozenset[str]:
    """Numbers of orders that these lines call off and that the log has as sold."""
    called_off = lines.status.where(is_cancelled_status) & ~lines.order.missing
    codes = np.unique(lines.order.codes[called_off]).tolist()
    numbers = [tidy_id(lines.order.values[code]) for code in codes]
    known = find_known(tx, {f"order:{number}" for number in numbers if number})
    return frozenset(event_id.removeprefix("order:") for event_id in known)


def _lines_of(cleaned: Cleaned, reason: str) -> Mask:
    marked = [t.index for t in cleaned.touched if t.reason == reason]
    index = np.concatenate(marked) if marked else np.zeros(0, dtype=np.int64)
    return np.isin(cleaned.lines.index, index)


def set_aside(store: Store, understood: Understood, changed: NDArray[np.int64]) -> Iterator[Found]:
    """Every line that was not kept, as quarantine wants it."""
    raw = understood.raw
    for broken in raw.malformed:
        cells = {"line": broken.text}
        yield Found(broken.row, "drop_malformed", DropReason.LINE_MALFORMED.value, cells)
    drops = [(t.step, t.reason, t.index) for t in understood.cleaned.touched if not t.kept]
    drops.append(("drop_changed_order", DropReason.ORDER_CHANGED.value, changed))
    persons: dict[str, str] = {}
    for step, reason, index in drops:
        for line in index.tolist():
            record = raw.record(line)
            who = name_person(record, understood.mapping)
            if who is not None and who not in persons:
                persons[who] = store.keyring.blind(who)
            person = None if who is None else persons[who]
            yield Found(int(raw.rows[line]), step, reason, record, person)


def name_person(record: dict[str, str | None], mapping: dict[str, str]) -> str | None:
    """Whom a line names: the customer id, else the e-mail address."""
    for field in ("customer", "email"):
        cell = record.get(mapping.get(field, ""))
        tidied = tidy_id(cell) if cell else None
        if tidied and not is_guest(tidied):
            return tidied.lower() if "@" in tidied else tidied
    return None


def describe_import(
    understood: Understood,
    found: Sorted,
    loaded: Loaded,
    changed: NDArray[np.int64],
    *,
    import_id: str,
    file: str,
    started: datetime,
) -> ImportReport:
    """The report of an import; ``changed`` are lines of orders that came with other content."""
    lines = understood.cleaned.lines
    kept = lines.filter(~np.isin(lines.index, changed)) if len(changed) else lines
    reasons = list(quality.count_reasons(understood.raw, understood.cleaned))
    if len(changed):
        reasons.append(_count_changed(understood, changed))
    report = msgspec.structs.replace(
        ImportReport.empty(import_id, file, "orders"),
        started_at=started,
        timezone=understood.timezone,
        currency=understood.currency,
        date_format=understood.reading.moments.form,
        mapping=understood.mapping,
        lines_in=len(understood.raw) + len(understood.raw.malformed),
        lines_kept=len(kept),
        lines_set_aside=sum(r.lines for r in reasons if not r.kept),
        reasons=tuple(reasons),
        columns=quality.compare_columns(
            understood.before, quality.measure_columns(kept, understood.mapping)
        ),
        events_new=loaded.inserted,
        events_known=loaded.duplicates + len(found.known),
        revenue_before_cents=understood.revenue_before_cents,
        cost_codes=_cost_codes(lines),
        notes=quality.state_choices(
            understood.raw,
            understood.reading,
            understood.mapping,
            timezone=understood.timezone,
            currency=understood.currency,
            shop_currency=understood.shop_currency,
        ),
    )
    return _count_documents(report, understood.documents, found, loaded)


def _count_documents(
    report: ImportReport, documents: Documents, found: Sorted, loaded: Loaded
) -> ImportReport:
    tied = np.where(found.tied < 0, loaded.tied, found.tied)
    totals = sum_documents(documents, np.concatenate([found.new, found.known]), tied)
    return msgspec.structs.replace(
        report,
        orders=totals.orders,
        refunds=totals.refunds,
        refunds_tied=totals.refunds_tied,
        anonymous_baskets=totals.anonymous,
        customers=totals.customers,
        items=totals.items,
        revenue_after_cents=totals.sold_cents - totals.returned_cents,
        refund_lines=totals.refund_lines,
        refund_lines_tied=totals.refund_lines_tied,
    )


def _count_changed(understood: Understood, changed: NDArray[np.int64]) -> ReasonCount:
    lines = understood.cleaned.lines
    place = int(np.flatnonzero(lines.index == changed[0])[0])
    return ReasonCount(
        "drop_changed_order",
        DropReason.ORDER_CHANGED.value,
        len(changed),
        False,
        describe(lines, place, understood.rules),
    )


def _cost_codes(lines: Lines) -> tuple[str, ...]:
    codes = np.unique(lines.item.codes[(lines.part != PRODUCT) & ~lines.item.missing])
    return tuple(sorted(lines.item.values[code] for code in codes.tolist()))
