"""What DNS says, or that it cannot be asked: the two are never confused."""

from typing import Protocol

import dns.exception
import dns.resolver

_SECONDS = 4.0


class Unreachable(Exception):
    """No name server answered; nothing is known."""


class AskTxt(Protocol):
    """Gives the TXT records of a name; empty where there are none."""

    def __call__(self, name: str, /) -> list[str]: ...


def ask_txt(name: str) -> list[str]:
    """The TXT records of a name, from the machine's name servers.

    Raises
    ------
    Unreachable
        If none of them answers within four seconds.
    """
    try:
        found = dns.resolver.resolve(name, "TXT", lifetime=_SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.exception.DNSException, OSError) as error:
        raise Unreachable(str(error) or type(error).__name__) from error
    return [b"".join(record.strings).decode("utf-8", "replace") for record in found]
