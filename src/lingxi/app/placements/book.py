"""The shop's placements: read from the file whenever it changes, written through it, with versions.

The file is the one definition. A change over the API or the page rewrites the placement's own
tables in it and leaves everything else as it was written; every state it was in is kept as a
version, those that were made by hand as soon as they are met.
"""

import os
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import sqlalchemy as sa

from lingxi.access.audit import record_audit
from lingxi.errors import Conflict, InvalidInput, StoreUnavailable, UnknownPlacement, UserError
from lingxi.recommend.placements.defaults import DEFAULTS
from lingxi.recommend.placements.definition import Definitions, Placement
from lingxi.recommend.placements.file import (
    FILE,
    read_definitions,
    render_section,
    replace_section,
)
from lingxi.recommend.placements.tables import placement_version

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

_COUNTER = "placement"
_BY_HAND = "file"
MOST_PLACEMENTS = 200
_Mark = tuple[int, int, int]


@dataclass(frozen=True)
class Version:
    """One state that a placement was in; an empty ``text`` is what is built in."""

    version: int
    name: str
    at: datetime
    actor: str
    note: str
    text: str
    base: int | None


class Book:
    """The placements of one shop."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop
        self._path = shop.settings.folder / FILE
        self._lock = Lock()
        self._held: tuple[_Mark | None, Definitions] | None = None
        self._problem = ""

    @property
    def path(self) -> Path:
        """Where the file lies, if there is one."""
        return self._path

    @property
    def problem(self) -> str:
        """What is wrong with the file as it is now; what it said before is then still used."""
        self.get()
        return self._problem

    def get(self) -> Definitions:
        """The placements as the file has them now.

        Raises
        ------
        InvalidInput
            If the file cannot be used, and no earlier state of it is known here.
        """
        mark = _read_mark(self._path)
        held = self._held
        if held is not None and held[0] == mark:
            return held[1]
        with self._lock:
            try:
                found = read_definitions(self._read_text())
            except UserError as error:
                self._problem = str(error)
                if held is None:
                    raise
                self._held = (mark, held[1])
                return held[1]
            self._problem = ""
            self._held = (mark, found)
            return found

    def section(self, name: str) -> str:
        """The placement as the shortest TOML that makes it."""
        self.get().get(name)
        return _section_of(self.get(), name)

    def mark(self, name: str) -> str:
        """Names the state that the placement is in; another one after every change."""
        return mark_of(self.get(), name)

    def put(
        self,
        name: str,
        placement: Placement,
        *,
        actor: str,
        note: str = "",
        expected: str | None = None,
        base: int | None = None,
    ) -> int:
        """Make the placement so, in the file and as a version; its number.

        Parameters
        ----------
        expected
            The mark of the state that the writer has seen.

        Raises
        ------
        Conflict
            If the placement was changed since, or the file cannot be rewritten safely.
        InvalidInput
            If the file as it is cannot be used, or there are too many placements.
        """
        section = "" if placement == DEFAULTS.get(name) else render_section(name, placement)
        return self._write(name, section, placement, actor, note, expected, base)

    def remove(self, name: str, *, actor: str, note: str = "") -> int:
        """Take the placement out of the file: back to what is built in, or gone."""
        self.get().get(name)
        return self._write(name, "", DEFAULTS.get(name), actor, note, None, None)

    def restore(self, name: str, version: int, *, actor: str) -> int:
        """Make the placement what it was in a version; the number of the new version.

        Raises
        ------
        UnknownPlacement
            If there is no such version.
        """
        found = self.find_version(name, version)
        if not found.text:
            built_in = DEFAULTS.get(name)
            return self._write(name, "", built_in, actor, "", None, found.version)
        placement = read_definitions(found.text).get(name)
        return self.put(name, placement, actor=actor, base=found.version)

    def find_version(self, name: str, version: int) -> Version:
        """One version of a placement.

        Raises
        ------
        UnknownPlacement
            If there is no such version.
        """
        with self._shop.store.read() as tx:
            query = sa.select(placement_version).where(
                placement_version.c.name == name, placement_version.c.version == version
            )
            row = tx.execute(query).first()
        if row is None:
            raise UnknownPlacement(f"There is no version {version} of the placement {name!r}.")
        return _to_version(row)

    def versions(self, name: str, *, n: int = 50) -> list[Version]:
        """The latest versions of a placement, newest first."""
        with self._shop.store.read() as tx:
            return _list_versions(tx, name, n)

    def _write(
        self,
        name: str,
        section: str,
        placement: Placement | None,
        actor: str,
        note: str,
        expected: str | None,
        base: int | None,
    ) -> int:
        now = self._shop.clock.now()
        with self._shop.store.write(eager=True) as tx:
            before = self._read_text()
            old = read_definitions(before)
            self._note_by_hand(tx, name, old, now)
            if expected is not None and expected != mark_of(old, name):
                latest = _list_versions(tx, name, 1)
                who = latest[0].actor if latest else _BY_HAND
                raise Conflict(
                    f"The placement {name!r} was changed meanwhile, by {who}. "
                    "Look at it again and repeat the change."
                )
            after = replace_section(before, name, section)
            new = read_definitions(after)
            if new.placements.get(name) != placement or len(new.placements) > MOST_PLACEMENTS:
                raise _refuse(name, len(new.placements))
            version = self._add_version(tx, name, section, actor, note, now, base)
            record_audit(
                tx, now, actor=actor, action="put_placement", target=f"{name} version {version}"
            )
            _write_file(self._path, after)
        return version

    def _note_by_hand(self, tx: sa.Connection, name: str, old: Definitions, now: datetime) -> None:
        """Keep what was written into the file by hand as a version of its own."""
        if name not in old.placements:
            return
        text = _section_of(old, name)
        latest = _list_versions(tx, name, 1)
        known = latest[0].text if latest else ""
        if text != known:
            self._add_version(tx, name, text, _BY_HAND, "", now, None)

    def _add_version(
        self,
        tx: sa.Connection,
        name: str,
        text: str,
        actor: str,
        note: str,
        now: datetime,
        base: int | None,
    ) -> int:
        (version,) = self._shop.store.allocate(tx, _COUNTER, 1)
        row = {
            "version": version,
            "name": name,
            "at": now,
            "actor": actor[:80],
            "note": note[:200],
            "text": text,
            "base": base,
        }
        tx.execute(sa.insert(placement_version).values(row))
        return version

    def _read_text(self) -> str:
        try:
            return self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""
        except UnicodeDecodeError as error:
            raise InvalidInput(f"{FILE} is not UTF-8 text: {error}.") from error
        except OSError as error:
            raise StoreUnavailable(f"{FILE} cannot be read: {error}.") from error


def _section_of(definitions: Definitions, name: str) -> str:
    placement = definitions.placements.get(name)
    if placement is None or placement == DEFAULTS.get(name):
        return ""
    return render_section(name, placement)


def mark_of(definitions: Definitions, name: str) -> str:
    """The mark of a placement's state, of one that is not there too."""
    return blake2b(_section_of(definitions, name).encode(), digest_size=6).hexdigest()


def _refuse(name: str, count: int) -> UserError:
    if count > MOST_PLACEMENTS:
        return InvalidInput(f"A shop may have {MOST_PLACEMENTS} placements.")
    return Conflict(
        f"{FILE} is written in a way that only its author can change {name!r} in "
        "(tables in one line, or texts over several). Write its placements as [placements.<name>]."
    )


def _list_versions(tx: sa.Connection, name: str, n: int) -> list[Version]:
    query = (
        sa.select(placement_version)
        .where(placement_version.c.name == name)
        .order_by(placement_version.c.version.desc())
        .limit(n)
    )
    return [_to_version(row) for row in tx.execute(query)]


def _to_version(row: sa.Row[tuple[object, ...]]) -> Version:
    return Version(**{name: row._mapping[name] for name in Version.__dataclass_fields__})


def _read_mark(path: Path) -> _Mark | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _write_file(path: Path, text: str) -> None:
    """Put the whole file in place at once; a crash leaves the old one or the new one."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with fresh.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise StoreUnavailable(f"{FILE} cannot be written: {error}.") from error
