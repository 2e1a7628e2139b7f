"""What a customer wants to receive: by channel and category, kept as words of consent."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa

from lingxi.config import ConsentSettings, Settings
from lingxi.ingest.consent import consent_event, is_allowed, list_consent, narrow
from lingxi.ingest.sealed import read_traits
from lingxi.messaging.email.ledger import Came, count
from lingxi.messaging.email.owners import find_address, find_owner
from lingxi.messaging.email.providers import provider_of
from lingxi.messaging.email.suppression import Reason, get_suppressed, release, suppress
from lingxi.messaging.email.tokens import Ticket
from lingxi.messaging.nouns import EMAIL
from lingxi.schema import Event
from lingxi.store import Store

MARKETING = "marketing"
TEXT_VERSION = "preferences-1"
"""The version of what the pages say; kept with every word that is given there."""
_OWN_TRAITS = {"sms": "phone"}
_SAID = ("push", "wechat")
Choice = tuple[str, str]
"""A category and a channel."""


class Preferences(msgspec.Struct, frozen=True):
    """What a customer receives. ``suppressed``: why nothing reaches the address, whatever is
    chosen; empty where it does."""

    customer: int
    address: str
    language: str
    channels: tuple[str, ...]
    choices: Mapping[Choice, bool]
    suppressed: str = ""

    @property
    def anything(self) -> bool:
        """Whether they receive anything that advertises."""
        return any(self.choices.values())


def allows(
    tx: sa.Connection, settings: ConsentSettings, customer: int, channel: str, category: str
) -> bool:
    """Whether a customer may be sent messages of a category that advertise on a channel."""
    if not is_allowed(tx, settings, customer, MARKETING, channel):
        return False
    about = narrow(MARKETING, category)
    return not category or is_allowed(tx, settings, customer, about, channel)


def read_preferences(
    store: Store, tx: sa.Connection, settings: Settings, ticket: Ticket
) -> Preferences | None:
    """What the customer of a ticket receives; nothing where they were erased."""
    customer = find_owner(tx, ticket)
    if customer is None:
        return None
    traits = read_traits(store, tx, customer)
    address_hash = find_address(store, tx, ticket, customer)
    known = None if address_hash is None else get_suppressed(tx, address_hash)
    address = traits.get("email", "")
    said = {word.channel for word in list_consent(tx, customer) if word.granted}
    channels = [EMAIL]
    channels += [name for name, trait in _OWN_TRAITS.items() if traits.get(trait)]
    channels += [name for name in _SAID if name in said]
    choices = {
        (category, channel): allows(tx, settings.consent, customer, channel, category)
        and not (channel == EMAIL and known is not None)
        for category in settings.mail.categories
        for channel in channels
    }
    return Preferences(
        customer=customer,
        address=address,
        language=traits.get("language", ""),
        channels=tuple(channels),
        choices=choices,
        suppressed=known.reason if known is not None and known.everything else "",
    )


def put_preferences(
    store: Store,
    settings: Settings,
    ticket: Ticket,
    wanted: Mapping[Choice, bool],
    now: datetime,
    *,
    source: str = "preference_centre",
) -> Preferences | None:
    """Keep what a customer chose; only what differs from before becomes a word of consent."""
    with store.write() as tx:
        before = read_preferences(store, tx, settings, ticket)
        if before is None:
            return None
        events: list[Event] = []
        for channel in before.channels:
            chosen = {c: bool(wanted.get((c, channel))) for c in settings.mail.categories}
            events += _say(tx, settings, before, ticket, channel, chosen, now, source)
            if channel == EMAIL:
                _keep_address(store, tx, ticket, before.customer, any(chosen.values()), now, source)
        store.log.append(events, tx=tx)
        return read_preferences(store, tx, settings, ticket)


def unsubscribe(
    store: Store, settings: Settings, ticket: Ticket, now: datetime, *, source: str
) -> bool:
    """Send no more e-mail that advertises; False where the customer was erased. Doing it again
    changes nothing."""
    with store.write() as tx:
        customer = find_owner(tx, ticket)
        if customer is None:
            return False
        if is_allowed(tx, settings.consent, customer, MARKETING, EMAIL):
            event = _word(ticket, EMAIL, False, now, source)
            store.log.append([event], tx=tx)
        _keep_address(store, tx, ticket, customer, False, now, source)
        return True


def _say(
    tx: sa.Connection,
    settings: Settings,
    before: Preferences,
    ticket: Ticket,
    channel: str,
    chosen: Mapping[str, bool],
    now: datetime,
    source: str,
) -> Sequence[Event]:
    """The words that lead from what holds to what was chosen, for one channel."""
    events = []
    wants = any(chosen.values())
    if is_allowed(tx, settings.consent, before.customer, MARKETING, channel) != wants:
        events.append(_word(ticket, channel, wants, now, source))
    for category, yes in chosen.items() if wants else ():
        about = narrow(MARKETING, category)
        if is_allowed(tx, settings.consent, before.customer, about, channel) != yes:
            events.append(_word(ticket, channel, yes, now, source, category))
    return events


def _word(
    ticket: Ticket, channel: str, granted: bool, now: datetime, source: str, category: str = ""
) -> Event:
    return consent_event(
        ticket.customer,
        MARKETING,
        channel,
        granted=granted,
        now=now,
        source=source,
        text_version=TEXT_VERSION,
        category=category,
    )


def _keep_address(
    store: Store,
    tx: sa.Connection,
    ticket: Ticket,
    customer: int,
    wants: bool,
    now: datetime,
    source: str,
) -> None:
    """The list of suppressions follows the customer's own word, and nothing but that."""
    address_hash = find_address(store, tx, ticket, customer)
    if address_hash is None:
        return
    if wants:
        release(tx, address_hash, reasons=(Reason.UNSUBSCRIBE, Reason.COMPLAINT))
    elif suppress(tx, address_hash, Reason.UNSUBSCRIBE, now, detail=source, actor="customer"):
        address = read_traits(store, tx, customer).get("email", "")
        count(tx, store.settings.zone, now, provider_of(address), Came.SUPPRESSED)
