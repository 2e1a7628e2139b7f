"""Pages of templates and of the message log without a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from lingxi.access import Credentials, Role
from lingxi.access.users import create_user
from lingxi.app.shop import Shop, init_shop
from lingxi.i18n import LANGUAGES, load_catalogue
from lingxi.ingest import resolve_subjects
from lingxi.messaging.templates.template import Template, Variant
from server.pages.test_without_a_browser import PASSWORD, read_token

WELCOME = Template(
    name="welcome",
    channel="email",
    title="Welcome",
    variants={
        "en": Variant(
            kind="html",
            subject="Hello {{ customer.name | default: 'there' }}",
            body='<p style="color:red">Good to see you</p><script>alert(1)</script>',
        )
    },
)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = init_shop(tmp_path / "shop", name="S", currency="GBP", timezone="UTC", language="en")
    with made.store.write() as tx:
        credentials = Credentials("ada", PASSWORD)
        create_user(tx, made.clock.now(), credentials, Role.ADMINISTRATOR, actor="test")
    made.templates.put(WELCOME, actor="test")
    yield made
    made.close()


def send(client: TestClient[Litestar], path: str, **form: str) -> tuple[int, str]:
    token = read_token(client.get("/templates/welcome").text)
    answer = client.post(path, data={"_csrf_token": token, **form}, follow_redirects=True)
    return answer.status_code, answer.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_empty_and_filled_pages_are_in_the_readers_words(
    client: TestClient[Litestar], language: str
) -> None:
    client.cookies.set("lingxi_language", language)
    words = load_catalogue(language)
    empty = client.get("/messages")
    assert (empty.status_code, words["messages.empty"].singular in empty.text) == (200, True)
    assert "Welcome" in client.get("/templates").text
    page = client.get("/templates/welcome").text
    assert "Hello there" in page
    assert words["template.preview.letter"].singular in page


def test_a_draft_is_saved_published_and_restored(client: TestClient[Litestar], shop: Shop) -> None:
    form = {"language": "en", "kind": "text", "subject": "First", "body": "Hi"}
    assert send(client, "/templates/welcome", **form)[0] == 200
    assert shop.templates.describe("welcome").definition["variants"] == {
        "en": {**_variant(), "kind": "text", "subject": "First", "body": "Hi"}
    }
    assert send(client, "/templates/welcome/publish", note="first")[0] == 200
    assert shop.templates.describe("welcome").template.published == 1
    send(client, "/templates/welcome", **{**form, "subject": "Second"})
    assert send(client, "/templates/welcome/restore", version="1")[0] == 200
    assert "First" in str(shop.templates.describe("welcome").definition)


def test_what_cannot_be_used_is_refused_and_what_was_typed_stays(
    client: TestClient[Litestar], shop: Shop
) -> None:
    before = shop.templates.describe("welcome").definition
    status, page = send(
        client, "/templates/welcome", language="en", kind="text", body="{% if x %}kept", subject="s"
    )
    assert status == 400
    assert "{% if x %}kept" in page
    assert shop.templates.describe("welcome").definition == before
    assert send(client, "/templates/welcome/restore", version="x")[0] == 400
    assert client.get("/templates/no-such").status_code == 404
    assert client.get("/messages/" + "0" * 32).status_code == 404
    assert client.get("/messages?in_state=gone").status_code == 400


def test_a_letter_runs_nothing_and_only_our_pages_frame_it(client: TestClient[Litestar]) -> None:
    answer = client.get("/templates/welcome/letter?language=en")
    policy = answer.headers["content-security-policy"]
    assert answer.status_code == 200
    assert "Good to see you" in answer.text
    assert policy.startswith("sandbox;")
    assert "script-src" not in policy
    assert "default-src 'none'" in policy
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"


def test_a_message_stands_in_the_log_with_its_why(client: TestClient[Litestar], shop: Shop) -> None:
    resolve_subjects(shop.store, "user_id", ["ada"], known=True)
    shop.templates.publish("welcome", actor="test")
    queued = shop.messages.queue("welcome", "ada")
    listed = client.get("/messages?customer_id=ada&in_state=queued").text
    assert f"/messages/{queued.id}" in listed
    assert "It waits for its turn." in listed
    page = client.get(f"/messages/{queued.id}").text
    assert "No address of the customer is known" in page


def _variant() -> dict[str, object]:
    return {
        "kind": "text",
        "body": "",
        "subject": "",
        "preview": "",
        "title": "",
        "url": "",
        "text": "",
        "data": {},
    }
