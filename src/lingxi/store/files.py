"""Files that are either whole or absent."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lingxi.errors import StoreUnavailable


def hash_file(path: Path) -> str:
    """SHA-256 of a file's content, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Make a file's content last through a power cut."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place, then put it there in one step."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    with explained(path):
        draft.write_bytes(content)
        sync_file(draft)
        draft.replace(path)
        sync_folder(path.parent)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an operating-system error at ``path`` into ``StoreUnavailable``."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise StoreUnavailable(
            f"{path} cannot be read or written: {reason}. "
            "Check the free space and the rights of the folder."
        ) from error


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock among the processes of this machine; it ends with the process that holds it."""
    with explained(path), path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def walk_files(folder: Path) -> Iterator[Path]:
    """All files under a folder, those of one folder in order; a folder that another process takes
    away meanwhile, as a draft that becomes a version, is passed over."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            yield Path(place, name)
