"""Google Merchant feeds in XML, RSS 2.0 and Atom: each entry becomes a line of a table.

The file is read in pieces and never held as a tree. It may come from anywhere, so declarations of
a document type are refused, and with them every entity that could grow or point elsewhere.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from xml.parsers import expat

from lingxi.errors import FileUnreadable
from lingxi.ingest.raw import RawTable, build_table
from lingxi.ingest.synonyms import normalise_header
from lingxi.ingest.text import Text

MOST_BYTES = 1 << 30
MOST_ENTRIES = 2_000_000
DEEPEST = 64
LONGEST_VALUE = 2_000
_CHUNK = 1 << 16
_MOST_PENDING = 4 << 20
_MOST_TAGS = 1_000
_GOOGLE = "base.google.com/ns/1.0"
_ENTRIES = frozenset({"item", "entry"})


def read_xml(path: Path, wanted: Collection[str], *, encoding: str = "") -> RawTable:
    """The entries of a feed, one a line; a column for each element whose name is ``wanted``.

    Parameters
    ----------
    wanted
        Names without case, spaces and punctuation, as ``normalise_header`` gives them.
    encoding
        Where the file does not say it, or says it wrongly.

    Raises
    ------
    FileUnreadable
        If it is not well-formed, declares a document type, is too large or nested too deeply, or
        holds no entry.
    """
    lines = _Lines(wanted)
    try:
        parser = expat.ParserCreate(encoding or None, namespace_separator=" ")
        _listen(parser, lines)
        _feed(parser, path)
    except expat.ExpatError as error:
        raise FileUnreadable(
            f"{path} is not well-formed XML: {expat.ErrorString(error.code)} in line "
            f"{error.lineno}. Nothing was imported; export the feed again."
        ) from error
    except _Refused as error:
        raise FileUnreadable(f"{path} {error}") from error
    except (OSError, ValueError, LookupError) as error:
        raise FileUnreadable(f"{path} cannot be read as XML: {error}.") from error
    if not lines.count:
        raise FileUnreadable(
            f"{path} holds no <item> and no <entry>: it is no Google Merchant feed."
        )
    columns = [Text.of(cells) for cells in lines.columns.values()]
    return build_table(list(lines.columns), columns, encoding="xml")


class _Refused(Exception):
    """What a feed does that none needs to do."""


class _Lines:
    """What has been read: a column a name, as long as there were entries."""

    def __init__(self, wanted: Collection[str]) -> None:
        self.columns: dict[str, list[str | None]] = {}
        self.count = 0
        self._wanted = wanted
        self._tags: dict[str, tuple[str, bool]] = {}
        self._depth = 0
        self._entry_depth = 0
        self._fields: dict[str, tuple[bool, str]] = {}
        self._name = ""
        self._google = False
        self._text: list[str] = []
        self._length = 0

    def open(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise _Refused(f"is nested deeper than {DEEPEST} levels; no feed is.")
        if not self._entry_depth:
            if tag.rpartition(" ")[2].lower() in _ENTRIES:
                self._entry_depth, self._fields = self._depth, {}
        elif self._depth == self._entry_depth + 1:
            self._name, self._google = self._read_tag(tag)
            self._text, self._length = [], 0
            if self._name == "link" and attributes.get("rel", "alternate") == "alternate":
                self.add(attributes.get("href", ""))

    def _read_tag(self, tag: str) -> tuple[str, bool]:
        """The field that an element holds, empty for one not wanted, and whether it is Google's."""
        known = self._tags.get(tag)
        if known is None:
            space, _, local = tag.rpartition(" ")
            name = local.lower()
            known = name if normalise_header(name) in self._wanted else "", space.endswith(_GOOGLE)
            if len(self._tags) < _MOST_TAGS:
                self._tags[tag] = known
        return known

    def add(self, text: str) -> None:
        if self._name and self._depth == self._entry_depth + 1 and self._length < LONGEST_VALUE:
            self._text.append(text[: LONGEST_VALUE - self._length])
            self._length += len(text)

    def close(self, _tag: str) -> None:
        if self._entry_depth and self._depth == self._entry_depth + 1:
            self._keep_field()
        elif self._depth == self._entry_depth:
            self._keep_entry()
            self._entry_depth = 0
        self._depth -= 1

    def _keep_field(self) -> None:
        text = "".join(self._text).strip()
        known = self._fields.get(self._name)
        # Google's own element goes before one of RSS or Atom; of several the first counts
        if self._name and text and (known is None or (self._google and not known[0])):
            self._fields[self._name] = (self._google, text)
        self._name = ""

    def _keep_entry(self) -> None:
        if self.count >= MOST_ENTRIES:
            raise _Refused(f"holds more than {MOST_ENTRIES:,} items; split it.")
        if "title" in self._fields:
            self._fields.pop("description", None)
        for name in self._fields:
            if name not in self.columns:
                self.columns[name] = [None] * self.count
        for name, cells in self.columns.items():
            found = self._fields.get(name)
            cells.append(None if found is None else found[1])
        self.count += 1


def _listen(parser: expat.XMLParserType, lines: _Lines) -> None:
    def refuse(*_declared: object) -> None:
        raise _Refused("declares a document type (<!DOCTYPE>); no feed needs to.")

    parser.buffer_text = True
    parser.StartElementHandler = lines.open
    parser.EndElementHandler = lines.close
    parser.CharacterDataHandler = lines.add
    parser.StartDoctypeDeclHandler = refuse  # without it, entities can be neither made nor used


def _feed(parser: expat.XMLParserType, path: Path) -> None:
    done = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            done += len(chunk)
            if done > MOST_BYTES:
                raise _Refused(f"is larger than {MOST_BYTES >> 20} MB; split it.")
            parser.Parse(chunk, False)
            if done - max(parser.CurrentByteIndex, 0) > _MOST_PENDING:
                raise _Refused(f"has a tag of more than {_MOST_PENDING >> 20} MB.")
    parser.Parse(b"", True)
