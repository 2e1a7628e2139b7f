"""The channel as a whole: what a parcel becomes, and the contract over a real mail server."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import cast

import msgspec
import pytest
from sink import RunningSink, Sink

from lingxi.clock import FixedClock
from lingxi.config import MailSettings, Settings
from lingxi.errors import InvalidSetting
from lingxi.messaging.channels.channel import Channel
from lingxi.messaging.email import open_email
from lingxi.messaging.nouns import Accepted, Content, Failed, Parcel, Recipient
from lingxi.store.keyring import Keyring
from lingxi.testing import ChannelContract

CLOCK = FixedClock(datetime(2026, 6, 30, 12, tzinfo=UTC))
PARCEL = Parcel(
    message_id="ab" * 16,
    attempt=1,
    recipient=Recipient(address="mei@customer.example", name="林美", language="zh"),
    content=Content(
        subject="你好", html='<body><a href="https://shop.example/a">a</a></body>', text="你好"
    ),
    category="news",
    customer=7,
)


@pytest.fixture
def keyring(tmp_path: Path) -> Iterator[Keyring]:
    opened = Keyring(tmp_path / "keys")
    yield opened
    opened.close()


def _open(folder: Path, keyring: Keyring, **said: object) -> Channel:
    mail = MailSettings(sender="hello@shop.example", **said)  # type: ignore[arg-type]
    return open_email(Settings(folder=folder, mail=mail), keyring, CLOCK)


def _read(folder: Path) -> EmailMessage:
    raw = (folder / "outbox" / f"{PARCEL.message_id}.eml").read_bytes()
    return cast(EmailMessage, message_from_bytes(raw, policy=policy.default))


def test_without_a_server_letters_lie_in_the_outbox(tmp_path: Path, keyring: Keyring) -> None:
    channel = _open(tmp_path, keyring, reply_to="help@shop.example", return_domain="b.shop.example")
    assert channel.deliver(PARCEL) == Accepted(f"{PARCEL.message_id}.eml")
    letter = _read(tmp_path)
    assert letter["reply-to"] == "help@shop.example"
    assert letter["return-path"].startswith("<bounces+")
    assert letter["return-path"].endswith("@b.shop.example>")
    assert letter["content-language"] == "zh-Hans"
    assert "/mail/unsubscribe/" in letter["list-unsubscribe"]  # never left out
    html = cast(EmailMessage, letter.get_body(("html",))).get_content()
    assert "/mail/c/" in html
    assert "/mail/o/" in html
    assert "https://shop.example" not in html
    channel.close()


def test_what_is_switched_off_is_left_out(tmp_path: Path, keyring: Keyring) -> None:
    channel = _open(tmp_path, keyring, track_opens=False, track_clicks=False, utm_source="")
    channel.deliver(msgspec.structs.replace(PARCEL, message_class="transactional"))
    letter = _read(tmp_path)
    assert letter["list-unsubscribe"] is None
    html = cast(EmailMessage, letter.get_body(("html",))).get_content()
    assert html.strip() == PARCEL.content.html


def test_an_address_that_is_none_fails_and_is_not_told(tmp_path: Path, keyring: Keyring) -> None:
    bad = Recipient(address="mei@customer.example\r\nBcc: all@customer.example")
    outcome = _open(tmp_path, keyring).deliver(msgspec.structs.replace(PARCEL, recipient=bad))
    assert isinstance(outcome, Failed)
    assert outcome.reason == "invalid_letter"
    assert not (tmp_path / "outbox").exists()


@pytest.mark.parametrize(
    "said",
    [{"reply_to": "nobody"}, {"return_domain": "x"}, {"host": "h", "domain_rates": ("gmail.com",)}],
)
def test_settings_that_cannot_be_used_are_named(
    tmp_path: Path, keyring: Keyring, said: dict[str, object]
) -> None:
    with pytest.raises(InvalidSetting, match=r"\[mail\]"):
        _open(tmp_path, keyring, **said)


class TestEmailOverSmtp(ChannelContract):
    """The shipped contract, over a real mail server."""

    @pytest.fixture(autouse=True)
    def _start(self, tmp_path: Path, keyring: Keyring) -> Iterator[None]:
        self.folder, self.keyring = tmp_path, keyring
        self.running = RunningSink(Sink())
        yield
        self.running.stop()

    def make(self) -> Channel:
        return _open(
            self.folder, self.keyring, host="127.0.0.1", port=self.running.port, tls="none"
        )

    def received(self) -> list[str]:
        found = []
        for envelope in self.running.sink.taken:
            letter = message_from_bytes(cast(bytes, envelope.content), policy=policy.default)
            found.append(str(letter["message-id"]).strip("<>").partition("@")[0])
        return found

    def refuse(self) -> None:
        self.running.sink.rcpt[:] = ["550 5.7.1 no"] * 100
