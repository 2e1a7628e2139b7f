"""The webhook: a signed POST to an address of the shop, or of an adapter for SMS, WeChat, apps."""

import msgspec

from lingxi.clock import Clock
from lingxi.config import ChannelSettings
from lingxi.errors import InvalidInput, InvalidSetting
from lingxi.messaging.channels.post import Answer, NotSent, Target, post, read_target
from lingxi.messaging.channels.signing import sign_body
from lingxi.messaging.nouns import (
    SMS,
    WEBHOOK,
    Accepted,
    Deferred,
    Failed,
    Outcome,
    Parcel,
    Unclear,
)

_NOT_NOW = (408, 425, 429, 503)
_LONGEST_SECRET = 256


class _Reply(msgspec.Struct):
    """What an adapter may say beside its status."""

    reference: str = ""
    reason: str = ""
    suppress: bool = False


class WebhookChannel:
    """Posts messages to one address, signed; see docs/messaging.md for both sides of it.

    Answers 2xx take the message over; 408, 425, 429 and 503 say not now; other 4xx and 3xx never;
    any other 5xx, like no answer, leaves it open whether the message was taken over.
    """

    def __init__(
        self,
        name: str,
        target: Target | None,
        secret: str,
        clock: Clock,
        *,
        address_trait: str = "",
        timeout_seconds: float = 10.0,
    ) -> None:
        self.name = name
        self.address_trait = address_trait
        self._target = target
        self._secret = secret
        self._clock = clock
        self._timeout = timeout_seconds

    def deliver(self, parcel: Parcel) -> Outcome:
        """Post the message once."""
        try:
            target = self._find_target(parcel)
        except InvalidInput as error:
            return Failed("no_url", str(error))
        now = self._clock.now()
        body = msgspec.json.encode(
            {
                "id": parcel.message_id,
                "attempt": parcel.attempt,
                "channel": self.name,
                "category": parcel.category,
                "class": parcel.message_class,
                "to": parcel.recipient,
                "content": parcel.content,
                "unsubscribe_url": parcel.unsubscribe_url,
                "sent_at": now,
            }
        )
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Lingxi",
            "Idempotency-Key": parcel.message_id,
            **sign_body(self._secret, body, now),
        }
        return self._judge(post(target, headers, body, timeout=self._timeout))

    def close(self) -> None:
        """Nothing is held."""

    def _find_target(self, parcel: Parcel) -> Target:
        """Where it goes: the message's own address on the channel ``webhook``, else the table's."""
        if self.name == WEBHOOK and parcel.content.url:
            return read_target(parcel.content.url, "url")
        if self._target is None:
            raise InvalidInput("Neither the message nor [channel.webhook] names an address.")
        return self._target

    @staticmethod
    def _judge(answer: object) -> Outcome:
        if isinstance(answer, NotSent):
            return Deferred(0.0, "unreachable", answer.detail)
        if not isinstance(answer, Answer):
            return Unclear("no_answer", getattr(answer, "detail", ""))
        reply = _read_reply(answer.body)
        detail = f"HTTP {answer.status} {reply.reason}".strip()
        if 200 <= answer.status < 300:
            return Accepted(reply.reference)
        if answer.status in _NOT_NOW:
            return Deferred(answer.retry_after, f"http_{answer.status}", detail)
        if answer.status >= 500:
            return Unclear(f"http_{answer.status}", detail)
        return Failed(f"http_{answer.status}", detail, suppress=reply.suppress)


def open_webhook(
    name: str, settings: ChannelSettings, clock: Clock, *, own_secret: str = ""
) -> WebhookChannel:
    """The channel of a table ``[channel.NAME]`` of kind webhook.

    ``own_secret`` signs where the table names none; on the channel ``webhook`` the address may be
    left out: then each message names its own.

    Raises
    ------
    InvalidSetting
        If its address, secret or timeout cannot be used.
    """
    options = dict(settings.options)
    secret = options.pop("secret", "") or own_secret
    url = options.pop("url", "")
    timeout = options.pop("timeout_seconds", "10")
    try:
        open_end = name == WEBHOOK and not url
        target = None if open_end else read_target(url, f"channel.{name}.url")
    except InvalidInput as error:
        raise InvalidSetting(str(error)) from error
    if not 16 <= len(secret) <= _LONGEST_SECRET:
        raise InvalidSetting(
            f"channel.{name}.secret must have 16 to {_LONGEST_SECRET} characters; put it into "
            f"LINGXI_CHANNEL_{name.upper().replace('-', '_')}_SECRET."
        )
    if options:
        raise InvalidSetting(f"channel.{name}: unknown setting {next(iter(options))}.")
    try:
        seconds = float(timeout)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 60:
        raise InvalidSetting(f"channel.{name}.timeout_seconds must be above 0 and at most 60.")
    usual = {WEBHOOK: "", SMS: "phone"}.get(name, name)
    return WebhookChannel(
        name,
        target,
        secret,
        clock,
        address_trait=settings.address_trait or usual,
        timeout_seconds=seconds,
    )


def _read_reply(body: bytes) -> _Reply:
    try:
        return msgspec.json.decode(body, type=_Reply)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _Reply()
