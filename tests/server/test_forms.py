"""A form that another site sends in the user's name is refused; a form of ours is not."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar, post
from litestar.testing import TestClient

from lingxi.access import Role
from lingxi.app.shop import Shop
from lingxi.server.app import create_app
from lingxi.server.csrf import FIELD, HEADER, check_token, issue_token
from lingxi.server.dependencies import AskToken
from lingxi.server.security import SESSION_COOKIE, VISIT_COOKIE

Client = TestClient[Litestar]


@post("/changes", sync_to_thread=False)
def change(csrf_token: AskToken) -> str:
    """Something unsafe; answers with a token for the next form."""
    return csrf_token


@pytest.fixture
def client(shop: Shop, make_session: Callable[[Role], str]) -> Iterator[Client]:
    app = create_app(shop)
    app.register(change)
    with TestClient(app, base_url="http://shop.example") as client:
        client.cookies.set(SESSION_COOKIE, make_session(Role.VIEWER))
        yield client


@pytest.fixture
def token(client: Client) -> str:
    """A token of the session, as a page would carry it."""
    from lingxi.server.gate import _derive

    return issue_token(_derive(client.cookies[SESSION_COOKIE]))


def test_a_form_needs_the_token_of_its_session(client: Client, token: str) -> None:
    assert client.post("/changes").status_code == 403
    assert client.post("/changes", headers={HEADER: "0" * 96}).status_code == 403
    assert client.post("/changes", data={FIELD: issue_token("other")}).status_code == 403
    by_form = client.post("/changes", data={FIELD: token})
    assert by_form.status_code == 201
    by_header = client.post("/changes", headers={HEADER: by_form.text})
    assert by_header.status_code == 201
    assert by_header.text != by_form.text  # no two pages carry the same token


def test_a_form_from_another_site_is_refused_even_with_the_token(
    client: Client, token: str
) -> None:
    for headers in (
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ):
        answer = client.post("/changes", headers={HEADER: token, **headers})
        assert answer.status_code == 403, headers
        assert "another site" in answer.json()["error"]["message"]
    same = {"origin": "http://shop.example", "sec-fetch-site": "same-origin", HEADER: token}
    assert client.post("/changes", headers=same).status_code == 201


def test_a_key_needs_no_token_because_no_browser_sends_it_unasked(
    client: Client, key: dict[str, str]
) -> None:
    client.cookies.clear()
    assert client.post("/changes", headers=key).status_code == 403  # a key has no forms
    assert "form" not in client.post("/changes", headers=key).json()["error"]["message"]


def test_the_login_form_has_a_token_before_there_is_a_session(shop: Shop) -> None:
    with TestClient(create_app(shop), base_url="http://shop.example") as client:
        page = client.get("/login")
        assert VISIT_COOKIE in client.cookies
        assert "samesite=strict" in page.headers["set-cookie"].lower()
        form = {"name": "ada", "password": "wrong horse battery", "back": "/"}
        assert client.post("/login", data=form).status_code == 403


@given(st.text(), st.text())
def test_a_token_is_good_for_its_own_secret_only(mine: str, other: str) -> None:
    assert check_token(mine, issue_token(mine))
    assert check_token(other, issue_token(mine)) is (mine == other)
    assert not check_token(mine, other)
