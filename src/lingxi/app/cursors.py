"""Cursors of keyset pages: the last row's sort key, in a form fit for a URL."""

import base64
import binascii

import msgspec

from lingxi.errors import InvalidInput

Key = list[str | int | float | None]


def encode_cursor(key: Key) -> str:
    """The cursor that stands for a row's sort key.

    >>> decode_cursor(encode_cursor([12, "17850"]), 2)
    [12, '17850']
    """
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def decode_cursor(cursor: str, size: int) -> Key:
    """The sort key of ``size`` parts that a cursor stands for.

    Raises
    ------
    InvalidInput
        If it is not a cursor of this list.
    """
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        key = msgspec.json.decode(raw, type=Key)
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise InvalidInput("cursor is not one that this list gave; begin without it.") from error
    if len(key) != size:
        raise InvalidInput("cursor belongs to another list or order; begin without it.")
    return key


def check_size(n: int, *, largest: int = 500) -> int:
    """The page size, if it is between 1 and ``largest``."""
    if not 1 <= n <= largest:
        raise InvalidInput(f"n must be between 1 and {largest}, not {n}.")
    return n
