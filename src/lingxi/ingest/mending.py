"""Quarantined lines get another chance: corrected by hand, or as they are under today's rules.

A line that passes leaves quarantine and reaches the log: with its order if the order is new, or as
a further part of the order if that is there already (an "Order Completed" event with the same
order number; ``properties.part`` names the part). A line is never counted twice: an exact
duplicate or a changed order stays aside until somebody corrects it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Protocol

import msgspec
import numpy as np

from lingxi.clock import Clock
from lingxi.config import Settings
from lingxi.errors import InvalidInput
from lingxi.ingest.documents import Documents
from lingxi.ingest.learnt import learn, put_learnt
from lingxi.ingest.load import NONE, load_documents, sort_documents
from lingxi.ingest.options import ImportOptions
from lingxi.ingest.orders import describe_import, set_aside, understand
from lingxi.ingest.quarantine import (
    OWN_COLUMNS,
    Quarantined,
    leave_quarantine,
    read_quarantine,
    rewrite_quarantine,
    unguard,
)
from lingxi.ingest.raw import RawTable, build_table
from lingxi.ingest.reading import read_table
from lingxi.ingest.reasons import DropReason
from lingxi.ingest.report import ImportReport
from lingxi.ingest.runs import find_run, next_import_id, put_run
from lingxi.ingest.text import Text
from lingxi.store import Progress, Store, silent

_FINAL = frozenset(
    reason.value
    for reason in (DropReason.EXACT_DUPLICATE, DropReason.ITEM_REPEATED, DropReason.ORDER_CHANGED)
)
"""Reasons that rerunning the rules over one line alone cannot judge."""


@dataclass(frozen=True)
class Retried:
    """One quarantined line with the cells to try."""

    line: Quarantined
    cells: Mapping[str, str | None]

    @property
    def corrected(self) -> bool:
        """Whether somebody has changed it."""
        return dict(self.cells) != dict(self.line.raw)


class Retry(Protocol):
    """Tries the lines of one import again, as its kind of import does."""

    def __call__(
        self,
        first: ImportReport,
        options: ImportOptions,
        group: Sequence[Retried],
        now: datetime,
        /,
    ) -> ImportReport | None:
        """What it came to; nothing where no line could be tried."""


Retries = Mapping[str, Retry]
"""How to try lines again, by the kind of their import."""


def replay_quarantine(
    store: Store,
    clock: Clock,
    retries: Retries,
    progress: Progress = silent,
    *,
    reason: str = "",
) -> ImportReport:
    """Run today's rules over quarantined lines; those that pass leave quarantine.

    ``reason`` leaves all others where they are.

    Raises
    ------
    InvalidInput
        If quarantine holds no line that could be replayed.
    """
    retried = [
        Retried(line, line.raw)
        for line in read_quarantine(store, reason=reason)
        if line.reason not in _FINAL
    ]
    return _retry(store, clock, retries, retried, "replay", progress)


def mend_quarantine(
    store: Store, clock: Clock, retries: Retries, path: Path, progress: Progress = silent
) -> ImportReport:
    """Bring in a corrected export of the quarantine; lines that pass leave it, others stay.

    A line that is no longer in quarantine is left out, so that mending twice changes nothing.

    Raises
    ------
    InvalidInput
        If the file is not an export of the quarantine, or none of its lines waits there.
    """
    table = read_table(path)
    if OWN_COLUMNS[0] not in table.columns:
        raise InvalidInput(
            f"{path} has no column {OWN_COLUMNS[0]!r}. Mend a file that "
            "'lingxi quarantine export' wrote, and leave its first columns as they are."
        )
    waiting = {line.id: line for line in read_quarantine(store)}
    retried = []
    for place in range(len(table)):
        record = table.record(place)
        number = record[OWN_COLUMNS[0]] or ""
        line = waiting.pop(int(number), None) if number.isdecimal() else None
        if line is None:
            continue
        given = {n: unguard(cell) for n, cell in record.items() if n not in OWN_COLUMNS}
        cells = {
            n: given.get(n) for n in dict.fromkeys([*line.raw, *given]) if n in line.raw or given[n]
        }
        if line.reason not in _FINAL or cells != dict(line.raw):
            retried.append(Retried(line, cells))
    return _retry(store, clock, retries, retried, path.name, progress)


def _retry(
    store: Store,
    clock: Clock,
    retries: Retries,
    retried: Sequence[Retried],
    name: str,
    progress: Progress,
) -> ImportReport:
    started, clocked = clock.now(), perf_counter()
    groups: dict[str, list[Retried]] = {}
    for each in retried:
        groups.setdefault(each.line.import_id, []).append(each)
    reports: list[ImportReport] = []
    options = ImportOptions()
    for number, (import_id, group) in enumerate(groups.items(), start=1):
        with store.read() as tx:
            found = find_run(tx, import_id)
        retry = None if found is None else retries.get(found[0].kind)
        report = None if found is None or retry is None else retry(*found, group, started)
        if report is not None and found is not None:
            reports.append(report)
            options = found[1]
        progress("Mending", number, len(groups))
    if not reports:
        raise InvalidInput(
            "There is no line to try again: quarantine is empty, or the file's lines have "
            "left it, or they are duplicates that nobody has corrected."
        )
    merged = _merge(reports, name, started, round(perf_counter() - clocked, 3))
    with store.write() as tx:
        merged = msgspec.structs.replace(merged, import_id=next_import_id(store, tx))
        put_run(tx, merged, options)
    return merged


def retry_orders(
    store: Store,
    settings: Settings,
    first: ImportReport,
    options: ImportOptions,
    group: Sequence[Retried],
    now: datetime,
) -> ImportReport | None:
    """Try order lines of one import again, with the options and columns that it had."""
    import_id = first.import_id
    wanted = list(first.mapping.values())
    usable = [each for each in group if any(each.cells.get(name) for name in wanted)]
    if not usable:
        return None
    raw = to_table(usable, wanted)
    ids = dict(enumerate((each.line.id for each in usable), start=1))
    same = {each.line.id for each in usable if not each.corrected}
    if not options.currency and first.currency:  # a few lines alone may show another
        options = replace(options, currency=first.currency)
    understood = understand(store, settings, raw, options, now, judged=judge_as(first.cost_codes))
    with store.read() as tx:
        found = sort_documents(tx, understood.documents)
    own = _list_own(raw, ids, understood.documents)
    # what is unchanged and known came again with its file meanwhile, and passed
    there = np.array([own[place] <= same for place in found.known.tolist()], dtype=np.bool_)
    further = np.concatenate([found.known[~there], found.changed])
    suffixes = {place: f"+{min(own[place])}" for place in further.tolist()}
    documents = replace(understood.documents, suffixes=suffixes)
    understood = replace(understood, documents=documents)
    new = np.concatenate([found.new, further])
    found = replace(found, new=new, known=found.known[there], changed=NONE)
    loaded = load_documents(store, documents, new, import_id, now, silent)
    nothing = np.zeros(0, dtype=np.int64)
    passed = [ids[int(raw.rows[line])] for line in understood.cleaned.lines.index.tolist()]
    failed = [(ids[line.row], line) for line in set_aside(store, understood, nothing)]
    with store.write() as tx:
        leave_quarantine(tx, passed, now)
        rewrite_quarantine(store, tx, failed)
        put_learnt(tx, learn(understood.cleaned.lines, understood.digits))
    return describe_import(
        understood, found, loaded, nothing, import_id=import_id, file=first.file, started=now
    )


def _list_own(raw: RawTable, ids: Mapping[int, int], documents: Documents) -> list[set[int]]:
    """The lines in quarantine that each document is made of."""
    return [{ids[int(raw.rows[line])] for line in each.index.tolist()} for each in documents]


def judge_as(cost_codes: Sequence[str]) -> Callable[[str], bool]:
    """Which codes are costs, as the whole file has shown them; a few lines alone would not."""
    known = frozenset(code.casefold() for code in cost_codes)
    return lambda code: code.casefold() in known


def to_table(group: Sequence[Retried], wanted: Sequence[str]) -> RawTable:
    """The lines as a table, numbered from 1 in their order."""
    headers = list(dict.fromkeys([*wanted, *(name for each in group for name in each.cells)]))
    columns = [Text.of(each.cells.get(header) for each in group) for header in headers]
    return build_table(headers, columns)


def _merge(
    reports: Sequence[ImportReport], name: str, started: datetime, seconds: float
) -> ImportReport:
    first = reports[0]
    return msgspec.structs.replace(
        first,
        file=name,
        started_at=started,
        seconds=seconds,
        lines_in=sum(r.lines_in for r in reports),
        lines_kept=sum(r.lines_kept for r in reports),
        lines_set_aside=sum(r.lines_set_aside for r in reports),
        reasons=tuple(reason for r in reports for reason in r.reasons),
        orders=sum(r.orders for r in reports),
        refunds=sum(r.refunds for r in reports),
        refunds_tied=sum(r.refunds_tied for r in reports),
        anonymous_baskets=sum(r.anonymous_baskets for r in reports),
        customers=sum(r.customers for r in reports),
        items=sum(r.items for r in reports),
        events_new=sum(r.events_new for r in reports),
        events_known=sum(r.events_known for r in reports),
        revenue_before_cents=sum(r.revenue_before_cents for r in reports),
        revenue_after_cents=sum(r.revenue_after_cents for r in reports),
        refund_lines=sum(r.refund_lines for r in reports),
        refund_lines_tied=sum(r.refund_lines_tied for r in reports),
        kind="mended",
    )
