"""Whom data is about: what customers allow, how many names one has, and who is no customer."""

from dataclasses import dataclass, fields
from pathlib import Path

from lingxi.errors import InvalidSetting


@dataclass(frozen=True)
class ConsentSettings:
    """What holds for customers who have said nothing: assumed or required, by purpose."""

    marketing: str = "assumed"
    """Messages that advertise."""
    personalisation: str = "assumed"
    """Recommendations made from the customer's own history."""
    analytics: str = "assumed"
    """Training models on the customer's events, and scoring them."""


@dataclass(frozen=True)
class IdentitySettings:
    """How many identifiers of a kind one customer may have; a merge beyond it is refused."""

    emails: int = 5
    """E-mail addresses of one customer."""
    phones: int = 5
    """Phone numbers of one customer."""
    externals: int = 5
    """Ids of one customer in each other system."""
    systems: int = 20
    """Other systems in which one customer may have ids."""
    browsers: int = 5
    """Browsers and devices of one customer that were first seen within ``browser_days``."""
    browser_days: int = 7
    """Length of the window of ``browsers``, in days."""


@dataclass(frozen=True)
class CleaningSettings:
    """Which messages of the collector are the shop's own staff and tests."""

    internal_agents: tuple[str, ...] = ()
    """Texts in a browser's name that mark internal traffic, in any case."""
    internal_addresses: tuple[str, ...] = ()
    """Internet addresses or networks of the shop's own offices: 203.0.113.0/24."""
    internal_domains: tuple[str, ...] = ()
    """E-mail domains of the shop's own staff."""


def check_consent(consent: ConsentSettings, path: Path) -> None:
    """Refuse a word that says neither yes nor no.

    Raises
    ------
    InvalidSetting
    """
    for purpose in fields(consent):
        if getattr(consent, purpose.name) not in ("assumed", "required"):
            raise InvalidSetting(f"{path}: consent.{purpose.name} must be 'assumed' or 'required'.")
