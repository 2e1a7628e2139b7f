"""The channels that a shop's settings describe."""

from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from lingxi.config import ChannelSettings
from lingxi.errors import InvalidSetting, did_you_mean
from lingxi.messaging.channels.channel import Channel
from lingxi.messaging.channels.onsite import OnSiteChannel
from lingxi.messaging.channels.web_push import PushChannel, open_push
from lingxi.messaging.channels.webhook import open_webhook
from lingxi.messaging.email import open_email
from lingxi.messaging.nouns import EMAIL, ON_SITE, WEBHOOK

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

GROUP = "lingxi.channels"
"""The group of entry points under which a plug-in names what makes its channel."""
_KINDS = ("webhook", "push")


def open_channels(shop: "Shop") -> dict[str, Channel]:
    """Every channel of the shop by name: e-mail, the site, and those of tables [channel.NAME].

    Raises
    ------
    InvalidSetting
        If one of them cannot be used as it is set up.
    """
    found: dict[str, Channel] = {
        EMAIL: open_email(shop.settings, shop.store.keyring, shop.clock),
        ON_SITE: OnSiteChannel(shop.store),
    }
    tables = {WEBHOOK: ChannelSettings(kind="webhook"), **shop.settings.channel}
    for name, settings in tables.items():
        if name in found:
            raise InvalidSetting(f"[channel.{name}]: this channel is there without a table.")
        if settings.kind == "push":
            found[name] = open_push(name, settings, shop.settings.folder, shop.clock)
        elif settings.kind == "webhook":
            own = find_secret(shop) if name == WEBHOOK else ""
            found[name] = open_webhook(name, settings, shop.clock, own_secret=own)
        else:
            found[name] = _open_plugin(name, settings)
    return found


def _open_plugin(name: str, settings: ChannelSettings) -> Channel:
    """A channel that a package brings, made from the options of its table."""
    points = entry_points(group=GROUP)
    known = [*_KINDS, *(point.name for point in points)]
    for point in points:
        if point.name == settings.kind:
            try:
                made: Channel = point.load()(**settings.options)
            except Exception as error:
                raise InvalidSetting(
                    f"[channel.{name}]: the plug-in of kind {settings.kind!r} ({point.value}) "
                    f"cannot be used: {error}."
                ) from error
            return made
    raise InvalidSetting(
        f"[channel.{name}]: there is no kind {settings.kind!r}"
        f"{did_you_mean(settings.kind, known)}. Kinds are: {', '.join(known)}."
    )


def find_secret(shop: "Shop") -> str:
    """What calls of the channel webhook are signed with, where the settings name nothing else."""
    return shop.store.keyring.derive("webhooks").hex()


def find_push_key(shop: "Shop") -> str:
    """What a browser needs to subscribe to web push; empty where it is not set up."""
    settings = shop.settings.channel.get("push")
    if settings is None or settings.kind != "push":
        return ""
    channel: PushChannel = open_push("push", settings, shop.settings.folder, shop.clock)
    return channel.key.public
