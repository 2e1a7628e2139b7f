"""Bodies, headers and encodings made to hurt: an answer in time that says what is wrong."""

import gzip
import json
import socket
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from live import HOST, find_key, serve_shop

FINE = (200, 400, 401, 415)
PATHS = ("/v1/batch", "/v1/track", "/v1/i", "/batch/", "/e/", "/api/s/page", "/beacon/v1/batch")
TRACK = b'{"type":"track","event":"x","userId":"u","messageId":"m","properties":%s}'
MEGABYTES = b"x" * 10_000_000


def bomb(levels: int = 1, size: int = 10_000_000) -> bytes:
    """Zeros packed as many times as said."""
    packed = b"0" * size
    for _ in range(levels):
        packed = gzip.compress(packed)
    return packed


def squeeze(body: bytes, form: int) -> bytes:
    stream = zlib.compressobj(wbits=form)
    return stream.compress(body) + stream.flush()


UNREADABLE = [
    ("gzip bomb", bomb(), {}, "body_too_large", "unpacks"),
    (
        "deflate bomb",
        squeeze(b"0" * 10_000_000, 15),
        {"content-encoding": "deflate"},
        "body_too_large",
        "unpacks",
    ),
    (
        "raw deflate bomb",
        squeeze(b"0" * 10_000_000, -15),
        {"content-encoding": "deflate"},
        "body_too_large",
        "unpacks",
    ),
    ("nested gzip", bomb(2), {}, "body_unreadable", "JSON"),
    (
        "many gzip members",
        gzip.compress(b"0" * 100_000, mtime=0) * 50,
        {},
        "body_too_large",
        "unpacks",
    ),
    ("brotli", b"{}", {"content-encoding": "br"}, "encoding_unsupported", "br"),
    ("zstd", b"{}", {"content-encoding": "zstd"}, "encoding_unsupported", "zstd"),
    ("two encodings", b"{}", {"content-encoding": "gzip, br"}, "encoding_unsupported", "gzip, br"),
    ("5,000 levels", b'{"a":' * 5_000, {}, "body_unreadable", "64 levels"),
    ("ten megabytes", b'{"event":"' + MEGABYTES + b'"}', {}, "body_too_large", "bytes"),
    ("not a number", TRACK % b"NaN", {}, "body_unreadable", "JSON"),
    ("infinity", TRACK % b"-Infinity", {}, "body_unreadable", "JSON"),
    ("150,000 messages", b'{"batch":[' + b"{}," * 150_000 + b"{}]}", {}, "body_too_large", "2500"),
    ("150,000 listed", b"[" + b"{}," * 150_000 + b"{}]", {}, "body_too_large", "2500"),
    ("empty", b"", {}, "body_unreadable", "empty"),
    ("blanks", b" \n\t ", {}, "body_unreadable", "empty"),
    ("a byte order mark alone", b"\xef\xbb\xbf", {}, "body_unreadable", "empty"),
    ("zero bytes", b"\0" * 100, {}, "body_unreadable", "JSON"),
    ("a number", b"7", {}, "body_unreadable", "JSON"),
    ("a text", b'"text"', {}, "body_unreadable", "JSON"),
    ("600 fields", b"&".join(b"a%d=1" % n for n in range(600)), {}, "body_unreadable", "500"),
    ("gzip cut short", gzip.compress(b"{}" * 50)[:-4], {}, "body_unreadable", "short"),
    ("gzip damaged", b"\x1f\x8b\x08" + b"\xff" * 40, {}, "body_unreadable", "damaged"),
]


@pytest.mark.parametrize(
    ("body", "headers", "code", "words"),
    [entry[1:] for entry in UNREADABLE],
    ids=[entry[0] for entry in UNREADABLE],
)
def test_a_body_that_is_refused_is_told_what_is_wrong_with_it(
    collector, body: bytes, headers: dict[str, str], code: str, words: str
) -> None:
    answer = collector.client.post("/v1/track", content=body, headers=collector.basic | headers)
    told = answer.json()["error"]
    assert (answer.status_code, told["code"]) == (415 if "encoding" in code else 400, code), told
    assert words in told["message"]
    assert collector.events() == []


@pytest.mark.parametrize(
    "body",
    [
        TRACK.replace(b'"m"', b'"first","messageId":"m"') % b"{}",
        TRACK % b'{"a":"\\ud83d"}',
        TRACK % b'{"a":"\xff\xfe"}',
        TRACK % b'{"a":"\\u0000"}',
        TRACK % b'{"price":-0.0,"quantity":-0}',
        TRACK % b'{"price":1e308,"quantity":1e-400}',
        b"[" * 100_000,
        b'{"a":' * 80_000,
        TRACK % b"null",
        TRACK % b"[]",
        b"\xef\xbb\xbf" + TRACK % b"{}",
    ],
    ids=[
        "a key twice",
        "half a surrogate pair",
        "bytes that are no UTF-8",
        "a zero character",
        "negative zero",
        "numbers at the edge of a float",
        "100,000 lists within each other",
        "80,000 objects within each other",
        "null",
        "a list for an object",
        "a byte order mark",
    ],
)
def test_a_body_that_is_odd_is_kept_or_set_aside_but_not_lost(collector, body: bytes) -> None:
    answer = collector.client.post("/v1/track", content=body, headers=collector.basic)
    assert answer.status_code == 200, answer.text
    assert len(collector.events()) + len(collector.aside()) == 1


