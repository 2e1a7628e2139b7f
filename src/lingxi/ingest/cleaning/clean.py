"""The steps, in their order: one message in, one event or the reason why not out."""

import hashlib
import re
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import urlsplit
from uuid import uuid4

import msgspec

from lingxi.ingest.cleaning.consents import is_consent, put_consent
from lingxi.ingest.cleaning.draft import NOTHING, Draft, Halt, as_mapping
from lingxi.ingest.cleaning.encoding import put_encoding
from lingxi.ingest.cleaning.moments import put_time
from lingxi.ingest.cleaning.orders import drop_missing_item, put_columns
from lingxi.ingest.cleaning.people import drop_nobody, put_people
from lingxi.ingest.cleaning.properties import put_properties, put_rest
from lingxi.ingest.cleaning.rules import Rules
from lingxi.ingest.cleaning.traffic import drop_traffic, name_device
from lingxi.ingest.cleaning.values import read_text
from lingxi.ingest.event_names import is_reserved, name_event
from lingxi.ingest.message import Cleaned, Dropped, Message
from lingxi.ingest.puts import tidy, tidy_id
from lingxi.ingest.reasons import DropReason, PutReason
from lingxi.schema import Event, Name
from lingxi.schema.event import Scalar

LONGEST_NAME = 200
LONGEST_MESSAGE_ID = 255
_CALLS = {
    "identify": Name.IDENTIFIED.value,
    "alias": Name.ALIASED.value,
    "group": Name.GROUP_JOINED.value,
    "page": Name.PAGE_VIEWED.value,
    "screen": Name.SCREEN_VIEWED.value,
}
_KINDS = frozenset({"track", *_CALLS})
_NEEDS_ITEM_BY_NAME = frozenset({"Product Viewed", "Product Added", "Product Removed"})
_COUNTRY = re.compile(r"[A-Za-z]{2}")


def drop_refused(draft: Draft) -> None:
    """What the door set aside already: too large, or not JSON."""
    if draft.message.refused is not None:
        raise Halt(draft.message.refused)


def put_kind(draft: Draft) -> None:
    """The call: as the message says, or as its fields show where it says nothing."""
    said = draft.body.get("type")
    if said is None:
        said = _guess_kind(draft)
    kind = said if isinstance(said, str) else ""
    if kind not in _KINDS:
        kind = kind.strip().lower()
        if kind not in _KINDS:
            raise Halt(DropReason.TYPE_UNKNOWN, str(said)[:40])
    draft.kind = kind
    draft.context = as_mapping(draft.body.get("context"))


def _guess_kind(draft: Draft) -> str | None:
    body = draft.body
    if not body:
        raise Halt(DropReason.LINE_MALFORMED)
    for field, kind in (("event", "track"), ("previousId", "alias"), ("groupId", "group")):
        if body.get(field):
            return kind
    return "identify" if body.get("traits") else None


def put_name(draft: Draft) -> None:
    """The event's name in the specification's spelling; a call's own name for the others."""
    call = _CALLS.get(draft.kind)
    if call is not None:
        draft.name = call
        return
    said = draft.body.get("event")
    if isinstance(said, str) and is_usual(said):
        draft.name = said
        return
    name = read_text(said, LONGEST_NAME) if isinstance(said, str | int) else None
    if name is None:
        raise Halt(DropReason.EVENT_MISSING)
    if is_consent(name):
        draft.name = name
        return
    if is_reserved(name):
        raise Halt(DropReason.EVENT_RESERVED, name)
    draft.name = name_event(name)
    if draft.name != name:
        draft.note("put_name", PutReason.EVENT_RENAMED, "event", name, draft.name)


@lru_cache(maxsize=4_096)
def is_usual(said: str) -> bool:
    """Whether an event's name stays as it was said.

    >>> is_usual("Product Viewed"), is_usual("product viewed"), is_usual("Coupon Issued")
    (True, False, False)
    """
    name = read_text(said, LONGEST_NAME)
    return name == said and (
        is_consent(name) or (not is_reserved(name) and name_event(name) == name)
    )


def put_event_id(draft: Draft) -> None:
    """The id that makes the event count once: the message's own, else its bytes."""
    said = draft.body.get("messageId")
    own = said if isinstance(said, str) else read_text(said)
    if own and len(own) <= LONGEST_MESSAGE_ID and own.isprintable():
        draft.event_id = f"web:{own}"
    elif own:
        draft.event_id = f"web:{tidy_id(own) or _hash(own.encode('utf-8', 'replace'))}"
    elif said or draft.body.get("timestamp") or draft.body.get("originalTimestamp"):
        draft.event_id = f"web-{_hash(draft.message.raw)}"
    else:
        draft.event_id = f"web-{uuid4().hex}"


def _hash(raw: bytes) -> str:
    return hashlib.blake2b(raw, digest_size=16).hexdigest()


def put_custom_again(draft: Draft) -> None:
    """A name that only resembles a product event ("click") and names no product stays the shop's
    own event."""
    said = draft.body.get("event")
    if draft.name not in _NEEDS_ITEM_BY_NAME or draft.lines or not isinstance(said, str):
        return
    if _is_alias_only(said, draft.name):
        draft.name = tidy(said, LONGEST_NAME) or draft.name
        draft.typed = None
        draft.given = as_mapping_copy(draft.body.get("properties"))
        draft.steps = [step for step in draft.steps if step.name not in _RENAMING]


_RENAMING = frozenset({"put_name", "put_properties", "put_columns"})


@lru_cache(maxsize=1_024)
def _is_alias_only(said: str, name: str) -> bool:
    folded = re.sub(r"[\W_]+", "", said.lower())
    return folded != re.sub(r"[\W_]+", "", name.lower())


