"""What may be shown of what came in: bytes as a reader sees them, identifiers, names."""

import re
from collections.abc import Mapping

import msgspec

from lingxi.ingest.message import IdKind

SHOWN_BYTES = 20_000
_LONGEST_NAME = 100
_MASKED = (IdKind.EMAIL, IdKind.PHONE)
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""Control characters, those that turn the direction of text, and those without a width."""


def reveal(text: str) -> str:
    """A text with what cannot be seen, or turns the text around, written as JSON escapes.

    >>> reveal("\\u202egnp.exe\\x07 ok")
    '\\\\u202egnp.exe\\\\u0007 ok'
    """
    return _UNSEEN.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def show_bytes(raw: bytes, *, most: int = SHOWN_BYTES) -> str:
    """Bytes as a reader sees them: JSON laid out, its values as they were written; anything else as
    it is, bytes that are no UTF-8 as ``\\xff``. Cut at ``most`` bytes.

    >>> print(show_bytes(b'{"price":9.50}'))
    {
      "price": 9.50
    }
    """
    if len(raw) > most:
        return reveal(_decode(raw[:most])) + "…"
    try:
        return reveal(_decode(msgspec.json.format(raw, indent=2)))
    except (msgspec.DecodeError, RecursionError):
        return reveal(_decode(raw))


def _decode(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace").replace("\r\n", "\n")


def name_raw(body: Mapping[str, object]) -> str:
    """What a message that was set aside called itself."""
    for field in ("event", "name", "type"):
        value = body.get(field)
        if isinstance(value, str) and value:
            return reveal(value[:_LONGEST_NAME])
    return ""


def mask(kind: IdKind, value: str) -> str:
    """What may be shown of an identifier: of an e-mail address or phone number only its ends.

    >>> mask(IdKind.EMAIL, "ada@shop.example"), mask(IdKind.USER, "17850")
    ('a…e', '17850')
    """
    return f"{value[:1]}…{value[-1:]}" if kind in _MASKED else reveal(value)
