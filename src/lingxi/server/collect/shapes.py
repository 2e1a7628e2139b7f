"""What clients send, for the API's description only: the door reads bytes and needs none of it.

The structures say what a well-formed request holds. The collector takes more than that: unknown
fields are kept, a null stands for nothing, and one message that is not as described is set aside
with its bytes while the others of its batch are taken.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Fields = Annotated[
    dict[str, object] | None, Meta(description="Any JSON object; nothing in it is lost.")
]
Moment = Annotated[str | None, Meta(description="ISO 8601, such as 2026-11-24T09:30:00.000Z.")]
Id = Annotated[str | int | None, Meta(description="The id in the shop's own terms.")]
WriteKey = Annotated[
    str | None, Meta(description="The source's write key, where the request names none.")
]
MessageId = Annotated[
    str | None,
    Meta(description="The message's own id: sent again with the same one, it counts once."),
]
Kind = Literal["track", "identify", "page", "screen", "group", "alias"]


class Common(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What every message may say."""

    user_id: Id = None
    anonymous_id: Id = None
    message_id: MessageId = None
    timestamp: Moment = None
    original_timestamp: Moment = None
    sent_at: Moment = None
    context: Fields = None
    integrations: Fields = None
    write_key: WriteKey = None


class TrackMessage(Common, frozen=True, kw_only=True):
    """Something happened: ``Product Viewed``, ``Order Completed``, or a name of your own."""

    event: str
    properties: Fields = None


class IdentifyMessage(Common, frozen=True, kw_only=True):
    """Who the visitor is, and what is known of them: e-mail address, phone, name."""

    traits: Fields = None


class PageMessage(Common, frozen=True, kw_only=True):
    """A page was seen."""

    name: str | None = None
    category: str | None = None
    properties: Fields = None


class ScreenMessage(PageMessage, frozen=True, kw_only=True):
    """A screen of an app was seen."""


class GroupMessage(Common, frozen=True, kw_only=True):
    """The company or household that the customer belongs to."""

    group_id: Id = None
    traits: Fields = None


class AliasMessage(Common, frozen=True, kw_only=True):
    """Two ids of one person: ``previousId`` was used before ``userId``."""

    previous_id: Id = None


class BatchedMessage(Common, frozen=True, kw_only=True):
    """A message of any kind; ``type`` says which."""

    type: Kind
    event: str | None = None
    name: str | None = None
    category: str | None = None
    group_id: Id = None
    previous_id: Id = None
    properties: Fields = None
    traits: Fields = None


class MessageBatch(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Up to 2,500 messages of at most 32 KB each, 500 KB together."""

    batch: Annotated[Sequence[BatchedMessage], Meta(max_length=2500)]
    sent_at: Moment = None
    context: Fields = None
    integrations: Fields = None
    write_key: WriteKey = None


class CapturedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event in PostHog's form."""

    event: str
    distinct_id: Id = None
    properties: Fields = None
    timestamp: Moment = None
    uuid: MessageId = None
    api_key: WriteKey = None


class CapturedBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Events in PostHog's form, 5 MB together."""

    batch: Annotated[Sequence[CapturedEvent], Meta(max_length=2500)]
    sent_at: Moment = None
    api_key: WriteKey = None
