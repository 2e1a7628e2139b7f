"""Whatever comes in a path or a query: an answer, and never a fault of ours."""

from collections.abc import Callable
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar import Litestar
from litestar.testing import TestClient

from lingxi.access import Role
from lingxi.server.security import SESSION_COOKIE

Client = TestClient[Litestar]
NAMES = [
    "n",
    "history",
    "cursor",
    "before",
    "search",
    "stage",
    "segment",
    "action",
    "country",
    "sort",
    "category",
    "form",
    "reason",
    "text",
    "unknown",
]
PATHS = [
    "/v1/recommendations/{}",
    "/v1/similar/{}",
    "/v1/customers/{}",
    "/v1/items/{}",
    "/v1/recommendations",
    "/v1/customers",
    "/v1/items",
    "/v1/plan",
    "/v1/plan/export",
    "/v1/quarantine",
    "/v1/live/{}",
    "/v1/events/{}",
    "/v1/waiting/{}",
    "/v1/identity/{}",
    "/v1/consent/{}",
    "/v1/search",
    "/v1/{}",
    "/{}",
    "/customers/{}",
    "/items/{}",
    "/live/{}",
    "/events/{}",
    "/quarantine/{}",
    "/docs/{}",
]
ODD = st.sampled_from(
    [
        "",
        "0",
        "-1",
        "1e9",
        "9" * 400,
        "9" * 19,
        "9" * 30,
        "NaN",
        "null",
        "\0",
        "\x1b[31m",
        "\ud800",
        "..",
        "../..",
        "/",
        "%",
        "%00",
        "' or 1=1 --",
        "🎁" * 80,
        "a" * 100_000,
        "\u202e",
        "eyJ4IjoxfQ==",
        "17850",
    ]
)
TEXTS = st.one_of(ODD, st.text(max_size=300), st.integers().map(str))


def to_path(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    path=st.sampled_from(PATHS),
    segment=TEXTS,
    query=st.lists(st.tuples(st.sampled_from(NAMES), TEXTS), max_size=4),
)
def test_no_identifier_or_parameter_is_a_fault_of_ours(
    client: Client, key: dict[str, str], path: str, segment: str, query: list[tuple[str, str]]
) -> None:
    pairs = [(name, value.encode("utf-8", "surrogatepass")) for name, value in query]
    address = path.format(to_path(segment)) + ("?" + urlencode(pairs) if pairs else "")
    answer = client.get(address[:60_000], headers=key, follow_redirects=False)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400 and path.startswith("/v1"):
        assert answer.json()["error"]["message"]


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    headers=st.dictionaries(
        st.sampled_from(
            [
                "authorization",
                "cookie",
                "x-api-key",
                "x-request-id",
                "accept-language",
                "accept",
                "if-none-match",
                "content-type",
                "x-csrf-token",
                "origin",
                "sec-fetch-site",
            ]
        ),
        st.binary(max_size=200).map(lambda raw: raw.replace(b"\r", b"").replace(b"\n", b"")),
    ),
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]),
    path=st.sampled_from(["/", "/login", "/v1/plan", "/static/x", "/docs", "/preferences"]),
    body=st.binary(max_size=300),
)
def test_no_header_or_body_is_a_fault_of_ours(
    client: Client, headers: dict[str, bytes], method: str, path: str, body: bytes
) -> None:
    raw = [(name.encode(), value) for name, value in headers.items()]
    content = body if method in ("POST", "PUT", "PATCH") else None
    answer = client.request(method, path, headers=raw, content=content, follow_redirects=False)
    assert answer.status_code < 500, answer.text


def test_an_identifier_may_hold_a_slash(client: Client, key: dict[str, str]) -> None:
    answer = client.get("/v1/items/MUG%2FBLUE", headers=key)
    assert answer.json()["error"]["code"] == "unknown_item"
    assert "MUG/BLUE" in answer.json()["error"]["message"]
    assert client.get("/v1/recommendations/a%2Fb", headers=key).json()["customer_id"] == "a/b"


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/v1/recommendations/17850?n=0", "'n' must be a whole number from 1 to 100"),
        ("/v1/recommendations/17850?n=101", "'n' must be a whole number from 1 to 100"),
        ("/v1/recommendations/17850?n=ten", "'n' must be a whole number from 1 to 100"),
        ("/v1/recommendations/17850?n=1&n=x", "'n' must be a whole number from 1 to 100"),
        ("/v1/customers?n=501", "'n' must be a whole number from 1 to 500"),
        ("/v1/customers?serach=x", "no parameter 'serach' here (did you mean 'search'?)"),
        ("/v1/customers?search=" + "x" * 201, "'search' must be a text of at most 200"),
        ("/v1/customers?search=%00", "'search' holds characters that cannot be printed"),
        ("/v1/customers/" + "x" * 201, "'customer_id' must be 1 to 200 printable characters"),
        ("/v1/items/%00", "'item_id' must be 1 to 200 printable characters"),
        ("/v1/plan/export?form=xls", "'form' must be one of csv, json, parquet"),
        ("/v1/search", "'text' must be"),
    ],
)
def test_a_refusal_names_the_parameter_and_what_is_allowed(
    client: Client, key: dict[str, str], address: str, words: str
) -> None:
    answer = client.get(address, headers=key)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_input"
    assert words in answer.json()["error"]["message"]


@pytest.mark.parametrize("number", ["0", "9" * 19, "9" * 30, "9" * 4_500])
@pytest.mark.parametrize(
    "path", ["/v1/live/{}", "/v1/events/{}", "/v1/waiting/{}", "/live/{}", "/quarantine/{}"]
)
def test_a_number_that_no_row_can_have_is_no_fault_of_ours(
    client: Client,
    key: dict[str, str],
    make_session: Callable[[Role], str],
    path: str,
    number: str,
) -> None:
    by_session = {"cookie": f"{SESSION_COOKIE}={make_session(Role.ADMINISTRATOR)}"}
    headers = key if path.startswith("/v1") else by_session
    assert client.get(path.format(number), headers=headers).status_code in (400, 404)
