"""What a file of a watched folder is about, by its folder or its name; and how it is to be read."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from lingxi.errors import InvalidInput, did_you_mean
from lingxi.ingest import ImportOptions

SUBJECTS = ("items", "customers", "orders", "events")
"""In the order in which files that wait together come in."""
OPTIONS_FILE = "options.toml"
_WORDS = {
    "orders": "order orders sales orderlines invoices invoice transactions 订单",
    "customers": "customer customers users members contacts subscribers 客户 会员",
    "items": "item items product products catalogue catalog feed articles 商品 产品",
    "events": "event events clicks clickstream behaviour behavior tracks views 事件 行为",
}
_SUBJECT_OF = {word: subject for subject, words in _WORDS.items() for word in words.split()}
_OPTIONS = {field.name for field in fields(ImportOptions)} - {"mapping"} | {"map", "complete"}


@dataclass(frozen=True)
class Reading:
    """How a file is read; ``complete`` is for catalogues."""

    subject: str
    options: ImportOptions
    complete: bool = False


def name_subject(place: Path) -> str:
    """The subject of a file by its path within the watched folder.

    >>> name_subject(Path("orders/2026-11.csv")), name_subject(Path("Products_2026-11-27.xml"))
    ('orders', 'items')

    Raises
    ------
    InvalidInput
        If neither folder nor name says it, or the name says two.
    """
    for part in reversed(place.parts[:-1]):
        found = _SUBJECT_OF.get(part.lower())
        if found is not None:
            return found
    words = re.findall(r"[^\W\d_]+", place.stem.lower())
    said = list(dict.fromkeys(_SUBJECT_OF[word] for word in words if word in _SUBJECT_OF))
    if len(said) == 1:
        return said[0]
    known = ", ".join(f"{subject}/" for subject in SUBJECTS)
    what = "names more than one subject" if said else "does not say what it is about"
    raise InvalidInput(
        f"{place} {what}. Put it into one of the folders {known} or begin its name with the "
        "subject, as in orders-2026-11.csv."
    )


def read_options(folder: Path, place: Path) -> Reading:
    """How a file is to be read: by ``options.toml`` beside it.

    Raises
    ------
    InvalidInput
        If the subject is not known, or an option cannot be used.
    """
    subject = name_subject(place)
    path = (folder / place).parent / OPTIONS_FILE
    if not path.is_file():
        return Reading(subject, ImportOptions())
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise InvalidInput(f"{path} is not valid TOML: {error}.") from error
    return _read(path, subject, said)


def _read(path: Path, subject: str, said: Mapping[str, object]) -> Reading:
    texts: dict[str, str] = {}
    mapping: dict[str, str] = {}
    complete = False
    for name, value in said.items():
        if name not in _OPTIONS:
            raise InvalidInput(
                f"{path}: there is no option {name!r}{did_you_mean(name, _OPTIONS)}."
            )
        if name == "map" and isinstance(value, dict):
            mapping = {str(field): str(column) for field, column in value.items()}
        elif name == "complete" and isinstance(value, bool):
            complete = value
        elif name not in ("map", "complete") and isinstance(value, str):
            texts[name] = value
        else:
            raise InvalidInput(f"{path}: {name} cannot be {value!r}.")
    parsed = ImportOptions.parse(**texts)
    values = {field.name: getattr(parsed, field.name) for field in fields(parsed)}
    return Reading(subject, ImportOptions(**{**values, "mapping": mapping}), complete)
