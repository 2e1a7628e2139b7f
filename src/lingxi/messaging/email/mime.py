"""A letter becomes the bytes of a message: RFC 5322 header, text and HTML beside each other."""

import re
from base64 import encodebytes
from binascii import b2a_qp
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from lingxi.errors import InvalidInput
from lingxi.messaging.email.address import Address
from lingxi.messaging.email.words import FOLD, LONGEST_LINE, encode_phrase, encode_text, tidy

ONE_CLICK = "List-Unsubscribe=One-Click"
_TOKEN = re.compile(r"[A-Za-z0-9._-]{1,120}")
_URL = re.compile(r"https?://[\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]+")
_ASCII = bytes(range(127))
_LINE = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Mailbox:
    """An address with the name that stands beside it."""

    address: Address
    name: str = ""


@dataclass(frozen=True)
class Letter:
    """One message to one person, everything in it decided.

    ``message_id`` is ours (hex); ``domain`` the right side of the Message-ID. A marketing letter
    has ``unsubscribe_url``. ``feedback`` are up to three words that name what kind of mail it is.
    """

    message_id: str
    domain: str
    sender: Mailbox
    recipient: Mailbox
    subject: str
    text: str
    html: str
    date: datetime
    marketing: bool
    language: str = ""
    reply_to: Address | None = None
    unsubscribe_url: str = ""
    preferences_url: str = ""
    feedback: tuple[str, ...] = ()
    shop: str = "lingxi"


def compose(letter: Letter) -> bytes:
    """The message, lines ended by CRLF, at most 998 octets long; the same letter, the same bytes.

    Raises
    ------
    InvalidInput
        If there is no text, or a marketing letter lacks its one-click address.

    Source
    ------
    RFC 5322; RFC 2045 to 2047; RFC 6532 for an address beyond ASCII; RFC 2369 and RFC 8058 for the
    fields of lists; RFC 3834 for ``Auto-Submitted``.
    """
    if not letter.text.strip() and not letter.html.strip():
        raise InvalidInput("The letter has neither text nor HTML.")
    if letter.marketing and not letter.unsubscribe_url:
        raise InvalidInput("A marketing letter needs the address that unsubscribes at one click.")
    parts = [_part("plain", letter.text)] if letter.text.strip() else []
    parts += [_part("html", letter.html)] if letter.html.strip() else []
    lines = [f"{name}: {value}" for name, value in _header(letter)]
    if len(parts) == 1:
        return _join(lines, parts[0])
    boundary = f"=_{_word(letter.message_id)}"  # '=_' stands in neither QP nor base64
    lines.append(f'Content-Type: multipart/alternative;{FOLD}boundary="{boundary}"')
    body = b"".join(f"--{boundary}\r\n".encode() + part + b"\r\n" for part in parts)
    return _join(lines, b"\r\n" + body + f"--{boundary}--\r\n".encode())


def message_id_field(message_id: str, domain: str) -> str:
    """The Message-ID of a message, the same at every try to send it.

    >>> message_id_field("0a1b", "shop.example")
    '<0a1b@shop.example>'
    """
    return f"<{_word(message_id)}@{domain}>"


def _header(letter: Letter) -> list[tuple[str, str]]:
    fields = [
        ("From", _mailbox(letter.sender)),
        ("To", _mailbox(letter.recipient)),
        ("Subject", encode_text(letter.subject or "-", first=len("Subject: "))),
        ("Date", format_datetime(letter.date)),
        ("Message-ID", message_id_field(letter.message_id, letter.domain)),
        ("MIME-Version", "1.0"),
        ("Auto-Submitted", "auto-generated"),
    ]
    if letter.reply_to is not None:
        fields.append(("Reply-To", letter.reply_to.spec))
    if letter.language:
        fields.append(("Content-Language", _word(letter.language)))
    if letter.marketing:
        fields += [
            ("Precedence", "bulk"),
            ("List-ID", f"{encode_phrase(letter.shop)}{FOLD}<news.{letter.domain}>"),
        ]
    if letter.unsubscribe_url:
        fields += [
            ("List-Unsubscribe", f"<{check_url(letter.unsubscribe_url)}>"),
            ("List-Unsubscribe-Post", ONE_CLICK),
        ]
    if letter.marketing and letter.preferences_url:
        fields.append(("List-Help", f"<{check_url(letter.preferences_url)}>"))
    if letter.feedback:
        fields.append(("Feedback-ID", _feedback(letter)))
    return fields


def _feedback(letter: Letter) -> str:
    """``a:b:c:sender``, as Gmail's feedback loop reads it."""
    words = [re.sub(r"[^A-Za-z0-9._-]+", "-", tidy(word))[:40] or "-" for word in letter.feedback]
    kinds = [*words, "-", "-", "-"][:3]
    return ":".join([*kinds, letter.domain.replace(".", "-")[:40]])


def _mailbox(mailbox: Mailbox) -> str:
    phrase = encode_phrase(mailbox.name)
    gap = " " if len(phrase) + len(mailbox.address.spec) < 68 else FOLD
    return f"{phrase}{gap}<{mailbox.address.spec}>" if phrase else f"<{mailbox.address.spec}>"


def check_url(url: str) -> str:
    """An address that may stand between angle brackets in a header field.

    Raises
    ------
    InvalidInput
        If it is not a plain web address, or too long for one line.
    """
    if not _URL.fullmatch(url) or len(url) > LONGEST_LINE - 40:
        raise InvalidInput(f"{url[:80]!r} cannot stand in the header of an e-mail.")
    return url


def _part(kind: str, text: str) -> bytes:
    """A body part with its own header; quoted-printable where most is ASCII, else base64."""
    raw = _LINE.sub("\r\n", text.rstrip() + "\n").encode("utf-8", "replace")
    beyond = len(raw.translate(None, _ASCII))
    if beyond * 6 > len(raw):
        encoding, body = "base64", encodebytes(raw).replace(b"\n", b"\r\n")
    else:
        encoding, body = "quoted-printable", _to_qp(raw)
    head = f"Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n"
    return head.encode() + b"\r\n" + body


def _to_qp(raw: bytes) -> bytes:
    """Quoted-printable text; ``=`` stands before what some relays would change: a line's first dot
    and ``From``."""
    coded = b2a_qp(raw, istext=True)
    coded = re.sub(rb"(?m)^\.", b"=2E", coded)
    return re.sub(rb"(?m)^From ", b"=46rom ", coded)


def _word(text: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise InvalidInput(f"{text[:80]!r} cannot stand in the header of an e-mail.")
    return text


def _join(lines: list[str], rest: bytes) -> bytes:
    return "\r\n".join(lines).encode() + b"\r\n" + rest
