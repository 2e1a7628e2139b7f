"""The lines of a file of events or customers as units, in batches."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path

import pyarrow as pa

from lingxi.config import Settings
from lingxi.ingest.files.cutting import Cutter
from lingxi.ingest.files.opening import open_teller
from lingxi.ingest.files.records import Part, RecordFile, Whole, open_records
from lingxi.ingest.files.told import Teller
from lingxi.ingest.files.units import Unit
from lingxi.ingest.message import AT_ONCE
from lingxi.ingest.options import ImportOptions

PART = 20_000


@dataclass(frozen=True)
class Learnt:
    """How a file's lines are read: field → column, the form of its dates and how that was found;
    no mapping where every line is a message already."""

    mapping: Mapping[str, str]
    decimal_mark: str
    form: str
    evidence: str


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
        self.learnt: Learnt | None = None
        self.is_long = False
        """Whether there is more of it than its first part."""

    @staticmethod
    def open(
        path: Path, kind: str, settings: Settings, now: datetime, options: ImportOptions
    ) -> "Lines":
        """The units of the file at ``path``; see ``open_records`` for what may be wrong with it."""
        return Lines(open_records(path, PART, options), kind, settings, now, options)

    @property
    def settled(self) -> ImportOptions:
        """The options with everything that was detected filled in, to read more of the file by."""
        learnt = self.learnt
        if learnt is None:
            return self._options
        return replace(
            self._options,
            mapping=dict(learnt.mapping),
            date_format=learnt.form,
            decimal_mark=learnt.decimal_mark,
        )

    def look(self) -> None:
        """Read the first part, so that a file that cannot be used is refused before anything of it
        is written."""
        parts = self.file.parts()
        first = next(parts, None)
        if first is None or not (first.records or first.malformed):
            raise self.file.empty()
        self._learn(first)
        self.is_long = len(first.records) >= PART
        self._parts = chain([first], parts)

    def leave(self) -> None:
        """Read no more of the file, as another process does: its first part and what Arrow holds
        for the others take 200 MB."""
        self._parts = iter(())
        pa.default_memory_pool().release_unused()

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
        for unit in cutter.orders.release():
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
        before = self.learnt
        self._teller, evidence, form = open_teller(
            self.kind,
            rows,
            self._headers,
            options=self._options,
            settings=self._settings,
            now=self._now,
            untimed=self._file_moment(),
            hint=part.decimal_hint,
            form=before.form if before else "",
        )
        self.learnt = Learnt(
            dict(self._teller.mapping),
            self._teller.decimal_mark,
            form,
            (before.evidence if before else "") or evidence,
        )

    def _file_moment(self) -> datetime:
        changed = datetime.fromtimestamp(self.file.path.stat().st_mtime, UTC)
        return min(changed, self._now)


def cut_batches(lines: Lines, done: int) -> tuple[Iterator[Unit], Iterator[list[Unit]]]:
    """The units that were taken before, and the batches of those after them; in this order."""
    units = iter(lines)
    return islice(units, done), iter(lambda: list(islice(units, AT_ONCE)), [])
