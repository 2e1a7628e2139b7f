"""What a message says about consent, as events of their own.

Sources: Segment, "Consent in Segment" (``context.consent.categoryPreferences``); RudderStack,
"Consent management" (``context.consentManagement``).
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache

import msgspec

from lingxi.ingest.cleaning.draft import Draft, as_mapping
from lingxi.ingest.cleaning.moments import EARLIEST, read_moment
from lingxi.ingest.cleaning.values import read_bool, read_text
from lingxi.ingest.reasons import PutReason
from lingxi.schema import Event, Name

PURPOSES = {
    "marketing": "marketing advertising advertisement targeting ads ad_storage email newsletter",
    "personalisation": "personalisation personalization functional preferences functionality "
    "ad_personalization personalization_storage",
    "analytics": "analytics performance statistics measurement analytics_storage",
}
_PURPOSE_OF = {word: purpose for purpose, words in PURPOSES.items() for word in words.split()}
_ONETRUST = {
    "c0002": "analytics",
    "c0003": "personalisation",
    "c0004": "marketing",
    "c0005": "marketing",
}
"""OneTrust's own names of its categories: performance, functional, targeting, social media."""
_PURPOSE_OF |= _ONETRUST
_STAMPS = frozenset({"consent", "consentManagement"})
"""What consent managers write into the context of every message."""
EVERY = "*"
ON_SITE = "on_site"
_CHANGES = frozenset(
    {
        "consent updated",
        "consent preference updated",
        "consent preferences updated",
        "segment consent preference updated",
    }
)
_TRAITS = {
    "emailmarketingconsent": "email",
    "acceptsmarketing": "email",
    "buyeracceptsmarketing": "email",
    "marketingconsent": "email",
    "emailmarketing": "email",
    "emailconsent": "email",
    "emailoptin": "email",
    "emailsubscribe": "email",
    "emailsubscribed": "email",
    "marketingoptin": "email",
    "newsletter": "email",
    "newsletteroptin": "email",
    "newslettersubscribed": "email",
    "smsmarketingconsent": "sms",
    "smsconsent": "sms",
    "smsoptin": "sms",
    "pushoptin": "push",
    "pushsubscribe": "push",
}
"""Channels by the trait that says yes or no, in small letters without ``_``, ``-`` and spaces."""
_LEFT = "unsubscribed"
"""The trait, and the event of Segment's e-mail specification, of who wants no more e-mail."""
_LEAVES = frozenset({_LEFT, "email unsubscribed", "email marked as spam"})
_UNDECIDED = (None, "", "pending", "unknown")
_SAID = frozenset({"consent given", "consent withdrawn"})


class Said(msgspec.Struct, frozen=True):
    """Yes or no for one purpose and channel; ``at`` is when it was said, if that is known."""

    purpose: str
    channel: str
    granted: bool
    at: datetime | None = None


@lru_cache(maxsize=4_096)
def is_consent(name: str) -> bool:
    """Whether a track event of this name speaks of consent."""
    folded = name.lower()
    return folded in _SAID or folded in _CHANGES


@lru_cache(maxsize=4_096)
def _leaves(name: str) -> bool:
    """Whether an event of this name says that somebody wants no more e-mail."""
    return name.lower() in _LEAVES


def put_consent(draft: Draft) -> None:
    """Turn what is said about consent into events "Consent Given" and "Consent Withdrawn"."""
    is_stamp = draft.kind != "identify" and not is_consent(draft.name)
    leaves = is_stamp and _leaves(draft.name)
    if is_stamp and not leaves and draft.context.keys().isdisjoint(_STAMPS):
        return
    folded = draft.name.lower()
    properties = as_mapping(draft.body.get("properties"))
    found: list[Said] = []
    if folded in _SAID:
        purpose = _PURPOSE_OF.get(str(properties.get("purpose", "marketing")).lower())
        if purpose:
            channel = read_text(properties.get("channel"), 40) or EVERY
            found.append(Said(purpose, channel, folded == "consent given"))
    elif folded in _CHANGES:
        found += _read_categories(as_mapping(properties.get("purposes")))
        found += [_narrow(said) for said in _resolve(_read_context(draft))]
    else:
        found += _read_traits(draft) if draft.kind == "identify" else ()
        found += [_narrow(said) for said in _resolve(_read_context(draft))]
        found += [Said("marketing", "email", granted=False)] if leaves else ()
    if is_stamp:  # of the event's own properties none is about it
        properties = {}
    version = read_text(properties.get("text_version", properties.get("textVersion")), 100)
    source = read_text(properties.get("source"), 60) or draft.message.source
    at = read_moment(properties.get("consent_at")) if draft.message.trusted else None
    if at is None or at > draft.message.received_at:
        at = draft.occurred_at
    draft.also.extend(
        _to_event(draft, said, source, version, _bound(draft, said.at) or at)
        for said in _resolve(found)
    )


