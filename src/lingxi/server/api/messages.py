"""Messages: the log of them, why one was sent or not, what they came to, and those on the site."""

from datetime import date, datetime
from typing import Annotated

import msgspec
from litestar import post
from litestar.params import JSONBody, PathParameter, QueryParameter

from lingxi.access.roles import Scope
from lingxi.app.messages.views import (
    MessageReport,
    MessagesView,
    MessageView,
    MessageWhy,
    OnSiteMessages,
    PushKeyView,
)
from lingxi.server.api.parameters import LONGEST_ID, Cursor, Rows
from lingxi.server.api.route import read
from lingxi.server.api.write import write
from lingxi.server.dependencies import AskShop

MessageId = Annotated[str, PathParameter(description="The message's id, 32 digits.")]
Id = Annotated[str, QueryParameter(max_length=LONGEST_ID, description="The shop's own id.")]
Browser = Annotated[
    str,
    QueryParameter(max_length=LONGEST_ID, description="The browser's id, as its events carry it."),
]
Word = Annotated[str, QueryParameter(max_length=64, description="Only of this name.")]
InState = Annotated[
    str,
    QueryParameter(
        name="state",
        max_length=16,
        description="queued, sending, accepted, failed, skipped or unknown.",
    ),
]
OnDay = Annotated[
    date | None,
    QueryParameter(description="Only those queued on this day of the shop's time zone."),
]
Few = Annotated[int, QueryParameter(ge=1, le=20, description="The most messages to answer.")]
Days = Annotated[
    int, QueryParameter(ge=1, le=365, description="Orders count so long after coming in.")
]


class MessageOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message to be queued. The same ``key`` for the same template and customer is the same
    message, sent once."""

    template: Annotated[str, msgspec.Meta(max_length=64)]
    customer_id: Annotated[str, msgspec.Meta(max_length=LONGEST_ID)]
    key: Annotated[str, msgspec.Meta(max_length=LONGEST_ID)] = ""
    context: dict[str, str | int | float | bool | None] = {}
    not_before: datetime | None = None
    send_before: datetime | None = None


class MessageClosed(msgspec.Struct, frozen=True):
    """The message is not shown again."""

    closed: str


@read("/v1/messages", Scope.MESSAGES, "The message log")
def get_messages(
    shop: AskShop,
    customer_id: Id = "",
    template: Word = "",
    journey: Word = "",
    channel: Word = "",
    in_state: InState = "",
    reason: Word = "",
    day: OnDay = None,
    cursor: Cursor = None,
    n: Rows = 50,
) -> MessagesView:
    """Messages of every state, the last queued first, each with what its state means."""
    return shop.messages.list_all(
        customer_id=customer_id,
        template=template,
        journey=journey,
        channel=channel,
        state=in_state,
        reason=reason,
        day=day,
        cursor=cursor,
        n=n,
    )


@write(post, "/v1/messages", Scope.MESSAGES_WRITE, "Queue a message")
def post_message(shop: AskShop, data: JSONBody[MessageOrder]) -> MessageView:
    """Queue one message of a published template; all checks are made when it is sent."""
    return shop.messages.queue(
        data.template,
        data.customer_id,
        key=data.key,
        context=data.context,
        not_before=data.not_before,
        send_before=data.send_before,
    )


@read("/v1/messages/report", Scope.MESSAGES, "What messages came to")
def get_report(
    shop: AskShop, template: Word = "", journey: Word = "", days: Days = 30
) -> MessageReport:
    """Counts by state and reason; journeys against their holdout, with intervals."""
    return shop.messages.report(template=template, journey=journey, days=days)


@read("/v1/messages/on-site", Scope.MESSAGES, "Messages on the site")
def get_on_site(
    shop: AskShop, customer_id: Id = "", anonymous_id: Browser = "", slot: Word = "", n: Few = 5
) -> OnSiteMessages:
    """What waits for a customer or browser; what is answered counts as shown."""
    return shop.messages.list_on_site(
        customer_id=customer_id, anonymous_id=anonymous_id, slot=slot, n=n
    )


@read("/v1/messages/push-key", Scope.MESSAGES, "Key of web push")
def get_push_key(shop: AskShop) -> PushKeyView:
    """What a browser subscribes to web push with."""
    return shop.messages.push_key()


@read("/v1/messages/{message_id:str}", Scope.MESSAGES, "Why a message was sent or not")
def get_message(shop: AskShop, message_id: MessageId) -> MessageWhy:
    """One message, all that happened to it, and what would be decided now while it waits."""
    return shop.messages.why(message_id)


@write(post, "/v1/messages/{message_id:str}/close", Scope.MESSAGES_WRITE, "Close a message")
def post_closed(shop: AskShop, message_id: MessageId) -> MessageClosed:
    """A customer closed a message on the site; it is not shown again."""
    shop.messages.close_on_site(message_id)
    return MessageClosed(message_id)


ROUTES = [
    get_messages,
    post_message,
    get_report,
    get_on_site,
    get_push_key,
    get_message,
    post_closed,
]
