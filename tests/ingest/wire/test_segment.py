"""Bodies of the Segment protocol: each form, and what is wrong with one message."""

import base64
import json
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingxi.errors import BodyUnreadable
from lingxi.ingest.reasons import DropReason
from lingxi.ingest.wire import (
    LARGEST_EVENT,
    MOST_EVENTS,
    read_body,
    read_posthog,
    read_query,
    read_raw,
)
from lingxi.ingest.wire.mend import DEEPEST, decode, split_array

TRACK = {"type": "track", "event": "Order Completed", "messageId": "m1", "userId": "u1"}
RAW = json.dumps(TRACK).encode()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    "body",
    [
        RAW,
        b"\xef\xbb\xbf \n" + RAW,
        b"data=" + quote(RAW).encode(),
        b"data=" + quote(base64.b64encode(RAW)).encode(),
        base64.b64encode(RAW),
        base64.urlsafe_b64encode(RAW).rstrip(b"="),
    ],
)
def test_one_message_is_found_in_every_wrapping(body: bytes) -> None:
    parcel = read_body(body, "track")
    assert [part.body for part in parcel.parts] == [TRACK]
    assert parcel.parts[0].raw == RAW


@pytest.mark.parametrize("kind", ["track", "identify", "page", "screen", "group", "alias"])
def test_the_address_names_the_type_that_the_message_does_not(kind: str) -> None:
    assert read_body(b'{"userId":"u"}', kind).parts[0].body["type"] == kind
    assert read_body(b'{"type":"nonsense"}', kind).parts[0].body["type"] == kind
    assert read_body(b'{"type":[1]}', kind).parts[0].body["type"] == kind


def test_a_batch_shares_its_context_and_says_when_it_was_sent() -> None:
    body = {
        "batch": [TRACK, TRACK | {"context": {"ip": "192.0.2.1"}}],
        "context": {"locale": "de", "ip": "192.0.2.9"},
        "sentAt": "2026-11-24T00:00:00Z",
        "writeKey": "wk",
    }
    parcel = read_body(json.dumps(body).encode())
    assert parcel.write_key == "wk"
    assert parcel.sent_at == "2026-11-24T00:00:00Z"
    contexts = [part.body["context"] for part in parcel.parts]
    assert contexts == [
        {"locale": "de", "ip": "192.0.2.9"},
        {"locale": "de", "ip": "192.0.2.1"},
    ]


@pytest.mark.parametrize(
    "bad",
    [b"{bad}", b'{"a": NaN}', b'{"a": 1e999}', b"17", b'"text"', b"[1]", b"null", b'{"a":}'],
)
def test_one_malformed_message_does_not_spoil_the_others(bad: bytes) -> None:
    body = b'{"writeKey":"wk","batch":[' + RAW + b", " + bad + b", " + RAW + b"]}"
    parcel = read_body(body)
    assert [part.refused for part in parcel.parts] == [None, DropReason.LINE_MALFORMED, None]
    assert parcel.parts[1].raw == bad
    assert parcel.parts[1].body == {}
    assert parcel.parts[2].body == TRACK
    assert parcel.write_key == "wk"


def test_an_event_of_more_than_32_kb_is_refused_alone() -> None:
    large = json.dumps(TRACK | {"properties": {"text": "x" * LARGEST_EVENT}}).encode()
    parcel = read_body(b'{"batch":[' + RAW + b"," + large + b"]}")
    assert [part.refused for part in parcel.parts] == [None, DropReason.EVENT_TOO_LARGE]
    assert parcel.parts[1].raw == large
    assert read_body(large, "track").parts[0].refused is DropReason.EVENT_TOO_LARGE


def test_events_after_the_2500th_are_refused() -> None:
    body = b'{"batch":[' + b",".join([RAW] * (MOST_EVENTS + 2)) + b"]}"
    refused = [part.refused for part in read_body(body).parts]
    assert refused == [None] * MOST_EVENTS + [DropReason.BATCH_TOO_LONG] * 2


def test_explicit_nulls_and_unknown_fields_stay() -> None:
    body = read_body(b'{"anonymousId":null,"_metadata":{"x":[1]},"type":"track"}', "track")
    assert body.parts[0].body == {"anonymousId": None, "_metadata": {"x": [1]}, "type": "track"}


