"""Our own DKIM signer: relaxed/relaxed, RSA-2048 and Ed25519 side by side on one message."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SIGNED = (
    "from", "to", "subject", "date", "message-id", "reply-to", "mime-version", "content-type",
    "content-language", "auto-submitted", "precedence", "list-id", "list-help",
    "list-unsubscribe", "list-unsubscribe-post", "feedback-id",
)  # fmt: skip
"""Fields that are signed where they stand; RFC 8058 demands the two of the list among them."""
SEALED = ("from", "to", "subject", "date", "reply-to", "list-unsubscribe", "list-unsubscribe-post")
"""Fields that are named once more than they stand, so that none can be added."""
_LINES = re.compile(rb"(?<=\r\n)(?![ \t])")
_WIDTH = 72


@dataclass(frozen=True)
class SigningKey:
    """A private key under its selector; ``domain`` is what the signature speaks for."""

    domain: str
    selector: str
    private: RSAPrivateKey | Ed25519PrivateKey

    @property
    def kind(self) -> str:
        """``rsa`` or ``ed25519``, as DNS has it."""
        return "rsa" if isinstance(self.private, RSAPrivateKey) else "ed25519"

    @property
    def record_name(self) -> str:
        """The name of its TXT record."""
        return f"{self.selector}._domainkey.{self.domain}"

    @cached_property
    def record(self) -> str:
        """The text of its TXT record (RFC 6376, 3.6.1; RFC 8463, 4)."""
        public = self.private.public_key()
        if isinstance(self.private, RSAPrivateKey):
            raw = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        else:
            raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return f"v=DKIM1; k={self.kind}; p={b64encode(raw).decode()}"

    def sign(self, digest_of: bytes) -> bytes:
        """The signature over the SHA-256 of the bytes."""
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(digest_of, PKCS1v15(), hashes.SHA256())
        return self.private.sign(hashlib.sha256(digest_of).digest())


def sign(message: bytes, keys: Sequence[SigningKey], moment: datetime) -> bytes:
    """The message with a ``DKIM-Signature`` field of each key in front.

    Parameters
    ----------
    message
        Header, an empty line and body, every line ended by CRLF.
    moment
        When it is signed: ``t=``.

    Source
    ------
    RFC 6376, 3.4.2, 3.4.4, 3.5 and 5.4; RFC 8463, 3 for Ed25519.
    """
    if not keys:
        return message
    header, _, body = message.partition(b"\r\n\r\n")
    fields = read_fields(header + b"\r\n")
    names, signed = _choose(fields)
    body_hash = b64encode(hashlib.sha256(relax_body(body)).digest()).decode()
    own = [_field(key, names, body_hash, signed, int(moment.timestamp())) for key in keys]
    return b"".join(own) + message


def read_fields(header: bytes) -> list[tuple[bytes, bytes]]:
    """The fields of a header, name in lower case and the whole field, folds included."""
    lines = _LINES.split(header)
    return [(line.partition(b":")[0].strip().lower(), line) for line in lines if line.strip()]


def relax_header(field: bytes) -> bytes:
    """A field in relaxed form, without its CRLF (RFC 6376, 3.4.2).

    >>> relax_header(b"Subject :  Hello \\r\\n\\tworld \\r\\n")
    b'subject:Hello world'
    """
    name, _, value = field.partition(b":")
    value = _squeeze(value.replace(b"\r\n", b"")).strip()
    return name.strip().lower() + b":" + value


def relax_body(body: bytes) -> bytes:
    """A body in relaxed form (RFC 6376, 3.4.4).

    >>> relax_body(b"a  b \\r\\n\\r\\n\\r\\n"), relax_body(b"\\r\\n")
    (b'a b\\r\\n', b'')
    """
    body = _squeeze(body).replace(b" \r\n", b"\r\n").rstrip(b"\r\n ")
    return body + b"\r\n" if body else b""


def _squeeze(text: bytes) -> bytes:
    """Every run of spaces and tabs as one space; several times faster than a pattern."""
    text = text.replace(b"\t", b" ")
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    return text


def _choose(fields: list[tuple[bytes, bytes]]) -> tuple[list[str], bytes]:
    """The names for ``h=`` and the relaxed fields they stand for, in one order."""
    standing: dict[str, list[bytes]] = {}
    for name, field in fields:
        standing.setdefault(name.decode("latin-1"), []).append(field)
    names: list[str] = []
    relaxed: list[bytes] = []
    for wanted in SIGNED:
        found = standing.get(wanted, [])
        names += [wanted] * len(found)  # of several the last comes first
        relaxed += [relax_header(field) + b"\r\n" for field in reversed(found)]
    return [*names, *SEALED], b"".join(relaxed)


def _field(key: SigningKey, names: list[str], body_hash: str, signed: bytes, seconds: int) -> bytes:
    tags = [
        f"v=1; a={key.kind}-sha256; c=relaxed/relaxed; d={key.domain};",
        f"s={key.selector}; t={seconds};",
        *_wrap("h=" + ":".join(names) + ";", ":"),
        f"bh={body_hash};",
        "b=",
    ]
    field = "DKIM-Signature: " + "\r\n ".join(tags)
    signature = b64encode(key.sign(signed + relax_header(field.encode()))).decode()
    lines = [signature[i : i + _WIDTH] for i in range(0, len(signature), _WIDTH)]
    return f"{field}{(chr(13) + chr(10) + ' ').join(lines)}\r\n".encode()


def _wrap(text: str, mark: str) -> list[str]:
    lines = [""]
    for word in text.split(mark):
        if len(lines[-1]) + len(word) > _WIDTH:
            lines.append("")
        lines[-1] += word + mark
    lines[-1] = lines[-1].removesuffix(mark)
    return lines
