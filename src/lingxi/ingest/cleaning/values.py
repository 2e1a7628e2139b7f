"""Single values: text, numbers written as text, and the spelling of properties."""

import math
import re
from functools import lru_cache

from lingxi.ingest.puts import tidy

_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_DECIMAL_COMMA = re.compile(r"[-+]?(?:\d{1,3}(?:[.\s' ]\d{3})+|\d+),\d{1,2}")
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:[,\s' ]\d{3})+(?:\.\d+)?")
_AROUND = re.compile(r"^[^\d+\-.,]+|[^\d.,]+$")
LONGEST_TEXT = 500
SHORT = 64
_LARGEST_ID = 10**40
"""Ids of 64 and 128 bits are numbers in some shops."""
_CERTAIN = 3 * SHORT
"""No short text becomes longer, however its letters are composed."""


def read_text(value: object, longest: int = LONGEST_TEXT) -> str | None:
    """A text, tidied; a number becomes its digits; nothing for everything else.

    >>> read_text("  a  b "), read_text(12), read_text(12.0), read_text(True), read_text({})
    ('a b', '12', '12', None, None)
    >>> read_text(18_446_744_073_709_551_615)
    '18446744073709551615'
    """
    if isinstance(value, str):
        if len(value) <= SHORT and longest >= _CERTAIN:
            return read_short(value)
        plain = len(value) <= longest and value.isascii() and value.isprintable()
        if plain and "  " not in value and value[:1] != " " and value[-1:] != " ":
            return value or None
        return tidy(value, longest)
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return str(value) if abs(value) < _LARGEST_ID else None
    if isinstance(value, float) and math.isfinite(value):
        return str(int(value)) if value.is_integer() else repr(value)
    return None


@lru_cache(maxsize=32_768)
def read_short(value: str) -> str | None:
    """``read_text`` of a short text, of which a shop has few and says them often."""
    if value.isascii() and value.isprintable() and "  " not in value and value == value.strip():
        return value or None
    return tidy(value)


def read_number(value: object) -> float | None:
    """A number, also one written as text with a currency sign or a decimal comma.

    Two digits after a lone comma are decimals, three are thousands.

    >>> [read_number(text) for text in ("£1,234.50", "12,50 €", "1.234,5", "1,234")]
    [1234.5, 12.5, 1234.5, 1234.0]
    >>> read_number("NaN") is None, read_number(float("inf")) is None, read_number(True) is None
    (True, True, True)
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int):
        return None if isinstance(value, bool) or abs(value) > 10**15 else float(value)
    if not isinstance(value, str) or len(value) > 40:
        return None
    text = value.strip()
    if not _NUMBER.fullmatch(text):
        text = _AROUND.sub("", text)
        if _DECIMAL_COMMA.fullmatch(text):
            text = re.sub(r"[.\s' ]", "", text).replace(",", ".")
        elif _THOUSANDS.fullmatch(text):
            text = re.sub(r"[,\s' ]", "", text)
        elif not _NUMBER.fullmatch(text):
            return None
    number = float(text)
    return number if math.isfinite(number) else None


_YES = (
    "true yes y 1 on t x ✓ ✔ subscribed granted accepted agreed allowed enabled consented "
    "confirmed opt_in optin opted_in ja j wahr zugestimmt angemeldet abonniert oui vrai si sí "
    "是 同意 已同意 接受 已接受 订阅 已订阅 真"
)
_NO = (
    "false no n 0 off f unsubscribed unsubscribe not_subscribed never_subscribed denied rejected "
    "refused declined withdrawn revoked disabled redacted cleaned bounced opt_out optout opted_out "
    "nein falsch abgemeldet abbestellt abgelehnt widerrufen non faux "
    "否 不 不同意 未同意 拒绝 已拒绝 不接受 未订阅 退订 已退订 取消订阅 假"
)
"""What shops, tools and spreadsheets write for yes and no, in English, German, French, Spanish and
Chinese."""
_TRUE, _FALSE = frozenset(_YES.split()), frozenset(_NO.split())


def read_bool(value: object) -> bool | None:
    """Yes or no, also written as text or number; nothing where it is neither.

    >>> read_bool("TRUE"), read_bool(0), read_bool("unsubscribed"), read_bool("pending")
    (True, False, False, None)
    >>> read_bool("Nein"), read_bool("否"), read_bool("Opted-out"), read_bool("不同意")
    (False, False, False, False)
    """
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower() if isinstance(value, str | int) else ""
    text = text.replace("-", "_").replace(" ", "_")
    return True if text in _TRUE else False if text in _FALSE else None
