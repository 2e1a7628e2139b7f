"""``lingxi.toml`` and the environment become frozen settings.

An environment variable ``LINGXI_<SECTION>_<FIELD>`` goes before the file.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_origin, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lingxi.config.collect import CollectSettings as CollectSettings
from lingxi.config.collect import KafkaSettings as KafkaSettings
from lingxi.config.collect import check_queue
from lingxi.config.mail import MailSettings as MailSettings
from lingxi.config.mail import check_mail
from lingxi.config.messages import ChannelSettings as ChannelSettings
from lingxi.config.messages import MessagingSettings as MessagingSettings
from lingxi.config.recommend import RecommendSettings as RecommendSettings
from lingxi.config.recommend import check_recommend
from lingxi.errors import InvalidSetting, ShopNotFound, did_you_mean

CONFIG_FILE = "lingxi.toml"
_TABLE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


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
    requests_per_minute: int = 600
    """Limit for one API key or one login session; 0 switches it off."""
    recommendation_memory_mb: int = 64
    """The most that is remembered of customers who asked lately; 0 works everything out anew."""


@dataclass(frozen=True)
class WatchSettings:
    """A folder whose files come in by themselves while the server runs."""

    folder: str = ""
    """The folder, from the shop's own; empty watches none."""
    settle_seconds: float = 5.0
    """A file is whole when its size and time have not changed for so long."""
    look_seconds: float = 2.0
    """How often the folder is looked at."""


@dataclass(frozen=True)
class PullSettings:
    """A source that is pulled from, under a name of its own: [pull.crm].

    Further entries are options of its kind; one that is secret stands in the environment:
    LINGXI_PULL_CRM_TOKEN."""

    kind: str = ""
    """What it is: folder, http, kafka, or a kind that a plug-in brings."""
    every_seconds: float = 60.0
    """How often the server pulls from it."""
    size: int = 500
    """Messages pulled at once."""
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Everything else that stands in its table."""


@dataclass(frozen=True)
class WorkSettings:
    """The standing work: segments, journeys, sending."""

    processes: int = 1
    """Workers that ``lingxi serve`` starts beside itself; 0 leaves the work to ``lingxi work``."""


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


@dataclass(frozen=True)
class LearningSettings:
    """How models are fitted."""

    seed: int = 7
    """Seed of everything random in training."""
    horizon_days: int = 0
    """Churn horizon; 0 learns it from the shop's own gaps between orders."""
    list_length: int = 10
    """Recommendations made for each customer in a plan."""
    recommender_seconds: float = 300.0
    """Seconds for choosing and fitting the recommender; with fewer, fewer models are tried."""
    keep_versions: int = 5
    """Versions of each model kept for rollback."""


@dataclass(frozen=True)
class PolicySettings:
    """What the plan reckons with."""

    delivery_cost_cents: int = 395
    """What one delivery costs the shop, in minor units: the cost of free shipping."""


@dataclass(frozen=True)
class GorseSettings:
    """What the feedback types of Gorse mean; ``rating>=4`` is a type with a threshold of value."""

    order: tuple[str, ...] = ("purchase", "purchased", "buy", "order")
    """Types that are an order of the item: the strongest sign of interest."""
    cart: tuple[str, ...] = ("cart", "add_to_cart", "addtocart", "add-to-cart")
    """Types that put the item into a cart."""
    wish: tuple[str, ...] = ("like", "star", "favorite", "favourite", "wishlist", "collect", "fork")
    """Types that say the item is liked; they count as much as a cart."""
    shown: tuple[str, ...] = ("impression", "exposure", "seen")
    """Types that say the item was shown: it is not recommended again, and teaches nothing."""
    other: str = "view"
    """What other types are, ``read`` and ``click`` among them: order, cart, wish, view, shown."""


