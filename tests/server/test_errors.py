"""Every error has one status, one shape, and no stack trace."""

import json
import re
from collections.abc import Iterator

import pytest
from litestar import Litestar, get
from litestar.params import FromPath
from litestar.testing import TestClient

from lingxi import errors
from lingxi.app.shop import Shop
from lingxi.errors import InternalError, LingxiError, RateLimited, UserError
from lingxi.server.app import create_app
from lingxi.server.errors import find_status
from lingxi.server.logs import configure_logs
from lingxi.server.problems import STATUSES

Client = TestClient[Litestar]
EXPECTED = {
    "UnknownCustomer": 404,
    "UnknownItem": 404,
    "UnknownModel": 404,
    "NotTrained": 409,
    "NotEnoughData": 409,
    "InvalidInput": 400,
    "NotAuthenticated": 401,
    "PermissionDenied": 403,
    "RateLimited": 429,
    "StoreBusy": 503,
    "StoreUnavailable": 503,
    "CorruptArtefact": 500,
}


def make_error(name: str) -> Exception:
    kind = getattr(errors, name, RuntimeError)
    if kind is RateLimited:
        return RateLimited("secret detail", retry_after_seconds=7)
    error = kind("secret detail")
    assert isinstance(error, Exception)
    return error


@get("/v1/broken/{name:str}", opt={"open": True}, sync_to_thread=True)
def break_down(name: FromPath[str]) -> str:
    raise make_error(name)


@pytest.fixture
def client(shop: Shop) -> Iterator[Client]:
    app = create_app(shop)
    app.register(break_down)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def test_every_error_of_the_tree_has_a_status_of_its_branch() -> None:
    def below(kind: type[LingxiError]) -> Iterator[type[LingxiError]]:
        yield kind
        for child in kind.__subclasses__():
            yield from below(child)

    for kind in below(LingxiError):
        status = next(STATUSES[step] for step in kind.__mro__ if step in STATUSES)
        if issubclass(kind, UserError):
            assert 400 <= status < 500, kind
        if issubclass(kind, InternalError):
            assert status >= 500, kind


@pytest.mark.parametrize(("name", "status"), EXPECTED.items())
def test_an_error_becomes_its_status(client: Client, name: str, status: int) -> None:
    answer = client.get(f"/v1/broken/{name}")
    assert answer.status_code == status == find_status(make_error(name))
    problem = answer.json()["error"]
    assert set(problem) == {"code", "message", "request_id"}
    assert problem["code"] == make_error(name).code  # type: ignore[attr-defined]
    assert problem["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("name", ["CorruptArtefact", "StoreBusy", "Whatever"])
def test_what_went_wrong_inside_is_logged_and_not_told(
    client: Client, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs(cache=False)  # to the stderr that is captured here
    answer = client.get(f"/v1/broken/{name}")
    assert answer.status_code >= 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    (failure,) = [line for line in lines if line["event"] == "request_failed"]
    assert "secret detail" in failure["exception"]
    assert failure["request_id"] == answer.headers["x-request-id"]


def test_whoever_must_wait_is_told_how_long(client: Client) -> None:
    assert client.get("/v1/broken/RateLimited").headers["retry-after"] == "7"
    assert int(client.get("/v1/broken/StoreBusy").headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/nothing", 404), ("DELETE", "/v1/plan", 405), ("GET", "/v1", 404)],
)
def test_an_address_that_does_not_exist_is_a_json_answer_too(
    client: Client, method: str, path: str, status: int
) -> None:
    answer = client.request(method, path, headers={"accept": "text/html"})
    assert answer.status_code == status
    assert answer.json()["error"]["request_id"] == answer.headers["x-request-id"]


def test_a_body_that_is_too_large_is_refused(client: Client) -> None:
    answer = client.post(
        "/login",
        content=b"name=" + b"x" * 300_000,
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "request_entity_too_large"


def test_a_request_id_of_a_proxy_is_kept_if_it_is_one(client: Client) -> None:
    given = client.get("/health/live", headers={"x-request-id": "abc-123.DEF_456"})
    assert given.headers["x-request-id"] == "abc-123.DEF_456"
    forged = client.get("/health/live", headers={"x-request-id": 'a"} {"level": "error'})
    assert re.fullmatch(r"[0-9a-f]{16}", forged.headers["x-request-id"])


def test_an_error_is_json_to_the_last_byte(client: Client) -> None:
    json.loads(client.get("/v1/broken/InvalidInput").content)
