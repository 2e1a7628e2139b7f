"""Compressed bodies, whatever their headers say, and bodies made to hurt."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingxi.errors import BodyTooLarge, BodyUnreadable, EncodingUnsupported, InvalidInput
from lingxi.ingest.wire import unpack

PLAIN = b'{"event": "Order Completed"}'


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (PLAIN, ""),
        (PLAIN, "identity"),
        (PLAIN, "gzip"),
        (gzip.compress(PLAIN, mtime=0), "gzip"),
        (gzip.compress(PLAIN, mtime=0), ""),
        (gzip.compress(PLAIN, mtime=0), "x-gzip"),
        (gzip.compress(PLAIN[:9], mtime=0) + gzip.compress(PLAIN[9:], mtime=0), "gzip"),
        (zlib.compress(PLAIN), "deflate"),
        (zlib.compress(PLAIN)[2:-4], "deflate"),
    ],
)
def test_a_body_is_unpacked_by_what_it_is(body: bytes, encoding: str) -> None:
    assert unpack(body, encoding, most=1000) == PLAIN


def test_a_zip_bomb_stops_at_the_limit() -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    assert len(bomb) < 60_000
    with pytest.raises(BodyTooLarge, match="more than 100000 bytes"):
        unpack(bomb, "gzip", most=100_000)


def test_a_body_of_just_the_limit_is_taken() -> None:
    body = b"0" * 1000
    assert unpack(gzip.compress(body), "gzip", most=1000) == body
    assert unpack(body, "", most=1000) == body
    with pytest.raises(BodyTooLarge):
        unpack(body + b"0", "", most=1000)


@pytest.mark.parametrize("cut", [3, 12, 20, -1])
def test_a_cut_stream_is_unreadable(cut: int) -> None:
    with pytest.raises(BodyUnreadable):
        unpack(gzip.compress(PLAIN)[:cut], "gzip", most=1000)


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "\xff"])
def test_other_compressions_are_refused_by_name(encoding: str) -> None:
    with pytest.raises(EncodingUnsupported, match="send gzip or deflate"):
        unpack(PLAIN, encoding, most=1000)


@given(
    st.binary(max_size=200).map(lambda raw: b"\x1f\x8b" + raw) | st.binary(max_size=200),
    st.sampled_from(["", "gzip", "deflate", "br"]),
)
def test_no_bytes_raise_anything_but_the_named_errors(body: bytes, encoding: str) -> None:
    try:
        assert len(unpack(body, encoding, most=150)) <= 150
    except InvalidInput:
        return
