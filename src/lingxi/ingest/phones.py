"""Phone numbers in one form, that of ITU-T E.164: ``+``, country calling code, national number."""

import re

_SHORTEST, _LONGEST = 7, 15
_LONGEST_TEXT = 40
_DIGITS = "0123456789"
_WRITTEN = re.compile(r"[+(]?[0-9][0-9 ()./\-]*")
_TRUNK_AFTER_CODE = re.compile(r"^(\+|00)?([0-9 ]+?)\s*\(0\)")
_KEEPS_ZERO = frozenset({"39", "378", "379"})
"""Calling codes whose national numbers begin with a zero that belongs to them (Italy)."""
_OTHER_TRUNKS = {"1": "1", "7": "8", "36": "06", "370": "8", "375": "8", "52": "01"}
"""What is dialled before a national number where it is not 0."""


def read_phone(value: object) -> str | None:
    """A phone number as its digits, with ``+`` where it names its country; nothing for what is no
    number of 7 to 15 digits. A zero in brackets is left out, as it is when dialling from abroad.

    >>> read_phone("+44 (0)20 7946-0018"), read_phone("0033 1 70 18 99 00"), read_phone("12")
    ('+442079460018', '+33170189900', None)
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        return None
    text = value.strip()
    if text.startswith(("+", "00")):
        text = _TRUNK_AFTER_CODE.sub(r"\1\2", text)
    digits = "".join(c for c in text if c in _DIGITS)
    abroad = text.startswith(("+", "00", "(+"))
    if not text.startswith(("+", "(+")) and abroad:
        digits = digits[2:]
    if not _SHORTEST <= len(digits) <= _LONGEST:
        return None
    return f"+{digits}" if abroad else digits


def is_phone(text: str) -> bool:
    """Whether a text is written like a phone number and holds nothing else.

    >>> is_phone("(020) 7946-0018"), is_phone("A-1002003"), is_phone("1002")
    (True, False, False)
    """
    return _WRITTEN.fullmatch(text.strip()) is not None and read_phone(text) is not None


def to_e164(phone: str, calling_code: str) -> str:
    """What ``read_phone`` read, with the shop's own country where it names none.

    Parameters
    ----------
    calling_code
        Digits of the country's code (44); empty leaves a national number as it is.

    Examples
    --------
    >>> to_e164("02079460018", "44"), to_e164("+442079460018", "33"), to_e164("0612345678", "39")
    ('+442079460018', '+442079460018', '+390612345678')
    >>> to_e164("12025550123", "1"), to_e164("89161234567", "7"), to_e164("02079460018", "")
    ('+12025550123', '+79161234567', '02079460018')
    """
    if phone.startswith("+") or not calling_code:
        return phone
    if calling_code in _KEEPS_ZERO:
        return f"+{calling_code}{phone}"
    trunk = _OTHER_TRUNKS.get(calling_code, "0")
    return f"+{calling_code}{phone.removeprefix(trunk)}"
