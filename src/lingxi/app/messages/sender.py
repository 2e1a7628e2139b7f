"""The shop's sender, put together: channels, templates, checks, links."""

import os
import socket
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

import sqlalchemy as sa

from lingxi.app.messages.checks import list_checks, list_sources
from lingxi.app.messages.ways import open_channels
from lingxi.messaging.channels.channel import Channel
from lingxi.messaging.email import EmailChannel, open_links
from lingxi.messaging.email.ledger import Ledger
from lingxi.messaging.email.links import Links as MailLinks
from lingxi.messaging.nouns import EMAIL, Message
from lingxi.messaging.sending.check import Checks
from lingxi.messaging.sending.judgement import Links, Reader
from lingxi.messaging.sending.record import Delivered
from lingxi.messaging.sending.sender import Sender
from lingxi.messaging.templates.compose import TemplateComposer

if TYPE_CHECKING:
    from lingxi.app.shop import Shop


class Postroom:
    """Everything that sending and previewing share in one process; made when first used."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop

    @cached_property
    def composer(self) -> TemplateComposer:
        """Makes texts from templates."""
        return TemplateComposer(self._shop.settings, list_sources(self._shop))

    @cached_property
    def checks(self) -> Checks:
        """Everything that may keep a message back, limits apart."""
        return Checks(self._shop.store, list_checks(self._shop))

    @cached_property
    def channels(self) -> dict[str, Channel]:
        """The channels of the settings."""
        return open_channels(self._shop)

    @cached_property
    def sender(self) -> Sender:
        """The sender of this process."""
        return Sender(
            self._shop.store,
            self.channels,
            self.composer,
            checks=list_checks(self._shop),
            make_links=self.make_links,
            told=self._note_mail,
        )

    @cached_property
    def _links(self) -> MailLinks:
        return open_links(self._shop.settings, self._shop.store.keyring)

    @cached_property
    def _ledger(self) -> Ledger | None:
        """Counts what becomes of e-mail; nothing where a plug-in carries it."""
        channel = self.channels.get(EMAIL)
        if not isinstance(channel, EmailChannel):
            return None
        worker = f"{socket.gethostname()}-{os.getpid()}"
        return Ledger(self._shop.settings.zone, channel.transport, worker)

    def _note_mail(self, tx: sa.Connection, delivered: Delivered, now: datetime) -> None:
        if delivered.ready.claim.message.channel == EMAIL and self._ledger is not None:
            self._ledger.note(tx, delivered.ready.address, delivered.outcome, now)

    def make_links(self, message: Message, reader: Reader, address: str) -> Links:
        """Where a reader unsubscribes and chooses; known by the address they are reached at."""
        known = address or reader.traits.get(EMAIL, "")
        if not known:
            return Links()
        links = self._links
        digest = self._shop.store.keyring.blind(known)
        return Links(
            links.unsubscribe(message.id, reader.customer, digest, message.category),
            links.preferences(message.id, reader.customer, digest),
        )

    def close(self) -> None:
        """Wait for what is being sent, and let go of the channels."""
        if "sender" in self.__dict__:
            self.sender.close()
        elif "channels" in self.__dict__:
            for channel in self.channels.values():
                channel.close()


def send_due(shop: "Shop", now: datetime) -> dict[str, int]:
    """The task of the standing work: one batch of what is due; how many messages came to what."""
    return shop.postroom.sender.run_once(now)
