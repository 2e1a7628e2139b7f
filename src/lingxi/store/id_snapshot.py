"""The arrays that know a log's messages, as a file: read at a start instead of every run.

Thirty million ids are 240 MB here, sorted already, where reading them out of the database and
sorting them takes longer than all the rest of a start. The file is derived, like the runs: it is
used only where the last run it holds is that of the database, which no other log can have, and what
came after it is read from the database. It is written beside everything else, a little at a time.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from threading import Thread
from time import sleep, time

import numpy as np
import numpy.typing as npt
from sqlalchemy import Engine

Words = npt.NDArray[np.uint64]
Parts = Sequence[tuple[int, Words]]
"""Levels and sorted arrays, the greatest first."""

_MARK = b"lxids001"
_MOST_PARTS = 256
_PIECE = 1024 * 1024
"""Words written at once: 8 MB."""
_PAUSE_SECONDS = 0.05
_STALE_SECONDS = 600


def find_place(engine: Engine) -> Path | None:
    """Where the file of a database lies: beside it, if it is one of SQLite's on disk."""
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name or name.startswith((":", "file:")):
        return None
    return Path(name).with_name("message_ids.bin")


def digest_run(ids: bytes) -> bytes:
    """What a run is recognised by."""
    return blake2b(ids, digest_size=16).digest()


def read_snapshot(place: Path) -> tuple[int, bytes, list[tuple[int, Words]]] | None:
    """How many runs a file holds, the digest of the last one, and the arrays; nothing where there
    is no file that is whole."""
    try:
        with place.open("rb") as file:
            if file.read(len(_MARK)) != _MARK:
                return None
            last = file.read(16)
            head = np.fromfile(file, "<u8", count=2)
            if len(head) < 2 or head[1] > _MOST_PARTS:
                return None
            runs, n = int(head[0]), int(head[1])
            sizes = np.fromfile(file, "<u8", count=2 * n).reshape(-1, 2)
            size = len(_MARK) + 16 + 8 * (2 + 2 * n + int(sizes[:, 1].sum()))
            if len(sizes) < n or os.fstat(file.fileno()).st_size != size:
                return None
            parts = []
            for level, length in sizes.tolist():
                words = np.fromfile(file, "<u8", count=length).astype(np.uint64, copy=False)
                parts.append((level, words))
    except (OSError, ValueError):
        return None
    return runs, last, parts


def write_snapshot(place: Path, runs: int, last: bytes, parts: Parts) -> None:
    """Write the file; whoever reads meanwhile finds the one of before. Without room on the disk it
    is left as it was."""
    if len(parts) > _MOST_PARTS:
        return
    half = place.with_name(f"{place.name}.{os.getpid()}")
    with suppress(OSError):
        for other in place.parent.glob(f"{place.name}.*"):  # of a process that ended meanwhile
            if time() - other.stat().st_mtime > _STALE_SECONDS:
                other.unlink()
        try:
            with half.open("wb") as file:
                sizes = [number for level, words in parts for number in (level, len(words))]
                numbers = np.array([runs, len(parts), *sizes], dtype="<u8")
                file.write(_MARK + last + numbers.tobytes())
                for _, words in parts:
                    for start in range(0, len(words), _PIECE):
                        file.write(words[start : start + _PIECE].astype("<u8", copy=False).data)
                        file.flush()
                        os.fsync(file.fileno())
                        sleep(_PAUSE_SECONDS)
                os.fsync(file.fileno())
            half.replace(place)
        finally:
            half.unlink(missing_ok=True)


def write_beside(place: Path, runs: int, last: bytes, parts: Parts) -> Thread:
    """Write the file in a thread that nobody waits for."""
    thread = Thread(
        target=write_snapshot,
        args=(place, runs, last, parts),
        name="lingxi-id-snapshot",
        daemon=True,
    )
    thread.start()
    return thread