def _resolve(found: Iterable[Said]) -> Iterable[Said]:
    """One word for each purpose and channel: of two the refusal counts."""
    unique: dict[tuple[str, str], Said] = {}
    for said in found:
        if not said.granted or (said.purpose, said.channel) not in unique:
            unique[said.purpose, said.channel] = said
    return unique.values()


def _narrow(said: Said) -> Said:
    """What a banner's yes to advertising allows: the shop's pages, and no letters, from which the
    customer may have unsubscribed. Its no is meant for everything."""
    if said.granted and said.purpose == "marketing" and said.channel == EVERY:
        return msgspec.structs.replace(said, channel=ON_SITE)
    return said


def _bound(draft: Draft, at: datetime | None) -> datetime | None:
    """When the word was given, from a sender who is believed; never after it was told."""
    if at is None or not draft.message.trusted or at < EARLIEST:
        return None
    return min(at, draft.occurred_at)


def _read_context(draft: Draft) -> Iterator[Said]:
    consent = as_mapping(draft.context.get("consent"))
    yield from _read_categories(as_mapping(consent.get("categoryPreferences")))
    managed = as_mapping(draft.context.get("consentManagement"))
    for field, granted in (("allowedConsentIds", True), ("deniedConsentIds", False)):
        listed = managed.get(field)
        for entry in listed if isinstance(listed, list) else ():
            purpose = _PURPOSE_OF.get(str(entry).lower())
            if purpose:
                yield Said(purpose, EVERY, granted)


def _read_categories(categories: "dict[str, object] | object") -> Iterator[Said]:
    for name, value in as_mapping(categories).items():
        purpose, granted = _PURPOSE_OF.get(name.lower()), read_bool(value)
        if purpose and granted is not None:
            yield Said(purpose, EVERY, granted)


def _read_traits(draft: Draft) -> Iterator[Said]:
    """Traits of shops' own: ``accepts_marketing``, Shopify's ``email_marketing_consent``, ..."""
    for place in (draft.body, draft.context):
        for name, value in as_mapping(place.get("traits")).items():
            folded = name.lower().replace("_", "").replace("-", "").replace(" ", "")
            if folded == _LEFT and read_bool(value):
                yield Said("marketing", "email", granted=False)
            channel = _TRAITS.get(folded)
            if channel is None:
                continue
            own = as_mapping(value)
            said = own.get("state") if isinstance(value, dict) else value
            granted = read_bool(said)
            if granted is None and said not in _UNDECIDED:
                draft.note("put_consent", PutReason.VALUE_DROPPED, name, said)
            elif granted is not None:
                yield Said(
                    "marketing", channel, granted, read_moment(own.get("consent_updated_at"))
                )


def _to_event(draft: Draft, said: Said, source: str, version: str | None, at: datetime) -> Event:
    name = Name.CONSENT_GIVEN if said.granted else Name.CONSENT_WITHDRAWN
    properties: dict[str, str | int | float | bool | None] = {
        "purpose": said.purpose,
        "channel": said.channel,
        "source": source,
    }
    if version:
        properties["text_version"] = version
    return Event(
        event_id=f"{draft.event_id}#consent:{said.purpose}:{said.channel}",
        name=name.value,
        occurred_at=at,
        received_at=draft.message.received_at,
        properties=properties,
        source=draft.message.source,
    )
