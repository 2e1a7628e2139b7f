"""Webhook and web push against a real server of this machine; what waits on the site."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import http_ece
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from http_receiver import Receiver, run_receiver
from lingxi.clock import FixedClock
from lingxi.config import ChannelSettings
from lingxi.errors import InvalidSetting, UnknownMessage
from lingxi.messaging import Parcel, queue_messages
from lingxi.messaging.channels.onsite import (
    OnSiteChannel,
    list_waiting,
    mark_closed,
    mark_shown,
)
from lingxi.messaging.channels.post import NotSent, post, read_target
from lingxi.messaging.channels.signing import verify_body
from lingxi.messaging.channels.web_push import PushChannel, VapidKey
from lingxi.messaging.channels.webhook import WebhookChannel, open_webhook
from lingxi.messaging.nouns import (
    Accepted,
    Content,
    Deferred,
    Failed,
    Outcome,
    Recipient,
    Unclear,
)
from lingxi.store import Store
from messaging.conftest import NOON, make_message

SECRET = "a secret of the shop"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with run_receiver() as server:
        yield server


def make_parcel(address: str = "+44 20 7946 0018", **changes: object) -> Parcel:
    values: dict[str, object] = {
        "message_id": "ab" * 16,
        "attempt": 1,
        "recipient": Recipient(address=address, name="Ada"),
        "content": Content(text="Hello", title="Hi", body="Hello", url="https://s.example/"),
        **changes,
    }
    return Parcel(**values)  # type: ignore[arg-type]


def make_webhook(receiver: Receiver) -> WebhookChannel:
    target = read_target(receiver.url, "url")
    return WebhookChannel("sms", target, SECRET, FixedClock(NOON), address_trait="phone")


def test_what_arrives_is_signed_whole_and_names_the_message(receiver: Receiver) -> None:
    receiver.answers = [(200, {}, b'{"reference": "sms-7"}')]
    assert make_webhook(receiver).deliver(make_parcel()) == Accepted("sms-7")
    [(headers, body)] = receiver.came
    said = json.loads(body)
    assert (said["id"], said["to"]["address"]) == ("ab" * 16, "+44 20 7946 0018")
    assert said["content"]["text"] == "Hello"
    assert headers["Idempotency-Key"] == "ab" * 16
    signature, stamp = headers["Lingxi-Signature"], headers["Lingxi-Timestamp"]
    assert verify_body(SECRET, body, signature, stamp, NOON)
    assert not verify_body("another secret..", body, signature, stamp, NOON)
    assert not verify_body(SECRET, body + b" ", signature, stamp, NOON)
    assert not verify_body(SECRET, body, signature, stamp, NOON + timedelta(minutes=6))
    assert not verify_body(SECRET, body, signature, "now", NOON)


@pytest.mark.parametrize(
    ("status", "headers", "body", "outcome"),
    [
        (204, {}, b"", Accepted()),
        (429, {"Retry-After": "7"}, b"", Deferred(7.0, "http_429", "HTTP 429")),
        (503, {}, b"", Deferred(0.0, "http_503", "HTTP 503")),
        (302, {"Location": "http://elsewhere/"}, b"", Failed("http_302", "HTTP 302")),
        (400, {}, b'{"reason": "no such number", "suppress": true}',
         Failed("http_400", "HTTP 400 no such number", suppress=True)),
        (500, {}, b"<html>", Unclear("http_500", "HTTP 500")),
    ],
)  # fmt: skip
def test_each_answer_has_its_meaning(
    receiver: Receiver, status: int, headers: dict[str, str], body: bytes, outcome: Outcome
) -> None:
    receiver.answers = [(status, headers, body)]
    assert make_webhook(receiver).deliver(make_parcel()) == outcome


def test_no_answer_is_unclear_and_no_connection_is_not(receiver: Receiver) -> None:
    receiver.answers = [(0, {}, b"")]
    outcome = make_webhook(receiver).deliver(make_parcel())
    assert isinstance(outcome, Unclear)
    target = read_target("http://127.0.0.1:1/", "url")
    channel = WebhookChannel("sms", target, SECRET, FixedClock(NOON))
    outcome = channel.deliver(make_parcel())
    assert isinstance(outcome, Deferred)
    assert outcome.reason == "unreachable"


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"secret": SECRET}, "url"),
        ({"secret": SECRET, "url": "ftp://x/"}, "url"),
        ({"secret": "short", "url": "https://x/"}, "LINGXI_CHANNEL_SMS_SECRET"),
        ({"secret": SECRET, "url": "https://x/", "timeout_seconds": "never"}, "timeout_seconds"),
        ({"secret": SECRET, "url": "https://x/", "colour": "red"}, "colour"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(options: dict[str, str], word: str) -> None:
    with pytest.raises(InvalidSetting, match=word):
        open_webhook("sms", ChannelSettings(kind="webhook", options=options), FixedClock(NOON))


class Browser:
    """A browser that subscribed: it alone can read what is pushed."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.auth = b"0123456789abcdef"

    def subscribe(self, endpoint: str) -> str:
        point = self.key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        keys = {"p256dh": _text(point), "auth": _text(self.auth)}
        return json.dumps({"endpoint": endpoint, "expirationTime": None, "keys": keys})

    def read(self, body: bytes) -> dict[str, object]:
        plain = http_ece.decrypt(
            body, private_key=self.key, auth_secret=self.auth, version="aes128gcm"
        )
        found: dict[str, object] = json.loads(plain)
        return found


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _raw(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def make_push(folder: Path) -> PushChannel:
    key = VapidKey.open(folder, "mailto:shop@example.org")
    return PushChannel(key, FixedClock(NOON), public_only=False)


def test_a_push_is_read_by_its_browser_and_signed_by_the_shop(
    receiver: Receiver, tmp_path: Path
) -> None:
    channel, browser = make_push(tmp_path), Browser()
    receiver.answers = [(201, {"Location": "https://push.example/m/1"}, b"")]
    outcome = channel.deliver(make_parcel(browser.subscribe(receiver.url)))
    assert outcome == Accepted("https://push.example/m/1")
    [(headers, body)] = receiver.came
    said = browser.read(body)
    assert (said["title"], said["body"], said["url"]) == ("Hi", "Hello", "https://s.example/")
    assert headers["Topic"] == "ab" * 16
    scheme, token, public = headers["Authorization"].replace(",", "").split()
    assert (scheme, public) == ("vapid", f"k={channel.key.public}")
    head, claims, signature = token.removeprefix("t=").split(".")
    told = json.loads(_raw(claims))
    assert told["aud"] == receiver.url.split("/take")[0]
    assert 0 < told["exp"] - NOON.timestamp() <= 86_400
    raw = _raw(signature)
    numbers = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _raw(public[2:]))
    key.verify(
        encode_dss_signature(*numbers), f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256())
    )


