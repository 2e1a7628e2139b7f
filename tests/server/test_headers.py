"""What every answer carries besides its body."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from lingxi.access import Scope
from lingxi.app.shop import Shop
from lingxi.config import ServerSettings
from lingxi.server import assets
from lingxi.server.assets import load_assets
from lingxi.server.security import (
    expired_session_cookie,
    security_headers,
    session_cookie,
    session_cookie_name,
)

Client = TestClient[Litestar]


@pytest.mark.parametrize("path", ["/health/live", "/v1/plan", "/v1/nothing", "/login", "/static/x"])
def test_every_answer_forbids_what_a_page_of_ours_never_does(client: Client, path: str) -> None:
    headers = client.get(path).headers
    policy = dict(
        part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe-inline" not in headers["content-security-policy"]
    assert "unsafe-eval" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-request-id"]


def test_answers_about_people_are_never_cached(client: Client, key: dict[str, str]) -> None:
    assert client.get("/v1/customers", headers=key).headers["cache-control"] == "no-store"


def test_hsts_comes_only_with_secure_cookies() -> None:
    def names(settings: ServerSettings) -> set[bytes]:
        return {name for name, _ in security_headers(settings)}

    assert b"strict-transport-security" not in names(ServerSettings())
    assert b"strict-transport-security" in names(ServerSettings(secure_cookies=True))


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites() -> None:
    plain, secure = ServerSettings(), ServerSettings(secure_cookies=True)
    header = session_cookie(plain, "token").to_header(header="")
    assert "HttpOnly" in header
    assert "SameSite=lax" in header
    assert "Path=/" in header
    assert "Secure" not in header
    assert "Secure" in session_cookie(secure, "token").to_header(header="")
    assert session_cookie_name(secure).startswith("__Host-")
    assert "Max-Age=0" in expired_session_cookie(plain).to_header(header="")


def test_a_large_answer_is_compressed_for_whoever_can_read_it(
    client: Client, key: dict[str, str]
) -> None:
    answer = client.get("/docs", headers={**key, "accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    plain = client.get("/docs", headers={**key, "accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.text == answer.text


@pytest.fixture
def static_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "static"
    (folder / "css").mkdir(parents=True)
    (folder / "css" / "a.css").write_text("a { color: red }\n" * 200)
    (tmp_path / "secret.txt").write_text("secret")
    found = load_assets(folder)
    monkeypatch.setattr(assets, "load_assets", lambda: found)
    return folder


@pytest.mark.usefixtures("static_folder")
def test_an_asset_is_cached_for_ever_under_its_digest(client: Client) -> None:
    address = assets.asset_url("css/a.css")
    answer = client.get(address, headers={"accept-encoding": "gzip"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"
    assert len(gzip.compress(answer.content)) < len(answer.content)
    unversioned = client.get("/static/css/a.css")
    assert unversioned.headers["cache-control"] == "no-cache"
    again = client.get("/static/css/a.css", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.usefixtures("static_folder")
@pytest.mark.parametrize(
    "path",
    [
        "/static/../secret.txt",
        "/static/%2e%2e/secret.txt",
        "/static/css",
        "/static//etc/passwd",
        "/static/css/..%2f..%2fsecret.txt",
    ],
)
def test_no_path_leads_out_of_the_assets(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "secret" not in answer.text


def test_metrics_count_by_template_and_name_no_customer(
    client: Client, make_key: Callable[..., dict[str, str]], customer_id: str
) -> None:
    path = f"/v1/recommendations/{customer_id}"
    client.get(path, headers=make_key(Scope.RECOMMENDATIONS))
    text = client.get("/metrics", headers=make_key(Scope.STATUS)).text
    route = 'route="/v1/recommendations/{customer_id}"'
    assert f'lingxi_http_requests_total{{method="GET",{route},status="200"}} 1.0' in text
    assert customer_id not in text
    assert f'lingxi_http_request_seconds_bucket{{le="5.0",{route}}}' in text
    assert "lingxi_events " in text
    assert "lingxi_behind_events{name=" in text


def test_the_server_is_not_ready_when_the_store_cannot_be_read(shop: Shop, client: Client) -> None:
    assert client.get("/health/ready").json() == {"status": "ok"}
    for path in shop.store.folder.rglob("*.sqlite*"):
        path.unlink()
    shop.store.engine.dispose()
    shop.store.folder.rename(shop.store.folder.with_name("gone"))
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable"})
    assert client.get("/health/live").status_code == 200
