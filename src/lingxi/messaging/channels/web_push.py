"""Web push: an encrypted message (RFC 8291) to a browser's push service, signed (RFC 8292)."""

import os
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import http_ece
import msgspec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from lingxi.clock import Clock
from lingxi.config import ChannelSettings
from lingxi.errors import InvalidInput, InvalidSetting
from lingxi.messaging.channels.post import Answer, NotSent, Target, post, read_target
from lingxi.messaging.nouns import (
    PUSH,
    Accepted,
    Deferred,
    Failed,
    Outcome,
    Parcel,
    Unclear,
)

KEY_FILE = "vapid.pem"
_LARGEST = 3_000
_MOST_DEVICES = 10
_TTL_SECONDS = 86_400
_TOKEN_HOURS = 12


class _Keys(msgspec.Struct, frozen=True):
    p256dh: str
    auth: str


class Subscription(msgspec.Struct, frozen=True):
    """What ``PushManager.subscribe`` of a browser gives, as JSON."""

    endpoint: str
    keys: _Keys


def read_subscriptions(text: str) -> Sequence[Subscription]:
    """The subscriptions of a customer's trait: one, or a list of them, the last ten.

    Raises
    ------
    InvalidInput
        If it is no subscription.
    """
    try:
        found = msgspec.json.decode(text, type=Subscription | list[Subscription])
    except msgspec.MsgspecError as error:
        raise InvalidInput(f"It is no push subscription: {error}.") from error
    listed = found if isinstance(found, list) else [found]
    if not listed:
        raise InvalidInput("It names no push subscription.")
    return listed[-_MOST_DEVICES:]


class VapidKey:
    """The shop's own key for push services: made once, known to every browser that subscribed."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, contact: str) -> None:
        self._key = key
        self._contact = contact

    @classmethod
    def open(cls, folder: Path, contact: str) -> "VapidKey":
        """The key of a folder, made there where there is none yet.

        Raises
        ------
        InvalidSetting
            If the file holds no such key.
        """
        path = folder / KEY_FILE
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except FileNotFoundError:
            key = _make_key(path)
        except (OSError, ValueError) as error:
            raise InvalidSetting(f"{path} cannot be read as a key: {error}.") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise InvalidSetting(f"{path} is not a key on the curve P-256.")
        return cls(key, contact)

    @property
    def public(self) -> str:
        """What browsers subscribe with (``applicationServerKey``), base64url."""
        return _encode(
            self._key.public_key().public_bytes(
                serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
            )
        )

    def authorize(self, target: Target, until: float) -> str:
        """The header ``Authorization`` for a push service, good until a moment (Unix seconds)."""
        host = target.host if target.port == 443 else f"{target.host}:{target.port}"
        head = _encode(msgspec.json.encode({"typ": "JWT", "alg": "ES256"}))
        claims = {"aud": f"{target.scheme}://{host}", "exp": int(until), "sub": self._contact}
        signed = f"{head}.{_encode(msgspec.json.encode(claims))}"
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        signature = _encode(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
        return f"vapid t={signed}.{signature}, k={self.public}"


class PushChannel:
    """Web push to every browser of a customer; accepted where one of them was reached."""

    name = PUSH

    def __init__(
        self,
        key: VapidKey,
        clock: Clock,
        *,
        address_trait: str = "push_subscription",
        timeout_seconds: float = 10.0,
        public_only: bool = True,
    ) -> None:
        self.key = key
        self.address_trait = address_trait
        self._clock = clock
        self._timeout = timeout_seconds
        self._public_only = public_only

    def deliver(self, parcel: Parcel) -> Outcome:
        """Encrypt and post the message for each of the customer's browsers."""
        try:
            subscriptions = read_subscriptions(parcel.recipient.address)
        except InvalidInput as error:
            return Failed("no_subscription", str(error), suppress=True)
        content = parcel.content
        body = msgspec.json.encode(
            {
                "id": parcel.message_id,
                "title": content.title or content.subject,
                "body": content.body or content.text,
                "url": content.url,
                "data": content.data,
            }
        )
        if len(body) > _LARGEST:
            return Failed("too_large", f"{len(body)} bytes; at most {_LARGEST} are carried")
        outcomes = [self._post(parcel, each, body) for each in subscriptions]
        return _choose(outcomes)

    def close(self) -> None:
        """Nothing is held."""

    def _post(self, parcel: Parcel, subscription: Subscription, body: bytes) -> Outcome:
        try:
            target = read_target(subscription.endpoint, "the subscription's endpoint")
            if target.scheme != "https" and self._public_only:
                raise InvalidInput("The subscription's endpoint is not https.")
            sealed = encrypt(subscription, body)
        except (InvalidInput, ValueError, http_ece.ECEException) as error:
            return Failed("no_subscription", str(error)[:200], suppress=True)
        until = self._clock.now() + timedelta(hours=_TOKEN_HOURS)
        headers = {
            "Authorization": self.key.authorize(target, until.timestamp()),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(_TTL_SECONDS),
            "Topic": parcel.message_id,  # a repetition takes the first one's place
            "Urgency": "normal",
        }
        answer = post(target, headers, sealed, timeout=self._timeout, public_only=self._public_only)
        if isinstance(answer, NotSent):
            return Deferred(0.0, "unreachable", answer.detail)
        if not isinstance(answer, Answer):
            return Unclear("no_answer", answer.detail)
        return _judge(answer)


