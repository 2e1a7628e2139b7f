"""Segments and lists over HTTP: the whole road, who may, and clear refusals."""

from litestar.testing import TestClient

from lingxi.access import Scope
from lingxi.app.shop import Shop

BUYERS = {"did": "Order Completed", "at_least": 2}


def test_a_segment_from_its_count_to_its_end(
    client: TestClient, key, shop: Shop, customer_id: str
) -> None:
    counted = client.post("/v1/segments/count", json={"rule": BUYERS}, headers=key).json()
    assert 0 < counted["count"] < counted["customers"]
    path = "/v1/segments/buyers"
    body = {"rule": BUYERS, "title": "Buyers", "expected": 0}
    made = client.put(path, json=body, headers=key)
    assert made.status_code == 200, made.text
    assert made.json()["rule"] == BUYERS
    assert not made.json()["segment"]["current"]
    assert client.put(path, json=body, headers=key).status_code == 409
    shop.segments.keeper.run_all(shop.clock.now())
    assert client.get(path, headers=key).json()["segment"]["members"] == counted["count"]
    first = client.get(f"{path}/members?n=3", headers=key).json()
    rest = client.get(
        f"{path}/members", params={"cursor": first["next_cursor"], "n": 500}, headers=key
    ).json()
    ids = [row["customer_id"] for row in (*first["members"], *rest["members"])]
    assert len(set(ids)) == counted["count"] == first["total"]
    told = client.get(f"{path}/explain", params={"customer_id": customer_id}, headers=key).json()
    assert told["holds"] is (customer_id in ids) is told["noted"]
    growth = client.get(f"{path}/growth?days=5", headers=key).json()["days"]
    assert growth[-1]["members"] == counted["count"]
    client.put("/v1/segments/rest", json={"rule": {"not": {"segment": "buyers"}}}, headers=key)
    shop.segments.keeper.run_all(shop.clock.now())
    query = {"name": ["buyers", "rest"]}
    overlap = client.get("/v1/segments/overlap", params=query, headers=key).json()
    assert [pair["both"] for pair in overlap["pairs"]] == [0]
    sizes = [each["members"] for each in overlap["segments"]]
    assert sum(sizes) == counted["customers"]
    refused = client.delete(path, headers=key)
    assert refused.status_code == 409
    assert "'rest'" in refused.json()["error"]["message"]
    assert client.delete("/v1/segments/rest", headers=key).status_code == 200
    assert client.delete(path, headers=key).json()["segments"] == []


def test_a_list_by_hand(client: TestClient, key, customer_id: str) -> None:
    made = client.put("/v1/lists/staff", json={"title": "Staff"}, headers=key)
    assert made.json()["members"] == 0
    body = {"customer_ids": [customer_id, customer_id, "nobody-at-all"]}
    added = client.post("/v1/lists/staff/add", json=body, headers=key).json()
    assert (added["changed"], added["unchanged"], added["unknown"]) == (1, 1, ["nobody-at-all"])
    rule = {"rule": {"list": "staff"}}
    assert client.post("/v1/segments/count", json=rule, headers=key).json()["count"] == 1
    assert client.get("/v1/lists/staff", headers=key).json()["customers"] == [customer_id]
    gone = client.post("/v1/lists/staff/remove", json=body, headers=key).json()
    assert gone["list"]["members"] == 0
    assert client.delete("/v1/lists/staff", headers=key).json()["lists"] == []


def test_mistakes_are_told_by_path_and_who_may_not_is_refused(
    client: TestClient, key, make_key
) -> None:
    wrong = {"rule": {"all": [{"did": "Order Completed", "within_day": 3}]}}
    answer = client.post("/v1/segments/count", json=wrong, headers=key)
    assert answer.status_code == 400
    assert "rule.all[0]" in answer.json()["error"]["message"]
    for rule in ({"score": "churn"}, {"segment": "nope"}, {"stage": ["loyall"]}):
        refused = client.put("/v1/segments/x", json={"rule": rule}, headers=key)
        assert refused.status_code == 400, refused.text
    assert client.put("/v1/segments/X!", json={"rule": BUYERS}, headers=key).status_code == 400
    for path in ("/v1/segments/nope", "/v1/segments/nope/members", "/v1/lists/nope"):
        assert client.get(path, headers=key).status_code == 404
    reader = make_key(Scope.SEGMENTS)
    assert client.get("/v1/segments", headers=reader).status_code == 200
    body = {"rule": BUYERS}
    assert client.put("/v1/segments/x", json=body, headers=reader).status_code == 403
    assert client.get("/v1/segments/x/members", headers=reader).status_code == 403
