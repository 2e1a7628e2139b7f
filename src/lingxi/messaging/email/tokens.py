"""Tickets: what a link or a return path says of a message and its customer, signed by the shop.

A ticket names a message, a customer's surrogate and a short tag of the address it was sent to, so
that nothing which it can bring about ever falls on another person or on an address of later. It
holds nothing that identifies anybody, and each kind is good for its own purpose only.
"""

import hmac
import struct
from base64 import b32decode, b32encode, urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from lingxi.errors import InvalidInput

_HEAD = struct.Struct(">B16s8s5s")
_NARROW = struct.Struct(">16s5s5s")
_MAC = 16
_NARROW_MAC = 8
_NO_MESSAGE = "0" * 32


class Purpose(IntEnum):
    """What a ticket is good for."""

    OPEN = 1
    CLICK = 2
    UNSUBSCRIBE = 3
    PREFERENCES = 4
    OPT_IN = 5
    RETURN = 6


@dataclass(frozen=True)
class Ticket:
    """``message_id`` is 32 hex digits, ``tag`` the first ten of the address's keyed hash.

    ``extra`` is what one purpose needs besides: the target of a click, a category.
    """

    purpose: Purpose
    message_id: str
    customer: int
    tag: str
    extra: str = ""


def tag_of(address_hash: str) -> str:
    """The short tag of an address by which a ticket knows it again."""
    return address_hash[:10]


def seal(key: bytes, ticket: Ticket) -> str:
    """The ticket as a word for an address: unreadable it is not, unforgeable it is.

    Raises
    ------
    InvalidInput
        If its message id is not 32 hex digits.
    """
    head = _pack_head(ticket.purpose, ticket.message_id, ticket.customer, ticket.tag)
    payload = head + ticket.extra.encode()
    return urlsafe_b64encode(payload + _sign(key, payload)[:_MAC]).rstrip(b"=").decode()


@lru_cache(maxsize=256)
def _pack_head(purpose: Purpose, message_id: str, customer: int, tag: str) -> bytes:
    """The same for all links of a letter."""
    return _HEAD.pack(
        purpose,
        _to_bytes(message_id or _NO_MESSAGE, 16),
        customer.to_bytes(8, "big"),
        _to_bytes(tag, 5),
    )


def unseal(key: bytes, word: str, *purposes: Purpose) -> Ticket | None:
    """The ticket in a word, or nothing where it was not made here for one of these purposes."""
    try:
        raw = urlsafe_b64decode(word.encode("ascii") + b"=" * (-len(word) % 4))
    except (ValueError, UnicodeEncodeError):
        return None
    payload, given = raw[:-_MAC], raw[-_MAC:]
    if len(payload) < _HEAD.size or not hmac.compare_digest(_sign(key, payload)[:_MAC], given):
        return None
    purpose, message, customer, tag = _HEAD.unpack(payload[: _HEAD.size])
    if purpose not in purposes:
        return None
    extra = payload[_HEAD.size :].decode()
    return Ticket(
        Purpose(purpose), message.hex(), int.from_bytes(customer, "big"), tag.hex(), extra
    )


def seal_narrow(key: bytes, ticket: Ticket) -> str:
    """A return ticket in 55 small letters and digits, for a local part that some server may have
    put into lower case."""
    payload = _NARROW.pack(
        _to_bytes(ticket.message_id, 16),
        ticket.customer.to_bytes(5, "big"),
        _to_bytes(ticket.tag, 5),
    )
    mac = _sign(key, bytes([Purpose.RETURN]) + payload)[:_NARROW_MAC]
    return b32encode(payload + mac).rstrip(b"=").decode().lower()


def unseal_narrow(key: bytes, word: str) -> Ticket | None:
    """The return ticket in a word, or nothing where it was not made here."""
    try:
        raw = b32decode(word.upper().encode("ascii") + b"=" * (-len(word) % 8))
    except (ValueError, UnicodeEncodeError):
        return None
    payload, given = raw[:-_NARROW_MAC], raw[-_NARROW_MAC:]
    mac = _sign(key, bytes([Purpose.RETURN]) + payload)[:_NARROW_MAC]
    if len(payload) != _NARROW.size or not hmac.compare_digest(mac, given):
        return None
    message, customer, tag = _NARROW.unpack(payload)
    return Ticket(Purpose.RETURN, message.hex(), int.from_bytes(customer, "big"), tag.hex())


def _sign(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, payload, "sha256")


def _to_bytes(text: str, length: int) -> bytes:
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if len(raw) != length:
        raise InvalidInput(f"{text[:40]!r} is not {2 * length} hex digits.")
    return raw
