"""``lingxi.toml`` and the environment become frozen settings.

An environment variable ``LINGXI_<SECTION>_<FIELD>`` goes before the file.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from lingxi.config.collect import CollectSettings as CollectSettings
from lingxi.config.collect import KafkaSettings as KafkaSettings
from lingxi.config.collect import check_queue
from lingxi.config.learning import LearningSettings as LearningSettings
from lingxi.config.learning import PolicySettings as PolicySettings
from lingxi.config.mail import MailSettings as MailSettings
from lingxi.config.mail import check_mail
from lingxi.config.messages import ChannelSettings as ChannelSettings
from lingxi.config.messages import MessagingSettings as MessagingSettings
from lingxi.config.messages import check_messages
from lingxi.config.people import CleaningSettings as CleaningSettings
from lingxi.config.people import ConsentSettings as ConsentSettings
from lingxi.config.people import IdentitySettings as IdentitySettings
from lingxi.config.people import check_consent
from lingxi.config.reading import read_named, read_section
from lingxi.config.recommend import RecommendSettings as RecommendSettings
from lingxi.config.recommend import check_recommend
from lingxi.config.shop import ServerSettings as ServerSettings
from lingxi.config.shop import ShopSettings as ShopSettings
from lingxi.config.shop import StoreSettings as StoreSettings
from lingxi.config.shop import WorkSettings as WorkSettings
from lingxi.config.shop import check_service, check_shop
from lingxi.config.sources import GorseSettings as GorseSettings
from lingxi.config.sources import PullSettings as PullSettings
from lingxi.config.sources import WatchSettings as WatchSettings
from lingxi.config.sources import check_sources
from lingxi.errors import InvalidSetting, ShopNotFound, did_you_mean

CONFIG_FILE = "lingxi.toml"


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
    pulls = read_named(path, "pull", "pull.crm", PullSettings, raw.pop("pull", {}), env)
    channels = read_named(
        path, "channel", "channel.sms", ChannelSettings, raw.pop("channel", {}), env
    )
    for name in raw:
        if name not in _SECTIONS:
            raise InvalidSetting(
                f"{path}: unknown section [{name}]{did_you_mean(name, _SECTIONS)}."
            )
    parts = {
        name: read_section(path, name, kind, raw.get(name, {}), env)
        for name, kind in _SECTIONS.items()
    }
    settings = Settings(folder=folder.resolve(), pull=pulls, channel=channels, **parts)
    _check(settings, path)
    return settings


def _check(settings: Settings, path: Path) -> None:
    check_shop(settings.shop, path)
    check_service(settings.store, settings.server, settings.work, path)
    check_queue(settings.collect, settings.kafka, path)
    check_consent(settings.consent, path)
    check_sources(settings.watch, settings.pull, settings.gorse, path)
    check_mail(settings.mail, path)
    check_recommend(settings.recommend, path)
    check_messages(settings.messaging, settings.channel, path)
