"""What was answered with 200 is in the very next profile and recommendation, over HTTP."""

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

import pytest
from live import HOST, find_key, serve_shop

from lingxi.access import Scope, create_key
from lingxi.app.shop import Shop
from lingxi.catalogue import put_items
from lingxi.clock import FixedClock
from lingxi.schema import Item

NOW = datetime(2026, 6, 30, tzinfo=UTC)
AT = "2026-06-29T12:00:00.000Z"


@dataclass(frozen=True)
class Caller:
    """One client with a connection of its own: writes with the write key, reads with another."""

    line: HTTPConnection
    write_key: str
    secret: str

    def tell(self, path: str, body: dict[str, object]) -> None:
        text = json.dumps(body | {"writeKey": self.write_key})
        status, answer = self._ask("POST", path, text)
        assert status == 200, answer

    def read(self, path: str) -> dict[str, object]:
        status, answer = self._ask("GET", path, None)
        assert status == 200, answer
        return json.loads(answer)

    def try_read(self, path: str) -> int:
        return self._ask("GET", path, None)[0]

    def _ask(self, method: str, path: str, text: str | None) -> tuple[int, bytes]:
        headers = {"authorization": f"Bearer {self.secret}"} if method == "GET" else {}
        self.line.request(method, path, text, headers)
        answer = self.line.getresponse()
        return answer.status, answer.read()


@pytest.fixture
def trained(demo_folder: Path, tmp_path: Path) -> Iterator[Shop]:
    folder = tmp_path / "shop"
    shutil.copytree(demo_folder, folder)
    environ = {
        "LINGXI_SERVER_REQUESTS_PER_MINUTE": "0",
        "LINGXI_COLLECT_REQUESTS_PER_SECOND": "0",
    }
    shop = Shop.open(folder, clock=FixedClock(NOW), environ=environ)
    shop.ensure_source()
    yield shop
    shop.close()


@contextmanager
def open_callers(shop: Shop, n: int) -> Iterator[list[Caller]]:
    with shop.store.write() as tx:
        key = create_key(tx, shop.clock.now(), "reader", [Scope.ADMIN], actor="test")
    with serve_shop(shop) as port:
        yield [
            Caller(HTTPConnection(HOST, port, timeout=60), find_key(shop), key.secret)
            for _ in range(n)
        ]


def track(name: str, number: str, **body: object) -> dict[str, object]:
    return {"type": "track", "event": name, "messageId": number, "timestamp": AT} | body


def place_order(who: str, number: str, item: str, cents: int) -> dict[str, object]:
    money = cents / 100
    product = {"product_id": item, "price": money, "quantity": 1}
    told = {"order_id": number, "total": money, "currency": "GBP", "products": [product]}
    return track("Order Completed", f"order-{number}", userId=who, properties=told)


def live_one_customer(caller: Caller, who: str, items: list[str], rounds: int) -> None:
    """Views, carts and orders of one customer; after each, what was answered is looked for."""
    profile, recommended = f"/v1/customers/{quote(who)}", f"/v1/recommendations/{quote(who)}?n=50"
    placed = f"/v1/placements/home/recommendations?customer_id={quote(who)}"
    for turn in range(rounds):
        item = items[turn]
        view = track("Product Viewed", f"{who}-v{turn}", userId=who)
        caller.tell("/v1/track", view | {"properties": {"product_id": item}})
        events = caller.read(profile)["timeline"]
        assert any(e["event_id"].endswith(f"{who}-v{turn}") for e in events)
        cart = track("Product Added", f"{who}-c{turn}", userId=who)
        caller.tell("/v1/batch", {"batch": [cart | {"properties": {"product_id": item}}]})
        events = caller.read(profile)["timeline"]
        assert any(e["event_id"].endswith(f"{who}-c{turn}") for e in events)
        assert caller.read(recommended)["known"] is True
        caller.tell("/v1/track", place_order(who, f"{who}-{turn}", item, 1250))
        found = caller.read(profile)
        assert found["orders"] == turn + 1
        assert found["revenue_cents"] == 1250 * (turn + 1)
        assert found["last_order_at"].startswith("2026-06-29T12:00:00")
        for path in (recommended, f"{placed}&n=50"):
            offered = {each["item_id"] for each in caller.read(path)["items"]}
            assert offered
            assert not offered & set(items[: turn + 1]), "an item just bought is offered again"


