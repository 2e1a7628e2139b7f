"""The channels that ship keep the contract that plug-ins are held to."""

import importlib.util
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest

from lingxi.app.rooms import METADATAS, PROJECTIONS
from lingxi.clock import FixedClock, SystemClock
from lingxi.config import ChannelSettings, Settings
from lingxi.messaging import Channel, Parcel
from lingxi.messaging.channels.onsite import OnSiteChannel
from lingxi.messaging.channels.post import read_target
from lingxi.messaging.channels.web_push import PushChannel, VapidKey
from lingxi.messaging.channels.webhook import WebhookChannel, open_webhook
from lingxi.messaging.email import open_email
from lingxi.messaging.nouns import Accepted, Content, Failed, Recipient
from lingxi.store import Store
from lingxi.testing import ChannelContract
from messaging.test_channels import SECRET, Browser, Receiver, receiver

NOW = datetime(2026, 3, 2, tzinfo=UTC)
__all__ = ["receiver"]


class TestWebhook(ChannelContract):
    @pytest.fixture(autouse=True)
    def listen(self, receiver: Receiver) -> None:
        self.server = receiver
        receiver.answers = [(200, {}, b"")] * 100

    def make(self) -> Channel:
        target = read_target(self.server.url, "url")
        return WebhookChannel("fax", target, SECRET, FixedClock(NOW))

    def received(self) -> list[str]:
        taken = self.server.came if self.server.answers[0][0] == 200 else self.server.came[:-1]
        return [json.loads(body)["id"] for _, body in taken]

    def refuse(self) -> None:
        self.server.answers = [(503, {}, b"")] * 100


class TestPush(ChannelContract):
    @pytest.fixture(autouse=True)
    def listen(self, receiver: Receiver, tmp_path: Path) -> None:
        self.server, self.folder, self.browser = receiver, tmp_path, Browser()
        self.taken = 0
        receiver.answers = [(201, {}, b"")] * 100

    def make(self) -> Channel:
        key = VapidKey.open(self.folder, "mailto:a@b")
        return PushChannel(key, FixedClock(NOW), public_only=False)

    def address(self) -> str:
        return self.browser.subscribe(self.server.url)

    def received(self) -> list[str]:
        if self.server.answers[0][0] == 201:
            self.taken = len(self.server.came)
        return [str(self.browser.read(body)["id"]) for _, body in self.server.came[: self.taken]]

    def refuse(self) -> None:
        self.received()
        self.server.answers = [(429, {"Retry-After": "5"}, b"")] * 100


class TestOnSite(ChannelContract):
    @pytest.fixture(autouse=True)
    def open_store(self, tmp_path: Path) -> Iterator[None]:
        self.days = "7"
        self.store = Store.open(
            Settings(folder=tmp_path), FixedClock(NOW), projections=PROJECTIONS, tables=METADATAS
        )
        yield
        self.store.close()

    def make(self) -> Channel:
        return OnSiteChannel(self.store)

    def parcel(self, key: str, attempt: int = 1, **changes: object) -> Parcel:
        return super().parcel(
            key, attempt, **{"content": Content(text="x", data={"days": self.days}), **changes}
        )

    def received(self) -> list[str]:
        from sqlalchemy import select

        from lingxi.messaging.tables import onsite

        with self.store.read() as tx:
            return list(tx.execute(select(onsite.c.id)).scalars())

    def refuse(self) -> None:
        self.days = "none"


class TestEmailIntoAFolder(ChannelContract):
    @pytest.fixture(autouse=True)
    def open_store(self, tmp_path: Path) -> Iterator[None]:
        self.settings = Settings(folder=tmp_path)
        self.store = Store.open(self.settings, FixedClock(NOW), tables=METADATAS)
        yield
        self.store.close()

    def make(self) -> Channel:
        return open_email(self.settings, self.store.keyring, FixedClock(NOW))

    def received(self) -> list[str]:
        return [path.stem for path in (self.settings.folder / "outbox").rglob("*.eml")]

    def refuse(self) -> None:
        import shutil

        folder = self.settings.folder / "outbox"
        shutil.rmtree(folder, ignore_errors=True)
        folder.write_text("a file is in the way")


def _load_adapter() -> ModuleType:
    path = Path(__file__).parents[2] / "examples" / "sms_adapter.py"
    spec = importlib.util.spec_from_file_location("sms_adapter", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_adapter_of_the_examples_takes_each_message_once() -> None:
    sent: list[tuple[str, str]] = []

    def send(number: str, text: str) -> str:
        sent.append((number, text))
        return f"ref-{len(sent)}"

    server = _load_adapter().make_server(0, SECRET, send)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        options = {"url": f"http://127.0.0.1:{server.server_address[1]}/", "secret": SECRET}
        table = ChannelSettings(kind="webhook", options=options)
        channel = open_webhook("sms", table, SystemClock())

        def deliver(number: str, message_id: str) -> object:
            return channel.deliver(
                Parcel(
                    message_id=message_id, attempt=1, recipient=Recipient(address=number),
                    content=Content(text="Hi"),
                )
            )  # fmt: skip

        assert deliver("+442079460018", "1" * 32) == Accepted("ref-1")
        assert deliver("+442079460018", "1" * 32) == Accepted("ref-1")
        refused = deliver("0800", "2" * 32)
        assert isinstance(refused, Failed)
        assert refused.suppress
        options["secret"] = "another secret.."
        stranger = open_webhook("sms", table, SystemClock())
        assert stranger.deliver(TestWebhook().parcel("x")) == Failed(
            "http_401", "HTTP 401 the signature does not fit"
        )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert sent == [("+442079460018", "Hi")]
