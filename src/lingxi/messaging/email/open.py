"""From the settings of a shop to its channel for e-mail."""

import ssl

from lingxi.clock import Clock
from lingxi.config import Settings
from lingxi.errors import InvalidInput, InvalidSetting
from lingxi.messaging.email.address import read_address, read_domain
from lingxi.messaging.email.channel import EmailChannel, House
from lingxi.messaging.email.dkim_keys import load_keys
from lingxi.messaging.email.links import Links
from lingxi.messaging.email.mime import Mailbox
from lingxi.messaging.email.pace import Pace
from lingxi.messaging.email.session import Server
from lingxi.messaging.email.transport import Outbox, Pool, Smtp, Transport, read_rates
from lingxi.store.keyring import Keyring

NO_SENDER = "shop@localhost.invalid"
"""Stands in From while nothing leaves this machine and no address is set."""


def open_links(settings: Settings, keyring: Keyring) -> Links:
    """The links of a shop."""
    return Links(keyring.derive("links"), settings.mail.public_url.rstrip("/"))


def open_email(
    settings: Settings, keyring: Keyring, clock: Clock, *, context: ssl.SSLContext | None = None
) -> EmailChannel:
    """The channel that the settings describe: SMTP where they name a host, else the outbox.

    Raises
    ------
    InvalidSetting
        If an address, a domain or a rate in them cannot be used.
    """
    mail = settings.mail
    try:
        sender = read_address(mail.sender or NO_SENDER)
        house = House(
            shop=settings.shop.name,
            sender=Mailbox(sender, mail.sender_name or settings.shop.name),
            links=open_links(settings, keyring),
            blind=keyring.blind,
            reply_to=read_address(mail.reply_to) if mail.reply_to else None,
            return_domain=read_domain(mail.return_domain) if mail.return_domain else "",
            return_prefix=mail.return_prefix,
            keys=load_keys(settings.folder / "keys", sender.domain, mail.dkim_selector),
            track_opens=mail.track_opens,
            track_clicks=mail.track_clicks,
            utm_source=mail.utm_source,
        )
        transport = _open_transport(settings, sender.domain, context)
    except InvalidInput as error:
        raise InvalidSetting(f"[mail]: {error}") from error
    return EmailChannel(house, transport, clock)


def _open_transport(settings: Settings, domain: str, context: ssl.SSLContext | None) -> Transport:
    mail = settings.mail
    if not mail.host:
        return Outbox(settings.folder / mail.outbox)
    server = Server(
        host=mail.host,
        port=mail.port,
        tls=mail.tls,
        user=mail.user,
        password=mail.password,
        helo=domain,
        timeout_seconds=mail.timeout_seconds,
    )
    pool = Pool(server, mail.connections, mail.messages_per_connection, context)
    return Smtp(pool, Pace(mail.rate, read_rates(mail.domain_rates)))
