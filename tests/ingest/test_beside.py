"""What the process beside the collector tells is what cleaning says here."""

import base64
import json
from pathlib import Path

import msgspec
import pytest

from ingest.cleaned import CHROME, NOW, RULES
from lingxi.ingest.beside import Errand, Told, encode, judge, read_told, take_back
from lingxi.ingest.carried import Judged
from lingxi.ingest.cleaning import clean
from lingxi.ingest.message import Cleaned, Dropped
from lingxi.ingest.wire import Sender, address_parcel, read_body

CAPTURES = Path(__file__).parents[3] / "shared" / "data" / "segment_wire_captures.jsonl"
VIEW = {
    "type": "track",
    "messageId": "m1",
    "event": "Product Viewed",
    "userId": "u1",
    "timestamp": "2026-03-01T11:59:00Z",
    "properties": {"product_id": "p1", "price": "£3", "colour": "blue", "email": "a@b.example"},
}


def both(body: bytes) -> tuple[list[Judged], list[Judged]]:
    """What cleaning says here, and what comes back from there, by way of its bytes."""
    sender = Sender("web", NOW, "client/1", "198.51.100.7")
    here = [clean(each, RULES) for each in address_parcel(read_body(body), sender)]
    errand = Errand(1, body, "web", NOW, "client/1", "198.51.100.7")
    told = read_told(encode(judge(errand, RULES)))
    assert not told.failed
    return here, take_back(told, errand)


def same(here: Judged, there: Judged) -> bool:
    """Equal in everything, the body of the message as far as it is read later."""
    if isinstance(here, Dropped) or isinstance(there, Dropped):
        return here == there
    assert dict(there.message.body) == dict(here.message.body)
    return msgspec.structs.replace(there, message=here.message) == here and (
        there.message.raw,
        there.message.received_at,
        there.message.source,
        there.message.agent,
        there.message.address,
        there.message.sent_at,
    ) == (
        here.message.raw,
        here.message.received_at,
        here.message.source,
        here.message.agent,
        here.message.address,
        here.message.sent_at,
    )


def test_every_kind_of_message_comes_back_as_it_was_cleaned() -> None:
    messages = [
        VIEW,
        VIEW | {"messageId": "m2", "event": "Order Completed"},
        VIEW | {"messageId": "m3", "userId": None},
        VIEW | {"messageId": "m4", "context": {"userAgent": "Googlebot/2.1"}},
        VIEW | {"messageId": "m5", "context": {"userAgent": CHROME}},
        {"type": "identify", "messageId": "m6", "userId": "u", "traits": {"age": 3, "plan": None}},
        {"type": "alias", "messageId": "m7", "userId": "u", "previousId": "a"},
        {"type": "nothing", "messageId": "m8", "userId": "u"},
        VIEW | {"messageId": "m9", "properties": {"product_id": "p1", "note": "half \ud83d"}},
        VIEW | {"messageId": "m10", "properties": {"n": [2**70], "product_id": "p"}},
    ]
    body = json.dumps({"batch": messages, "sentAt": "2026-03-01T11:59:59Z"}).encode()
    here, there = both(body)
    assert len(here) == len(there) == len(messages)
    assert {type(each) for each in here} == {Cleaned, Dropped}
    assert all(same(a, b) for a, b in zip(here, there, strict=True))


def test_a_number_beyond_64_bits_travels_all_the_same() -> None:
    message = VIEW | {"properties": {"product_id": "p1", "address": {"code": 2**70}}}
    here, there = both(json.dumps({"batch": [message]}).encode())
    assert isinstance(here[0], Cleaned)
    assert here[0].private["address"] == {"code": 2**70}
    assert here == there


@pytest.mark.parametrize(
    "body",
    [b"no json", b'{"batch": 3', base64.b64encode(b'{"batch":[{"type":"track"}]}')],
    ids=["damaged", "cut", "in a form of its own"],
)
def test_what_is_out_of_the_ordinary_is_left_to_the_collector(body: bytes) -> None:
    told = judge(Errand(7, body, "web", NOW, None, None), RULES)
    assert told == Told(7, failed=True)


@pytest.mark.skipif(not CAPTURES.exists(), reason="the recorded requests are not here")
def test_recorded_batches_come_back_as_they_were_cleaned() -> None:
    requests = [json.loads(text) for text in CAPTURES.read_text().splitlines()]
    bodies = [each["body"].encode() for each in requests if '"batch"' in (each.get("body") or "")]
    assert bodies
    for body in bodies:
        here, there = both(body)
        assert all(same(a, b) for a, b in zip(here, there, strict=True))
