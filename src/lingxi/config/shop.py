"""What the shop is, where its data lies, how it is served and who does its standing work."""

from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lingxi.errors import InvalidSetting


@dataclass(frozen=True)
class ShopSettings:
    """What the shop is."""

    name: str = "My shop"
    """Shown on every page."""
    currency: str = "GBP"
    """Reporting currency, ISO 4217."""
    timezone: str = "UTC"
    """IANA time zone of the shop: days begin here."""
    language: str = "en"
    """Language of the dashboard before a user chooses: en or zh."""
    url: str = ""
    """Where customers find the shop: https://shop.example."""
    calling_code: str = ""
    """Calling code of the shop's country (44, 86): phone numbers that name no country are its."""


@dataclass(frozen=True)
class StoreSettings:
    """Where the data lies."""

    url: str = field(default="", repr=False)
    """Address of the state database, postgresql://...; empty means SQLite in the shop's folder."""
    analytics: str = "duckdb"
    """Engine of the analytics: duckdb or spark."""
    lock_timeout_seconds: float = 30.0
    """How long a writer waits for the lock before it gives up."""


@dataclass(frozen=True)
class ServerSettings:
    """How the dashboard and the API are served."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 8787
    """Port to listen on."""
    session_hours: int = 12
    """A login ends after this long without use."""
    secure_cookies: bool = False
    """Send cookies over HTTPS only; switch on behind a TLS proxy."""
    requests_per_minute: int = 60_000
    """Limit for one API key or one login session; 0 switches it off."""
    recommendation_memory_mb: int = 64
    """The most that is remembered of customers who asked lately; 0 works everything out anew."""
    history_memory_mb: int = 32
    """The most that is kept of histories that were read, until their next event; 0 keeps none."""


@dataclass(frozen=True)
class WorkSettings:
    """The standing work: segments, journeys, sending."""

    processes: int = 1
    """Workers that ``lingxi serve`` starts beside itself; 0 leaves the work to ``lingxi work``."""


def check_shop(shop: ShopSettings, path: Path) -> None:
    """Refuse a shop of nowhere.

    Raises
    ------
    InvalidSetting
    """
    try:
        ZoneInfo(shop.timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidSetting(
            f"{path}: shop.timezone {shop.timezone!r} is not an IANA time zone; "
            "write one such as 'Europe/London'."
        ) from error
    currency = shop.currency
    if len(currency) != 3 or not currency.isascii() or not currency.isupper():
        raise InvalidSetting(
            f"{path}: shop.currency must be three capital letters such as 'GBP', not {currency!r}."
        )
    if shop.language not in ("en", "zh"):
        raise InvalidSetting(f"{path}: shop.language must be 'en' or 'zh'.")


def check_service(
    store: StoreSettings, server: ServerSettings, work: WorkSettings, path: Path
) -> None:
    """Refuse what the shop cannot be run with.

    Raises
    ------
    InvalidSetting
    """
    if store.analytics not in ("duckdb", "spark"):
        raise InvalidSetting(f"{path}: store.analytics must be 'duckdb' or 'spark'.")
    if not 0 <= work.processes <= 64:
        raise InvalidSetting(f"{path}: work.processes must be between 0 and 64.")
    if not 1 <= server.port <= 65535:
        raise InvalidSetting(f"{path}: server.port must be between 1 and 65535.")
