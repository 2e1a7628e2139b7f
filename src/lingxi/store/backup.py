"""Backup: state, lake and artefacts of one moment, taken while the shop runs. Keys stay out."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import version as package_version
from pathlib import Path

import msgspec

from lingxi.config import CONFIG_FILE
from lingxi.errors import Conflict, StoreUnavailable
from lingxi.store.dump import dump_state
from lingxi.store.engine import read_address
from lingxi.store.files import (
    explained,
    hash_file,
    locked,
    sync_file,
    sync_folder,
    walk_files,
    write_whole,
)
from lingxi.store.progress import Progress, silent
from lingxi.store.store import Store

BACKUP_FILE = "backup.json"


class FileRecord(msgspec.Struct, frozen=True):
    """One file of a backup."""

    bytes: int
    sha256: str


class BackupRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds; ``backup.json`` beside its files. It is written last."""

    created_at: datetime
    code_version: str
    engine: str
    position: int
    files: dict[str, FileRecord]


def backup(store: Store, destination: Path, progress: Progress = silent) -> BackupRecord:
    """Copy a running shop into the new folder ``destination``.

    Appends go on; rolls, erasures and other backups wait. The folder appears when it is whole: a
    crash leaves only a folder ``.<name>.part``, which the next backup to this place removes. Keys
    and secrets are not in it (``export_keys``), so what it holds encrypted stays so.

    Raises
    ------
    Conflict
        If ``destination`` exists and is not an empty folder.
    StoreUnavailable
        If something cannot be read or written, or a file of the lake is damaged.
    """
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise Conflict(f"{destination} exists already; name a new folder for the backup.")
    draft = destination.with_name(f".{destination.name}.part")
    with explained(draft):
        shutil.rmtree(draft, ignore_errors=True)
        (draft / "data").mkdir(parents=True)
        with locked(store.lake.lock):
            record = _fill(store, draft, progress)
        content = msgspec.json.format(msgspec.json.encode(record), indent=1)
        write_whole(draft / BACKUP_FILE, content)
        if destination.exists():
            destination.rmdir()
        draft.replace(destination)
        sync_folder(destination.parent)
    return record


def _fill(store: Store, draft: Path, progress: Progress) -> BackupRecord:
    data = draft / "data"
    # models first: none of them may know more than the state that is copied after them
    others = list(_other_files(store))
    files: dict[str, FileRecord] = {}
    for done, path in enumerate(others, 1):
        _copy_into(files, draft, store.folder / path, Path("data") / path)
        progress("backup: files", done, len(others))
    lake, position = dump_state(store.engine, data)
    for place in sorted(p for p in data.rglob("*") if p.is_file()):
        dumped = place.relative_to(draft).as_posix()
        if dumped not in files:
            sync_file(place)
            files[dumped] = FileRecord(place.stat().st_size, hash_file(place))
    for done, file in enumerate(lake, 1):
        name = Path("data") / "lake" / file.path
        copied = _copy_into(files, draft, store.lake.folder / file.path, name)
        if copied.sha256 != file.sha256:
            raise StoreUnavailable(
                f"{store.lake.folder / file.path} is damaged; "
                "restore the last backup, or roll the lake again from the log."
            )
        progress("backup: lake", done, len(lake))
    settings = store.settings.folder / CONFIG_FILE
    if settings.is_file():
        _copy_into(files, draft, settings, Path(CONFIG_FILE))
    return BackupRecord(
        created_at=store.clock.now(),
        code_version=package_version("lingxi"),
        engine=store.engine.dialect.name,
        position=position,
        files=files,
    )


def _other_files(store: Store) -> Iterator[Path]:
    """Files under the shop's data that are neither state nor lake, relative to it."""
    state = read_address(store.settings.database_url).database or ""
    for place in walk_files(store.folder):
        path = place.relative_to(store.folder)
        hidden = any(part.startswith(".") for part in path.parts)
        if not place.is_file() or hidden or path.parts[0] in ("lake", "tmp"):
            continue
        if str(place).startswith(str(Path(state))) or place.name.endswith((".lock", "-journal")):
            continue
        yield path


def _copy_into(files: dict[str, FileRecord], draft: Path, source: Path, name: Path) -> FileRecord:
    target = draft / name
    target.parent.mkdir(parents=True, exist_ok=True)
    record = copy_file(source, target)
    files[name.as_posix()] = record
    return record


def copy_file(source: Path, target: Path) -> FileRecord:
    """Copy a file so that it lasts through a power cut; its size and hash as they were read."""
    digest = hashlib.sha256()
    size = 0
    with explained(source), source.open("rb") as reader, target.open("wb") as writer:
        while block := reader.read(1 << 20):
            digest.update(block)
            size += len(block)
            writer.write(block)
        writer.flush()
        os.fsync(writer.fileno())
    return FileRecord(size, digest.hexdigest())
