"""From the queue over a real mail server to the click, the complaint and the silence after it."""

import shutil
import sys
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import dkim
import pytest
from litestar.testing import TestClient

sys.path.insert(0, str(Path(__file__).parents[2] / "messaging" / "email"))

from sink import RunningSink, Sink

from lingxi.app.mail.views import get_deliverability
from lingxi.app.mail.work import look_for_bounces, settle
from lingxi.app.messages.sender import send_due
from lingxi.app.shop import Shop
from lingxi.clock import FixedClock
from lingxi.ingest import find_customer
from lingxi.messaging import Message, message_id, queue_message
from lingxi.messaging.email.dkim import SigningKey
from lingxi.messaging.email.dkim_keys import create_keys, load_keys
from lingxi.messaging.email.suppression import get_suppressed
from lingxi.messaging.templates.book import publish_template, put_template
from lingxi.messaging.templates.template import Template, Variant
from lingxi.profiles import put_traits
from lingxi.schema import Name
from lingxi.server.app import create_app

ADDRESS = "mei@gmail.com"
BODY = (
    '<p>Hello</p><a href="https://shop.example/sale?utm_source=own">Sale</a> '
    '<a href="{{ links.unsubscribe }}">Unsubscribe</a>'
)
AGENT = {"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Mobile/15E148"}


@pytest.fixture
def sink() -> Iterator[RunningSink]:
    running = RunningSink(Sink())
    yield running
    running.stop()


@pytest.fixture
def mail_shop(demo_folder: Path, tmp_path: Path, sink: RunningSink) -> Iterator[Shop]:
    """A shop that sends through the sink at noon, and reads what comes back from a maildir."""
    from demo_shop import DEMO_END

    folder = tmp_path / "shop"
    shutil.copytree(demo_folder, folder)
    create_keys(folder / "keys", "shop.example", "lingxi")
    for name in ("new", "cur", "tmp"):
        (folder / "bounces" / name).mkdir(parents=True)
    said = {
        "SENDER": "hello@shop.example", "HOST": "127.0.0.1", "PORT": str(sink.port), "TLS": "none",
        "BOUNCES": "bounces", "PUBLIC_URL": "http://testserver.local",
    }  # fmt: skip
    environ = {f"LINGXI_MAIL_{name}": value for name, value in said.items()}
    clock = FixedClock(DEMO_END + timedelta(hours=12))
    shop = Shop.open(folder, clock=clock, environ=environ)
    yield shop
    shop.close()


def _send(shop: Shop, customer: int, key: str, **said: object) -> str:
    values = {
        "id": message_id("test", key, 1), "customer": customer, "channel": "email",
        "template": "hello", "category": "offers", "queued_at": shop.clock.now(), **said,
    }  # fmt: skip
    message = Message(**values)  # type: ignore[arg-type]
    with shop.store.write() as tx:
        assert queue_message(shop.store, tx, message)
    send_due(shop, shop.clock.now())
    return message.id


def _publish(shop: Shop) -> None:
    variant = Variant(kind="html", subject="你好 {{ shop.name }}", body=BODY)
    template = Template(name="hello", channel="email", variants={"en": variant}, category="offers")
    with shop.store.write() as tx:
        put_template(tx, template, shop.clock.now(), actor="test")
        publish_template(tx, "hello", shop.clock.now(), actor="test")


def test_a_letter_goes_its_whole_road(mail_shop: Shop, sink: RunningSink) -> None:
    shop = mail_shop
    assert isinstance(shop.clock, FixedClock)
    customer_id = shop.answers.customers(n=1).rows[0].customer_id
    with shop.store.read() as tx:
        customer = find_customer(tx, customer_id)
    put_traits(shop.store, customer, {"email": ADDRESS, "language": "en"})
    _publish(shop)
    number = _send(shop, customer, "first")

    (received,) = sink.sink.taken
    raw = cast(bytes, received.content)
    letter = cast(EmailMessage, message_from_bytes(raw, policy=policy.default))
    assert letter["message-id"] == f"<{number}@shop.example>"
    assert letter["subject"].startswith("你好 ")
    assert received.rcpt_tos == [ADDRESS]
    records = {f"{k.record_name}.".encode(): k.record.encode() for k in _keys(shop)}
    assert len(records) == 2
    for place in range(2):
        assert dkim.DKIM(raw).verify(idx=place, dnsfunc=lambda name, **_: records.get(name))
    html = cast(EmailMessage, letter.get_body(("html",))).get_content()
    unsubscribe = urlsplit(letter["list-unsubscribe"].strip("<>")).path
    assert f'"http://testserver.local{unsubscribe}"' in html  # never led round
    click = html.partition('href="http://testserver.local')[2].partition('"')[0]

    shop.clock.advance(timedelta(minutes=5))
    with TestClient(create_app(shop)) as client:
        answer = client.get(click, headers=AGENT, follow_redirects=False)
        target = answer.headers["location"]
        assert target.startswith("https://shop.example/sale?utm_source=own&utm_medium=email")
        settle(shop, shop.clock.now() + timedelta(minutes=1))
        (event,) = shop.store.log.read(names=[Name.MESSAGE_CLICKED])
        assert (event.subject, event.properties["machine"]) == (customer, False)
        assert (event.properties["template"], event.properties["message"]) == ("hello", number)

        dsn = (
            f"From: MAILER-DAEMON@mx.example\r\nTo: {received.mail_from}\r\n"
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
            "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n"
            f"Final-Recipient: rfc822; {ADDRESS}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
            "--b--\r\n"
        )
        (shop.settings.folder / "bounces" / "new" / "1").write_bytes(dsn.encode())
        assert look_for_bounces(shop, shop.clock.now()) == 1
        assert look_for_bounces(shop, shop.clock.now()) == 0

    _send(shop, customer, "second")
    assert len(sink.sink.taken) == 1  # it is not written to any more
    skipped = shop.store.log.read(names=[Name.MESSAGE_SKIPPED])
    assert [event.properties["reason"] for event in skipped] == ["suppressed"]
    total = get_deliverability(shop).total
    assert (total.accepted, total.hard, total.suppressed) == (1, 1, 1)


def test_a_mailbox_that_is_not_there_is_left_out_at_once(
    mail_shop: Shop, sink: RunningSink
) -> None:
    shop = mail_shop
    customer_id = shop.answers.customers(n=1).rows[0].customer_id
    with shop.store.read() as tx:
        customer = find_customer(tx, customer_id)
    put_traits(shop.store, customer, {"email": ADDRESS})
    _publish(shop)
    sink.sink.rcpt.append("550 5.1.1 no such user")
    _send(shop, customer, "one")
    with shop.store.read() as tx:
        found = get_suppressed(tx, shop.store.keyring.blind(ADDRESS))
    assert found is not None
    assert found.reason == "hard_bounce"
    view = get_deliverability(shop)
    assert [(row.provider, row.outcomes.failed) for row in view.by_provider] == [("gmail.com", 1)]


def _keys(shop: Shop) -> list[SigningKey]:
    return load_keys(shop.settings.folder / "keys", "shop.example", "lingxi")