@pytest.mark.parametrize("number", [b"1e400", b"9" * 5_000, b"9" * 20_000])
def test_a_number_beyond_every_float_is_no_fault_of_ours(collector, number: bytes) -> None:
    body = TRACK % (b'{"price":' + number + b"}")
    answer = collector.client.post("/v1/track", content=body, headers=collector.basic)
    assert answer.status_code in (200, 400), answer.text
    if answer.status_code == 200:
        assert len(collector.events()) + len(collector.aside()) == 1
    else:
        assert "range" in answer.json()["error"]["message"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_a_body_in_another_encoding_is_refused_and_said(collector, encoding: str) -> None:
    body = (TRACK % b"{}").decode().encode(encoding)
    answer = collector.client.post("/v1/track", content=body, headers=collector.basic)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "body_unreadable"


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers(-(10**400), 10**400)
    | st.text(max_size=8)
    | st.sampled_from(["\0", "\ud83d", "\u202e", "NaN", "1e400", "x" * 40_000]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "batch",
                    "type",
                    "event",
                    "userId",
                    "anonymousId",
                    "messageId",
                    "properties",
                    "context",
                    "traits",
                    "timestamp",
                    "sentAt",
                    "products",
                    "price",
                    "email",
                    "distinct_id",
                    "api_key",
                    "$set",
                    "previousId",
                    "groupId",
                ]
            )
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
TEXTS = VALUES.map(lambda value: json.dumps(value).encode())
DAMAGED = st.tuples(TEXTS, st.binary(min_size=1, max_size=4), st.floats(0, 1)).map(
    lambda each: each[0][: int(len(each[0]) * each[2])] + each[1] + each[0]
)
BODIES = st.one_of(
    TEXTS,
    DAMAGED,
    st.binary(max_size=300),
    TEXTS.map(gzip.compress),
    TEXTS.map(lambda text: gzip.compress(text)[:-3]),
    TEXTS.map(zlib.compress),
    TEXTS.map(lambda text: b"data=" + text),
    TEXTS.map(lambda text: text.decode().encode("utf-16")),
)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            b"content-type",
            b"content-encoding",
            b"origin",
            b"x-write-key",
            b"authorization",
            b"user-agent",
            b"x-request-id",
            b"x-forwarded-for",
        ]
    ),
    st.binary(max_size=60).map(lambda raw: raw.replace(b"\r", b"").replace(b"\n", b""))
    | st.sampled_from(
        [b"gzip", b"deflate", b"identity", b"text/plain", b"Basic \xff\xfe", b"null"]
    ),
    max_size=4,
)


@settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=BODIES, path=st.sampled_from(PATHS), headers=HEADERS, known=st.booleans())
def test_no_body_header_or_encoding_is_a_fault_of_ours(
    collector, body, path, headers, known
) -> None:
    own = [(name.encode(), value.encode()) for name, value in collector.basic.items()]
    sent = list(headers.items()) + (own if known else [])
    answer = collector.client.post(path, content=body, headers=sent)
    assert answer.status_code in FINE, answer.text
    if answer.status_code != 200:
        assert len(answer.json()["error"]["message"]) > 10


def ask(port: int, raw: bytes, *, end: bool = True) -> bytes:
    """What the server says to these very bytes."""
    with socket.create_connection((HOST, port), timeout=20) as line:
        line.sendall(raw)
        if end:
            line.shutdown(socket.SHUT_WR)
        told = b""
        while part := line.recv(65_536):
            told += part
        return told


def test_requests_that_are_no_honest_http_are_answered_or_cut_off(shop) -> None:
    shop.ensure_source()
    text = (
        b'{"event":"x","userId":"u","messageId":"%s","writeKey":"' + find_key(shop).encode() + b'"}'
    )
    top = b"POST /v1/track HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    with serve_shop(shop) as port:
        long = text % b"long"
        length = b"Content-Length: %d\r\n\r\n"
        cases = {
            "too long a length": top + length % (len(long) + 50) + long,
            "too short a length": top + length % 5 + long,
            "no length": top + b"\r\n" + long,
            "a length that is none": top + b"Content-Length: many\r\n\r\n" + long,
            "a chunk that is none": top + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + long,
            "many headers": top + b"X-A: b\r\n" * 2_000 + length % len(long) + long,
            "bytes above 127": top
            + b"X-Name: \xff\xfe\xe4\r\nUser-Agent: \xff\r\n"
            + length % len(long)
            + long,
        }
        for name, raw in cases.items():
            told = ask(port, raw)
            assert b" 500 " not in told[:20], (name, told[:200])
        chunked = text % b"chunked"
        body = b"".join(b"1\r\n%c\r\n" % letter for letter in chunked) + b"0\r\n\r\n"
        told = ask(port, top + b"Transfer-Encoding: chunked\r\n\r\n" + body, end=False)
        assert told.startswith(b"HTTP/1.1 200"), told[:200]
        fine = text % b"fine"
        assert ask(port, top + length % len(fine) + fine, end=False).startswith(b"HTTP/1.1 200")
    stored = {event.event_id for event in shop.store.log.read()}
    assert {"web:chunked", "web:fine"} <= stored
