"""A message: one thing a source said, from its bytes to what the log keeps of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from lingxi.ingest.reasons import DropReason, PutReason
from lingxi.schema import Event

AT_ONCE = 1_000
"""Messages that are looked up and written together; of more in one transaction, so many after each
other."""


class IdKind(StrEnum):
    """Kinds of identifier, the strongest first; a merge goes by this order."""

    USER = "user_id"
    EMAIL = "email"
    PHONE = "phone"
    EXTERNAL = "external"
    DEVICE = "device"
    ANONYMOUS = "anonymous"


class Message(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One message as it came, in the terms of the Segment specification; nothing is cleaned yet.

    ``body`` is the decoded JSON object (``type``, ``messageId``, ``event``, ``userId``,
    ``anonymousId``, ``properties``, ``traits``, ``context``, ``timestamp``, ...), its values of any
    type; ``raw`` the bytes it was decoded from, for quarantine and trace. ``sent_at`` is the
    batch's clock where the message has none of its own. ``agent`` and ``address`` are those of the
    HTTP request; the address is never kept.
    """

    body: Mapping[str, object]
    raw: bytes
    received_at: datetime
    source: str
    sent_at: object = None
    agent: str | None = None
    address: str | None = None
    trusted: bool = False
    """Whether it came signed or with a secret (a shop's webhook, an import): such a message may say
    who placed an order long ago, and is no bot."""
    recorded: bool = False
    """Whether it is told from a record (a file's line, a pulled entry) and not by a client as it
    happens: it must say when it was, and who clicked has not been judged yet."""
    internal: bool = False
    """Whether the door knew its address as one of the shop's own; for where the address itself may
    not go."""
    refused: DropReason | None = None
    """Why the door already set it aside (too large, not JSON): cleaning drops it for that."""


class Identifier(msgspec.Struct, frozen=True, gc=False):
    """A raw identifier; an e-mail address or phone number still in plain text, tidied.

    ``space`` names the system of an external id (``shopify``), else empty.
    """

    kind: IdKind
    value: str
    space: str = ""


class Step(msgspec.Struct, frozen=True, gc=False):
    """What one cleaning step changed: which field, from what, to what, and why."""

    name: str
    reason: PutReason | DropReason
    field: str = ""
    before: str | None = None
    after: str | None = None


class Link(StrEnum):
    """What a message says about who is who."""

    NONE = "none"
    IDENTIFY = "identify"
    ALIAS = "alias"
    LOGOUT = "logout"


class Cleaned(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A message after cleaning.

    ``event`` has no subject yet. ``identifiers`` are those of the person, strongest first, none for
    an anonymous basket; ``previous`` is the other side of an alias. ``traits`` (what identify said
    of the person) and ``private`` (what of this event could identify them, by field) are kept under
    the person's key. ``also`` are further events that the same message means (consent).
    """

    message: Message
    event: Event
    identifiers: tuple[Identifier, ...] = ()
    previous: tuple[Identifier, ...] = ()
    link: Link = Link.NONE
    traits: Mapping[str, str | None] = {}
    private: Mapping[str, object] = {}
    also: tuple[Event, ...] = ()
    steps: tuple[Step, ...] = ()


class Dropped(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A message set aside: the step that did it, why, and every step before it."""

    message: Message
    step: str
    reason: DropReason
    detail: str = ""
    steps: tuple[Step, ...] = ()


class Outcome(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What became of one message once its transaction was committed.

    ``result`` is ``stored``, ``duplicate`` or ``dropped``; ``position`` the event's place in the
    log; ``changes`` what else the message changed, in words of a closed list.
    """

    cleaned: Cleaned | Dropped
    result: str
    subject: int | None = None
    customer: int | None = None
    position: int | None = None
    changes: Sequence[str] = ()


class Identified(msgspec.Struct, frozen=True, kw_only=True):
    """Whose a batch of messages is, after ``identify_people`` has written what it learnt.

    ``subjects`` and ``customers`` have an entry a message, ``None`` for an anonymous basket.
    ``events`` are the system's own about merges, to be appended with the batch; the projections of
    the customers in ``rebuild`` are folded again after the append. ``changes`` says in words of a
    closed list what a message changed, by its place in the batch.
    """

    subjects: Sequence[int | None]
    customers: Sequence[int | None]
    events: Sequence[Event] = ()
    rebuild: frozenset[int] = frozenset()
    changes: Mapping[int, Sequence[str]] = {}