def as_mapping_copy(value: object) -> dict[str, object]:
    """A copy of an object of JSON, or an empty one."""
    return dict(value) if isinstance(value, dict) else {}


def put_context(draft: Draft) -> None:
    """What the context says that identifies nobody: page path, campaign, device, language."""
    context, kept = draft.context, draft.kept
    if draft.kind in ("page", "screen"):
        _put_page_name(draft)
    if draft.kind == "group":
        group = read_text(draft.body.get("groupId"))
        if group:
            kept["group_id"] = group
    if page := _read_page(draft):
        _put_page(page, kept)
    if context is NOTHING:
        return
    campaign = context.get("campaign")
    if isinstance(campaign, dict):
        for field, value in campaign.items():
            text = read_text(value, 200)
            if text and len(field) < 40 and field.isidentifier() and "@" not in text:
                kept.setdefault(f"utm_{'campaign' if field == 'name' else field}", text)
    agent = context.get("userAgent")
    if isinstance(agent, str) and agent:
        kept["device"] = name_device(agent[:500])
    locale = context.get("locale")
    if isinstance(locale, str) and len(locale) <= 35 and locale.isascii():
        kept["locale"] = locale
    zone = context.get("timezone")
    if isinstance(zone, str) and len(zone) <= 64 and zone.isascii():
        kept["timezone"] = zone
    session = context.get("sessionId")
    if session is not None:
        text = read_text(session, 200)
        draft.session_id = text
    location = context.get("location")
    country = location.get("country") if isinstance(location, dict) else None
    if isinstance(country, str) and 0 < len(country) <= 60:
        draft.country = country.upper() if _COUNTRY.fullmatch(country) else tidy(country)


def _read_page(draft: Draft) -> dict[str, str]:
    """Where the person was, by the context, else by the properties of a page call: a server's has
    nothing else."""
    told = draft.body.get("properties") if draft.kind == "page" else None
    found = dict[str, str]()
    for said in (told, draft.context.get("page")):
        if isinstance(said, dict):
            fields = ((field, said.get(field)) for field in ("path", "url", "referrer"))
            found |= {field: text for field, text in fields if isinstance(text, str) and text}
    return found


def _put_page(page: dict[str, str], kept: dict[str, Scalar]) -> None:
    path = page.get("path") or _path_of(page.get("url", ""))
    if path and "@" not in path:
        kept["path"] = read_text(path.partition("?")[0], 500)
    if host := _host_of(page.get("referrer", "")[:2_000]):
        kept["referrer_host"] = host


@lru_cache(maxsize=4_096)
def _host_of(url: str) -> str:
    try:
        return read_text(urlsplit(url).hostname or "", 200) or ""
    except ValueError:
        return ""


def _path_of(url: str) -> str:
    try:
        return urlsplit(url[:2_000]).path
    except ValueError:
        return ""


def _put_page_name(draft: Draft) -> None:
    for field, kept in (("name", "page_name"), ("category", "page_category")):
        text = read_text(draft.body.get(field), 200)
        if text and "@" not in text:
            draft.kept[kept] = text


def put_private(draft: Draft) -> None:
    """Say what was set aside for the person's own key; without a person it is not kept."""
    if draft.kind in ("page", "screen"):
        draft.private.clear()  # the page's address and title: its path is kept
    elif draft.private:
        fields = ", ".join(sorted(draft.private))
        draft.note("put_private", PutReason.KEPT_PRIVATE, fields[:200])


STEPS: tuple[Callable[[Draft], None], ...] = (
    drop_refused,
    put_encoding,
    put_kind,
    drop_traffic,
    put_event_id,
    put_time,
    put_name,
    put_people,
    put_properties,
    put_columns,
    put_custom_again,
    drop_missing_item,
    drop_nobody,
    put_rest,
    put_context,
    put_private,
    put_consent,
)
"""Every step, in the order they run. A ``drop_`` may set the message aside, as may a ``put_`` that
meets a value with which nothing can be done."""


def clean(message: Message, rules: Rules) -> Cleaned | Dropped:
    """One message as an event, or set aside with its reason. Pure; it raises nothing."""
    draft = Draft(message, rules, message.body)
    step = STEPS[0]
    try:
        for step in STEPS:
            step(draft)
    except Halt as halt:
        return Dropped(
            message=message,
            step=step.__name__,
            reason=halt.reason,
            detail=halt.detail,
            steps=tuple(draft.steps),
        )
    event, also = _to_event(draft), tuple(draft.also)
    if is_consent(draft.name):
        if not also:
            return Dropped(
                message=message,
                step="put_consent",
                reason=DropReason.EVENT_RESERVED,
                detail="properties.purpose",
                steps=tuple(draft.steps),
            )
        event, also = msgspec.structs.replace(also[0], event_id=event.event_id), also[1:]
    return Cleaned(
        message=message,
        event=event,
        identifiers=tuple(draft.identifiers),
        previous=tuple(draft.previous),
        link=draft.link,
        traits=draft.traits,
        private=draft.private if draft.identifiers else {},
        also=also,
        steps=tuple(draft.steps),
    )


def _to_event(draft: Draft) -> Event:
    return Event(
        event_id=draft.event_id,
        name=draft.name,
        occurred_at=draft.occurred_at,
        received_at=draft.message.received_at,
        session_id=draft.session_id,
        order_id=draft.order_id,
        currency=draft.currency if draft.lines or draft.amount_cents is not None else None,
        country=draft.country,
        category=draft.category,
        query=draft.query,
        amount_cents=draft.amount_cents,
        cost_cents=draft.cost_cents,
        lines=draft.lines,
        properties=draft.kept,
        source=draft.message.source,
    )


__all__ = ["STEPS", "clean"]
