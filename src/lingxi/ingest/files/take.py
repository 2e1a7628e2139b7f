"""Import of customers and events: each line a message that goes through the collector's door."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from time import perf_counter

import msgspec
from sqlalchemy import Connection

from lingxi.clock import Clock
from lingxi.config import Settings
from lingxi.i18n import Sentence
from lingxi.ingest.carried import Judged
from lingxi.ingest.files.beside import Beside, Errand, is_worthwhile
from lingxi.ingest.files.carrying import unpack
from lingxi.ingest.files.keeping import LineKeeper
from lingxi.ingest.files.lines import Learnt, Lines, cut_batches
from lingxi.ingest.files.runs import FileRun, name_run, open_run, put_run_state
from lingxi.ingest.files.told import EVENTS
from lingxi.ingest.files.units import Unit
from lingxi.ingest.intake import Intake
from lingxi.ingest.options import ImportOptions
from lingxi.ingest.quarantine import close_quarantine
from lingxi.ingest.report import ColumnQuality, ImportReport
from lingxi.ingest.runs import put_run
from lingxi.store import Progress, Store, silent

GOES_ON = "Taken before"
"""The part of an import that goes on: told once, with the lines that are in the log already."""


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
    now = clock.now()
    lines = Lines.open(path, kind, settings, now, chosen)
    lines.look()
    run = open_run(store, name_run(path, kind, chosen), now)
    keeper = LineKeeper(store, kind, run)
    if run.done:
        progress(GOES_ON, run.tally.lines, lines.file.n_lines)
    if kind == EVENTS and is_worthwhile(lines):
        errand = Errand(path, kind, chosen, settings, now, run.started_at, run.done)
        moves = _keep_beside(errand, lines, keeper, intake)
    else:
        moves = _keep_alone(lines, keeper, intake)
    for read in moves:
        progress(f"Writing {kind}", read, lines.file.n_lines)
    report = describe(lines, keeper, path, settings, chosen)
    with store.write() as tx:
        report = msgspec.structs.replace(report, seconds=round(perf_counter() - clocked, 3))
        finish(tx, keeper.run, report, lines.settled, clock.now())
    return report


def _keep_alone(lines: Lines, keeper: LineKeeper, intake: Intake) -> Iterator[int]:
    """Tell, clean and keep; lines read after each batch."""
    skipped, batches = cut_batches(lines, keeper.run.done)
    for unit in skipped:
        keeper.noted.know(unit)
    for units in batches:
        intake.take(keeper.begin(units), keeper=keeper)
        yield lines.read


def _keep_beside(errand: Errand, lines: Lines, keeper: LineKeeper, intake: Intake) -> Iterator[int]:
    """Keep what a process beside this one tells and cleans; lines read after each batch."""
    lines.leave()
    with Beside(errand) as beside:
        batches = iter(beside)
        while several := list(islice(batches, keeper.together)):
            units: list[Unit] = []
            judged: list[Judged] = []
            for batch in several:
                found, cleaned = unpack(batch, errand.kind, errand.started_at)
                units += found
                judged += cleaned
                keeper.noted.add(batch.noted)
            keeper.follow(units)
            if judged:
                intake.keep(judged, keeper=keeper)
            lines.read, lines.learnt = several[-1].read, several[-1].learnt
            yield lines.read


def describe(
    lines: Lines, keeper: LineKeeper, path: Path, settings: Settings, options: ImportOptions
) -> ImportReport:
    """What the import did, once every line is in."""
    run, tally = keeper.run, keeper.run.tally
    reasons = tally.list_reasons()
    zone = options.zone(settings).key
    notes: list[Sentence] = []
    learnt = lines.learnt or Learnt({}, "", "", "")
    if learnt.evidence:
        notes.append(Sentence(f"clean.note.dates_{learnt.evidence}", {"form": learnt.form}))
        notes.append(Sentence("clean.note.zone", {"timezone": zone}))
    total, kept = max(tally.lines, 1), max(tally.kept, 1)
    columns = [
        ColumnQuality(
            name,
            1 - keeper.noted.given[name] / total,
            1 - tally.filled.get(name, 0) / kept,
            *(None,) * 4,
        )
        for name in learnt.mapping
    ]
    return msgspec.structs.replace(
        ImportReport.empty(run.import_id, path.name, lines.kind),
        started_at=run.started_at,
        timezone=zone,
        currency=options.currency or settings.shop.currency,
        date_format=learnt.form if learnt.evidence else "",
        mapping=dict(learnt.mapping),
        lines_in=tally.lines,
        lines_kept=tally.kept,
        lines_set_aside=sum(reason.lines for reason in reasons if not reason.kept),
        reasons=reasons,
        columns=tuple(columns),
        customers=len(keeper.noted.persons),
        items=len(keeper.noted.items),
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
    close_quarantine(tx, run.import_id)
