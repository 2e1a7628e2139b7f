"""A folder to which JSON lines are written all the time: logs that rotate, exports by the hour."""

import os
from pathlib import Path

import msgspec

from lingxi.errors import SourceUnavailable
from lingxi.ingest.pulling.source import Page

_LONGEST_LINE = 1 << 20


class _Place(msgspec.Struct, frozen=True):
    """The file that is being read, and the bytes of it that were."""

    file: str = ""
    offset: int = 0


class JsonLinesFolder:
    """Messages of all files of a folder, in the order of their names; a file may still grow.

    The newest file is followed as it grows, line by line; an older one is read to its end, also
    where its last line has no line end. A new file must sort after those before it
    (``2026-11-27.jsonl``).

    Parameters
    ----------
    path
        The folder.
    pattern
        Which files of it.
    """

    def __init__(self, path: str, pattern: str = "*.jsonl") -> None:
        self._folder = Path(path)
        self._pattern = pattern

    def pull(self, cursor: str, n: int, /) -> Page:
        """At most ``n`` lines past the cursor."""
        place = self._read_cursor(cursor)
        files = self._list_files()
        rest = [name for name in files if name >= place.file]
        if place.file and place.file not in rest:
            place = _Place()  # the file that was read is gone: go on with the next
        messages: list[bytes] = []
        for number, name in enumerate(rest):
            start = place.offset if name == place.file else 0
            last = number == len(rest) - 1
            lines, end = self._read_lines(name, start, n - len(messages), last=last)
            messages += lines
            place = _Place(name, end)
            if len(messages) >= n:
                break
        kept = msgspec.json.encode(place).decode() if place.file else cursor
        return Page(tuple(messages), kept, more=bool(messages) and len(messages) >= n)

    def close(self) -> None:
        """Nothing is held open."""

    def _list_files(self) -> list[str]:
        try:
            found = [each.name for each in self._folder.glob(self._pattern) if each.is_file()]
        except (OSError, ValueError, NotImplementedError) as error:
            raise SourceUnavailable(f"{self._folder} cannot be read: {error}.") from error
        if not found and not self._folder.is_dir():
            raise SourceUnavailable(f"There is no folder {self._folder}.")
        return sorted(found)

    def _read_cursor(self, cursor: str) -> _Place:
        if not cursor:
            return _Place()
        try:
            return msgspec.json.decode(cursor, type=_Place)
        except msgspec.MsgspecError as error:
            raise SourceUnavailable(f"{cursor[:80]!r} is no cursor of a folder.") from error

    def _read_lines(self, name: str, start: int, n: int, *, last: bool) -> tuple[list[bytes], int]:
        """At most ``n`` whole lines from ``start`` on, and where they end."""
        lines: list[bytes] = []
        end = start
        try:
            with (self._folder / name).open("rb") as file:
                if start > os.fstat(file.fileno()).st_size:
                    end = start = 0  # it was emptied and begun anew
                file.seek(start)
                while len(lines) < n and (line := file.readline(_LONGEST_LINE)):
                    if last and not line.endswith(b"\n") and len(line) < _LONGEST_LINE:
                        break  # still being written
                    end += len(line)
                    if line.strip():
                        lines.append(line.strip())
        except OSError as error:
            raise SourceUnavailable(
                f"{self._folder / name} cannot be read: {error.strerror}."
            ) from error
        return lines, end
