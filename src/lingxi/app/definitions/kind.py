"""A kind of definition: how it is read from files, told from the shop, and put into it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import sqlalchemy as sa

from lingxi.errors import FileUnreadable, InvalidInput
from lingxi.forms import parse_form

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

Files = Mapping[str, str]
"""The files of one definition, text by path below the folder, in the form in which we write them:
the same definition has the same files."""


class Kind(Protocol):
    """One kind of definition."""

    folder: str
    """The folder, or the file, that its definitions stand in."""

    def read(self, folder: Path) -> dict[str, Files]:
        """The definitions below a folder, by name."""

    def list_held(self, shop: "Shop", tx: sa.Connection, /) -> dict[str, Files]:
        """The definitions that the shop has, by name."""

    def put(self, shop: "Shop", tx: sa.Connection, name: str, files: Files, actor: str) -> None:
        """Make the shop's definition so."""

    def remove(self, shop: "Shop", tx: sa.Connection, name: str, actor: str) -> None:
        """Take the definition out of the shop."""


def read_text(path: Path) -> str:
    """The text of a file.

    Raises
    ------
    FileUnreadable
        If it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileUnreadable(f"{path} cannot be read: {error}.") from error


def read_forms(
    folder: Path, part: str, render: Callable[[object, str], tuple[str, str]]
) -> dict[str, Files]:
    """The definitions of ``folder/part/*.yaml`` (or .yml, .json), each named like its file.

    ``render`` makes the name and the text in our own form of a plain value.

    Raises
    ------
    InvalidInput
        If a file holds none, or one that is called otherwise.
    """
    found: dict[str, Files] = {}
    paths = [p for p in (folder / part).glob("*") if p.suffix in (".yaml", ".yml", ".json")]
    for path in sorted(paths):
        where = f"{part}/{path.name}"
        name, text = render(parse_form(read_text(path), where), where)
        if name != path.stem:
            raise InvalidInput(f"{where} holds {name!r}; name the file like what it holds.")
        if name in found:
            raise InvalidInput(f"{part}: {name!r} stands in two files; keep one.")
        found[name] = {f"{part}/{name}.yaml": text}
    return found
