"""Sources over the API and from the command line."""

import json

import pytest
from click.testing import CliRunner

from lingxi.access import Scope, create_key
from lingxi.access.sources import SourceKind
from lingxi.app.collect_views import SourceRow
from lingxi.cli import main
from lingxi.errors import (
    BodyTooLarge,
    BodyUnreadable,
    NotAuthenticated,
    PermissionDenied,
    StoreBusy,
    StoreUnavailable,
)
from lingxi.i18n import LANGUAGES, load_catalogue
from lingxi.server.connect import command_for, find_client, fitting
from server.collect.conftest import basic


@pytest.fixture
def admin(collector) -> dict[str, str]:
    with collector.shop.store.write() as tx:
        key = create_key(tx, collector.shop.clock.now(), "t", [Scope.ADMIN], actor="test")
    return {"authorization": f"Bearer {key.secret}"}


def test_a_source_is_made_given_a_new_key_and_switched_off(collector, admin) -> None:
    client = collector.client
    body = {"name": "shop", "kind": "shopify", "secret": "s3cret"}
    made = client.post("/v1/sources", json=body, headers=admin)
    assert made.status_code == 200, made.text
    assert made.json()["has_secret"] is True
    assert "s3cret" not in made.text
    new = client.post("/v1/sources/shop/rotate", json={}, headers=admin).json()
    assert new["write_key"] != made.json()["write_key"]
    after = client.post("/v1/sources/shop/disable", headers=admin).json()
    assert [source["name"] for source in after] == ["web", "shop"]
    assert after[1]["disabled_at"]
    assert client.get("/v1/sources", headers=admin).json() == after
    again = client.post("/v1/sources/shop/disable", headers=admin)
    assert again.status_code == 400


def test_only_an_administrator_may(collector) -> None:
    with collector.shop.store.write() as tx:
        now = collector.shop.clock.now()
        key = create_key(tx, now, "t", [Scope.EVENTS], actor="test")
    headers = {"authorization": f"Bearer {key.secret}"}
    assert collector.client.get("/v1/sources", headers=headers).status_code == 403
    assert collector.client.post("/v1/sources", json={"name": "x"}).status_code in (401, 403)


def test_the_command_line_does_the_same(collector) -> None:
    def run(*words: str) -> object:
        place = ["--shop", str(collector.shop.settings.folder), "--json"]
        done = CliRunner().invoke(main, ["source", *words, *place])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    made = run("create", "till", "--kind", "server")
    assert made["kind"] == "server"
    assert run("rotate", "till")["write_key"] != made["write_key"]
    assert run("disable", "till") == {"name": "till", "disabled": True}
    assert [row["name"] for row in run("list")] == ["web", "till"]


def test_a_client_that_is_set_up_wrongly_shows_in_its_source(collector, admin) -> None:
    client, door = collector.client, "/v1/track"
    collector.make_source("shopify", SourceKind.SHOPIFY, secret="s3cret")
    page = collector.make_source("page", allowed_origins=["https://shop.example"])
    client.post(door, content=b"{", headers=collector.basic)
    client.post(door, content=b"x" * 600_000, headers=collector.basic)
    for key in ("nobody's", "old"):
        client.post(door, json={"event": "x", "userId": "u"}, headers=basic(key))
    other = {**basic(page.write_key), "origin": "https://other.example"}
    client.post(door, json={"event": "x", "userId": "u"}, headers=other)
    client.post("/webhooks/shopify/shopify", content=b"{}", headers={"x-shopify-topic": "a/b"})
    client.post(door, json={"event": "x", "userId": "u"}, headers=collector.basic)

    view = client.get("/v1/source-rates", headers=admin).json()
    told = {row["name"]: row["turned_away"] for row in view["sources"]}
    assert {name: (row["n"], row["code"]) for name, row in told.items()} == {
        "web": (2, "body_too_large"),
        "page": (1, "permission_denied"),
        "shopify": (1, "not_authenticated"),
    }
    assert (view["without_key"]["n"], view["without_key"]["code"]) == (2, "not_authenticated")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_of_a_refused_request_has_a_sentence(language: str) -> None:
    errors = (BodyTooLarge, BodyUnreadable, NotAuthenticated, PermissionDenied)
    errors += (StoreBusy, StoreUnavailable)
    codes = [error("x").code for error in errors] + ["rate_limited"]
    words = load_catalogue(language)
    assert [code for code in codes if f"turned_away.{code}" not in words] == []


def test_a_snippet_names_a_source_that_its_client_can_send_to() -> None:
    web, shopify = row("web", "web"), row("shopify", "shopify")
    assert fitting([shopify, web], find_client("lx")) == [web]
    assert fitting([web, shopify], find_client("shopify")) == [shopify]
    assert fitting([web], find_client("woocommerce")) == []
    assert "KEY-web:" in command_for([shopify, web], "http://h/")


def row(name: str, kind: str) -> SourceRow:
    return SourceRow(name, kind, f"KEY-{name}", None, None, None, 0, 0, 0, ())


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"name":"x","knd":"web"}', "unknown field `knd`"),
        (b'{"name":7}', "'name' in the body will not do: Expected `str`"),
        (b"{}", "required field `name`"),
        (b'{"name":', "cannot be read"),
    ],
)
def test_a_body_that_will_not_do_is_told_what_is_wrong(
    collector, admin, body: bytes, told: str
) -> None:
    answer = collector.client.post("/v1/sources", content=body, headers=admin)
    assert answer.status_code == 400
    assert told in answer.json()["error"]["message"]
