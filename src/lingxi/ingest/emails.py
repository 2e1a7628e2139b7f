"""E-mail addresses in one form, however they are written."""

import re
import unicodedata

_ADDRESS = re.compile(r"[^\s@<>,;]{1,64}@[^\s@<>,;]{1,190}\.[^\s@<>,;.]{1,63}")
_NAMED = re.compile(r"[^<>]*<([^<>]+)>")
_LONGEST = 320
_PUNYCODE = "xn--"


def read_email(value: object) -> str | None:
    """An e-mail address in lower case, its letters composed (NFKC) and its domain spelt out;
    nothing for what is none.

    >>> read_email(" Ada@Shop.Example "), read_email("ada at shop")
    ('ada@shop.example', None)
    >>> read_email("Ada Byron <ada@shop.example>"), read_email("mailto:ada@shop.example.")
    ('ada@shop.example', 'ada@shop.example')
    >>> read_email("ada@xn--exmple-cua.example") == read_email("ada@exa\u0308mple.example")
    True
    """
    if not isinstance(value, str) or len(value) > _LONGEST:
        return None
    text = value.strip().lower()
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).strip().lower()
    if text.endswith(">") and (named := _NAMED.fullmatch(text)):
        text = named[1].strip()
    text = text.removeprefix("mailto:").removesuffix(".")
    if not _ADDRESS.fullmatch(text):
        return None
    return _spell_out(text) if _PUNYCODE in text else text


def _spell_out(address: str) -> str:
    """The domain in its own letters, as people write it."""
    name, _, domain = address.rpartition("@")
    try:
        spelt = domain.encode("ascii").decode("idna")
    except UnicodeError:
        return address
    return f"{name}@{spelt.lower()}"
