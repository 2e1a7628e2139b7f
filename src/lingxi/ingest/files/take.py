"""Import of customers and events: each line a message that goes through the collector's door."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from time import perf_counter

import msgspec
from sqlalchemy import Connection

from lingxi.clock import Clock
from lingxi.config import Settings
from lingxi.i18n import Sentence
from lingxi.ingest.files.keeping import LineKeeper
from lingxi.ingest.files.opening import open_teller
from lingxi.ingest.files.records import Part, RecordFile, Whole, open_records
from lingxi.ingest.files.runs import FileRun, name_run, open_run, put_run_state
from lingxi.ingest.files.told import Teller
from lingxi.ingest.files.units import Cutter, Unit
from lingxi.ingest.intake import Intake
from lingxi.ingest.options import ImportOptions
from lingxi.ingest.report import ColumnQuality, ImportReport
from lingxi.ingest.runs import put_run
from lingxi.store import Progress, Store, silent

PART = 20_000
BATCH = 1_000


def import_lines(
    store: Store,
    settings: Settings,
    clock: Clock,
    intake: Intake,
    path: Path,
    kind: str,
    options: ImportOptions | None = None,
    progress: Progress = silent,
) -> ImportReport:
    """Bring a file of ``events`` or ``customers`` into the log.

    Importing the same file again changes nothing; an import that broke off goes on where it
    stopped, and ends as if it had not.

    Raises
    ------
    FileUnreadable
        If the file is absent, empty, damaged or of another form than its name says.
    UnknownColumn
        If no column holds what is needed, or several could.
    InvalidInput
        If dates are ambiguous or an option cannot be used.
    StoreBusy, StoreUnavailable
        If the database cannot be written; what was written before stays.
    """
    chosen = options or ImportOptions()
    clocked = perf_counter()
    progress("Reading", 0, None)
    file = open_records(path, PART, chosen)
    lines = Lines(file, kind, settings, clock.now(), chosen)
    lines.look()
    run = open_run(store, name_run(path, kind, chosen), clock.now())
    keeper = LineKeeper(store, kind, run)
    units = iter(lines)
    for unit in islice(units, run.done):
        keeper.know(unit)
    while batch := list(islice(units, BATCH)):
        messages = keeper.begin(batch)
        intake.take(messages, keeper=keeper)
        progress(f"Writing {kind}", lines.read, file.n_lines)
    report = describe(lines, keeper, path, settings, chosen)
    with store.write() as tx:
        report = msgspec.structs.replace(report, seconds=round(perf_counter() - clocked, 3))
        finish(tx, keeper.run, report, lines.settled, clock.now())
    return report


class Lines:
    """The units of a file in their order, once."""

    def __init__(
        self,
        file: RecordFile,
        kind: str,
        settings: Settings,
        now: datetime,
        options: ImportOptions,
    ) -> None:
        self.file = file
        self.kind = kind
        self.read = 0
        self._settings = settings
        self._now = now
        self._options = options
        self._teller: Teller | None = None
        self._headers: list[str] = []
        self._parts: Iterator[Part] = iter(())
        self.evidence = ""
        self.form = ""

    @property
    def mapping(self) -> Mapping[str, str]:
        """Field → column; empty where every line is a message already."""
        return {} if self._teller is None else self._teller.mapping

    @property
    def settled(self) -> ImportOptions:
        """The options with everything that was detected filled in, to read more of the file by."""
        if self._teller is None:
            return self._options
        return replace(
            self._options,
            mapping=dict(self.mapping),
            date_format=self.form,
            decimal_mark=self._teller.decimal_mark,
        )

    def look(self) -> None:
        """Read the first part, so that a file that cannot be used is refused before anything of it
        is written."""
        parts = self.file.parts()
        first = next(parts, None)
        if first is None or not (first.records or first.malformed):
            raise self.file.empty()
        self._learn(first)
        self._parts = chain([first], parts)

    def __iter__(self) -> Iterator[Unit]:
        """The units; orders come last."""
        cutter = Cutter(self.kind)
        self.read = 0
        for part in self._parts:
            self._learn(part)
            cutter.teller = self._teller
            for unit in cutter.cut(part):
                self.read += len(unit.rows)
                yield unit
        for unit in cutter.orders.values():
            self.read += len(unit.rows)
            yield unit

    def _learn(self, part: Part) -> None:
        """Recognise columns, again where a later part has further ones."""
        fresh = [name for name in part.headers if name not in self._headers]
        if self._teller is not None and not fresh:
            return
        rows = [record for _, record in part.records if not isinstance(record, Whole)]
        if not rows:
            return
        self._headers += fresh
        self._teller, evidence, self.form = open_teller(
            self.kind,
            rows,
            self._headers,
            options=self._options,
            settings=self._settings,
            now=self._now,
            untimed=self._file_moment(),
            hint=part.decimal_hint,
            form=self.form,
        )
        self.evidence = self.evidence or evidence

    def _file_moment(self) -> datetime:
        changed = datetime.fromtimestamp(self.file.path.stat().st_mtime, UTC)
        return min(changed, self._now)


def describe(
    lines: Lines, keeper: LineKeeper, path: Path, settings: Settings, options: ImportOptions
) -> ImportReport:
    """What the import did, once every line is in."""
    run, tally = keeper.run, keeper.run.tally
    reasons = tally.list_reasons()
    zone = options.zone(settings).key
    notes: list[Sentence] = []
    if lines.evidence:
        notes.append(Sentence(f"clean.note.dates_{lines.evidence}", {"form": lines.form}))
        notes.append(Sentence("clean.note.zone", {"timezone": zone}))
    total, kept = max(tally.lines, 1), max(tally.kept, 1)
    columns = [
        ColumnQuality(
            name,
            1 - keeper.given[name] / total,
            1 - tally.filled.get(name, 0) / kept,
            *(None,) * 4,
        )
        for name in lines.mapping
    ]
    return msgspec.structs.replace(
        ImportReport.empty(run.import_id, path.name, lines.kind),
        started_at=run.started_at,
        timezone=zone,
        currency=options.currency or settings.shop.currency,
        date_format=lines.form if lines.evidence else "",
        mapping=dict(lines.mapping),
        lines_in=tally.lines,
        lines_kept=tally.kept,
        lines_set_aside=sum(reason.lines for reason in reasons if not reason.kept),
        reasons=reasons,
        columns=tuple(columns),
        customers=len(keeper.persons),
        items=len(keeper.items),
        orders=tally.orders,
        events_new=tally.inserted,
        events_known=tally.duplicates,
        notes=tuple(notes),
    )


def finish(
    tx: Connection, run: FileRun, report: ImportReport, options: ImportOptions, now: datetime
) -> None:
    """Keep the report, and that the file has come to its end."""
    put_run(tx, report, options)
    done = msgspec.structs.replace(run, times=run.times + 1)
    put_run_state(tx, done, finished_at=now)
