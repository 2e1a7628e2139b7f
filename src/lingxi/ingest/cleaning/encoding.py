"""Damaged letters: UTF-8 that was read as Latin-1, control characters, cut surrogates."""

from collections.abc import Mapping

from lingxi.ingest.cleaning.draft import Draft
from lingxi.ingest.reasons import PutReason

_SIGNS = (b"\xc3\x83", b"\xc3\x82", b"\xc3\xa2\xe2\x82\xac", b"\xc3\xa2\xc2\x80", b"\\u00")
_DEEPEST = 8


def put_encoding(draft: Draft) -> None:
    """Mend texts that show the damage; looked for in the bytes first, for almost none do."""
    raw = draft.message.raw
    if raw.isascii() and (b"\\" not in raw or b"\\u00" not in raw):
        return
    if any(sign in raw for sign in _SIGNS):
        mended = _mend(draft.body, 0)
        if isinstance(mended, dict) and mended != draft.body:
            draft.body = mended
            draft.note("put_encoding", PutReason.ENCODING_MENDED)


def mend_letters(text: str) -> str:
    """A text whose UTF-8 was taken for Windows-1252, read right; others stay as they are.

    >>> mend_letters("CafÃ©"), mend_letters("Café"), mend_letters("a\\x00b")
    ('Café', 'Café', 'ab')
    """
    if "\x00" in text or not text.isprintable():
        text = "".join(c for c in text if c.isprintable() or c in "\t\n\r")
    if text.isascii():
        return text
    for encoding in ("cp1252", "latin-1"):
        try:
            return text.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
    return text


def _mend(value: object, depth: int) -> object:
    if isinstance(value, str):
        return mend_letters(value)
    if depth > _DEEPEST:
        return value
    if isinstance(value, Mapping):
        return {mend_letters(key): _mend(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [_mend(inner, depth + 1) for inner in value]
    return value
