"""How e-mail is set up."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from lingxi.errors import InvalidSetting


@dataclass(frozen=True)
class MailSettings:
    """How e-mail leaves, and what comes back. Without ``host`` it goes into a folder."""

    sender: str = ""
    """Address that stands in From; its domain is the one that SPF, DKIM and DMARC are about."""
    sender_name: str = ""
    """Name beside it; the shop's own where empty."""
    reply_to: str = ""
    """Address that answers go to, where it is another."""
    host: str = ""
    """The mail server that takes our messages; empty writes them into ``outbox``."""
    port: int = 587
    """Its port: 587 with STARTTLS, 465 with implicit TLS."""
    tls: str = "starttls"
    """starttls, implicit, or none (only for a server on this machine)."""
    user: str = ""
    """Who logs in there; empty does not log in."""
    password: str = field(default="", repr=False)
    """The password; put it into the environment: LINGXI_MAIL_PASSWORD."""
    outbox: str = "outbox"
    """Folder for messages where there is no host, from the shop's own: one .eml file each."""
    public_url: str = "http://127.0.0.1:8787"
    """Where customers reach this server: links in messages begin with it."""
    return_domain: str = ""
    """Domain that bounces come back to; the sender's where empty."""
    return_prefix: str = "bounces"
    """Beginning of the return addresses, at most 8 characters: bounces+...@return_domain."""
    dkim_selector: str = "lingxi"
    """Selector of the signing keys; make them with 'lingxi mail dkim create'."""
    connections: int = 8
    """The most connections to the mail server at a time."""
    messages_per_connection: int = 100
    """A connection is ended after so many messages."""
    timeout_seconds: float = 30.0
    """How long one answer of the mail server may take."""
    rate: float = 0.0
    """Messages a second to one domain of recipients; 0 sets no limit."""
    domain_rates: tuple[str, ...] = ()
    """Messages a second to single domains: gmail.com=20."""
    track_opens: bool = True
    """Put the picture into messages that tells when they are opened."""
    track_clicks: bool = True
    """Lead links of messages round by this server, so that clicks are seen."""
    utm_source: str = "lingxi"
    """utm_source of links that have none of their own; empty adds no campaign parameters."""
    categories: tuple[str, ...] = ("offers", "news", "reminders")
    """What customers may choose from on the page of their preferences."""
    opt_in_days: int = 7
    """How long a link that confirms an address holds."""
    soft_bounces: int = 5
    """An address that so many messages came back from softly is not written to any more."""
    bounces: str = ""
    """A maildir or mbox that bounces and complaints arrive in; looked at while the server runs."""
    imap_host: str = ""
    """A mailbox over IMAP (TLS) that bounces and complaints arrive in."""
    imap_port: int = 993
    """Its port."""
    imap_user: str = ""
    """Who logs in there."""
    imap_password: str = field(default="", repr=False)
    """The password; put it into the environment: LINGXI_MAIL_IMAP_PASSWORD."""
    imap_folder: str = "INBOX"
    """The folder there; a message that was taken in is marked as seen."""


def check_mail(mail: MailSettings, path: Path) -> None:
    """Refuse settings of ``[mail]`` that cannot be used.

    Raises
    ------
    InvalidSetting
    """
    if mail.tls not in ("starttls", "implicit", "none"):
        raise InvalidSetting(f"{path}: mail.tls must be 'starttls', 'implicit' or 'none'.")
    if not re.fullmatch(r"https?://[^/\s?#]+(/[^\s?#]*)?", mail.public_url):
        raise InvalidSetting(
            f"{path}: mail.public_url must be such as 'https://mail.shop.example'."
        )
    if not re.fullmatch(r"[a-z0-9]{1,8}", mail.return_prefix):
        raise InvalidSetting(f"{path}: mail.return_prefix must be 1 to 8 small letters or digits.")
    for name in ("port", "imap_port"):
        if not 1 <= getattr(mail, name) <= 65535:
            raise InvalidSetting(f"{path}: mail.{name} must be between 1 and 65535.")
    for name in ("connections", "messages_per_connection", "opt_in_days", "soft_bounces"):
        if getattr(mail, name) < 1:
            raise InvalidSetting(f"{path}: mail.{name} must be at least 1.")
    if mail.timeout_seconds <= 0 or mail.rate < 0:
        raise InvalidSetting(
            f"{path}: mail.timeout_seconds must be above 0, and rate must not be below 0."
        )
    if (mail.host or mail.imap_host) and not mail.sender:
        raise InvalidSetting(f"{path}: mail.sender is needed: the address that stands in From.")
