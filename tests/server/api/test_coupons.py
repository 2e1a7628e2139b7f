"""Offers and coupons over HTTP: the whole road, who may do what, wrong inputs, keys that count."""

from typing import Any

from litestar.testing import TestClient

from lingxi.access import Scope

SPRING = {"benefit": {"kind": "percent", "percent": 10}}
BASKET = {"lines": [{"item_id": "MUG", "price_cents": 1_000, "quantity": 2}]}


def put_spring(client: TestClient[Any], key: dict[str, str]) -> None:
    made = client.put("/v1/offers/spring", json=SPRING, headers=key)
    assert made.status_code == 200, made.text


def issue(client: TestClient[Any], key: dict[str, str], **more: str) -> dict[str, Any]:
    body = {"offer": "spring", "key": "k1", **more}
    made = client.post("/v1/coupons", json=body, headers=key)
    assert made.status_code in (200, 201), made.text
    return made.json()


def test_a_coupon_from_its_offer_to_its_redemption_and_back(
    client: TestClient, key, customer_id: str
) -> None:
    put_spring(client, key)
    coupon = issue(client, key, customer_id=customer_id)
    again = issue(client, key, customer_id=customer_id)
    assert (again["coupon"], again["code"], again["new"]) == (
        coupon["coupon"],
        coupon["code"],
        False,
    )
    path = f"/v1/coupons/{coupon['coupon']}"
    assert client.get(path, headers=key).json()["code"] is None
    assert client.post(f"{path}/seen", headers=key).json()["state"] == "seen"
    ask = {"code": coupon["code"], "basket": BASKET, "customer_id": customer_id}
    verdict = client.post("/v1/coupons/check", json=ask, headers=key).json()
    assert (verdict["valid"], verdict["discount_cents"]) == (True, 200)
    order = {**ask, "order_id": "O-1", "idempotency_key": "checkout-1"}
    first = client.post("/v1/coupons/redeem", json=order, headers=key).json()
    second = client.post("/v1/coupons/redeem", json=order, headers=key).json()
    assert (first["redeemed"], first["replayed"]) == (True, False)
    assert (second["redeemed"], second["replayed"]) == (True, True)
    assert second["redemption"] == first["redemption"]
    other = {**order, "order_id": "O-2"}
    assert client.post("/v1/coupons/redeem", json=other, headers=key).status_code == 409
    refused = client.post(
        "/v1/coupons/redeem", json={**other, "idempotency_key": "checkout-2"}, headers=key
    ).json()
    assert not refused["redeemed"]
    assert refused["verdict"]["reasons"]
    offer = client.get("/v1/offers/spring", headers=key).json()["offer"]
    assert (offer["issued"], offer["redeemed"], offer["spent_cents"]) == (1, 1, 200)
    assert client.get("/v1/coupons/liability", headers=key).status_code == 200
    assert client.post(f"{path}/revoke", json={}, headers=key).status_code == 409
    release = client.post("/v1/coupons/release", json={"order_id": "O-1"}, headers=key)
    assert release.status_code in (200, 201), release.text
    gone = client.post(f"{path}/revoke", json={"note": "mistake"}, headers=key)
    assert gone.json()["state"] == "revoked"
    ledger = client.get("/v1/coupons/ledger?check=true&offer=spring", headers=key)
    assert ledger.status_code == 200, ledger.text
    assert client.post("/v1/offers/spring/shopify", headers=key).status_code in (200, 201)
    assert client.delete("/v1/offers/spring", headers=key).status_code == 409


def test_an_offer_without_coupons_is_taken_away(client: TestClient, key) -> None:
    put_spring(client, key)
    names = [each["name"] for each in client.get("/v1/offers", headers=key).json()["offers"]]
    assert "spring" in names
    assert client.delete("/v1/offers/spring", headers=key).status_code == 200
    assert client.get("/v1/offers/spring", headers=key).status_code == 404


