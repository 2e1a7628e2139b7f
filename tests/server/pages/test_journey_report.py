"""A journey's report, and the way from a message to its run, without a browser."""

from datetime import timedelta

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from journey_road import Road
from lingxi.app.shop import Shop
from server.pages.test_without_a_browser import log_in

STEPS = {
    "w": {"kind": "wait", "duration": "1h", "next": "mail"},
    "mail": {"kind": "message", "template": "a", "next": "end"},
    "end": {"kind": "end"},
}


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
    page = client.get("/journeys/j/report").text
    assert "Nobody has come into this version yet" in page
    road.know(*range(1, 5))
    for customer in range(1, 5):
        road.happen("Go", customer)
    road.go()
    page = client.get("/journeys/j/report").text
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
    assert "It cannot be told yet whether it helps" in client.get("/journeys/j/report").text
    runs = road.runs()
    for run in runs:
        if run.outcome != "held_out":
            road.happen("Order Completed", run.customer, amount_cents=1000, currency="GBP")
    page = client.get("/journeys/j/report").text
    assert "It helps: of every 100 customers, 100.0 more buy" in page
    assert "£10.00" in page


def test_a_small_report_says_from_when_there_will_be_enough(
    client: TestClient[Litestar], road: Road
) -> None:
    road.publish(trigger={"kind": "event", "events": ["Go"]}, steps=STEPS, holdout=0.5)
    road.know(*range(1, 41))
    for customer in range(1, 41):
        road.happen("Go", customer)
    road.go()
    assert "cannot be told before both groups have customers for a day" in report_of(client)
    road.clock.advance(timedelta(days=10))
    log_in(client)  # ten days are longer than a login lasts
    held = sum(run.outcome == "held_out" for run in road.runs())
    least = min(held, 40 - held)
    day = road.clock.now() + timedelta(days=10) * ((100 - least) / least)
    assert f"there will be enough on {day.day} {day:%b %Y}." in report_of(client)


def report_of(client: TestClient[Litestar]) -> str:
    return client.get("/journeys/j/report").text


def test_a_customers_page_leads_to_runs_messages_and_coupons(
    client: TestClient[Litestar], road: Road
) -> None:
    title = {"en": "After something happened"}
    road.publish(trigger={"kind": "event", "events": ["Go"]}, steps=STEPS, title=title)
    road.know(1, 2)
    road.happen("Looked around", 1)
    page = client.get("/customers/customer-1").text
    assert "No journey has begun for this customer." in page
    road.happen("Go", 1)
    road.happen("Go", 2)
    road.go()
    road.go(timedelta(hours=1))
    page = client.get("/customers/customer-1").text
    assert "After something happened" in page
    assert "/runs?customer_id=customer-1" in page
    assert "/messages?customer_id=customer-1" in page
    runs = client.get("/runs?customer_id=customer-1").text
    assert runs.count('href="/runs/') == 1
    assert "After something happened" in runs
    assert client.get("/runs").text.count('href="/runs/') == 2
    assert "customer-1" in client.get("/coupons?customer_id=customer-1").text
    # half of an id, while it is typed, is nobody and no error
    assert client.get("/runs?customer_id=cust").status_code == 200
    assert client.get("/messages?customer_id=cust").status_code == 200
    assert client.get("/coupons?customer_id=cust").status_code == 404