def test_traits_of_rudderstack_come_where_they_belong() -> None:
    body = read_body(b'{"context":{"traits":{"email":"a@b.c"}}}', "identify").parts[0].body
    assert body["traits"] == {"email": "a@b.c"}
    kept = read_body(b'{"traits":{"x":1},"context":{"traits":{"y":2}}}', "identify")
    assert kept.parts[0].body["traits"] == {"x": 1}


def test_of_a_key_given_twice_the_last_counts() -> None:
    assert read_body(b'{"event":"a","event":"b"}', "track").parts[0].body["event"] == "b"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (rb'"\ud83d!"', "�!"),
        (rb'"\ude00!"', "�!"),
        (rb'"\ud83d\ude00"', "😀"),
        (rb'"\ud83d\ud83d\ude00"', "�😀"),
        (rb'"\\ud83d"', r"\ud83d"),
        (b'"caf\xe9"', "caf�"),
    ],
)
def test_half_characters_become_the_replacement_sign(raw: bytes, text: str) -> None:
    assert decode(raw) == text


def test_depth_is_bounded() -> None:
    just = b"[" * DEEPEST + b"]" * DEEPEST
    decode(just)
    with pytest.raises(BodyUnreadable, match="deeper than 64"):
        decode(b"[" + just + b"]")
    with pytest.raises(BodyUnreadable):
        read_body(b'{"a":' * 1_000, "track")
    deep = b'{"batch":[' + RAW + b"," + b'{"a":' * 5_000 + b"1" + b"}" * 5_000 + b"]}"
    assert [p.refused for p in read_body(deep).parts] == [None, DropReason.LINE_MALFORMED]


@pytest.mark.parametrize("body", [b"", b"  ", b"x", b"{", b"\0\0", b"a=b", b"data=zzz", b"{}x"])
def test_a_body_that_is_nothing_is_unreadable(body: bytes) -> None:
    with pytest.raises(BodyUnreadable):
        read_body(body, "track")


def test_an_image_brings_a_message_in_data_or_in_fields() -> None:
    data = quote(base64.b64encode(RAW)).encode()
    assert read_query(b"data=" + data, "track").parts[0].body == TRACK
    parcel = read_query(b"writeKey=wk&event=E&userId=u&properties.total=9", "track")
    assert parcel.write_key == "wk"
    assert parcel.parts[0].body == {
        "event": "E",
        "userId": "u",
        "properties": {"total": "9"},
        "type": "track",
    }
    with pytest.raises(BodyUnreadable):
        read_query(b"data=zzz", "track")


def test_a_message_read_again_from_its_bytes_has_its_type() -> None:
    assert read_raw(RAW) == TRACK
    assert read_raw(b'{"previousId":"a","userId":"b"}')["type"] == "alias"
    assert read_raw(b'{"event":"$pageview","distinct_id":"d"}')["type"] == "page"


@given(st.lists(JSON, max_size=6))
def test_an_array_splits_into_its_elements(values: list[object]) -> None:
    raws = split_array(json.dumps(values).encode(), 0)
    assert [json.loads(raw) for raw in raws] == values


@given(
    st.one_of(
        st.binary(max_size=300),
        JSON.map(lambda value: json.dumps(value).encode()),
        st.lists(JSON, max_size=4).map(lambda v: json.dumps({"batch": v}).encode()),
        st.builds(
            lambda cut, more: (b'{"batch":[' + RAW + b"]}")[:cut] + more,
            st.integers(0, 120),
            st.binary(max_size=20),
        ),
    ),
    st.sampled_from(["", "track", "identify"]),
)
def test_no_body_raises_anything_but_the_named_error(body: bytes, kind: str) -> None:
    for read in (
        lambda: read_body(body, kind),
        lambda: read_posthog(body),
        lambda: read_query(body, kind),
    ):
        try:
            parcel = read()
        except BodyUnreadable:
            continue
        for part in parcel.parts:
            assert isinstance(part.body, dict)
            assert part.body == {} or part.refused is None
            msgspec.json.encode(part.body)