def test_codes_from_elsewhere_fill_a_pool_each_once_as_they_stand(
    client: TestClient, key, make_key
) -> None:
    """A code was read as a line of CSV: of 'AB12,CD34' the first half became a code."""
    pool = {**SPRING, "code": {"kind": "pool", "low_at": 2}}
    assert client.put("/v1/offers/spring", json=pool, headers=key).status_code == 200
    path, codes = "/v1/offers/spring/codes", ["POOL-0001", "POOL-0002", "pool 0001", "AB12,CD34"]
    made = client.post(path, json={"codes": codes}, headers=key)
    assert made.status_code in (200, 201), made.text
    assert made.json() == {"offer": "spring", "new": 3, "known": 1, "refused": 0, "free": 3}
    again = client.post(path, json={"codes": ["POOL-0002", ""]}, headers=key).json()
    assert (again["new"], again["known"], again["refused"], again["free"]) == (0, 1, 1, 3)
    assert issue(client, key)["code"] == "POOL-0001"
    assert client.get("/v1/offers/spring", headers=key).json()["offer"]["low"]
    assert client.post(path, json={"codes": ["POOL-0003"]}).status_code == 401
    reader = make_key(Scope.COUPONS)
    assert client.post(path, json={"codes": ["POOL-0003"]}, headers=reader).status_code == 403
    for wrong in ({}, {"codes": "POOL-0003"}, {"codes": ["X" * 65]}, {"codes": ["A"] * 2_001}):
        assert client.post(path, json=wrong, headers=key).status_code == 400
    assert client.post("/v1/offers/nope/codes", json={"codes": []}, headers=key).status_code == 404
    client.put("/v1/offers/own", json=SPRING, headers=key)
    assert client.post("/v1/offers/own/codes", json={"codes": []}, headers=key).status_code == 409


def test_mistakes_are_refused_with_what_is_wrong(client: TestClient, key) -> None:
    put_spring(client, key)
    for body in ({}, {"benefit": {"kind": "percent", "percent": 0}}, {"benefit": {"kind": "x"}}):
        assert client.put("/v1/offers/spring", json=body, headers=key).status_code == 400
    renamed = {**SPRING, "name": "summer"}
    assert client.put("/v1/offers/spring", json=renamed, headers=key).status_code == 400
    for path in ("/v1/offers/nope", "/v1/coupons/999999"):
        assert client.get(path, headers=key).status_code == 404, path
    unknown = {"code": "NOSUCHCODE22", "basket": BASKET}
    verdict = client.post("/v1/coupons/check", json=unknown, headers=key).json()
    assert not verdict["valid"]
    for wrong in (
        {"code": "", "basket": BASKET},
        {"code": "ABCDEFGH"},
        {**unknown, "language": "fr"},
        {"code": "ABCDEFGH", "basket": {"lines": [{"item_id": "MUG", "price_cents": -1}]}},
    ):
        answer = client.post("/v1/coupons/check", json=wrong, headers=key)
        assert answer.status_code == 400, answer.text
    missing = {"code": "ABCDEFGH", "basket": BASKET, "order_id": "O-1"}
    assert client.post("/v1/coupons/redeem", json=missing, headers=key).status_code == 400


def test_a_checkout_may_check_and_redeem_and_nothing_else(
    client: TestClient, key, make_key
) -> None:
    put_spring(client, key)
    checkout, reader = make_key(Scope.CHECKOUT), make_key(Scope.COUPONS)
    ask = {"code": "ABCDEFGH22", "basket": BASKET}
    order = {**ask, "order_id": "O-1", "idempotency_key": "a"}
    issued = {"offer": "spring", "key": "k"}
    assert client.post("/v1/coupons/check", json=ask, headers=checkout).status_code < 300
    assert client.post("/v1/coupons/redeem", json=order, headers=checkout).status_code < 300
    assert client.post("/v1/coupons", json=issued, headers=checkout).status_code == 403
    assert client.get("/v1/offers", headers=checkout).status_code == 403
    assert client.get("/v1/offers", headers=reader).status_code == 200
    assert client.get("/v1/coupons/ledger", headers=reader).status_code == 200
    assert client.put("/v1/offers/spring", json=SPRING, headers=reader).status_code == 403
    assert client.post("/v1/coupons/check", json=ask, headers=reader).status_code == 403
    assert client.post("/v1/coupons", json=issued).status_code == 401
