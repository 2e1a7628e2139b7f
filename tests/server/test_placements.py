"""Placements over HTTP: lists by address and body, definitions, who may, and clear refusals."""

from pathlib import Path

import pytest
from litestar.testing import TestClient

from lingxi.access import Scope, create_key
from lingxi.access.audit import list_audit
from lingxi.app.shop import Shop, init_shop
from lingxi.server.app import create_app


def test_a_list_by_address_and_by_body_is_the_same(client: TestClient, key, customer_id) -> None:
    path = "/v1/placements/cart/recommendations"
    first = client.get("/v1/placements/home/recommendations", headers=key).json()["items"]
    cart = [first[0]["item_id"], first[1]["item_id"]]
    asked = {"customer_id": customer_id, "cart": cart, "country": "GB", "n": 3}
    got = client.get(path, params={**asked, "log": False, "explain": True}, headers=key)
    posted = client.post(f"{path}?log=false&explain=true", json=asked, headers=key)
    assert got.status_code == posted.status_code == 200
    assert got.json() == posted.json()
    view = got.json()
    assert len(view["items"]) == 3
    assert view["known"]
    for item in view["items"]:
        assert item["item_id"] not in cart
        parts = sum(cause["contribution"] for cause in item["causes"])
        assert parts == pytest.approx(item["score"], abs=1e-6)
        assert item["why"]["code"].startswith("placement.why.")
        assert item["steps"][0]["kind"] == "score"


def test_definitions_are_written_read_restored_and_taken_away(
    client: TestClient, key, shop: Shop
) -> None:
    path = "/v1/placements/home"
    before = client.get(path, headers=key).json()
    assert (before["built_in"], before["changed"], before["version"]) == (True, False, 0)
    body = {"definition": {"n": 2, "rules": []}, "note": "short", "expected": before["mark"]}
    made = client.put(path, json=body, headers=key)
    assert made.status_code == 200, made.text
    assert made.json()["definition"]["n"] == 2
    assert made.json()["text"].startswith("[placements.home]")
    assert client.put(path, json=body, headers=key).status_code == 409
    lists = client.get(f"{path}/recommendations?log=false", headers=key).json()
    assert len(lists["items"]) == 2
    version = made.json()["version"]
    assert client.delete(path, headers=key).status_code == 200
    assert client.get(path, headers=key).json()["definition"]["n"] == 12
    back = client.post(f"{path}/restore", json={"version": version}, headers=key).json()
    assert back["definition"]["n"] == 2
    assert back["versions"][0]["restored"] == version
    with shop.store.read() as tx:
        actions = [entry.action for entry in list_audit(tx, n=4)]
    assert actions.count("put_placement") == 3


def test_why_not_names_the_rule(client: TestClient, key) -> None:
    shown = client.get("/v1/placements/home/recommendations?log=false", headers=key).json()
    item_id = shown["items"][0]["item_id"]
    rule = {"name": "not-this", "do": "exclude", "items": [item_id]}
    client.put("/v1/placements/home", json={"definition": {"rules": [rule]}}, headers=key)
    told = client.get(f"/v1/placements/home/why-not?item_id={item_id}", headers=key).json()
    assert (told["verdict"], told["reasons"], told["rules"]) == (
        "barred",
        ["excluded"],
        ["not-this"],
    )
    other = shown["items"][1]["item_id"]
    told = client.get(f"/v1/placements/home/why-not?item_id={other}", headers=key).json()
    assert (told["verdict"], told["position"]) == ("shown", 1)


def test_a_trial_tells_and_changes_nothing(client: TestClient, key) -> None:
    trial = {"definition": {"n": 3}, "sample": 5, "show": 2}
    told = client.post("/v1/placements/home/preview", json=trial, headers=key).json()
    assert (told["sample"], told["changed"], told["shorter"]) == (5, 5, 5)
    assert len(told["lists"]) == 2
    asked = {"definition": {"n": 3}, "requests": [{"history": []}]}
    told = client.post("/v1/placements/home/preview", json=asked, headers=key).json()
    assert told["sample"] == 1
    assert client.get("/v1/placements/home", headers=key).json()["version"] == 0


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "problem"),
    [
        ("GET", "/v1/placements/hom", None, 404, "did you mean 'home'"),
        ("GET", "/v1/placements/hom/recommendations", None, 404, "did you mean 'home'"),
        ("GET", "/v1/placements/home/recommendations?country=GBR", None, 400, "country"),
        ("GET", "/v1/placements/home/recommendations?colour=red", None, 400, "colour"),
        ("GET", "/v1/placements/home/recommendations?explain=maybe", None, 400, "true or false"),
        ("GET", "/v1/placements/home/why-not", None, 400, "item_id"),
        ("POST", "/v1/placements/home/recommendations", {"item": "x"}, 400, ""),
        ("POST", "/v1/placements/home/recommendations", {"n": 0}, 400, "n must be between"),
        ("PUT", "/v1/placements/home", {"definition": {"m": 1}}, 400, "unknown setting 'm'"),
        ("PUT", "/v1/placements/Home", {"definition": {}}, 400, "a name is"),
        (
            "PUT",
            "/v1/placements/home",
            {"definition": {"rules": [{"name": "a", "do": "exclude", "where": "prise > 1"}]}},
            400,
            "did you mean 'price'",
        ),
        ("POST", "/v1/placements/home/restore", {"version": 7}, 404, "no version 7"),
        ("POST", "/v1/placements/home/preview", {"definition": {}, "sample": 0}, 400, ""),
        ("DELETE", "/v1/placements/nope", None, 404, "no placement"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    client: TestClient, key, method, path, body, status, problem
) -> None:
    answer = client.request(method, path, json=body, headers=key)
    assert answer.status_code == status, answer.text
    assert problem in answer.json()["error"]["message"]


def test_reading_and_writing_need_their_scopes(client: TestClient, make_key) -> None:
    reader = make_key(Scope.RECOMMENDATIONS)
    stranger = make_key(Scope.ITEMS)
    body = {"definition": {"n": 3}}
    assert client.get("/v1/placements", headers=reader).status_code == 200
    assert client.get("/v1/placements", headers=stranger).status_code == 403
    assert client.put("/v1/placements/home", json=body, headers=reader).status_code == 403
    writer = make_key(Scope.PLACEMENTS_WRITE)
    assert client.put("/v1/placements/home", json=body, headers=writer).status_code == 200


def test_before_training_the_answer_says_what_to_do(tmp_path: Path) -> None:
    shop = init_shop(tmp_path / "s", name="S", currency="GBP", timezone="UTC", language="en")
    with shop.store.write() as tx:
        secret = create_key(tx, shop.clock.now(), "t", [Scope.ADMIN], actor="test").secret
    headers = {"authorization": f"Bearer {secret}"}
    with TestClient(create_app(shop), raise_server_exceptions=False) as client:
        answer = client.get("/v1/placements/home/recommendations", headers=headers)
        assert answer.status_code == 409
        assert "lingxi train" in answer.json()["error"]["message"]
        assert client.get("/v1/placements", headers=headers).status_code == 200
    shop.close()
