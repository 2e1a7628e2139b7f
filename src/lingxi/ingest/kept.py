"""A message as text, from which it is made again: for quarantine, and for the way to the log."""

import base64
from collections.abc import Mapping
from datetime import datetime

import msgspec

from lingxi.errors import BodyUnreadable
from lingxi.ingest.message import Message
from lingxi.ingest.reasons import DropReason
from lingxi.ingest.wire import read_raw


class _Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message as JSON: ``text`` where its bytes are UTF-8, else ``base64``; never its address."""

    received_at: datetime
    text: str | None = None
    base64: str | None = None
    sent_at: object = None
    agent: str | None = None
    trusted: bool = False
    recorded: bool = False
    form: str | None = None
    """The decoded body as JSON, where the bytes alone do not say it (an address, a webhook)."""
    source: str = ""
    refused: DropReason | None = None
    internal: bool = False


LASTING = frozenset({DropReason.EVENT_TOO_LARGE, DropReason.WEBHOOK_INCOMPLETE})
"""Refusals that no later rule takes back: only somebody who mends the message does."""
_KEPT = msgspec.json.Decoder(_Kept)


def pack_message(message: Message, *, whole: bool = False) -> str:
    """The message as JSON, but for the sender's address.

    ``whole`` adds what a quarantine has columns for, or judges again: source and refusal. That a
    message is too large is said always, since its bytes were never looked at, and so it is of a
    webhook, whose bytes are no message.
    """
    refused = message.refused
    if not whole and refused not in LASTING:
        refused = None
    try:
        text, binary = message.raw.decode(), None
    except UnicodeDecodeError:
        text, binary = None, base64.b64encode(message.raw).decode()
    kept = _Kept(
        received_at=message.received_at,
        text=text,
        base64=binary,
        sent_at=_plain(message.sent_at),
        agent=message.agent,
        trusted=message.trusted,
        recorded=message.recorded,
        form=None if refused in LASTING else _form(message),
        source=message.source if whole else "",
        refused=refused,
        internal=message.internal,
    )
    return msgspec.json.encode(kept).decode()


def unpack_message(text: str, source: str = "") -> Message:
    """The message that was packed.

    Raises
    ------
    msgspec.MsgspecError
        If the text is no packed message.
    """
    kept = _KEPT.decode(text)
    raw = base64.b64decode(kept.base64) if kept.base64 is not None else (kept.text or "").encode()
    return Message(
        body={} if kept.refused is not None else read_body_of(raw, kept.form),
        raw=raw,
        received_at=kept.received_at,
        source=source or kept.source,
        sent_at=kept.sent_at,
        agent=kept.agent,
        trusted=kept.trusted,
        recorded=kept.recorded,
        refused=kept.refused,
        internal=kept.internal,
    )


def read_body_of(raw: bytes, form: str | None = None) -> Mapping[str, object]:
    """The body of kept bytes; an empty one where they cannot be read."""
    if form is not None:
        found: Mapping[str, object] = msgspec.json.decode(form, type=dict[str, object])
        return found
    try:
        return read_raw(raw)
    except BodyUnreadable:
        return {}


def _form(message: Message) -> str | None:
    """The body, unless its bytes alone give it back."""
    if not message.body:
        return None
    try:
        return None if _reads_back(message) else msgspec.json.encode(message.body).decode()
    except (TypeError, ValueError):
        return None  # it has no JSON form: the bytes must do


def _reads_back(message: Message) -> bool:
    try:
        return read_raw(message.raw) == message.body
    except BodyUnreadable:
        return False


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | float | None) else str(value)
