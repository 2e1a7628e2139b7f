"""A message on its way over a topic: sealed, so that who keeps the topic cannot read it.

A value is the mark, the day's number and the sealed text. The keys are those of what is set aside:
one for each day, in no backup, destroyed 30 days after it. What a topic holds for longer nobody
can read any more.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from lingxi.errors import SealBroken
from lingxi.ingest.aside_keys import owner_of
from lingxi.ingest.cleaning import Rules
from lingxi.ingest.kept import pack_message, unpack_message
from lingxi.ingest.message import Message
from lingxi.ingest.quarantine import KEEP_DAYS
from lingxi.ingest.reasons import DropReason
from lingxi.store import Keyring
from lingxi.store.topics import Record

_MARK = b"lx1"
_OWNER_BYTES = 4
_NAMES = ("anonymousId", "userId")
FOREIGN = "kafka"
"""The source that records are booked under which no collector of this shop wrote."""


class Sealer:
    """Turns messages into keys and values of records."""

    def __init__(self, keyring: Keyring, rules: Rules) -> None:
        self._keyring = keyring
        self._rules = rules

    def seal(self, messages: Sequence[Message]) -> list[tuple[bytes | None, bytes]]:
        """The key and the value of each message's record.

        The key is a keyed hash of the browser, or else of the user: what one browser says stays in
        order. A message of nobody has none.

        Raises
        ------
        StoreBusy, StoreUnavailable
            If the day's key cannot be read.
        """
        owners = [owner_of(each.received_at + timedelta(days=KEEP_DAYS)) for each in messages]
        texts = [pack_message(self._strip(each), whole=True) for each in messages]
        sealed = self._keyring.encrypt_many(list(zip(owners, texts, strict=True)))
        return [
            (self._name(message), _MARK + owner.to_bytes(_OWNER_BYTES, "big", signed=True) + text)
            for message, owner, text in zip(messages, owners, sealed, strict=True)
        ]

    def _strip(self, message: Message) -> Message:
        """The message without its sender's address; what cleaning asks of it is answered now."""
        if not message.address:
            return message
        return msgspec.structs.replace(
            message, address=None, internal=self._rules.is_internal(message.address)
        )

    def _name(self, message: Message) -> bytes | None:
        for name in _NAMES:
            said = message.body.get(name)
            if isinstance(said, str | int) and said:
                return self._keyring.blind(f"topic\n{said}")[:32].encode()
        return None


def open_records(keyring: Keyring, records: Sequence[Record], now: datetime) -> list[Message]:
    """The message of each record; one that cannot be read is refused, its bytes kept.

    Raises
    ------
    StoreBusy, StoreUnavailable
        If the keys cannot be read.
    """
    begin = len(_MARK) + _OWNER_BYTES
    ours = {
        place: (int.from_bytes(each.value[len(_MARK) : begin], "big", signed=True), each.value)
        for place, each in enumerate(records)
        if each.value[: len(_MARK)] == _MARK and len(each.value) > begin
    }
    sealed = [(owner, value[begin:]) for owner, value in ours.values()]
    texts = dict(zip(ours, _decrypt(keyring, sealed), strict=True))
    return [
        _read(texts.get(place)) or _refuse(each.value, now) for place, each in enumerate(records)
    ]


def _decrypt(keyring: Keyring, sealed: Sequence[tuple[int, bytes]]) -> list[str | None]:
    """All texts at once; where one is damaged, each alone."""
    try:
        return keyring.decrypt_many(sealed)
    except SealBroken:
        if len(sealed) > 1:
            middle = len(sealed) // 2
            return [*_decrypt(keyring, sealed[:middle]), *_decrypt(keyring, sealed[middle:])]
        return [None]


def _read(text: str | None) -> Message | None:
    if text is None:
        return None
    try:
        return unpack_message(text)
    except (msgspec.MsgspecError, ValueError):
        return None


def _refuse(value: bytes, now: datetime) -> Message:
    return Message(
        body={}, raw=value, received_at=now, source=FOREIGN, refused=DropReason.LINE_MALFORMED
    )
