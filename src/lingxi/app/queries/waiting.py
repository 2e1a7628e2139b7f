"""Messages in quarantine: listed, mended and tried again."""

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from lingxi.app.collect_views import Retaken, WaitingRow, WaitingView
from lingxi.app.cursors import check_size, decode_cursor, encode_cursor
from lingxi.app.queries.shown import SHOWN_BYTES, name_raw, reveal, show_bytes
from lingxi.errors import InvalidInput, UnknownEvent
from lingxi.ingest.message import Dropped, Message, Outcome
from lingxi.ingest.reasons import DropReason
from lingxi.ingest.waiting import Waiting, count_waiting, list_waiting, mend, read_waiting

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

_BATCH = 500
MOST_BYTES = 200_000
"""A message larger than this is shown in part and cannot be mended by hand."""


def list_messages(
    shop: "Shop", *, reason: str, source: str, cursor: str | None, n: int
) -> WaitingView:
    """A page of the messages set aside, oldest first."""
    check_size(n)
    after = 0
    if cursor is not None:
        (value,) = decode_cursor(cursor, 1)
        if not isinstance(value, int):
            raise InvalidInput("cursor is not one that this list gave; begin without it.")
        after = value
    found = list_waiting(shop.store, reason=reason, source=source, after=after, n=n + 1)
    with shop.store.read() as tx:
        counts = count_waiting(tx, source=source)
    page = found[:n]
    more = len(found) > n
    return WaitingView(
        tuple(_to_row(each) for each in page),
        counts,
        encode_cursor([page[-1].id]) if more else None,
    )


def get_message(shop: "Shop", number: int) -> WaitingRow:
    """One message in quarantine.

    Raises
    ------
    UnknownEvent
        If it is not there: it was mended, or its 30 days are over.
    """
    return _to_row(_find(shop, number), most=MOST_BYTES)


def mend_message(shop: "Shop", number: int, text: str) -> Retaken:
    """Take a message with its text corrected; it leaves quarantine when it passes.

    Raises
    ------
    UnknownEvent
        If it is not in quarantine.
    BodyUnreadable
        If the text is no JSON object.
    """
    waiting = _find(shop, number)
    return _count(shop.intake.retake([(number, mend(waiting, text.encode()))], mended=True))


def replay_messages(shop: "Shop", *, reason: str = "", source: str = "") -> Retaken:
    """Take every message in quarantine again, as it came: after rates were imported, say.

    Raises
    ------
    InvalidInput
        If nothing is ever set aside for ``reason``.
    """
    reasons = sorted(each.value for each in DropReason)
    if reason and reason not in reasons:
        raise InvalidInput(
            f"Nothing is set aside for {reason!r}; the reasons are {', '.join(reasons)}."
        )
    outcomes: list[Outcome] = []
    batch: list[Waiting] = []
    for each in read_waiting(shop.store, reason=reason, source=source):
        batch.append(each)
        if len(batch) == _BATCH:
            outcomes += shop.intake.retake([(w.id, w.message) for w in batch])
            batch = []
    if batch:
        outcomes += shop.intake.retake([(w.id, w.message) for w in batch])
    return _count(outcomes)


def _find(shop: "Shop", number: int) -> Waiting:
    found = list_waiting(shop.store, ids=[number], n=1)
    if not found:
        raise UnknownEvent(
            f"No message {number} waits in quarantine: it was mended, or its 30 days are over."
        )
    return found[0]


def _count(outcomes: list[Outcome]) -> Retaken:
    results = [outcome.result for outcome in outcomes]
    dropped = [each.cleaned for each in outcomes if isinstance(each.cleaned, Dropped)]
    return Retaken(
        stored=results.count("stored"),
        duplicates=results.count("duplicate"),
        still_waiting=results.count("dropped"),
        reasons=dict(Counter(each.reason.value for each in dropped)),
    )


def _to_row(waiting: Waiting, *, most: int = SHOWN_BYTES) -> WaitingRow:
    message = waiting.message
    raw = _readable(message)
    return WaitingRow(
        id=waiting.id,
        at=message.received_at,
        event=name_raw(message.body),
        source=waiting.source,
        step=waiting.step,
        reason=waiting.reason,
        detail=reveal(waiting.detail),
        text=show_bytes(raw, most=most),
        expires_at=waiting.expires_at,
        whole=len(raw) <= most,
        times=waiting.times,
    )


def _readable(message: Message) -> bytes:
    """The bytes of a message; of one that came in an address, the JSON that they mean."""
    if not message.body or message.raw.lstrip()[:1] == b"{":
        return message.raw
    return msgspec.json.encode(message.body)
