"""A journey's report, and the way from a message to its run, without a browser."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from journey_road import Road, make_empty
from lingxi.access import Credentials, Role
from lingxi.access.users import create_user
from lingxi.app.shop import Shop
from server.pages.test_without_a_browser import PASSWORD

STEPS = {
    "w": {"kind": "wait", "duration": "1h", "next": "mail"},
    "mail": {"kind": "message", "template": "a", "next": "end"},
    "end": {"kind": "end"},
}


@pytest.fixture
def road(tmp_path: Path) -> Iterator[Road]:
    made = Road(make_empty(tmp_path / "road"))
    with made.store.write() as tx:
        credentials = Credentials("ada", PASSWORD)
        create_user(tx, made.clock.now(), credentials, Role.ADMINISTRATOR, actor="test")
    yield made
    made.shop.close()


@pytest.fixture
def shop(road: Road) -> Shop:
    return road.shop


def test_a_message_leads_to_its_run_and_an_unknown_run_is_not_found(
    client: TestClient[Litestar], road: Road
) -> None:
    road.publish(trigger={"kind": "event", "events": ["Go"]}, steps=STEPS)
    road.know(1)
    road.happen("Go", 1)
    road.go()
    road.go(timedelta(hours=1))
    (sent,) = road.shop.messages.list_all(customer_id="customer-1").messages
    assert "/runs/1" in client.get(f"/messages/{sent.id}").text
    assert "/runs/1" in client.get("/messages").text
    assert f"/messages/{sent.id}" in client.get("/runs/1").text
    assert client.get("/runs/99").status_code == 404


def test_a_journey_tells_what_it_brings_and_where_customers_are(
    client: TestClient[Litestar], road: Road
) -> None:
    road.publish(trigger={"kind": "event", "events": ["Go"]}, steps=STEPS)
    page = client.get("/journeys/j").text
    assert "Nobody has come into this version yet" in page
    road.know(*range(1, 5))
    for customer in range(1, 5):
        road.happen("Go", customer)
    road.go()
    page = client.get("/journeys/j").text
    assert "Version 1: 4 began, 0 were held out." in page
    assert "but nobody is compared" in page


def test_a_difference_is_told_only_where_its_interval_shows_one(
    client: TestClient[Litestar], road: Road
) -> None:
    road.publish(trigger={"kind": "event", "events": ["Go"]}, steps=STEPS, holdout=0.5)
    road.know(*range(1, 41))
    for customer in range(1, 41):
        road.happen("Go", customer)
    road.go()
    assert "It cannot be told yet whether it helps" in client.get("/journeys/j").text
    runs = road.runs()
    for run in runs:
        if run.outcome != "held_out":
            road.happen("Order Completed", run.customer, amount_cents=1000, currency="GBP")
    page = client.get("/journeys/j").text
    assert "It helps: of every 100 customers, 100.0 more buy" in page
    assert "£10.00" in page
