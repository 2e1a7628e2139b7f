"""Journeys beside what is real: a mail server, the shop's own web server, one that is called."""

import json
import re
import shutil
import sys
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import cast

import pytest
from litestar.testing import TestClient

sys.path.insert(0, str(Path(__file__).parents[1] / "messaging" / "email"))

from sink import RunningSink, Sink

from http_receiver import Receiver, run_receiver
from journey_road import Road
from lingxi.app.mail.work import settle
from lingxi.app.messages.sender import send_due
from lingxi.app.messages.ways import find_secret
from lingxi.journeys.run import Outcome
from lingxi.messaging.channels.signing import SIGNATURE, TIMESTAMP, verify_body
from lingxi.messaging.email.dkim_keys import create_keys
from lingxi.messaging.templates.book import publish_template, put_template
from lingxi.messaging.templates.template import Template, Variant
from lingxi.profiles import put_traits
from lingxi.schema import Name
from lingxi.server.app import create_app

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
GO = {"kind": "event", "events": ["Go"]}
END = {"kind": "end"}
PHONE = {"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Mobile/15E148"}
SCANNER = {"user-agent": "Barracuda Sentinel"}


@pytest.fixture
def sink() -> Iterator[RunningSink]:
    running = RunningSink(Sink())
    yield running
    running.stop()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with run_receiver() as server:
        yield server


@pytest.fixture
def mailing(tmp_path: Path, empty_shop: Path, sink: RunningSink) -> Iterator[Road]:
    """A shop whose e-mail goes to the sink."""
    folder = Path(shutil.copytree(empty_shop, tmp_path / "mailing"))
    create_keys(folder / "keys", "shop.example", "lingxi")
    said = {
        "SENDER": "hello@shop.example", "HOST": "127.0.0.1", "PORT": str(sink.port),
        "TLS": "none", "PUBLIC_URL": "http://testserver.local",
    }  # fmt: skip
    made = Road(folder, {f"LINGXI_MAIL_{name}": value for name, value in said.items()})
    yield made
    made.shop.close()


def _publish_template(road: Road) -> None:
    body = '<body><a href="https://shop.example/sale">Sale</a></body>'
    variant = Variant(kind="html", subject="Hello", body=body)
    template = Template(name="hello", channel="email", variants={"en": variant}, category="offers")
    with road.store.write() as tx:
        put_template(tx, template, road.clock.now(), actor="t")
        publish_template(tx, "hello", road.clock.now(), actor="t")


def _read_letters(sink: RunningSink) -> dict[str, str]:
    """The HTML of each letter that the mail server took, by recipient."""
    from email import message_from_bytes, policy
    from email.message import EmailMessage

    found = {}
    for each in sink.sink.taken:
        letter = message_from_bytes(cast(bytes, each.content), policy=policy.default)
        part = cast(EmailMessage, letter).get_body(("html",))
        assert part is not None
        found[each.rcpt_tos[0]] = unescape(part.get_content())
    return found


def _find(html: str, attribute: str) -> str:
    found = re.search(f'{attribute}="http://testserver.local([^"]+)"', html)
    assert found is not None
    return found[1]


def test_who_clicked_who_opened_and_who_did_neither_go_their_own_ways(
    mailing: Road, sink: RunningSink
) -> None:
    road = mailing
    _publish_template(road)
    cases = [
        {"name": "keen", "step": "mail", "was": "clicked", "next": "end"},
        {"name": "read", "step": "mail", "was": "opened", "next": "end"},
    ]
    road.publish(
        trigger=GO,
        start="mail",
        category="offers",
        steps={
            "mail": {"kind": "message", "template": "hello", "next": "pause"},
            "pause": {"kind": "wait", "duration": "1d", "next": "ask"},
            "ask": {"kind": "branch", "cases": cases, "otherwise": "end"},
            "end": END,
        },
    )
    people = {1: "clicks", 2: "opens", 3: "sleeps", 4: "scanned"}
    road.know(*people)
    for customer, name in people.items():
        put_traits(road.store, customer, {"email": f"{name}@gmail.com"})
        road.happen("Go", customer)
    road.go()
    assert send_due(road.shop, road.clock.now()) == {"accepted": 4}
    letters = {to.partition("@")[0]: html for to, html in _read_letters(sink).items()}
    assert letters.keys() == set(people.values())
    road.clock.advance(5 * MINUTE)
    with TestClient(create_app(road.shop)) as client:
        for name, attribute, agent in (
            ("clicks", "href", PHONE),
            ("opens", "src", PHONE),
            ("scanned", "href", SCANNER),
        ):
            place = _find(letters[name], attribute)
            answer = client.get(place, headers=agent, follow_redirects=False)
            assert answer.status_code in (200, 302)
    settle(road.shop, road.clock.now() + MINUTE)
    clicks = road.store.log.read(names=[Name.MESSAGE_CLICKED])
    assert {each.subject: each.properties["machine"] for each in clicks} == {1: False, 4: True}
    road.go(DAY)
    ways = {run.customer: [p.port for p in run.steps if p.node == "ask"] for run in road.runs()}
    assert ways == {1: ["keen"], 2: ["read"], 3: ["otherwise"], 4: ["otherwise"]}
    assert {run.outcome for run in road.runs()} == {Outcome.COMPLETED}


def test_a_call_to_the_shops_own_server_is_signed_and_made_until_it_is_answered(
    road: Road, receiver: Receiver
) -> None:
    step = {"kind": "webhook", "url": receiver.url, "event": "vip", "next": "end"}
    road.publish(trigger={**GO, "key": "cart"}, start="call", steps={"call": step, "end": END})
    road.know(7)
    road.happen("Go", 7, properties={"cart": "c9"})
    road.go()
    assert road.run.outcome == Outcome.COMPLETED  # nobody waits for the other side
    receiver.answers = [(503, {}, b""), (204, {}, b"")]
    sent_at = road.clock.now()
    assert send_due(road.shop, sent_at) == {"deferred": 1}
    assert [m["state"] for m in road.sent()] == ["queued"]
    road.clock.advance(timedelta(hours=1))
    assert send_due(road.shop, road.clock.now()) == {"accepted": 1}
    (call,) = road.sent()
    assert (call["state"], call["attempts"]) == ("accepted", 2)
    assert [headers["Idempotency-Key"] for headers, _ in receiver.came] == [call["id"]] * 2
    for (headers, body), moment in zip(receiver.came, (sent_at, road.clock.now()), strict=True):
        secret = find_secret(road.shop)
        assert verify_body(secret, body, headers[SIGNATURE], headers[TIMESTAMP], moment)
    said = json.loads(receiver.came[1][1])
    assert said["attempt"] == 2
    data = said["content"]["data"]
    assert (data["event"], data["journey"], data["run"]) == ("vip", "j", str(road.run.id))
    assert (data["customer_id"], data["key"]) == ("customer-7", "c9")


def test_a_call_that_the_other_side_refuses_is_over_and_says_why(
    road: Road, receiver: Receiver
) -> None:
    step = {"kind": "webhook", "url": receiver.url, "next": "pause"}
    road.publish(
        trigger=GO,
        start="call",
        steps={
            "call": step,
            "pause": {"kind": "wait", "duration": "1h", "next": "end"},
            "end": END,
        },
    )
    road.know(1)
    road.happen("Go")
    road.go()
    receiver.answers = [(410, {}, b"")]
    send_due(road.shop, road.clock.now())
    (call,) = road.sent()
    assert (call["state"], call["reason"]) == ("failed", "http_410")
    road.go(timedelta(hours=1))
    assert road.run.outcome == Outcome.COMPLETED
