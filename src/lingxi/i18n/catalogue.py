"""Catalogues of sentences: one ``.po`` file per room and language, read once, keyed by code."""

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from babel.messages.pofile import read_po

LANGUAGES = {"en": "English", "zh": "简体中文"}
DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True)
class Entry:
    """The forms of one sentence; no ``plural`` where the language or the sentence has one form."""

    singular: str
    plural: str | None = None


@lru_cache
def load_catalogue(language: str) -> dict[str, Entry]:
    """All entries of a language, from every ``locales/<language>/*.po``.

    Raises
    ------
    KeyError
        If the language is not one of ``LANGUAGES`` or a code stands in two files.
    """
    if language not in LANGUAGES:
        raise KeyError(language)
    entries: dict[str, Entry] = {}
    folder = resources.files("lingxi.i18n") / "locales" / language
    for path in sorted(folder.iterdir(), key=lambda p: p.name):
        if not path.name.endswith(".po"):
            continue
        with path.open("rb") as file:
            for message in read_po(file):
                if not message.id:
                    continue
                code = message.id if isinstance(message.id, str) else message.id[0]
                if code in entries:
                    raise KeyError(f"{code} stands twice, the second time in {path.name}")
                entries[code] = _read_entry(message.string)
    return entries


def _read_entry(text: str | list[str] | tuple[str, ...] | None) -> Entry:
    if not text:
        return Entry("")
    if isinstance(text, str):
        return Entry(text)
    return Entry(text[0], text[1] if len(text) > 1 else None)
