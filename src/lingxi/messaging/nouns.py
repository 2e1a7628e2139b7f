"""What is sent, to whom, and what came of it: plain values, no store and no clock."""

import hashlib
from datetime import datetime
from enum import StrEnum

import msgspec

MARKETING, TRANSACTIONAL = "marketing", "transactional"
CLASSES = (MARKETING, TRANSACTIONAL)
"""A marketing message is never sent twice; a transactional one is never lost."""
EMAIL, SMS, PUSH, APP_PUSH, WECHAT, WEBHOOK, ON_SITE = (
    "email",
    "sms",
    "push",
    "app_push",
    "wechat",
    "webhook",
    "on_site",
)
CHANNELS = (EMAIL, SMS, PUSH, APP_PUSH, WECHAT, WEBHOOK, ON_SITE)


class State(StrEnum):
    """Where a message is on its way.

    ``sending`` is committed before the first byte leaves; ``unknown`` is a marketing message whose
    sending was cut off: it may have arrived, so it is not sent again.
    """

    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


class SkipReason(StrEnum):
    """Why a message was not sent; there are no others."""

    NO_CONSENT = "no_consent"
    PREFERENCES = "preferences"
    SUPPRESSED = "suppressed"
    NO_ADDRESS = "no_address"
    NO_CUSTOMER = "no_customer"
    NO_CHANNEL = "no_channel"
    NO_TEMPLATE = "no_template"
    CHANNEL_CAP = "channel_cap"
    CATEGORY_CAP = "category_cap"
    GLOBAL_CAP = "global_cap"
    TOO_LATE = "too_late"
    UNRESOLVED = "unresolved"
    NOT_RENDERED = "not_rendered"
    OUT_OF_STOCK = "out_of_stock"
    COUPON_INVALID = "coupon_invalid"
    LEFT_SEGMENT = "left_segment"
    HOLDOUT = "holdout"
    CANCELLED = "cancelled"


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one customer, before it has an address or a text.

    Parameters
    ----------
    id
        32 hexadecimal digits, the same for the same cause: see ``message_id``.
    customer
        The surrogate; a merge of customers is followed when the message is sent.
    template_version
        0 stands for the version that is published when the message is sent.
    category
        What the customer may choose or be spared: frequency caps and preferences go by it.
    not_before, send_before
        It is not sent before the one, and not at all once the other has passed.
    context
        What the template needs to know: ids only, nothing that identifies a person.
    journey, run, node
        Where it comes from; empty for a message that no journey sent.
    """

    id: str
    customer: int
    channel: str
    template: str
    queued_at: datetime
    template_version: int = 0
    category: str = ""
    message_class: str = MARKETING
    not_before: datetime | None = None
    send_before: datetime | None = None
    context: dict[str, str | int | float | bool | None] = {}
    journey: str = ""
    run: str = ""
    node: str = ""


class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    """Who gets it: an address of the channel's kind, and how to speak to them."""

    address: str
    name: str = ""
    language: str = "en"
    timezone: str = "UTC"


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """A rendered message; a channel takes the parts it can carry.

    E-mail has ``subject``, ``html`` and ``text``; push ``title``, ``body`` and ``url``; SMS
    ``text``; on-site ``title``, ``html`` or ``text``, ``url``; a webhook ``data`` beside any.
    """

    subject: str = ""
    html: str = ""
    text: str = ""
    title: str = ""
    body: str = ""
    url: str = ""
    data: dict[str, str] = {}


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel delivers. ``attempt`` counts from 1; ``message_id`` is the same on each."""

    message_id: str
    attempt: int
    recipient: Recipient
    content: Content
    category: str = ""
    message_class: str = MARKETING
    unsubscribe_url: str = ""
    preferences_url: str = ""
    customer: int = 0


class Accepted(msgspec.Struct, frozen=True):
    """The other side has taken the message over; ``reference`` is its name for it."""

    reference: str = ""


class Deferred(msgspec.Struct, frozen=True):
    """Certainly not taken, but worth another try, not before ``seconds`` have passed.

    ``tried`` is false where it was held back before it was tried (a rate limit, an open circuit):
    then the sender's own growing pauses do not apply.
    """

    seconds: float
    reason: str
    detail: str = ""
    tried: bool = True


class Failed(msgspec.Struct, frozen=True):
    """Certainly not taken, now or ever; ``suppress`` says that the address is to blame."""

    reason: str
    detail: str = ""
    suppress: bool = False


class Unclear(msgspec.Struct, frozen=True):
    """Bytes left, and no answer came: taken or not, nobody knows.

    A marketing message becomes ``unknown``; a transactional one is sent again under its id.
    """

    reason: str
    detail: str = ""


Outcome = Accepted | Deferred | Failed | Unclear


def message_id(run: str, node: str, epoch: int) -> str:
    """The id of the message that a run sends at a node, 32 hexadecimal digits.

    The same cause has the same id, however often it is worked out; so it is sent once.

    >>> message_id("run-1", "hello", 3) == message_id("run-1", "hello", 3)
    True
    >>> message_id("run-1", "hello", 3) == message_id("run-1", "hello", 4)
    False
    """
    cause = msgspec.json.encode([run, node, epoch])
    return hashlib.blake2b(cause, digest_size=16, person=b"lingxi-message").hexdigest()
