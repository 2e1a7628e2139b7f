"""The message log: what was sent and what was not, and why, one message at a time."""

from collections.abc import Mapping

from litestar import Response, get
from litestar.params import FromPath

from lingxi.access import Scope
from lingxi.app.messages.views import MessageReport, MessagesView
from lingxi.app.shop import Shop
from lingxi.errors import UnknownCustomer
from lingxi.messaging.nouns import CHANNELS, SkipReason, State
from lingxi.server.api.parameters import Cursor, Filter, check_cursor, check_text, read_day
from lingxi.server.dependencies import AskShop
from lingxi.server.pages.frame import AskFrame
from lingxi.server.pages.links import Address
from lingxi.server.pages.words import Words

_READ = {"scope": Scope.MESSAGES}
_ROWS = 50
STATES = tuple(state.value for state in State)
STATE_TONES = {
    "queued": "6",
    "sending": "6",
    "accepted": "good",
    "skipped": "other",
    "failed": "bad",
    "unknown": "warning",
}


@get("/messages", opt=_READ, sync_to_thread=True)
def get_messages(
    frame: AskFrame,
    shop: AskShop,
    customer_id: Filter = "",
    template: Filter = "",
    journey: Filter = "",
    channel: Filter = "",
    in_state: Filter = "",
    day: Filter = "",
    cursor: Cursor = None,
) -> Response[str]:
    """The log, newest first, with what each message's state means."""
    given = {
        "customer_id": customer_id,
        "template": template,
        "journey": journey,
        "channel": channel,
        "in_state": in_state,
        "day": day,
    }
    filters = {name: check_text(name, value) for name, value in given.items()}
    view = _list(shop, filters, cursor)
    report = shop.messages.count(template=filters["template"], journey=filters["journey"])
    context = {
        "view": view,
        "report": report,
        "answer": answer_messages(frame.words, report),
        "filters": filters,
        "cursor": cursor,
        "states": STATES,
        "channels": CHANNELS,
        "tones": STATE_TONES,
    }
    address = Address("/messages", {**filters, "cursor": cursor or ""})
    return frame.list_page("messages.html", context, address)


def _list(shop: Shop, filters: Mapping[str, str], cursor: str | None) -> MessagesView:
    day = filters["day"]
    try:
        return shop.messages.list_all(
            customer_id=filters["customer_id"],
            template=filters["template"],
            journey=filters["journey"],
            channel=filters["channel"],
            state=filters["in_state"],
            day=read_day("day", day) if day else None,
            cursor=check_cursor("cursor", cursor),
            n=_ROWS,
        )
    except UnknownCustomer:  # half of an id, while it is typed
        return MessagesView((), None)


@get("/messages/{message_id:str}", opt=_READ, sync_to_thread=True)
def get_message(frame: AskFrame, shop: AskShop, message_id: FromPath[str]) -> Response[str]:
    """Why one message was sent or not."""
    view = shop.messages.why(message_id)
    reasons = {reason.value for reason in SkipReason}
    context = {"view": view, "tones": STATE_TONES, "reasons": reasons}
    return frame.page("message.html", context)


def answer_messages(words: Words, report: MessageReport) -> str:
    """What all of them came to, in a sentence."""
    if not report.total:
        return words.text("messages.answer.none")
    by_state = dict.fromkeys(STATES, 0)
    for each in report.counts:
        by_state[each.state] += each.n
    return words.text(
        "messages.answer",
        total=report.total,
        accepted=by_state["accepted"],
        skipped=by_state["skipped"],
        waiting=by_state["queued"] + by_state["sending"],
    )


ROUTES = [get_messages, get_message]
