"""PostHog's events in the terms of the Segment specification."""

import json

import pytest

from lingxi.ingest.wire import read_posthog
from lingxi.ingest.wire.posthog import translate


def test_a_batch_of_the_python_client() -> None:
    event = {
        "event": "Order Completed",
        "distinct_id": "u1",
        "uuid": "id-1",
        "timestamp": "2026-11-24T00:51:34Z",
        "properties": {"total": 1, "$lib": "posthog-python", "$lib_version": "7.9"},
    }
    parcel = read_posthog(json.dumps({"api_key": "k", "batch": [event]}).encode())
    body = parcel.parts[0].body
    assert body["type"] == "track"
    assert body["event"] == "Order Completed"
    assert body["userId"] == "u1"
    assert body["messageId"] == "id-1"
    assert body["timestamp"] == "2026-11-24T00:51:34Z"
    assert body["properties"] == {"total": 1}
    assert body["context"]["library"] == {"name": "posthog-python", "version": "7.9"}


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (
            {"event": "$identify", "distinct_id": "u", "$set": {"a": 1}},
            {"type": "identify", "userId": "u", "traits": {"a": 1}},
        ),
        (
            {"event": "$set", "distinct_id": "u", "properties": {"$set": {"a": 1}}},
            {"type": "identify", "userId": "u", "traits": {"a": 1}},
        ),
        (
            {
                "event": "$create_alias",
                "distinct_id": "old",
                "properties": {"distinct_id": "old", "alias": "new"},
            },
            {"type": "alias", "userId": "new", "previousId": "old"},
        ),
        (
            {
                "event": "$pageview",
                "properties": {"distinct_id": "d", "$device_id": "d", "$current_url": "http://x/"},
            },
            {"type": "page", "anonymousId": "d", "properties": {"url": "http://x/"}},
        ),
        (
            {"event": "$screen", "distinct_id": "u", "properties": {"$screen_name": "Home"}},
            {"type": "screen", "name": "Home"},
        ),
        (
            {
                "event": "$groupidentify",
                "distinct_id": "u",
                "properties": {"$group_key": "g", "$group_set": {"n": 1}},
            },
            {"type": "group", "groupId": "g", "traits": {"n": 1}},
        ),
    ],
)
def test_each_kind_has_its_type(event: dict[str, object], told: dict[str, object]) -> None:
    body = translate(event)
    assert {name: body.get(name) for name in told} == told


def test_a_token_within_the_properties_is_the_key_and_no_property() -> None:
    event = {"event": "E", "properties": {"token": "k", "distinct_id": "d", "x": 1}}
    parcel = read_posthog(json.dumps([event]).encode())
    assert parcel.write_key == "k"
    assert parcel.parts[0].body["properties"] == {"x": 1}


def test_the_session_of_a_browser_is_kept() -> None:
    body = translate({"event": "Quiz", "distinct_id": "u", "properties": {"$session_id": "s-1"}})
    assert body["context"]["sessionId"] == "s-1"  # type: ignore[index]
