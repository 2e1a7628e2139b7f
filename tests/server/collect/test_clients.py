"""Requests as clients send them, byte for byte where they were recorded."""

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from lingxi.access.sources import SourceKind

CAPTURES = Path(__file__).resolve().parents[3].parent / "shared/data/segment_wire_captures.jsonl"
TRACK = {"event": "Order Completed", "messageId": "m1", "userId": "u1", "type": "track"}
KINDS = ("track", "identify", "page", "screen", "group", "alias")


def message(kind: str, **fields: object) -> dict[str, object]:
    said: dict[str, object] = {"messageId": f"m-{kind}", "userId": "u1", "type": kind}
    if kind == "track":
        said["event"] = "Product Viewed"
        said["properties"] = {"product_id": "p1"}
    if kind == "alias":
        said["previousId"] = "anon-1"
    if kind == "group":
        said["groupId"] = "g1"
    return said | fields


def read_captures() -> list[dict[str, Any]]:
    if not CAPTURES.is_file():
        return []
    return [json.loads(line) for line in CAPTURES.read_text().splitlines()]


@pytest.mark.skipif(not CAPTURES.is_file(), reason=f"needs the recorded requests at {CAPTURES}")
def test_every_recorded_request_is_taken_and_counted_once(collector, monkeypatch) -> None:
    read = [prepare(line) for line in read_captures()]
    for key in sorted({key for *_, key in read}):
        make_source_with_key(collector, monkeypatch, key)
    sent: set[str] = set()
    for line, headers, raw, _key in read:
        body = json.loads(raw)
        messages = body.get("batch", [body])
        sent |= {m.get("messageId") or m.get("uuid") for m in messages}
        content = raw.encode()
        if headers.get("content-encoding") == "gzip":
            content = gzip.compress(content)
        for name in ("host", "content-length", "connection", "accept-encoding"):
            headers.pop(name, None)
        answer = collector.client.post(line["path"], content=content, headers=headers)
        assert answer.status_code == 200, (line["path"], answer.text)
    assert len(sent) > 20
    kept = {event.event_id for event in collector.events()}
    kept |= {w.message.body.get("messageId") for w in collector.aside()}
    missing = {name for name in sent if f"web:{name}" not in kept and name not in kept}
    assert missing == set()


def prepare(line: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str], str, str]:
    headers = {k.lower(): v for k, v in line["headers"].items()}
    raw = line["body"] if isinstance(line["body"], str) else json.dumps(line["body"])
    return line, headers, raw, find_key(headers, json.loads(raw))


def find_key(headers: dict[str, str], body: dict[str, Any]) -> str:
    if "authorization" in headers:
        return base64.b64decode(headers["authorization"][6:]).decode().partition(":")[0]
    if "x-write-key" in headers:
        return headers["x-write-key"].partition(":")[0]
    return str(body["api_key"])


def make_source_with_key(collector, monkeypatch, key: str) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("lingxi.access.sources.secrets.token_hex", lambda _n: key)
        collector.make_source(f"recorded-{key}")


