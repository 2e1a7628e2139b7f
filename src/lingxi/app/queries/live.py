"""Live events: the latest messages that this process took in."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from lingxi.app.collect_views import LiveRow, LiveView
from lingxi.app.queries.shown import name_raw
from lingxi.ingest import customer_ids
from lingxi.ingest.message import Cleaned
from lingxi.ingest.recent import Seen

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

RESULTS = ("stored", "duplicate", "dropped")
"""What can become of a message."""
_MINUTE = timedelta(minutes=1)


def list_live(
    shop: "Shop",
    *,
    search: str,
    source: str,
    result: str,
    n: int,
    names: Collection[str] = (),
) -> LiveView:
    """The latest messages that fit, newest first.

    ``search`` is looked for in the event's name, the customer's id and the message's id; an event
    of ``names`` fits it too: those whose word in the reader's language does.
    """
    now = shop.clock.now()
    held = shop.recent.list(n=len(shop.recent) or 1)
    seen = [each for each in held if not source or _source(each) == source]
    if search:
        seen = _find(shop, seen, search.casefold(), names)
    by_result = Counter(each.outcome.result for each in seen)
    if result:
        seen = [each for each in seen if each.outcome.result == result]
    page = seen[:n]
    ids = _name_owners(shop, page)
    return LiveView(
        as_of=now,
        rows=tuple(_to_row(each, ids) for each in page),
        newest=held[0].number if held else 0,
        held=len(held),
        found=len(seen),
        last_minute=_count(seen, now),
        by_result={name: by_result[name] for name in RESULTS},
    )


def _count(seen: Sequence[Seen], now: datetime) -> int:
    """How many came within the last minute."""
    return sum(now - each.outcome.cleaned.message.received_at < _MINUTE for each in seen)


def _source(seen: Seen) -> str:
    return seen.outcome.cleaned.message.source


def _find(shop: "Shop", seen: Sequence[Seen], wanted: str, names: Collection[str]) -> list[Seen]:
    ids = _name_owners(shop, seen)
    known = frozenset(names)
    return [
        each
        for each in seen
        if (row := _to_row(each, ids)).event in known
        or any(wanted in text.casefold() for text in (row.event, row.customer_id or ""))
        or wanted in _message_id(each).casefold()
    ]


def _name_owners(shop: "Shop", seen: Sequence[Seen]) -> Mapping[int, str]:
    owners = {s.outcome.customer for s in seen if s.outcome.customer is not None}
    with shop.store.read() as tx:
        return customer_ids(tx, owners)


def _to_row(seen: Seen, ids: Mapping[int, str]) -> LiveRow:
    outcome = seen.outcome
    cleaned = outcome.cleaned
    name = cleaned.event.name if isinstance(cleaned, Cleaned) else name_raw(cleaned.message.body)
    return LiveRow(
        id=seen.number,
        at=cleaned.message.received_at,
        event=name,
        source=_source(seen),
        result=outcome.result,
        reason=None if isinstance(cleaned, Cleaned) else cleaned.reason.value,
        customer_id=None if outcome.customer is None else ids.get(outcome.customer),
        changed_steps=len(cleaned.steps),
    )


def _message_id(seen: Seen) -> str:
    cleaned = seen.outcome.cleaned
    if isinstance(cleaned, Cleaned):
        return cleaned.event.event_id
    said = cleaned.message.body.get("messageId")
    return said if isinstance(said, str) else ""
