"""What the API says is what the shop's answers say, for every route."""

import csv
import io
import json

import msgspec
import pyarrow.parquet as pq
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from lingxi.app.shop import Shop

Client = TestClient[Litestar]


def test_recommendations_name_what_they_come_from(
    shop: Shop, client: Client, key: dict[str, str], customer_id: str
) -> None:
    answer = client.get(f"/v1/recommendations/{customer_id}?n=5&log=false", headers=key)
    view = shop.answers.recommendations(customer_id, n=5)
    assert answer.json() == json.loads(msgspec.json.encode(view))
    assert answer.json()["known"] is True
    assert len(answer.json()["items"]) == 5
    stranger = client.get("/v1/recommendations/nobody-at-all?n=5", headers=key).json()
    assert (stranger["known"], len(stranger["items"])) == (False, 5)


def test_a_visitor_is_served_from_one_click(
    client: Client, key: dict[str, str], item_id: str
) -> None:
    plain = client.get("/v1/recommendations?n=5", headers=key).json()
    after = client.get(f"/v1/recommendations?n=5&history={item_id}", headers=key).json()
    assert plain["customer_id"] is None
    assert item_id not in [item["item_id"] for item in after["items"]]
    assert after["items"][0]["because"][0]["item_id"] == item_id


def test_somebody_unknown_is_served_from_the_taste_they_told(
    shop: Shop, client: Client, key: dict[str, str], customer_id: str, item_id: str
) -> None:
    word = shop.answers.item(item_id).catalogue.name.split()[0]
    like = f"like=word:{word}"
    told = client.get(f"/v1/recommendations/nobody-at-all?n=3&{like}", headers=key).json()
    plain = client.get("/v1/recommendations/nobody-at-all?n=3", headers=key).json()
    assert len(told["items"]) == len(plain["items"]) == 3
    assert told["items"][0]["model"] == "taste"
    assert word in told["items"][0]["name"]
    address = f"/v1/recommendations/{customer_id}?log=false"
    known = client.get(address, headers=key).json()["items"]
    assert client.get(f"{address}&like=brand:x", headers=key).json()["items"] == known
    wrong = client.get("/v1/recommendations?like=red", headers=key)
    assert wrong.status_code == 400
    assert "field:value" in wrong.json()["error"]["message"]


def test_every_list_and_thing_is_as_the_answers_have_it(
    shop: Shop, client: Client, key: dict[str, str], customer_id: str, item_id: str
) -> None:
    answers = shop.answers
    expected = {
        "/v1/overview": answers.overview(),
        "/v1/customers?n=7&sort=-orders": answers.customers(n=7, sort="-orders"),
        f"/v1/customers/{customer_id}?n=3": answers.customer(customer_id, n=3),
        f"/v1/search?text={customer_id}": answers.search(customer_id),
        "/v1/items?n=7": answers.items(n=7),
        f"/v1/items/{item_id}": answers.item(item_id),
        f"/v1/similar/{item_id}?n=3": answers.similar(item_id, n=3),
        "/v1/plan?n=7": answers.plan(n=7),
        "/v1/quality": answers.quality(),
        "/v1/quarantine?n=7": answers.quarantine(n=7),
        "/v1/models": answers.models(),
        "/v1/recommender-reports": answers.reports(),
        "/v1/coverage": answers.coverage(),
        f"/v1/neighbourhood/{item_id}?n=4": answers.neighbourhood(item_id, n=4),
    }
    for address, view in expected.items():
        answer = client.get(address, headers=key)
        assert answer.status_code == 200, address
        assert answer.json() == json.loads(msgspec.json.encode(view)), address


def test_pages_of_customers_join_without_gap_or_overlap(
    client: Client, key: dict[str, str]
) -> None:
    seen: list[str] = []
    address = "/v1/customers?n=50&sort=customer_id"
    page = client.get(address, headers=key).json()
    while True:
        seen += [row["customer_id"] for row in page["rows"]]
        if page["next_cursor"] is None:
            break
        page = client.get(f"{address}&cursor={page['next_cursor']}", headers=key).json()
    assert len(seen) == len(set(seen)) == page["total"]
    assert client.get(f"{address}&cursor=broken", headers=key).status_code == 400


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_the_whole_plan_can_be_downloaded(client: Client, key: dict[str, str], form: str) -> None:
    answer = client.get(f"/v1/plan/export?form={form}", headers=key)
    assert answer.status_code == 200
    assert f'filename="plan.{form}"' in answer.headers["content-disposition"]
    if form == "csv":
        rows = len(list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))))
    elif form == "parquet":
        rows = pq.read_table(io.BytesIO(answer.content)).num_rows
    else:
        rows = len(answer.json())
    total = client.get("/v1/plan?n=1", headers=key).json()["customers"]
    assert rows == total > 0


def test_what_does_not_exist_is_said_with_the_nearest_that_does(
    client: Client, key: dict[str, str], customer_id: str
) -> None:
    answer = client.get(f"/v1/customers/{customer_id}X", headers=key)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "unknown_customer"
    assert client.get("/v1/similar/no-such-item", headers=key).status_code == 404
    assert client.get("/v1/customers?sort=beauty", headers=key).status_code == 400
