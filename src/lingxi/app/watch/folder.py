"""The watcher: each file that is whole comes in, and moves on with a report beside it."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import structlog

from lingxi.app import jobs
from lingxi.app.shop import Shop
from lingxi.app.views import ImportReport
from lingxi.app.watch.arrivals import DONE, FAILED, Arrivals, Look, claim, look_at
from lingxi.app.watch.journal import FileRow, FolderRow, put_file, put_folder, show_path
from lingxi.app.watch.subjects import SUBJECTS, Reading, name_subject, read_options
from lingxi.errors import InvalidInput, LingxiError, StoreBusy, StoreUnavailable, UserError
from lingxi.store import Progress, silent
from lingxi.store.files import sync_folder, write_whole

_BEAT = timedelta(seconds=30)
_IMPORTS: dict[str, jobs.BringIn] = {
    "orders": jobs.import_orders,
    "customers": jobs.import_customers,
    "events": jobs.import_events,
}


class WatchedReport(msgspec.Struct, frozen=True):
    """What stands beside a file that came in, or could not: its report, or what is wrong."""

    file: str
    subject: str | None
    at: datetime
    result: str
    report: ImportReport | None = None
    code: str | None = None
    error: str | None = None


class Watcher:
    """Brings in what is dropped into a folder.

    ``orders/``, ``customers/``, ``items/`` and ``events/`` are made in it, and ``done/`` and
    ``failed/``. Several watchers of one folder share the work; a file that one of them died over is
    taken up again, from where it stopped.

    Raises
    ------
    InvalidInput
        If the folder cannot be made or written.
    """

    def __init__(
        self, shop: Shop, folder: Path, *, settle_seconds: float, progress: Progress = silent
    ) -> None:
        self.folder = folder.absolute()
        self._shop = shop
        self._progress = progress
        self._arrivals = Arrivals(self.folder, settle_seconds)
        self._beat: FolderRow | None = None
        try:
            for name in (*SUBJECTS, DONE, FAILED):
                (self.folder / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidInput(
                f"The folder {self.folder} cannot be used: {error.strerror}. Name one that may be "
                "written."
            ) from error
        if not os.access(self.folder, os.W_OK):
            raise InvalidInput(f"The folder {self.folder} may not be written; name another.")

    def look(self) -> list[WatchedReport]:
        """Bring in every file that is whole now; what became of each.

        Raises
        ------
        StoreBusy, StoreUnavailable
            If the shop's database cannot be written; the file stays where it is.
        """
        try:
            whole = self._arrivals.look()
        except OSError as error:
            self.note(f"{self.folder} cannot be read: {error.strerror}")
            return []
        self.note(None)
        found = []
        for place in sorted(whole, key=_rank):
            report = self._take(place)
            if report is not None:
                found.append(report)
        if found:
            self._arrivals.waiting -= len(found)
            self.note(None)
        return found

    def _take(self, place: Path) -> WatchedReport | None:
        path = self.folder / place
        with claim(path) as mine:
            look = look_at(path) if mine else None
            if look is None:
                return None
            report = self._bring_in(place)
            if look_at(path) != look:
                return (
                    None  # somebody wrote to it meanwhile: it is looked at again when it is whole
                )
            return self._move(place, look, report)

    def _bring_in(self, place: Path) -> WatchedReport:
        subject: str | None = None
        try:
            subject = name_subject(place)
            report = self._import(read_options(self.folder, place), place)
        except (StoreBusy, StoreUnavailable):
            raise  # not the file's fault
        except UserError as error:
            return self._fail(place, subject, error.code, str(error))
        except (LingxiError, ValueError, ArithmeticError, LookupError, TypeError) as error:
            structlog.get_logger().exception("watched_file_failed", file=str(place))
            text = f"{type(error).__name__}: {error}. This is our fault; nothing was lost."
            return self._fail(place, subject, "internal_error", text)
        return WatchedReport(show_path(place), subject, self._shop.clock.now(), DONE, report)

    def _import(self, reading: Reading, place: Path) -> ImportReport:
        path = self.folder / place
        if reading.subject == "items":
            return jobs.import_items(
                self._shop,
                path,
                reading.options,
                complete=reading.complete,
                progress=self._progress,
            )
        run = _IMPORTS[reading.subject]
        return run(self._shop, path, reading.options, progress=self._progress)

    def _fail(self, place: Path, subject: str | None, code: str, text: str) -> WatchedReport:
        at = self._shop.clock.now()
        return WatchedReport(show_path(place), subject, at, FAILED, code=code, error=text)

    def _move(self, place: Path, look: Look, report: WatchedReport) -> WatchedReport:
        """Journal, report, then the file: what a crash leaves undone is done again."""
        row = FileRow(
            folder=show_path(self.folder),
            name=report.file,
            subject=report.subject or "",
            at=report.at,
            result=report.result,
            error=report.error,
        )
        if report.report is not None:
            done = report.report
            row = msgspec.structs.replace(
                row,
                import_id=done.import_id,
                lines_in=done.lines_in,
                lines_kept=done.lines_kept,
                events_new=done.events_new,
            )
        with self._shop.store.write() as tx:
            put_file(tx, row, look)
        target = _find_free(self.folder / report.result, place, look)
        text = msgspec.json.format(msgspec.json.encode(report, enc_hook=str), indent=2)
        write_whole(target.with_name(f"{target.name}.report.json"), text + b"\n")
        os.replace(self.folder / place, target)
        sync_folder(target.parent)
        return report

    def note(self, error: str | None) -> None:
        """Say that somebody looks, now and then, and at once where something has changed."""
        now = self._shop.clock.now()
        row = FolderRow(show_path(self.folder), now, self._arrivals.waiting, error)
        last = self._beat
        same = last is not None and (last.waiting, last.error) == (row.waiting, error)
        if same and last is not None and now - last.looked_at < _BEAT:
            return
        with self._shop.store.write() as tx:
            put_folder(tx, row)
        self._beat = row


def _rank(place: Path) -> tuple[int, str]:
    try:
        return SUBJECTS.index(name_subject(place)), str(place)
    except InvalidInput:
        return len(SUBJECTS), str(place)


def _find_free(folder: Path, place: Path, look: Look) -> Path:
    """A name in ``folder`` that no file has: the time of the file's last change, its folder, its
    name."""
    moment = datetime.fromtimestamp(look.changed / 1e9, UTC)
    name = "-".join([f"{moment:%Y%m%dT%H%M%SZ}", *place.parts])
    target, n = folder / name, 1
    while target.exists():
        n += 1
        target = folder / f"{name}.{n}"
    return target
