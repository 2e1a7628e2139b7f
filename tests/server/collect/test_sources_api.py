"""Sources over the API and from the command line."""

import json

import pytest
from click.testing import CliRunner

from lingxi.access import Scope, create_key
from lingxi.cli import main


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
