"""Import of web and app events: part by part, cleaned, each visitor known by a surrogate."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter

import msgspec
import numpy as np

from lingxi.clock import Clock
from lingxi.config import Settings
from lingxi.i18n import Sentence, minor_units
from lingxi.ingest.clicks import ClickDrop, Clicks, Reader, Seen, clean_clicks
from lingxi.ingest.columns import missing_columns, recognise
from lingxi.ingest.dates import read_moments
from lingxi.ingest.event_names import is_custom
from lingxi.ingest.identity import ANONYMOUS, CUSTOMER, resolve_subjects
from lingxi.ingest.learnt import read_spelling
from lingxi.ingest.links import find_links, link_visitors
from lingxi.ingest.numbers import choose_decimal_mark
from lingxi.ingest.options import ImportOptions
from lingxi.ingest.parts import read_parts
from lingxi.ingest.quarantine import Found, put_quarantine
from lingxi.ingest.raw import RawTable, map_cells
from lingxi.ingest.reasons import DropReason, PutReason
from lingxi.ingest.report import ColumnQuality, ImportReport, ReasonCount
from lingxi.ingest.runs import next_import_id, put_run
from lingxi.ingest.synonyms import EVENT_FIELDS
from lingxi.ingest.text import Mask, Text
from lingxi.schema import Event, Line, Name
from lingxi.store import Progress, Store, silent
from lingxi.store.tables import from_micros

PART = 50_000
SOURCE = "events"
_TRANSACTION = 10_000
_LEAD = timedelta(days=1)


@dataclass
class Tally:
    """What the parts add up to."""

    lines: int = 0
    kept: int = 0
    malformed: int = 0
    inserted: int = 0
    duplicates: int = 0
    reasons: Counter[tuple[str, str, bool]] = field(default_factory=Counter)
    examples: dict[tuple[str, str, bool], str] = field(default_factory=dict)
    users: set[str] = field(default_factory=set)
    items: set[str] = field(default_factory=set)
    missing_before: Counter[str] = field(default_factory=Counter)
    missing_after: Counter[str] = field(default_factory=Counter)

    def count(self, step: str, reason: str, lines: int, kept: bool, example: str) -> None:
        """Add what one step did to one part."""
        if lines:
            key = (step, reason, kept)
            self.reasons[key] += lines
            self.examples.setdefault(key, example)


def import_events(
    store: Store,
    settings: Settings,
    clock: Clock,
    path: Path,
    progress: Progress = silent,
    options: ImportOptions | None = None,
) -> ImportReport:
    """Bring web and app events into the log. Importing the same file again changes nothing.

    Raises
    ------
    FileUnreadable
        If the file is absent, empty, damaged or of another form than its name says.
    UnknownColumn
        If no column holds the event's name, its time, or who did it.
    """
    chosen = options or ImportOptions()
    started, clocked = clock.now(), perf_counter()
    progress("Reading", 0, None)
    source = read_parts(path, PART, chosen)
    intake = None
    for raw in source.parts():
        if intake is None:
            intake = _open_intake(store, settings, raw, chosen, started)
            links = find_links(source, intake.reader.mapping)
            link_visitors(store, links)
            intake.links.update(links)
        intake.take(raw)
        progress("Writing events", intake.tally.lines, source.n_lines)
    if intake is None:
        raise source.empty()
    report = intake.report(path, chosen, started)
    with store.write() as tx:
        report = msgspec.structs.replace(report, seconds=round(perf_counter() - clocked, 3))
        put_run(tx, report, chosen)
    return report


def _open_intake(
    store: Store, settings: Settings, raw: RawTable, options: ImportOptions, now: datetime
) -> "Intake":
    mapping = recognise(
        raw.headers, EVENT_FIELDS, options.mapping, same=raw.same, needed=("event", "time")
    )
    missing = [name for name in ("event", "time") if name not in mapping]
    if "user" not in mapping and "anonymous" not in mapping:
        missing.append("user")
    if missing:
        raise missing_columns(raw.headers, mapping, missing, mapped=False)
    zone = options.zone(settings)
    times = map_cells(raw, mapping["time"], str.strip)
    moments = read_moments(times, zone, now, options.date_format or None)
    prices = map_cells(raw, mapping.get("price"), str.strip)

    def spelling(items: Text) -> Text:
        with store.read() as tx:
            known = read_spelling(tx, items.values)
        return items.apply(lambda code: known(code.casefold()) or code)

    reader = Reader(
        mapping=mapping,
        zone=zone,
        form=moments.form,
        decimal_mark=choose_decimal_mark(prices.values, hint=raw.decimal_hint),
        spelling=spelling,
    )
    with store.write() as tx:
        import_id = next_import_id(store, tx)
    currency = options.currency or settings.shop.currency
    return Intake(store, reader, import_id, now, currency, zone.key, moments.evidence)


@dataclass
class Intake:
    """An event file on its way into the log."""

    store: Store
    reader: Reader
    import_id: str
    now: datetime
    currency: str
    timezone: str
    evidence: str
    seen: Seen = field(default_factory=Seen)
    tally: Tally = field(default_factory=Tally)
    links: dict[str, str] = field(default_factory=dict)

    def take(self, raw: RawTable) -> None:
        """Clean one part and append what is kept."""
        clicks = self.reader.read(raw)
        keep, drops = clean_clicks(clicks, self.seen, self.now + _LEAD)
        self._count(clicks, keep, drops)
        subjects = self._resolve(clicks, keep)
        events = list(build_events(clicks, keep, subjects, self.now, self.currency))
        for start in range(0, len(events), _TRANSACTION):
            with self.store.write() as tx:
                done = self.store.log.append(events[start : start + _TRANSACTION], tx=tx)
            self.tally.inserted += done.inserted
            self.tally.duplicates += done.duplicates
        found = list(_quarantined(raw, drops, self.store, self.reader.mapping))
        if found:
            with self.store.write() as tx:
                put_quarantine(self.store, tx, self.import_id, found, self.now)

    def _resolve(self, clicks: Clicks, keep: Mask) -> list[int | None]:
        users, devices = clicks.text["user"], clicks.text["anonymous"]
        known = _used(users, keep)
        self.tally.users.update(known)
        seal = self.store.keyring.blind
        by_user = resolve_subjects(
            self.store, CUSTOMER, known, known=True, seals={value: seal(value) for value in known}
        )
        browsers = _used(devices, keep & users.missing)
        owners = {b: by_user[u] for b in browsers if (u := self.links.get(b)) in by_user}
        by_device = resolve_subjects(
            self.store,
            ANONYMOUS,
            browsers,
            known=False,
            seals={value: seal(value) for value in browsers},
            owners=owners,
        )
        user_subjects = [by_user.get(value) for value in users.values]
        device_subjects = [by_device.get(value) for value in devices.values]
        return [
            user_subjects[u] if u >= 0 else device_subjects[d] if d >= 0 else None
            for u, d in zip(users.codes.tolist(), devices.codes.tolist(), strict=True)
        ]

    def _count(self, clicks: Clicks, keep: Mask, drops: Sequence[ClickDrop]) -> None:
        tally, raw = self.tally, clicks.raw
        tally.lines += len(raw) + len(raw.malformed)
        tally.kept += int(keep.sum())
        tally.malformed += len(raw.malformed)
        tally.count(
            "drop_malformed", DropReason.LINE_MALFORMED.value, len(raw.malformed), False, ""
        )
        for drop in drops:
            example = f"row {int(raw.rows[drop.index[0]])}"
            tally.count(drop.step, drop.reason.value, len(drop.index), False, example)
        custom = clicks.text["event"].where(is_custom) & keep
        names = _used(clicks.text["event"], custom)
        tally.count(
            "put_custom_event",
            PutReason.CUSTOM_EVENT.value,
            int(custom.sum()),
            True,
            ", ".join(sorted(names)[:10]),
        )
        tally.items.update(_used(clicks.text["item"], keep))
        for name in self.reader.mapping:
            column = clicks.text.get(name)
            if column is not None:
                tally.missing_before[name] += int(column.missing.sum())
                tally.missing_after[name] += int((column.missing & keep).sum())

    def report(self, path: Path, options: ImportOptions, started: datetime) -> ImportReport:
        """What the import did, once every part is in."""
        tally = self.tally
        reasons = [
            ReasonCount(step, reason, lines, kept, tally.examples[step, reason, kept] or None)
            for (step, reason, kept), lines in tally.reasons.items()
        ]
        notes = [
            Sentence(f"clean.note.dates_{self.evidence}", {"form": self.reader.form}),
            Sentence("clean.note.zone", {"timezone": self.timezone}),
        ]
        if self.links:
            notes.append(Sentence("clean.note.browsers_linked", {"n": len(self.links)}))
        return msgspec.structs.replace(
            ImportReport.empty(self.import_id, path.name, "events"),
            started_at=started,
            timezone=self.timezone,
            currency=options.currency or self.currency,
            date_format=self.reader.form,
            mapping=dict(self.reader.mapping),
            lines_in=tally.lines,
            lines_kept=tally.kept,
            lines_set_aside=sum(r.lines for r in reasons if not r.kept),
            reasons=tuple(reasons),
            columns=tuple(
                ColumnQuality(
                    name,
                    tally.missing_before[name] / max(tally.lines, 1),
                    tally.missing_after[name] / max(tally.kept, 1),
                    None,
                    None,
                    None,
                    None,
                )
                for name in self.reader.mapping
            ),
            customers=len(tally.users),
            items=len(tally.items),
            events_new=tally.inserted,
            events_known=tally.duplicates,
            notes=tuple(notes),
        )


def _used(column: Text, keep: Mask) -> list[str]:
    codes = np.unique(column.codes[keep & ~column.missing])
    return [column.values[code] for code in codes.tolist()]


def _quarantined(
    raw: RawTable, drops: Sequence[ClickDrop], store: Store, mapping: Mapping[str, str]
) -> Iterator[Found]:
    for row in raw.malformed:
        yield Found(row.row, "drop_malformed", DropReason.LINE_MALFORMED.value, {"line": row.text})
    for drop in drops:
        for line in drop.index.tolist():
            record = raw.record(line)
            who = record.get(mapping.get("user", "")) or record.get(mapping.get("anonymous", ""))
            person = None if who is None else store.keyring.blind(who)
            yield Found(int(raw.rows[line]), drop.step, drop.reason.value, record, person)


def build_events(
    clicks: Clicks, keep: Mask, subjects: Sequence[int | None], now: datetime, currency: str
) -> Iterator[Event]:
    """The events of the kept lines; those of a purchase become an order only with its number."""
    digits = float(10 ** minor_units(currency))
    text = clicks.text
    columns = [
        text[name].decode()
        for name in ("message", "event", "session", "item", "category", "query", "country", "order")
    ]
    quantities = np.nan_to_num(np.ceil(clicks.quantity), nan=1.0).astype(np.int64).tolist()
    cents = np.rint(np.nan_to_num(clicks.price, nan=-1.0) * digits).astype(np.int64).tolist()
    micros = clicks.micros.tolist()
    rows = list(zip(*columns, strict=True))
    for i in np.flatnonzero(keep).tolist():
        message, name, session, item, category, query, country, order = rows[i]
        quantity, price = quantities[i], cents[i]
        amount = None
        lines: tuple[Line, ...] = ()
        if item is not None:
            unit = price if price >= 0 else None
            amount = unit * quantity if unit is not None else None
            lines = (Line(item, quantity, unit, amount),)
        bought = name == Name.ORDER_COMPLETED.value
        yield Event(
            event_id=_identify(message, rows[i], micros[i], subjects[i], order if bought else None),
            name=name or "",
            occurred_at=from_micros(micros[i]),
            received_at=now,
            subject=subjects[i],
            session_id=session,
            order_id=order,
            currency=currency if amount is not None else None,
            country=country,
            category=category,
            query=query,
            amount_cents=amount if bought else None,
            cost_cents=0 if bought else None,
            lines=lines,
            source=SOURCE,
        )


def _identify(
    message: str | None,
    row: tuple[str | None, ...],
    micros: int,
    subject: int | None,
    order: str | None,
) -> str:
    if order is not None:
        return f"order:{order}"
    if message is not None:
        return f"web:{message}"
    text = repr((row, micros, subject))
    return "web-" + hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
