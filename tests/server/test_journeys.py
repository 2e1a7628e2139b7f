"""Journeys over HTTP: from the gallery to a published version, and what is refused."""

from litestar.testing import TestClient

from lingxi.access import Scope


def test_a_journey_from_the_gallery_to_a_version_and_back(client: TestClient, key) -> None:
    gallery = client.get("/v1/journey-gallery", headers=key).json()["journeys"]
    assert "cart-abandonment" in [each["name"] for each in gallery]
    body = {"name": "our-cart", "ready": "cart-abandonment"}
    taken = client.post("/v1/journeys", json=body, headers=key).json()
    assert "templates/cart-1" in taken["added"]
    assert client.post("/v1/journeys", json=body, headers=key).status_code == 409
    detail = taken["journey"]
    assert detail["journey"]["state"] == "draft"
    assert [each for each in detail["findings"] if each["level"] == "error"] == []
    path = "/v1/journeys/our-cart"
    published = client.post(f"{path}/publish", json={"note": "first"}, headers=key).json()
    assert published["version"] == 1
    changed = {**detail["definition"], "priority": 71}
    stale = {"definition": changed, "expected": "0" * 16}
    assert client.put(path, json=stale, headers=key).status_code == 409
    fresh = {"definition": changed, "expected": detail["mark"]}
    saved = client.put(path, json=fresh, headers=key).json()
    assert saved["journey"]["changed"]
    assert client.post(f"{path}/publish", json={}, headers=key).json()["version"] == 2
    old = client.get(f"{path}/versions/1", headers=key).json()["definition"]
    assert old == detail["definition"]
    back = client.post(f"{path}/restore", json={"version": 1}, headers=key).json()
    assert back["definition"] == detail["definition"]
    assert client.delete(path, headers=key).json()["journeys"] == []
    assert client.get(path, headers=key).status_code == 404


def test_a_journey_with_an_error_is_told_and_not_published(client: TestClient, key) -> None:
    steps = {"mail": {"kind": "message", "template": "none", "next": "end"}, "end": {"kind": "end"}}
    definition = {"name": "bad", "trigger": {"kind": "api"}, "steps": steps}
    told = client.post("/v1/journey-lint", json={"definition": definition}, headers=key).json()
    codes = [(each["code"], each["place"]) for each in told["findings"]]
    assert ("no_template", "steps.mail.template") in codes
    assert not told["publishable"]
    client.put("/v1/journeys/bad", json={"definition": definition}, headers=key)
    refused = client.post("/v1/journeys/bad/publish", json={}, headers=key)
    assert refused.status_code == 400
    assert "no template" in refused.json()["error"]["message"]
    other = client.put("/v1/journeys/good", json={"definition": definition}, headers=key)
    assert other.status_code == 400


def test_who_only_reads_changes_nothing(client: TestClient, make_key) -> None:
    reader = make_key(Scope.JOURNEYS)
    assert client.get("/v1/journeys", headers=reader).status_code == 200
    body = {"name": "x", "ready": "welcome"}
    assert client.post("/v1/journeys", json=body, headers=reader).status_code == 403
    assert client.get("/v1/journeys", headers=make_key(Scope.ITEMS)).status_code == 403


def test_a_journey_is_tried_on_the_past_and_compared(client: TestClient, key) -> None:
    steps = {
        "mark": {"kind": "set_trait", "trait": "met", "value": True, "next": "end"},
        "end": {"kind": "end"},
    }
    trigger = {"kind": "event", "events": ["Order Completed"]}
    definition = {"name": "met", "trigger": trigger, "steps": steps, "holdout": 0}
    again = {**definition, "reentry": {"mode": "always"}}
    body = {"definition": again, "days": 7, "against": definition}
    tried = client.post("/v1/journey-simulation", json=body, headers=key)
    assert tried.status_code == 200, tried.text
    once, always = tried.json()["against"], tried.json()["simulation"]
    assert once["runs"] == once["customers"] == always["customers"] > 0
    assert always["runs"] >= once["runs"]
    assert client.get("/v1/journeys", headers=key).json()["journeys"] == []