@dataclass(frozen=True)
class Settings:
    """All settings of one shop; ``folder`` is where ``lingxi.toml`` lies."""

    folder: Path
    shop: ShopSettings = field(default_factory=ShopSettings)
    store: StoreSettings = field(default_factory=StoreSettings)
    server: ServerSettings = field(default_factory=ServerSettings)
    collect: CollectSettings = field(default_factory=CollectSettings)
    kafka: KafkaSettings = field(default_factory=KafkaSettings)
    watch: WatchSettings = field(default_factory=WatchSettings)
    pull: Mapping[str, PullSettings] = field(default_factory=dict)
    work: WorkSettings = field(default_factory=WorkSettings)
    consent: ConsentSettings = field(default_factory=ConsentSettings)
    identity: IdentitySettings = field(default_factory=IdentitySettings)
    cleaning: CleaningSettings = field(default_factory=CleaningSettings)
    learning: LearningSettings = field(default_factory=LearningSettings)
    recommend: RecommendSettings = field(default_factory=RecommendSettings)
    policy: PolicySettings = field(default_factory=PolicySettings)
    mail: MailSettings = field(default_factory=MailSettings)
    gorse: GorseSettings = field(default_factory=GorseSettings)
    messaging: MessagingSettings = field(default_factory=MessagingSettings)
    channel: Mapping[str, ChannelSettings] = field(default_factory=dict)

    @property
    def database_url(self) -> str:
        """The address of the state database, the default filled in."""
        return self.store.url or f"sqlite:///{self.folder / 'data' / 'state.sqlite'}"

    @property
    def zone(self) -> ZoneInfo:
        """The shop's time zone."""
        return ZoneInfo(self.shop.timezone)


_SECTIONS: dict[str, type] = {
    "shop": ShopSettings,
    "store": StoreSettings,
    "server": ServerSettings,
    "collect": CollectSettings,
    "kafka": KafkaSettings,
    "watch": WatchSettings,
    "work": WorkSettings,
    "consent": ConsentSettings,
    "identity": IdentitySettings,
    "cleaning": CleaningSettings,
    "learning": LearningSettings,
    "recommend": RecommendSettings,
    "policy": PolicySettings,
    "mail": MailSettings,
    "gorse": GorseSettings,
    "messaging": MessagingSettings,
}


