"""Lines of customers and events that were set aside, tried again through the collector's door."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from lingxi.config import Settings
from lingxi.ingest.files.cutting import Cutter
from lingxi.ingest.files.keeping import count_unit, name_drop
from lingxi.ingest.files.nested import list_headers, spread
from lingxi.ingest.files.opening import open_teller
from lingxi.ingest.files.records import Part, Whole, is_message
from lingxi.ingest.files.tally import Tally
from lingxi.ingest.files.told import Teller
from lingxi.ingest.files.units import LINE, WHOLE, Unit, name_person
from lingxi.ingest.intake import Intake
from lingxi.ingest.mending import Retried
from lingxi.ingest.message import Dropped, Outcome
from lingxi.ingest.options import ImportOptions
from lingxi.ingest.quarantine import leave_quarantine, read_quarantine, rewrite_quarantine
from lingxi.ingest.report import ImportReport
from lingxi.store import Store

_BATCH = 500
Record = dict[str, object]


def retry_lines(
    store: Store,
    settings: Settings,
    intake: Intake,
    first: ImportReport,
    options: ImportOptions,
    group: Sequence[Retried],
    now: datetime,
) -> ImportReport | None:
    """Try lines of one import again, with the options and columns that it had.

    Lines of one order go together: those that wait beside the ones named are tried with them.
    """
    read = {each.line.id: read_line(each.cells) for each in group}
    records = {number: record for number, record in read.items() if record is not None}
    if not records:
        return None
    teller = _open(settings, first, options, [r for r in records.values() if r])
    cutter = Cutter(first.kind, teller)
    companions = _find_companions(store, first.import_id, cutter, records)
    wanted = sorted({**records, **companions}.items())
    units = list(cutter.cut(Part(wanted)))
    units += cutter.orders.release()
    keeper = RetryKeeper(store, now)
    for start in range(0, len(units), _BATCH):
        batch = units[start : start + _BATCH]
        keeper.begin(batch)
        intake.take([unit.to_message(first.kind, now) for unit in batch], keeper=keeper)
    return keeper.describe(first, now)


def read_line(cells: Mapping[str, str | None]) -> Record | None:
    """A line of quarantine as a record again; nothing where it still cannot be read.

    >>> read_line({"line": '{"event": "view"}'}), read_line({"line": "a,b"})
    ({'event': 'view'}, None)
    """
    filled = {name: cell for name, cell in cells.items() if cell is not None}
    others: Record = {name: cell for name, cell in filled.items() if name not in (WHOLE, LINE)}
    if others:
        return others
    text = filled.get(WHOLE) or filled.get(LINE) or ""
    try:
        record = msgspec.json.decode(text, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return Whole(record) if is_message(record) else spread(record)


def _open(
    settings: Settings, first: ImportReport, options: ImportOptions, records: Sequence[Record]
) -> Teller | None:
    rows = [record for record in records if not isinstance(record, Whole)]
    if not rows:
        return None
    headers = list(dict.fromkeys([*first.mapping.values(), *list_headers(rows)]))
    known = replace(options, mapping={**options.mapping, **first.mapping})
    teller, _, _ = open_teller(
        first.kind,
        rows,
        headers,
        options=known,
        settings=settings,
        now=first.started_at,
        untimed=first.started_at,
        hint=".",
        form=first.date_format,
    )
    return teller


def _find_companions(
    store: Store, import_id: str, cutter: Cutter, records: Mapping[int, Record]
) -> dict[int, Record]:
    """Further waiting lines of the orders that these lines are of."""
    keys = {cutter.find_order(cutter.make(n, record)) for n, record in records.items()} - {None}
    if not keys:
        return {}
    found: dict[int, Record] = {}
    for line in read_quarantine(store, import_id=import_id):
        record = None if line.id in records else read_line(line.raw)
        if not record or isinstance(record, Whole):
            continue
        if cutter.find_order(cutter.make(line.id, record)) in keys:
            found[line.id] = record
    return found


class RetryKeeper:
    """Lines that pass leave quarantine with the transaction that keeps them; others stay, as
    corrected, with the reason as it is now. See ``lingxi.ingest.intake.Keeper``."""

    def __init__(self, store: Store, now: datetime) -> None:
        self._store = store
        self._now = now
        self._units: list[Unit] = []
        self._taken = 0
        self._tally = Tally()
        self._next = self._tally

    def begin(self, units: Sequence[Unit]) -> None:
        """The next batch; rows of units are ids of quarantine."""
        self._units, self._taken = list(units), 0

    def keep(self, tx: Connection, outcomes: Sequence[Outcome], /) -> None:
        """Let lines go, or note why not."""
        units = self._units[self._taken : self._taken + len(outcomes)]
        self._next = self._tally.copy()
        for unit, outcome in zip(units, outcomes, strict=True):
            count_unit(self._next, unit, outcome)
            if isinstance(outcome.cleaned, Dropped):
                dropped, person = outcome.cleaned, name_person(unit.body)
                seal = {} if person is None else {person: self._store.keyring.blind(person)}
                found = unit.list_found(name_drop(dropped), dropped.reason.value, seal)
                pairs = [(line.row, line) for line in found]
                rewrite_quarantine(self._store, tx, pairs)
            else:
                leave_quarantine(tx, unit.rows, self._now)

    def kept(self, outcomes: Sequence[Outcome], /) -> None:
        """That part of the batch is on disk."""
        self._tally = self._next
        self._taken += len(outcomes)

    def describe(self, first: ImportReport, now: datetime) -> ImportReport:
        """What it came to."""
        tally = self._tally
        reasons = tally.list_reasons()
        return msgspec.structs.replace(
            ImportReport.empty(first.import_id, first.file, first.kind),
            started_at=now,
            timezone=first.timezone,
            currency=first.currency,
            date_format=first.date_format,
            mapping=first.mapping,
            lines_in=tally.lines,
            lines_kept=tally.kept,
            lines_set_aside=sum(reason.lines for reason in reasons if not reason.kept),
            reasons=reasons,
            orders=tally.orders,
            events_new=tally.inserted,
            events_known=tally.duplicates,
        )