@pytest.mark.parametrize("prefix", ["/v1", "/api/s", "/api/s/s2s"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_type_has_its_address(collector, prefix: str, kind: str) -> None:
    body = message(kind)
    del body["type"]
    answer = collector.client.post(f"{prefix}/{kind}", json=body, headers=collector.basic)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert f"web:m-{kind}" in {event.event_id for event in collector.events()}


@pytest.mark.parametrize("kind", KINDS)
def test_each_type_has_its_letter(collector, kind: str) -> None:
    body = json.dumps(message(kind, writeKey=collector.source.write_key))
    headers = {"content-type": "text/plain", "origin": "https://shop.example"}
    answer = collector.client.post(f"/v1/{kind[0]}", content=body, headers=headers)
    assert answer.json() == {"success": True}
    assert f"web:m-{kind}" in {event.event_id for event in collector.events()}


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/b", "/v1/import", "/v1/batch/", "/api/s/batch"])
def test_a_batch_is_taken_once(collector, path: str) -> None:
    body = {"batch": [message(kind) for kind in KINDS]}
    for _ in range(2):
        answer = collector.client.post(path, json=body, headers=collector.basic)
        assert answer.json() == {"success": True}
    ids = [event.event_id for event in collector.events()]
    assert [ids.count(f"web:m-{kind}") for kind in KINDS] == [1] * 6


def test_a_beacon_names_its_key_in_the_address(collector) -> None:
    path = f"/beacon/v1/batch?writeKey={collector.source.write_key}"
    body = json.dumps({"batch": [TRACK]})
    answer = collector.client.post(path, content=body, headers={"content-type": "text/plain"})
    assert answer.status_code == 200
    assert [event.event_id for event in collector.events()] == ["web:m1"]


@pytest.mark.parametrize("path", ["/pixel/v1/track", "/v1/pixel/track"])
def test_an_image_brings_a_message(collector, path: str) -> None:
    body = TRACK | {"writeKey": collector.source.write_key}
    data = base64.b64encode(json.dumps(body).encode()).decode()
    answer = collector.client.get(path, params={"data": data})
    assert answer.headers["content-type"] == "image/gif"
    assert answer.content[:6] == b"GIF89a"
    assert [event.event_id for event in collector.events()] == ["web:m1"]


@pytest.mark.parametrize("path", ["/batch/", "/batch", "/capture/", "/e/", "/i/v0/e/"])
def test_posthog_names_its_key_in_the_body(collector, path: str) -> None:
    event: dict[str, object] = {"event": "Product Viewed", "distinct_id": "u", "uuid": "ph1"}
    event["properties"] = {"product_id": "p1"}
    body = {"api_key": collector.source.write_key, "batch": [event]}
    content = gzip.compress(json.dumps(body).encode())
    answer = collector.client.post(f"{path}?compression=gzip-js", content=content)
    assert (answer.status_code, answer.json()) == (200, {"status": 1})
    kept = {event.event_id for event in collector.events()}
    assert "web:ph1" in kept


def test_a_form_that_is_json_is_json(collector) -> None:
    headers = collector.basic | {
        "content-type": "application/x-www-form-urlencoded",
        "content-encoding": "gzip",
    }
    content = gzip.compress(json.dumps({"batch": [TRACK]}).encode())
    assert collector.client.post("/v1/batch", content=content, headers=headers).status_code == 200
    form = {"data": json.dumps(TRACK | {"messageId": "m2"})}
    assert collector.client.post("/v1/track", data=form, headers=collector.basic).is_success
    assert {event.event_id for event in collector.events()} == {"web:m1", "web:m2"}


def test_browser_clients_find_their_settings_here(collector) -> None:
    key = collector.source.write_key
    told = collector.client.get(f"/v1/projects/{key}/settings", headers={"origin": "https://a.b"})
    assert told.headers["access-control-allow-origin"] == "*"
    assert told.json()["integrations"]["Segment.io"]["apiKey"] == key
    assert told.json()["integrations"]["Segment.io"]["apiHost"].endswith("/v1")
    told = collector.client.get(f"/sourceConfig/?writeKey={key}", headers={"origin": "https://a.b"})
    assert told.json()["source"]["writeKey"] == key
    asked = collector.client.options(
        "/sourceConfig/",
        headers={
            "origin": "https://a.b",
            "access-control-request-method": "GET",
            "access-control-request-headers": "authorization",
        },
    )
    assert asked.headers["access-control-allow-origin"] == "https://a.b"
    assert asked.headers["access-control-allow-headers"] == "authorization"


def test_a_shop_platform_is_a_source_with_a_secret(collector) -> None:
    source = collector.make_source("till", SourceKind.SHOPIFY, secret="s3cret")
    assert source.has_secret
    assert "s3cret" not in repr(source)
