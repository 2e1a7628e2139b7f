"""Who may send, how much, how fast; and what is answered when not."""

import gzip
import json
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar.testing import TestClient

from lingxi.access.sources import disable_source, rotate_source
from lingxi.errors import StoreBusy, StoreUnavailable
from lingxi.ingest.intake import Intake

TRACK = {"type": "track", "event": "Product Viewed", "userId": "u1"}
TRACK |= {"properties": {"product_id": "p1"}}


def track(name: str) -> dict[str, object]:
    return TRACK | {"messageId": name}


def test_a_key_is_asked_for(collector) -> None:
    wrong = {"authorization": "Basic bm9ib2R5Og=="}
    for headers in ({}, wrong, {"authorization": "Basic %%%"}, {"authorization": "Bearer x"}):
        answer = collector.client.post("/v1/track", json=track("m"), headers=headers)
        assert answer.status_code == 401
        assert answer.json()["success"] is False
        assert answer.json()["error"]["code"] == "not_authenticated"
        assert answer.headers["www-authenticate"].startswith("Basic")
    assert collector.events() == []


def test_a_disabled_key_ends_within_a_second_and_a_new_one_begins(collector) -> None:
    def send(headers: dict[str, str]) -> int:
        body = json.dumps(track("m"))
        return collector.client.post("/v1/track", content=body, headers=headers).status_code

    old = collector.basic
    assert send(old) == 200
    store, now = collector.shop.store, collector.shop.clock.now()
    with store.write() as tx:
        new = rotate_source(tx, store.keyring, now, "web", actor="test")
    time.sleep(1)
    assert send(old) == 401
    fresh = collector.__class__(collector.shop, collector.app, collector.client, new).basic
    assert send(fresh) == 200
    with store.write() as tx:
        disable_source(tx, now, "web", actor="test")
    time.sleep(1)
    assert send(fresh) == 401


def test_neither_session_nor_form_token_is_asked_for(collector) -> None:
    headers = collector.basic | {
        "origin": "https://shop.example",
        "sec-fetch-site": "cross-site",
        "cookie": "lingxi_session=stolen",
        "content-type": "application/x-www-form-urlencoded",
    }
    body = json.dumps(track("m"))
    assert collector.client.post("/v1/track", content=body, headers=headers).status_code == 200
    plain = TestClient(collector.app)  # the same address through Litestar's own route
    assert plain.post("/v1/track", content=body, headers=headers).status_code == 200
    assert len(collector.events()) == 1


def test_a_page_of_any_site_may_send_and_read_the_answer(collector) -> None:
    asked = collector.client.options(
        "/v1/t",
        headers={
            "origin": "https://shop.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,content-type",
        },
    )
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == "https://shop.example"
    assert asked.headers["access-control-allow-credentials"] == "true"
    assert asked.headers["access-control-allow-headers"] == "authorization,content-type"
    assert "POST" in asked.headers["access-control-allow-methods"]
    headers = collector.basic | {"origin": "https://shop.example"}
    for body, status in ((json.dumps(track("m")), 200), ("nothing", 400)):
        answer = collector.client.post("/v1/t", content=body, headers=headers)
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"


def test_a_source_may_name_its_own_sites(collector) -> None:
    made = collector.make_source("mine", allowed_origins=["https://Shop.example/"])
    body = json.dumps(track("m") | {"writeKey": made.write_key})
    for origin, status in (
        ({"origin": "https://shop.example"}, 200),
        ({"origin": "https://other.example"}, 403),
        ({"origin": "null"}, 403),
        ({}, 200),
    ):
        answer = collector.client.post("/v1/t", content=body, headers=origin)
        assert answer.status_code == status, origin