def encrypt(subscription: Subscription, body: bytes) -> bytes:
    """The body for one browser alone (RFC 8291), under a key made for this once."""
    return http_ece.encrypt(
        body,
        salt=os.urandom(16),
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=_decode(subscription.keys.p256dh),
        auth_secret=_decode(subscription.keys.auth),
        version="aes128gcm",
    )


def open_push(name: str, settings: ChannelSettings, folder: Path, clock: Clock) -> PushChannel:
    """The channel of a table ``[channel.push]`` of kind push.

    Raises
    ------
    InvalidSetting
        If its contact cannot be used or its key cannot be read.
    """
    options = dict(settings.options)
    contact = options.pop("contact", "")
    if name != PUSH:
        raise InvalidSetting(f"[channel.{name}]: a channel of kind push is called push.")
    if not contact.startswith(("mailto:", "https://")):
        raise InvalidSetting(
            "channel.push.contact must say whom a push service may write to: mailto:you@shop."
        )
    if options:
        raise InvalidSetting(f"channel.{name}: unknown setting {next(iter(options))}.")
    return PushChannel(
        VapidKey.open(folder / "keys", contact),
        clock,
        address_trait=settings.address_trait or "push_subscription",
    )


def _judge(answer: Answer) -> Outcome:
    reason = f"http_{answer.status}"
    if 200 <= answer.status < 300:
        return Accepted(answer.location[:255])
    if answer.status in (404, 410):
        return Failed("unsubscribed", reason, suppress=True)
    if answer.status in (429, 503):
        return Deferred(answer.retry_after, reason)
    return Unclear(reason) if answer.status >= 500 else Failed(reason)


def _choose(outcomes: Sequence[Outcome]) -> Outcome:
    """The best of several: taken, perhaps taken, to be tried again, and only then failed.

    A browser that has its message must not get it again, so one taken settles all.
    """
    for kind in (Accepted, Unclear, Deferred):
        for outcome in outcomes:
            if isinstance(outcome, kind):
                return outcome
    return outcomes[0]


def _make_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = ec.generate_private_key(ec.SECP256R1())
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(text)
    except FileExistsError:  # another process was first: its key counts
        return _wait_for_key(path)
    return key


def _wait_for_key(path: Path) -> ec.EllipticCurvePrivateKey:
    for _ in range(50):
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except ValueError:
            time.sleep(0.02)
            continue
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key
    raise InvalidSetting(f"{path} cannot be read as a key.")


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
