"""Codes as texts: how they are made and how two spellings of one are known to be the same."""

import secrets
import unicodedata

from lingxi.errors import InvalidInput

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""32 signs that nobody confuses in print: no 0 and O, no 1 and I. Five bits each."""
LONGEST = 64


def make_code(prefix: str, length: int) -> str:
    """A code that nobody can guess, from the system's source of randomness.

    Twelve signs are 60 bits: with a million of them valid, a guess hits one in 10^12 tries.

    >>> made = make_code("SPRING", 12)
    >>> made.count("-"), len(normalise(made))
    (3, 18)
    """
    signs = "".join(secrets.choice(ALPHABET) for _ in range(length))
    groups = [signs[start : start + 4] for start in range(0, length, 4)]
    return "-".join([prefix, *groups] if prefix else groups)


def normalise(text: str) -> str:
    """A code without what people add or change when they type it: case, spaces, dashes, width.

    >>> normalise(" spring-abcd efgh ")
    'SPRINGABCDEFGH'
    """
    folded = unicodedata.normalize("NFKC", text).upper()
    return "".join(sign for sign in folded if sign.isalnum() or sign in "_+.")


def check_code(text: str) -> str:
    """A code from outside, in its own spelling without spaces around it.

    Raises
    ------
    InvalidInput
        If nothing of it can be typed, or it is too long. The message does not repeat it.
    """
    code = text.strip()
    if not code.isprintable() or not len(normalise(code)) >= 3 or len(code) > LONGEST:
        raise InvalidInput(f"A code has 3 to {LONGEST} letters and digits.")
    return code
