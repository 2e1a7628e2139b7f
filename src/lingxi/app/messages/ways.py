"""The channels that a shop's settings describe."""

from typing import TYPE_CHECKING

from lingxi.errors import InvalidSetting, did_you_mean
from lingxi.messaging.channels.channel import Channel
from lingxi.messaging.channels.onsite import OnSiteChannel
from lingxi.messaging.channels.web_push import PushChannel, open_push
from lingxi.messaging.channels.webhook import open_webhook
from lingxi.messaging.email import open_email
from lingxi.messaging.nouns import EMAIL, ON_SITE

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

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
    for name, settings in shop.settings.channel.items():
        if name in found:
            raise InvalidSetting(f"[channel.{name}]: this channel is there without a table.")
        if settings.kind == "push":
            found[name] = open_push(name, settings, shop.settings.folder, shop.clock)
        elif settings.kind == "webhook":
            found[name] = open_webhook(name, settings, shop.clock)
        else:
            raise InvalidSetting(
                f"[channel.{name}]: there is no kind {settings.kind!r}"
                f"{did_you_mean(settings.kind, _KINDS)}; write webhook or push."
            )
    return found


def find_push_key(shop: "Shop") -> str:
    """What a browser needs to subscribe to web push; empty where it is not set up."""
    settings = shop.settings.channel.get("push")
    if settings is None or settings.kind != "push":
        return ""
    channel: PushChannel = open_push("push", settings, shop.settings.folder, shop.clock)
    return channel.key.public