def load_settings(folder: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of the shop in ``folder``.

    Raises
    ------
    ShopNotFound
        If there is no ``lingxi.toml``.
    InvalidSetting
        If the file is not TOML, a name is unknown or a value is of the wrong kind.
    """
    path = folder / CONFIG_FILE
    if not path.is_file():
        raise ShopNotFound(
            f"There is no shop in {folder}. Run 'lingxi init {folder}' to make one, "
            "or name its folder with --shop."
        )
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidSetting(f"{path} is not valid TOML: {error}.") from error
    env = os.environ if environ is None else environ
    pulls = _read_named(path, "pull", "pull.crm", PullSettings, raw.pop("pull", {}), env)
    channels = _read_named(
        path, "channel", "channel.sms", ChannelSettings, raw.pop("channel", {}), env
    )
    for name in raw:
        if name not in _SECTIONS:
            raise InvalidSetting(
                f"{path}: unknown section [{name}]{did_you_mean(name, _SECTIONS)}."
            )
    parts = {
        name: _read_section(path, name, kind, raw.get(name, {}), env)
        for name, kind in _SECTIONS.items()
    }
    settings = Settings(folder=folder.resolve(), pull=pulls, channel=channels, **parts)
    _check(settings, path)
    return settings


def _read_section(
    path: Path, name: str, kind: type, raw: object, env: Mapping[str, str]
) -> Any:  # the caller's mapping gives each section its own type
    if not isinstance(raw, dict):
        raise InvalidSetting(f"{path}: [{name}] must be a table, not {type(raw).__name__}.")
    hints = get_type_hints(kind)
    known = {f.name for f in fields(kind)}
    values: dict[str, object] = {}
    for key, value in raw.items():
        if key not in known:
            raise InvalidSetting(f"{path}: unknown setting {name}.{key}{did_you_mean(key, known)}.")
        values[key] = _convert(f"{path}: {name}.{key}", hints[key], value)
    for key in known:
        variable = f"LINGXI_{name}_{key}".upper()
        if variable in env:
            values[key] = _convert(variable, hints[key], env[variable])
    return kind(**values)


def _read_named(
    path: Path, section: str, example: str, kind: type, raw: object, env: Mapping[str, str]
) -> dict[str, Any]:  # the caller says which kind it is
    """The tables ``[section.NAME]``; what is no field of ``kind`` is an option."""
    if not isinstance(raw, dict) or not all(isinstance(table, dict) for table in raw.values()):
        raise InvalidSetting(f"{path}: [{section}] holds tables of their own: [{example}].")
    own = {each.name for each in fields(kind)} - {"options"}
    found = {}
    for name, table in raw.items():
        if not _TABLE_NAME.fullmatch(name):
            raise InvalidSetting(
                f"{path}: [{section}.{name}]: write a name of small letters, digits, _ and - ."
            )
        prefix = f"LINGXI_{section}_{name}_".upper().replace("-", "_")
        said = {k.removeprefix(prefix).lower(): v for k, v in env.items() if k.startswith(prefix)}
        values = {**table, **said}
        options = {key: str(value) for key, value in values.items() if key not in own}
        fields_ = {key: value for key, value in values.items() if key in own}
        read = _read_section(path, f"{section}.{name}", kind, fields_, {})
        found[name] = replace(read, options=options)
    return found


def _check_named(settings: Settings, path: Path) -> None:
    for name, pull in settings.pull.items():
        if pull.every_seconds <= 0 or not 1 <= pull.size <= 10_000 or not pull.kind:
            raise InvalidSetting(
                f"{path}: [pull.{name}] needs a kind, every_seconds above 0 and a size between 1 "
                "and 10,000."
            )
    for name, channel in settings.channel.items():
        if not channel.kind:
            raise InvalidSetting(
                f"{path}: [channel.{name}] needs a kind: webhook, push, or a plug-in's."
            )
    sending = settings.messaging
    if not (1 <= sending.batch <= 1000 and 1 <= sending.deliveries <= 200):
        raise InvalidSetting(
            f"{path}: messaging.batch is between 1 and 1,000, messaging.deliveries between 1 and "
            "200."
        )
    if min(sending.lease_seconds, sending.retry_seconds, sending.render_seconds) <= 0:
        raise InvalidSetting(
            f"{path}: messaging.lease_seconds, retry_seconds and render_seconds must be above 0."
        )


def _convert(where: str, kind: type, value: object) -> object:
    if kind is bool:
        if isinstance(value, bool):
            return value
        if str(value).lower() in ("1", "true", "yes", "on"):
            return True
        if str(value).lower() in ("0", "false", "no", "off"):
            return False
    elif get_origin(kind) is tuple:
        texts = value.split(",") if isinstance(value, str) else value
        if isinstance(texts, list) and all(isinstance(text, str) for text in texts):
            return tuple(text.strip() for text in texts if text.strip())
        raise InvalidSetting(f"{where} must be a list of texts, but is {value!r}.")
    elif not isinstance(value, bool):
        try:
            if kind is str and isinstance(value, str):
                return value
            if kind in (int, float) and isinstance(value, int | float | str):
                return kind(value)
        except ValueError:
            pass
    raise InvalidSetting(f"{where} must be {kind.__name__}, but is {value!r}.")


def _check(settings: Settings, path: Path) -> None:
    try:
        ZoneInfo(settings.shop.timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidSetting(
            f"{path}: shop.timezone {settings.shop.timezone!r} is not an IANA time zone; "
            "write one such as 'Europe/London'."
        ) from error
    currency = settings.shop.currency
    if len(currency) != 3 or not currency.isascii() or not currency.isupper():
        raise InvalidSetting(
            f"{path}: shop.currency must be three capital letters such as 'GBP', not {currency!r}."
        )
    if settings.shop.language not in ("en", "zh"):
        raise InvalidSetting(f"{path}: shop.language must be 'en' or 'zh'.")
    if settings.store.analytics not in ("duckdb", "spark"):
        raise InvalidSetting(f"{path}: store.analytics must be 'duckdb' or 'spark'.")
    check_queue(settings.collect, settings.kafka, path)
    for purpose in fields(settings.consent):
        if getattr(settings.consent, purpose.name) not in ("assumed", "required"):
            raise InvalidSetting(f"{path}: consent.{purpose.name} must be 'assumed' or 'required'.")
    if settings.gorse.other not in ("order", "cart", "wish", "view", "shown"):
        raise InvalidSetting(f"{path}: gorse.other must be order, cart, wish, view or shown.")
    if settings.watch.settle_seconds < 0 or settings.watch.look_seconds <= 0:
        raise InvalidSetting(
            f"{path}: watch.settle_seconds must not be below 0, and look_seconds must be above 0."
        )
    if not 0 <= settings.work.processes <= 64:
        raise InvalidSetting(f"{path}: work.processes must be between 0 and 64.")
    check_mail(settings.mail, path)
    check_recommend(settings.recommend, path)
    if not 1 <= settings.server.port <= 65535:
        raise InvalidSetting(f"{path}: server.port must be between 1 and 65535.")
    _check_named(settings, path)
