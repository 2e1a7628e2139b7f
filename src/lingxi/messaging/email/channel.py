"""The channel ``email``: a rendered message becomes a signed letter and leaves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from lingxi.clock import Clock
from lingxi.errors import InvalidInput
from lingxi.messaging.email.address import Address, read_address
from lingxi.messaging.email.dkim import SigningKey, sign
from lingxi.messaging.email.links import Links
from lingxi.messaging.email.mime import Letter, Mailbox, compose
from lingxi.messaging.email.session import Envelope
from lingxi.messaging.email.tracking import add_pixel, rewrite_links
from lingxi.messaging.email.transport import Transport
from lingxi.messaging.nouns import EMAIL, MARKETING, Failed, Outcome, Parcel


class Blind(Protocol):
    """The shop's keyed hash of an address."""

    def __call__(self, text: str, /) -> str: ...


@dataclass(frozen=True)
class House:
    """What all letters of a shop have in common."""

    shop: str
    sender: Mailbox
    links: Links
    blind: Blind
    reply_to: Address | None = None
    return_domain: str = ""
    return_prefix: str = "bounces"
    keys: Sequence[SigningKey] = ()
    track_opens: bool = True
    track_clicks: bool = True
    utm_source: str = ""

    @property
    def domain(self) -> str:
        """The domain that the letters come from."""
        return self.sender.address.domain

    def write(self, parcel: Parcel, now: datetime) -> Envelope:
        """The signed letter of a parcel, with its return path.

        Raises
        ------
        InvalidInput
            If the address or the content cannot be put into a letter.
        """
        to = read_address(parcel.recipient.address)
        address_hash = self.blind(parcel.recipient.address)
        marketing = parcel.message_class == MARKETING
        letter = Letter(
            message_id=parcel.message_id,
            domain=self.domain,
            sender=self.sender,
            recipient=Mailbox(to, parcel.recipient.name),
            subject=parcel.content.subject or parcel.content.title,
            text=parcel.content.text or parcel.content.body,
            html=self._dress(parcel, address_hash),
            date=now,
            marketing=marketing,
            language={"zh": "zh-Hans"}.get(parcel.recipient.language, parcel.recipient.language),
            reply_to=self.reply_to,
            unsubscribe_url=self._unsubscribe(parcel, address_hash) if marketing else "",
            preferences_url=parcel.preferences_url,
            feedback=(parcel.category or "-", parcel.message_class),
            shop=self.shop,
        )
        return Envelope(
            return_path=self.links.return_path(
                parcel.message_id,
                parcel.customer,
                address_hash,
                self.return_prefix,
                self.return_domain or self.domain,
            ),
            recipient=to.spec,
            data=sign(compose(letter), self.keys, now),
            needs_utf8=to.needs_utf8,
        )

    def _unsubscribe(self, parcel: Parcel, address_hash: str) -> str:
        """What the parcel says, else an address of its own: one-click is never left out."""
        return parcel.unsubscribe_url or self.links.unsubscribe(
            parcel.message_id, parcel.customer, address_hash, parcel.category
        )

    def _dress(self, parcel: Parcel, address_hash: str) -> str:
        html = parcel.content.html
        if not html.strip():
            return html
        ticket = (parcel.message_id, parcel.customer, address_hash)

        def wrap(number: int, target: str) -> str:
            return self.links.click(*ticket, number, target)

        utm = {"source": self.utm_source, "medium": "email", "campaign": parcel.category}
        own = {parcel.unsubscribe_url, parcel.preferences_url}
        html = rewrite_links(
            html,
            wrap if self.track_clicks else None,
            keep=lambda url: url in own or self.links.is_own(url),
            utm=utm if self.utm_source else {},
        )
        return add_pixel(html, self.links.opened(*ticket)) if self.track_opens else html


class EmailChannel:
    """E-mail over any transport; see ``lingxi.messaging.channels.channel.Channel``."""

    name = EMAIL
    address_trait = "email"

    def __init__(self, house: House, transport: Transport, clock: Clock) -> None:
        self.house = house
        self.transport = transport
        self._clock = clock

    def deliver(self, parcel: Parcel) -> Outcome:
        """Write the letter and hand it to the transport, within a bounded time."""
        try:
            envelope = self.house.write(parcel, self._clock.now())
        except InvalidInput as error:
            return Failed("invalid_letter", str(error)[:300])
        return self.transport.carry(envelope, parcel.message_id, parcel.attempt)

    def close(self) -> None:
        """Let go of connections."""
        self.transport.close()
