"""A message on its way over a topic: the same at the other end, and unreadable in between."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingxi.ingest.aside_keys import owner_of
from lingxi.ingest.cleaning import Rules, clean
from lingxi.ingest.draining import Sealer, open_records
from lingxi.ingest.message import Dropped, Message
from lingxi.ingest.reasons import DropReason
from lingxi.store import Keyring
from lingxi.store.topics import Record

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
RULES = Rules(currency="GBP", digits=2)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return Keyring(tmp_path_factory.mktemp("keys"))


def record(value: bytes) -> Record:
    return Record(0, 0, value)


def message(raw: bytes = b"{}", **words: object) -> Message:
    return Message(body={}, raw=raw, received_at=NOW, source="web", **words)


MESSAGES = st.builds(
    Message,
    body=st.dictionaries(st.text(max_size=6), JSON, max_size=4),
    raw=st.binary(max_size=40),
    received_at=st.sampled_from([NOW, NOW - timedelta(days=900), NOW + timedelta(microseconds=7)]),
    source=st.text(min_size=1, max_size=9),
    sent_at=st.none() | st.text(max_size=9) | st.integers(0, 9),
    agent=st.none() | st.text(max_size=9),
    trusted=st.booleans(),
    recorded=st.booleans(),
)


@given(st.lists(MESSAGES, min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_what_is_opened_is_what_was_sealed(keyring: Keyring, sent: list[Message]) -> None:
    sealed = Sealer(keyring, RULES).seal(sent)
    found = open_records(keyring, [record(value) for _, value in sealed], NOW)
    for before, after in zip(sent, found, strict=True):
        if before.body:
            assert after == before
        else:  # the bytes say what they say
            assert (after.raw, after.source) == (before.raw, before.source)


def test_a_refusal_goes_along(keyring: Keyring) -> None:
    sent = message(b"no json", refused=DropReason.EVENT_TOO_LARGE)
    (pair,) = Sealer(keyring, RULES).seal([sent])
    assert open_records(keyring, [record(pair[1])], NOW) == [sent]


def test_the_address_stays_behind_but_its_judgement_goes_along(keyring: Keyring) -> None:
    rules = Rules.of(_shop_settings())
    body = {"type": "track", "event": "X", "userId": "u1"}
    sent = [
        Message(body=body, raw=b"{}", received_at=NOW, source="web", address=each, agent="Mozilla")
        for each in ("203.0.113.7", "198.51.100.1")
    ]
    values = [value for _, value in Sealer(keyring, rules).seal(sent)]
    found = open_records(keyring, [record(value) for value in values], NOW)
    assert [(each.address, each.internal) for each in found] == [(None, True), (None, False)]
    judged = clean(found[0], RULES)
    assert isinstance(judged, Dropped)
    assert judged.reason is DropReason.INTERNAL_TRAFFIC


def _shop_settings():
    from lingxi.config import CleaningSettings, Settings

    own = CleaningSettings(internal_addresses=("203.0.113.0/24",))
    return Settings(folder=Path(), cleaning=own)


def test_keys_keep_a_browser_together_and_name_nobody(keyring: Keyring) -> None:
    bodies = [
        {"anonymousId": "b1"},
        {"anonymousId": "b1", "userId": "ann@example.com"},
        {"userId": "ann@example.com"},
        {},
    ]
    sent = [Message(body=body, raw=b"{}", received_at=NOW, source="web") for body in bodies]
    keys = [key for key, _ in Sealer(keyring, RULES).seal(sent)]
    assert keys[0] == keys[1] != keys[2]
    assert keys[3] is None
    assert all(key is None or b"ann" not in key for key in keys)


def test_nothing_of_a_person_can_be_read_in_a_value(keyring: Keyring) -> None:
    raw = b'{"traits": {"email": "ann@example.com"}}'
    ((_, value),) = Sealer(keyring, RULES).seal([message(raw)])
    assert b"ann" not in value
    assert b"email" not in value


def test_what_lies_there_for_longer_than_a_month_nobody_reads(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path)
    ((_, value),) = Sealer(keyring, RULES).seal([message(b'{"userId": "u1"}')])
    keyring.destroy([owner_of(NOW + timedelta(days=30))])
    (found,) = open_records(keyring, [record(value)], NOW)
    assert (found.refused, found.raw) == (DropReason.LINE_MALFORMED, value)


def test_what_is_foreign_or_damaged_is_refused_alone(keyring: Keyring) -> None:
    good = [value for _, value in Sealer(keyring, RULES).seal([message(b"1"), message(b"2")])]
    damaged = good[0][:-1] + bytes([good[0][-1] ^ 1])
    values = [good[0], b"", b"{}", b"lx1", damaged, good[1]]
    found = open_records(keyring, [record(value) for value in values], NOW)
    assert [each.refused is None for each in found] == [True, False, False, False, False, True]
    assert [each.raw for each in found] == [b"1", b"", b"{}", b"lx1", damaged, b"2"]
