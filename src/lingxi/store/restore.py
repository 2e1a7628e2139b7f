"""Restore: a backup becomes a shop again, checked, and without those who were erased since."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from sqlalchemy import Engine, MetaData, text

from lingxi.clock import Clock
from lingxi.config import CONFIG_FILE, Settings
from lingxi.errors import Conflict, FileUnreadable, StoreUnavailable
from lingxi.store.backup import BACKUP_FILE, BackupRecord, copy_file
from lingxi.store.counters import peek, put
from lingxi.store.dump import STATE_FILE, TABLES_FOLDER, load_state
from lingxi.store.engine import begin_read, begin_write, open_engine, read_address
from lingxi.store.erasure import Forget, list_erasures
from lingxi.store.files import explained, hash_file, sync_folder
from lingxi.store.progress import Progress, silent
from lingxi.store.projection import Projection
from lingxi.store.store import Store
from lingxi.store.tables import metadata as own_metadata


def read_backup(source: Path) -> BackupRecord:
    """What a backup holds, from its ``backup.json``.

    Raises
    ------
    FileUnreadable
        If the folder is not a whole backup.
    """
    try:
        return msgspec.json.decode((source / BACKUP_FILE).read_bytes(), type=BackupRecord)
    except (OSError, msgspec.MsgspecError) as error:
        raise FileUnreadable(f"{source} is not a whole backup: {error}.") from error


def check_backup(source: Path, progress: Progress = silent) -> BackupRecord:
    """Read every file of a backup and compare it with what was written.

    Raises
    ------
    FileUnreadable
        If a file is missing or changed.
    """
    record = read_backup(source)
    for done, (name, file) in enumerate(record.files.items(), 1):
        place = source / name
        if not place.is_file() or hash_file(place) != file.sha256:
            raise FileUnreadable(
                f"{place} is missing or damaged; this backup cannot be restored, use another."
            )
        progress("restore: check", done, len(record.files))
    return record


def restore(
    source: Path,
    settings: Settings,
    clock: Clock,
    *,
    projections: Sequence[Projection] = (),
    tables: Sequence[MetaData] = (),
    rooms: Sequence[Forget] = (),
    migrate: Callable[[Engine], object] | None = None,
    progress: Progress = silent,
) -> BackupRecord:
    """Make the shop of ``settings`` from a backup.

    The shop's folder may hold ``lingxi.toml`` and ``keys/`` and no data. Erasures that stand in
    ``keys/`` are carried out again before this returns; ``tables`` and ``rooms`` are those of the
    rooms above, as for ``Store.open`` and ``Store.forget``. ``migrate`` brings the tables of an
    older backup up to date first.

    Raises
    ------
    Conflict
        If the shop has data already.
    FileUnreadable
        If the backup is not whole, is damaged, or is of another engine.
    """
    record = check_backup(source, progress)
    data = settings.folder / "data"
    if data.exists() and any(data.iterdir()):
        raise Conflict(f"{data} holds data already; restore into a folder without a shop's data.")
    address = read_address(settings.database_url)
    if address.get_backend_name() != record.engine:
        raise FileUnreadable(
            f"The backup is of {record.engine}, but the settings name "
            f"{address.get_backend_name()}; set store.url accordingly."
        )
    _copy_data(source, settings.folder, record, progress)
    if record.engine == "sqlite":
        _put_sqlite(data / STATE_FILE, Path(address.database or ""))
    else:
        _put_tables(data, settings, tables)
    store = Store.open(settings, clock, projections=projections)
    try:
        if migrate is not None:
            migrate(store.engine)
        _keep_numbers(store)
        store.finish_erasures(rooms=rooms, again=True)
    finally:
        store.close()
    return record


def _copy_data(source: Path, folder: Path, record: BackupRecord, progress: Progress) -> None:
    """Copy into a draft, then rename: an interrupted restore leaves no half shop."""
    draft = folder / ".restore.part"
    with explained(draft):
        shutil.rmtree(draft, ignore_errors=True)
        (draft / "data").mkdir(parents=True)
        for done, name in enumerate(record.files, 1):
            target = draft / name
            target.parent.mkdir(parents=True, exist_ok=True)
            copy_file(source / name, target)
            progress("restore: copy", done, len(record.files))
        if (draft / CONFIG_FILE).is_file() and not (folder / CONFIG_FILE).exists():
            (draft / CONFIG_FILE).replace(folder / CONFIG_FILE)
        if (folder / "data").exists():
            (folder / "data").rmdir()
        (draft / "data").replace(folder / "data")
        shutil.rmtree(draft)
        sync_folder(folder)


def _put_sqlite(copy: Path, place: Path) -> None:
    if place.resolve() != copy.resolve():
        if place.exists():
            raise Conflict(f"{place} exists already; move it away before a restore.")
        with explained(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(copy, place)
    engine = open_engine(f"sqlite:///{place}", lock_timeout_seconds=30)
    with begin_read(engine) as connection:
        verdict = connection.execute(text("PRAGMA integrity_check")).scalar()
    engine.dispose()
    if verdict != "ok":
        raise StoreUnavailable(f"The restored database {place} is damaged: {verdict}.")


def _put_tables(data: Path, settings: Settings, tables: Sequence[MetaData]) -> None:
    engine = open_engine(
        settings.database_url, lock_timeout_seconds=settings.store.lock_timeout_seconds
    )
    try:
        load_state(engine, data, [own_metadata, *tables])
    finally:
        engine.dispose()
    shutil.rmtree(data / TABLES_FOLDER)


def _keep_numbers(store: Store) -> None:
    """Move the counter of subjects past all that were erased, so that none is given out again."""
    used = [number for each in list_erasures(store) for number in each.subjects]
    with begin_write(store.engine) as connection:
        if max(used, default=0) > peek(connection, "subject"):
            put(connection, "subject", max(used))
