"""Settings of messages: limits, quiet hours, retries; and of the channels that carry them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lingxi.errors import InvalidSetting


@dataclass(frozen=True)
class MessagingSettings:
    """How messages are sent, and how often a customer may be written to.

    Limits, quiet hours and holidays hold for marketing messages, by the customer's own clock: the
    trait ``timezone``, else the shop's.
    """

    caps: tuple[str, ...] = ("all 2/day", "all 6/week", "channel:sms 2/week")
    """Limits for one customer: all 2/day, channel:email 4/week, category:news 1/week. What the site
    shows and webhooks do not count in all."""
    quiet_hours: str = "21:00-08:00"
    """Local hours in which nobody is disturbed; messages wait for their end. Empty: none."""
    quiet_channels: tuple[str, ...] = ("email", "sms", "push", "app_push", "wechat")
    """Channels that keep quiet hours and holidays."""
    holidays: tuple[str, ...] = ()
    """Days on which nobody is disturbed: 2026-12-25, or 12-25 for every year."""
    give_up_hours: float = 72.0
    """A message that names no end is given up so long after it was to be sent."""
    retry_seconds: float = 60.0
    """Pause before the second try; it doubles from try to try."""
    longest_retry_seconds: float = 14400.0
    """The longest pause between two tries."""
    batch: int = 100
    """Messages that one worker takes at a time."""
    deliveries: int = 8
    """Messages that one worker delivers at the same time."""
    lease_seconds: float = 120.0
    """A worker that is not heard of for so long has lost its messages to the others."""
    render_seconds: float = 0.5
    """The most time of the processor that making the text of one message may take."""


@dataclass(frozen=True)
class ChannelSettings:
    """A way to reach customers, under a name of its own: [channel.sms].

    Further entries are options of its kind; one that is secret stands in the environment:
    LINGXI_CHANNEL_SMS_SECRET."""

    kind: str = ""
    """What it is: webhook, push, or a kind that a plug-in brings."""
    address_trait: str = ""
    """The customer's trait that holds the address: phone, push_subscription, wechat_openid."""
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Everything else that stands in its table."""


def check_messages(
    sending: MessagingSettings, channels: Mapping[str, ChannelSettings], path: Path
) -> None:
    """Refuse numbers that nothing can be sent with, and channels of no kind.

    Raises
    ------
    InvalidSetting
    """
    for name, channel in channels.items():
        if not channel.kind:
            raise InvalidSetting(
                f"{path}: [channel.{name}] needs a kind: webhook, push, or a plug-in's."
            )
    if not (1 <= sending.batch <= 1000 and 1 <= sending.deliveries <= 200):
        raise InvalidSetting(
            f"{path}: messaging.batch is between 1 and 1,000, messaging.deliveries between 1 and "
            "200."
        )
    if min(sending.lease_seconds, sending.retry_seconds, sending.render_seconds) <= 0:
        raise InvalidSetting(
            f"{path}: messaging.lease_seconds, retry_seconds and render_seconds must be above 0."
        )