@pytest.mark.parametrize("packed", [False, True])
def test_a_batch_of_more_than_500_kb_is_refused_whole(collector, packed: bool) -> None:
    batch = [track(f"m{n}") | {"context": {"x": "y" * 20_000}} for n in range(30)]
    body = json.dumps({"batch": batch}).encode()
    assert len(body) > 512_000
    headers = collector.basic | ({"content-encoding": "gzip"} if packed else {})
    content = gzip.compress(body) if packed else body
    answer = collector.client.post("/v1/batch", content=content, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "body_too_large"
    assert collector.events() == []


def test_what_cannot_be_kept_of_a_batch_is_set_aside_with_its_reason(collector) -> None:
    good = [track("a"), track("b")]
    large = track("c") | {"context": {"x": "y" * 40_000}}
    parts = [json.dumps(each) for each in (good[0], large, good[1])]
    content = '{"batch":[' + ",".join([*parts, '{"messageId": "d", "x": NaN}', "7"]) + "]}"
    answer = collector.client.post("/v1/batch", content=content, headers=collector.basic)
    assert answer.json() == {"success": True}
    assert [event.event_id for event in collector.events()] == ["web:a", "web:b"]
    aside = {waiting.message.raw: waiting.reason for waiting in collector.aside()}
    assert aside == {
        parts[1].encode(): "event_too_large",
        b'{"messageId": "d", "x": NaN}': "line_malformed",
        b"7": "line_malformed",
    }


def test_events_after_the_2500th_are_set_aside(collector) -> None:
    small = [{"type": "track", "event": "x", "messageId": f"{n}"} for n in range(2502)]
    for each in small:
        each["anonymousId"] = "a"
    body = json.dumps({"batch": small})
    answer = collector.client.post("/v1/batch", content=body, headers=collector.basic)
    assert answer.json() == {"success": True}
    assert len(collector.events()) == 2500
    assert [w.reason for w in collector.aside()] == ["batch_too_long"] * 2


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"", {}, 400, "body_unreadable"),
        (b"nonsense", {}, 400, "body_unreadable"),
        (b"\x1f\x8b\x08cut", {}, 400, "body_unreadable"),
        (b'{"a":' * 2_000, {}, 400, "body_unreadable"),
        (b"{}", {"content-encoding": "br"}, 415, "encoding_unsupported"),
        pytest.param(
            gzip.compress(b"0" * 20_000_000, mtime=0), {}, 400, "body_too_large", id="bomb"
        ),
    ],
)
def test_a_body_that_cannot_be_read(
    collector, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    answer = collector.client.post("/v1/track", content=body, headers=collector.basic | headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize("error", [StoreBusy("locked"), StoreUnavailable("disk full")])
def test_a_store_that_refuses_is_503_and_recovers(collector, monkeypatch, error) -> None:
    def refuse(_self: Intake, _messages: object) -> object:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(Intake, "take", refuse)
        answer = collector.client.post("/v1/track", json=track("m"), headers=collector.basic)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert "locked" not in answer.text
    answer = collector.client.post("/v1/track", json=track("m"), headers=collector.basic)
    assert answer.status_code == 200
    assert [event.event_id for event in collector.events()] == ["web:m"]


class TestPace:
    @pytest.fixture
    def environ(self) -> dict[str, str]:
        return {"LINGXI_COLLECT_REQUESTS_PER_SECOND": "3"}

    def test_a_source_that_is_too_fast_is_told_when_to_come_back(self, collector) -> None:
        answers = [
            collector.client.post("/v1/track", json=track(f"m{n}"), headers=collector.basic)
            for n in range(30)
        ]
        statuses = [answer.status_code for answer in answers]
        assert statuses[:3] == [200, 200, 200]
        refused = answers[statuses.index(429)]
        assert int(refused.headers["retry-after"]) >= 1
        assert int(refused.headers["x-ratelimit-reset"]) > time.time() - 60
        assert len(collector.events()) == statuses.count(200)


def test_the_numbers_of_the_collector_are_among_the_metrics(collector) -> None:
    body = {"batch": [track("a"), track("a"), {"type": "nonsense"}]}
    assert collector.client.post("/v1/batch", json=body, headers=collector.basic).is_success
    from lingxi.access import Scope, create_key

    with collector.shop.store.write() as tx:
        now = collector.shop.clock.now()
        key = create_key(tx, now, "prometheus", [Scope.STATUS], actor="test")
    text = collector.client.get("/metrics", headers={"authorization": f"Bearer {key.secret}"}).text
    assert 'lingxi_collect_requests_total{route="/v1/batch",status="200"} 1.0' in text
    assert 'lingxi_collect_events_total{reason="",result="stored"} 1.0' in text
    assert 'lingxi_collect_events_total{reason="",result="duplicate"} 1.0' in text
    assert 'result="dropped"' in text
    assert "lingxi_collect_commit_seconds_count 1.0" in text
    assert "lingxi_collect_waiting 0.0" in text


def test_every_address_is_described(collector) -> None:
    paths = collector.app.openapi_schema.to_schema()["paths"]
    for path in ("/v1/batch", "/v1/t", "/pixel/v1/track", "/beacon/v1/batch", "/api/s/track"):
        operation = next(iter(paths[path].values()))
        assert operation["summary"]
        assert {"200", "400", "401", "429", "503"} <= set(operation["responses"])


FIELDS = [
    "batch",
    "type",
    "event",
    "userId",
    "messageId",
    "properties",
    "context",
    "traits",
    "timestamp",
    "sentAt",
    "products",
    "price",
    "email",
    "anonymousId",
]
BODIES = st.one_of(
    st.binary(max_size=200),
    st.binary(max_size=200).map(gzip.compress),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "batch",
                        "type",
                        "event",
                        "userId",
                        "messageId",
                        "properties",
                        "context",
                        "traits",
                        "timestamp",
                        "sentAt",
                        "products",
                        "price",
                        "email",
                        "anonymousId",
                    ]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode()),
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=BODIES,
    path=st.sampled_from(["/v1/batch", "/v1/track", "/v1/i", "/v1/a", "/batch/", "/api/s/page"]),
    headers=st.dictionaries(
        st.sampled_from(
            [
                "content-type",
                "content-encoding",
                "origin",
                "x-write-key",
                "user-agent",
                "x-request-id",
            ]
        ),
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
        max_size=3,
    ),
    known=st.booleans(),
)
def test_nothing_that_is_sent_is_a_fault_of_ours(collector, body, path, headers, known) -> None:
    sent = headers | (collector.basic if known else {})
    answer = collector.client.post(path, content=body, headers=sent)
    assert answer.status_code in (200, 400, 401, 415), answer.text


def test_front_leaves_other_addresses_to_litestar(collector) -> None:
    assert collector.client.get("/health/live").json() == {"status": "ok"}
    assert collector.client.get("/v1/batch").status_code == 405
