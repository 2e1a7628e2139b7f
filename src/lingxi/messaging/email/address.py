"""E-mail addresses as they may stand in a header or an SMTP command, and nothing else."""

import re
from dataclasses import dataclass

from lingxi.errors import InvalidInput

_LONGEST_LOCAL = 64
_LONGEST = 254
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
_LOCAL = re.compile(rf"{_ATOM}(\.{_ATOM})*")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Address:
    """One mailbox: ``local`` as it was given, ``domain`` in lower case and ASCII (IDNA)."""

    local: str
    domain: str

    @property
    def spec(self) -> str:
        """What stands between the angle brackets."""
        return f"{self.local}@{self.domain}"

    @property
    def needs_utf8(self) -> bool:
        """Whether only servers with SMTPUTF8 (RFC 6531) can take it."""
        return not self.local.isascii()


def read_address(text: str) -> Address:
    """The mailbox that ``text`` names, without a display name.

    Dot-atoms only: quoted local parts and address literals, which no shop's customer has, are
    refused, so that nothing which could end a header or a command ever gets into one.

    Raises
    ------
    InvalidInput
        If it is not an address of RFC 5321 in this form, or too long.

    Source
    ------
    RFC 5321, 4.1.2 and 4.5.3.1; RFC 6531 for letters beyond ASCII.

    Examples
    --------
    >>> read_address("Mei.Lin@Bücher.example").spec
    'Mei.Lin@xn--bcher-kva.example'
    """
    local, at, domain = text.strip().rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or not local.isprintable():
        raise InvalidInput(f"{_shorten(text)} is not an e-mail address.")
    name = _to_ascii(domain)
    if (
        name is None
        or len(local.encode()) > _LONGEST_LOCAL
        or len(local.encode()) + 1 + len(name) > _LONGEST
    ):
        raise InvalidInput(f"{_shorten(text)} is not an e-mail address that can be written to.")
    return Address(local, name)


def read_domain(text: str) -> str:
    """A domain in lower case and ASCII.

    Raises
    ------
    InvalidInput
        If it is none.
    """
    name = _to_ascii(text.strip())
    if name is None:
        raise InvalidInput(f"{_shorten(text)} is not a domain such as shop.example.")
    return name


def domain_of(address: str) -> str:
    """The domain of an address, in lower case; empty where there is none.

    >>> domain_of("Mei@Shop.EXAMPLE"), domain_of("nobody")
    ('shop.example', '')
    """
    return address.rpartition("@")[2].strip().lower() if "@" in address else ""


def mask_address(address: str) -> str:
    """An address that its owner recognises and nobody else learns.

    >>> mask_address("mei.lin@shop.example")
    'm•••@shop.example'
    """
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}•••@{domain}" if at else "•••"


def _to_ascii(domain: str) -> str | None:
    try:
        name = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    labels = name.split(".")
    fits = len(labels) > 1 and len(name) <= 253 and not labels[-1].isdecimal()
    return name if fits and all(_LABEL.fullmatch(label) for label in labels) else None


def _shorten(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "...")