def test_the_key_of_the_shop_stays_the_same_and_is_readable_by_its_owner_alone(
    tmp_path: Path,
) -> None:
    first = VapidKey.open(tmp_path, "mailto:a@b").public
    assert VapidKey.open(tmp_path, "mailto:a@b").public == first
    assert (tmp_path / "vapid.pem").stat().st_mode & 0o077 == 0
    (tmp_path / "vapid.pem").write_text("no key")
    with pytest.raises(InvalidSetting, match=r"vapid\.pem"):
        VapidKey.open(tmp_path, "mailto:a@b")


@pytest.mark.parametrize(
    ("statuses", "kind"),
    [
        ([410], Failed),
        ([503], Deferred),
        ([500], Unclear),
        ([410, 201], Accepted),
        ([410, 429], Deferred),
        ([500, 429], Unclear),
    ],
)
def test_one_browser_of_several_is_enough(
    receiver: Receiver, tmp_path: Path, statuses: Sequence[int], kind: type
) -> None:
    browser = Browser()
    receiver.answers = [(status, {}, b"") for status in statuses]
    listed = "[" + ",".join([browser.subscribe(receiver.url)] * len(statuses)) + "]"
    assert isinstance(make_push(tmp_path).deliver(make_parcel(listed)), kind)


def test_what_is_no_subscription_is_not_asked_again(tmp_path: Path) -> None:
    for address in (
        "",
        "[]",
        "{}",
        '{"endpoint": "https://x", "keys": {"p256dh": "", "auth": ""}}',
    ):
        outcome = make_push(tmp_path).deliver(make_parcel(address))
        assert isinstance(outcome, Failed)
        assert outcome.suppress


def test_an_address_of_a_private_network_is_not_spoken_to(receiver: Receiver) -> None:
    """A subscription is told by a browser: it could name a server of the shop."""
    answer = post(read_target(receiver.url, "url"), {}, b"", timeout=1, public_only=True)
    assert isinstance(answer, NotSent)
    assert receiver.came == []


def test_a_message_waits_on_the_site_until_it_is_closed_or_over(
    store: Store, clock: FixedClock, add_customer: Callable[..., int]
) -> None:
    ada = add_customer("ada")
    message = make_message(ada, channel="on_site")
    with store.write() as tx:
        queue_messages(store, tx, [message])
    channel = OnSiteChannel(store)
    parcel = make_parcel(
        message_id=message.id, customer=ada, content=Content(data={"slot": "bar", "days": "2"})
    )
    assert channel.deliver(parcel) == channel.deliver(parcel) == Accepted("slot bar")
    with store.write() as tx:
        [waiting] = list_waiting(tx, [ada], clock.now())
        assert (waiting.message, waiting.slot, waiting.shown) == (message, "bar", False)
        assert list_waiting(tx, [ada], clock.now(), slot="other") == []
        assert list_waiting(tx, [ada], clock.now() + timedelta(days=2)) == []
        assert mark_shown(store, tx, [message], clock.now()) == 1
        assert mark_shown(store, tx, [message], clock.now()) == 0
        assert mark_closed(store, tx, message.id, clock.now())
        assert not mark_closed(store, tx, message.id, clock.now())
        assert list_waiting(tx, [ada], clock.now()) == []
        with pytest.raises(UnknownMessage):
            mark_closed(store, tx, "no", clock.now())
    names = [event.name for event in store.log.read()]
    assert names == ["Message Queued", "Message Shown", "Message Closed"]
    bad = make_parcel(customer=ada, content=Content(data={"days": "many"}))
    assert isinstance(channel.deliver(bad), Failed)