def test_an_event_answered_with_200_is_in_the_next_profile_and_recommendation(
    trained: Shop,
) -> None:
    bests = [row.item_id for row in trained.answers.items(n=2).rows]
    with open_callers(trained, 8) as callers, ThreadPoolExecutor(8) as pool:
        jobs = [
            pool.submit(live_one_customer, caller, f"fresh-{number}", bests, 2)
            for number, caller in enumerate(callers)
        ]
        for job in jobs:
            job.result()


def meet_and_name(caller: Caller, number: int, item: str) -> None:
    """A visitor without a name orders nothing, is then known, and has the visit in the profile."""
    visitor, who = f"visitor-{number}", f"named-{number}"
    view = track("Product Viewed", f"{visitor}-v", anonymousId=visitor)
    caller.tell("/v1/track", view | {"properties": {"product_id": item}})
    assert caller.try_read(f"/v1/customers/{who}") == 404
    caller.tell(
        "/v1/identify",
        {"userId": who, "anonymousId": visitor, "messageId": f"{visitor}-i", "timestamp": AT},
    )
    events = caller.read(f"/v1/customers/{who}")["timeline"]
    assert any(e["event_id"].endswith(f"{visitor}-v") for e in events)
    assert caller.read(f"/v1/recommendations/{who}")["known"] is True
    order = place_order(who, f"o-{number}", item, 900)
    del order["userId"]
    caller.tell("/v1/track", order | {"anonymousId": visitor})
    assert caller.read(f"/v1/customers/{who}")["orders"] == 1
    offered = caller.read(f"/v1/recommendations/{who}?n=50")["items"]
    assert item not in {each["item_id"] for each in offered}


def test_a_visit_is_in_the_profile_as_soon_as_the_visitor_has_a_name(trained: Shop) -> None:
    best = trained.answers.items(n=1).rows[0].item_id
    with open_callers(trained, 6) as callers, ThreadPoolExecutor(6) as pool:
        for job in [pool.submit(meet_and_name, c, n, best) for n, c in enumerate(callers)]:
            job.result()


def test_what_is_looked_at_changes_the_very_next_recommendation(trained: Shop) -> None:
    rows = trained.answers.items(n=2).rows
    first, second = (row.item_id for row in rows)
    with open_callers(trained, 1) as (caller,):
        told, placed = [], []
        for number, item in enumerate((first, second)):
            who = f"looks-{number}"
            body = track("Product Viewed", f"{who}-v", userId=who)
            caller.tell("/v1/track", body | {"properties": {"product_id": item}})
            answer = caller.read(f"/v1/recommendations/{who}?n=10")
            told.append([(each["item_id"], each["score"]) for each in answer["items"]])
            answer = caller.read(f"/v1/placements/home/recommendations?customer_id={who}")
            placed.append([(each["item_id"], each["score"]) for each in answer["items"]])
        assert told[0] != told[1]
        assert placed[0] != placed[1]


def promote(caller: Caller, name: str, number: str, item: str) -> None:
    body = track(name, number, anonymousId=f"visitor-{number}")
    caller.tell("/v1/track", body | {"properties": {"promotion_id": item, "position": "top"}})


def test_a_click_on_a_promotion_counts_in_the_very_next_list(trained: Shop) -> None:
    offers = [
        Item(item_id=f"OFFER-{n}", name=f"Offer {n}", attributes={"kind": "promotion"})
        for n in range(2)
    ]
    with trained.store.write() as tx:
        put_items(trained.store, tx, offers, NOW)
    with open_callers(trained, 1) as (caller,):

        def read_list() -> list[str]:
            items = caller.read("/v1/placements/offers/recommendations?log=false")["items"]
            return [each["item_id"] for each in items if each["source"] == "promoted"]

        assert read_list() == [], "nobody has seen any"
        for n in range(2):
            promote(caller, "Promotion Viewed", f"seen-{n}", f"OFFER-{n}")
        promote(caller, "Promotion Clicked", "first", "OFFER-1")
        assert read_list() == ["OFFER-1", "OFFER-0"]
        promote(caller, "Promotion Clicked", "second", "OFFER-0")
        promote(caller, "Promotion Clicked", "third", "OFFER-0")
        assert read_list() == ["OFFER-0", "OFFER-1"]
        first = caller.read("/v1/placements/offers/recommendations?n=1")["items"][0]
        assert first["why"]["code"] == "placement.why.clicked"
