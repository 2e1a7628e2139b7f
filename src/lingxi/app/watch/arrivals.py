"""Files that have arrived in a folder whole, and the one process that may take each."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from lingxi.ingest.text import word_set

DONE, FAILED = "done", "failed"
_UNFINISHED = tuple(
    word_set(".tmp .part .partial .crdownload .filepart .download .swp .lock .inprogress")
)
_LEFT_ALONE = frozenset({"options.toml", "thumbs.db", "desktop.ini"})


class Look(NamedTuple):
    """A file as it was seen: size in bytes and time of change in nanoseconds."""

    size: int
    changed: int


class Arrivals:
    """Watches one folder for files that have become whole.

    A file is whole when nobody has it open for writing, as far as the operating system tells, and
    its size and time of change have stood still for ``settle_seconds``; one that was renamed into
    its place, written long enough before, is whole at once.
    """

    def __init__(self, folder: Path, settle_seconds: float) -> None:
        self.folder = folder
        self.waiting = 0
        self._settle = settle_seconds
        self._seen: dict[Path, tuple[Look, float]] = {}

    def look(self) -> list[Path]:
        """Paths within the folder of the files that are whole now.

        Raises
        ------
        OSError
            If the folder cannot be read.
        """
        found: dict[Path, tuple[Look, float]] = {}
        whole: list[Path] = []
        now = time.monotonic()
        for place in list_places(self.folder):
            look = look_at(self.folder / place)
            if look is None:
                continue
            known, since = self._seen.get(place, (None, now))
            since = since if known == look else now
            found[place] = (look, since)
            age = max(now - since, time.time() - look.changed / 1e9)
            if age >= self._settle:
                whole.append(place)
        self._seen = found
        self.waiting = len(found)
        return whole


def list_places(folder: Path) -> Iterator[Path]:
    """Files in the folder and in folders within it, those aside that are not data."""
    for where, folders, files in os.walk(folder):
        top = Path(where) == folder
        folders[:] = sorted(
            f for f in folders if not f.startswith(".") and not (top and f in (DONE, FAILED))
        )
        for name in sorted(files):
            low = name.lower()
            aside = low.startswith((".", "~$")) or low in _LEFT_ALONE or low.endswith(_UNFINISHED)
            if not aside:
                yield (Path(where) / name).relative_to(folder)


def look_at(path: Path) -> Look | None:
    """Size and time of a regular file; nothing where there is none any more."""
    try:
        seen = path.lstat()
    except FileNotFoundError:
        return None
    if not os.path.isfile(path) or path.is_symlink():
        return None
    return Look(seen.st_size, seen.st_mtime_ns)


@contextmanager
def claim(path: Path) -> Iterator[bool]:
    """Whether this process may take the file: no other does, and nobody writes to it.

    The claim ends with the block, and with the process.
    """
    try:
        file = path.open("rb")
    except OSError:
        yield False
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        except OSError:
            pass  # a share without locks: taking the file twice changes nothing
        try:
            same = os.stat(path).st_ino == os.fstat(file.fileno()).st_ino
        except FileNotFoundError:
            same = False
        yield same and not _is_written(file.fileno())


def _is_written(descriptor: int) -> bool:
    """Whether a process has the file open for writing; false where the system does not tell."""
    lease = getattr(fcntl, "F_SETLEASE", None)
    if lease is None:
        return False
    try:
        fcntl.fcntl(descriptor, lease, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, lease, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:
        return False  # somebody else's file, or a share
    return False
