"""The lane for recommendations answers as the route does, and keeps every promise of the gate."""

import asyncio
import itertools
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from lingxi import catalogue
from lingxi.access import Scope
from lingxi.access.keys import list_keys, revoke_key
from lingxi.app.people import ConsentWord, say_consent
from lingxi.app.shop import Shop
from lingxi.clock import FixedClock
from lingxi.ingest import find_customer
from lingxi.recommend.placements.defaults import DEFAULTS
from lingxi.recommend.placements.definition import Exploration
from lingxi.schema import Event, Line
from lingxi.server.app import create_app
from lingxi.server.collect import Front
from lingxi.server.lane import Lane

Answer = httpx.Response
Headers = dict[str, str]


class Ask:
    """Asks the front of a server, lane included, and counts what went over the lane."""

    def __init__(self, app: Litestar, shop: Shop) -> None:
        self.app = app
        self.lane: Lane = self.app.state["lane"]
        self.front = Front(self.app.state["door"], self.lane, self.app)
        self.taken = 0
        serve = self.lane.serve

        async def counted(*arguments: Any) -> None:
            self.taken += 1
            await serve(*arguments)

        self.lane.serve = counted  # type: ignore[method-assign]
        shop.answers.recommendations(None)

    def __call__(self, path: str, headers: Headers) -> Answer:
        async def ask() -> Answer:
            transport = httpx.ASGITransport(self.front)
            async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
                return await client.get(path, headers=headers)

        with ThreadPoolExecutor(1) as thread:  # a browser test may have left a loop in this one
            return thread.submit(asyncio.run, ask()).result()


@pytest.fixture
def ask(app: Litestar, shop: Shop) -> Iterator[Ask]:
    ask = Ask(app, shop)
    yield ask
    ask.lane.close()


def test_the_lane_and_the_route_give_the_same_answer(
    shop: Shop, ask: Ask, key: Headers, item_id: str
) -> None:
    ids = [row.customer_id for row in shop.answers.customers(n=6).rows] + ["nobody", "a b/c"]
    headers = key | {"accept-encoding": "identity", "x-request-id": "request-0001"}
    with TestClient(ask.app) as client:
        for number, customer_id in enumerate(ids):
            query = ("", "&n=3", f"&n=20&history={item_id}&history=x%20y")[number % 3]
            path = f"/v1/recommendations/{customer_id}?log=false{query}"
            lane, route = ask(path, headers), client.get(path, headers=headers)
            assert lane.status_code == route.status_code == 200
            assert lane.content == route.content
            assert lane.headers == route.headers
    assert ask.taken == len(ids)


@pytest.mark.parametrize(
    "path",
    [
        "17850?n=0",
        "17850?n=101",
        "17850?n=x",
        "17850?m=5",
        "17850?n=5&n=6",
        "17850?history=%00",
        "a%00b",
        "/17850",
        "x" * 201,
    ],
)
def test_what_the_lane_does_not_know_the_route_answers(ask: Ask, key: Headers, path: str) -> None:
    with TestClient(ask.app) as client:
        expected = client.get(f"/v1/recommendations/{path}", headers=key)
        found = ask(f"/v1/recommendations/{path}", key)
    assert found.status_code == expected.status_code
    assert ask.taken == 0
    if found.status_code >= 400:
        assert found.json()["error"]["message"] == expected.json()["error"]["message"]


LISTS = (
    "home",
    "home?n=3&history={item}&history=x%20y",
    "home?cart={item}&country=GB",
    "product_similar?item_id={item}",
    "category?category=Kitchen",
    "after_purchase?bought={item}",
    "home?anonymous_id=nobody",
)


def test_the_lane_and_the_route_make_the_same_list(
    shop: Shop, ask: Ask, key: Headers, item_id: str
) -> None:
    ids = [row.customer_id for row in shop.answers.customers(n=2).rows] + ["", "nobody"]
    headers = key | {"accept-encoding": "identity", "x-request-id": "request-0001"}
    with TestClient(ask.app) as client:
        for number, (place, who) in enumerate(itertools.product(LISTS, ids)):
            name, _, query = place.format(item=item_id).partition("?")
            path = f"/v1/placements/{name}/recommendations?log=false&{query}"
            path += f"&customer_id={who}" if who else ""
            lane, again, route = (
                ask(path, headers),
                ask(path, headers),
                client.get(path, headers=headers),
            )
            assert lane.status_code == route.status_code == 200
            assert lane.content == again.content == route.content
            assert lane.json()["items"]
            assert lane.headers == route.headers
            assert ask.taken == 2 * number + 2


@pytest.mark.parametrize(
    "path",
    [
        "home/recommendations?n=0",
        "home/recommendations?customer=1",
        "home/recommendations?n=5&n=6",
        "home/recommendations?item_id=",
        "home/recommendations?explain=true",
        "home/recommendations?age=20",
        "home/recommendations?country=GBR",
        "home/recommendations?history=%FF",
        "home/why-not?item_id=x",
    ],
)
def test_what_the_lane_does_not_know_of_placements_the_route_answers(
    ask: Ask, key: Headers, path: str
) -> None:
    with TestClient(ask.app) as client:
        expected = client.get(f"/v1/placements/{path}", headers=key)
        found = ask(f"/v1/placements/{path}", key)
    assert found.status_code == expected.status_code
    assert ask.taken == 0


def test_a_placement_that_is_not_there_is_told_in_the_same_words(ask: Ask, key: Headers) -> None:
    path = "/v1/placements/hme/recommendations"
    headers = key | {"x-request-id": "request-0001"}
    with TestClient(ask.app) as client:
        lane, route = ask(path, headers), client.get(path, headers=headers)
    assert lane.status_code == route.status_code == 404
    assert lane.json() == route.json()
    assert ask.taken == 1


def test_a_list_with_exploration_is_committed_before_the_lane_shows_it(
    shop: Shop, ask: Ask, key: Headers, customer_id: str
) -> None:
    exploring = msgspec.structs.replace(DEFAULTS["home"], exploration=Exploration(share=0.5))
    shop.answers.placements.book.put("home", exploring, actor="test")
    path = f"/v1/placements/home/recommendations?customer_id={customer_id}"
    for _ in range(3):
        shown = ask(path, key).json()
        (event,) = shop.store.log.read(names=["Recommendations Served"])[-1:]
        assert event.event_id == f"list:{shown['list_id']}"
        assert [line.item_id for line in event.lines] == [i["item_id"] for i in shown["items"]]
        told = [float(each) for each in event.properties["propensities"].split()]
        assert told == [each["propensity"] for each in shown["items"]]
        assert 0 < event.properties["propensity"] < 1
    assert ask.taken == 3


def test_lists_of_the_lane_are_counted_as_those_of_the_route(
    ask: Ask, key: Headers, capsys: pytest.CaptureFixture[str]
) -> None:
    path = "/v1/placements/home/recommendations?customer_id=17850"
    with TestClient(ask.app) as client:
        ask(path, key)
        client.get(path, headers=key)
        lines = [msgspec.json.decode(line) for line in capsys.readouterr().err.splitlines()]
        numbers = client.get("/metrics", headers=key).text
    routes = {line["route"] for line in lines if line.get("event") == "request"}
    assert routes == {"/v1/placements/{name}/recommendations"}
    counted = 'method="GET",route="/v1/placements/{name}/recommendations",status="200"'
    assert f"lingxi_http_requests_total{{{counted}}} 2.0" in numbers


def test_a_key_must_be_good_and_carry_the_scope(ask: Ask, make_key: Callable[..., Headers]) -> None:
    path = "/v1/recommendations/17850"
    good, other = make_key(Scope.RECOMMENDATIONS), make_key(Scope.PLAN)
    assert ask(path, good).status_code == 200
    refused = ask(path, other)
    assert refused.status_code == 403
    assert "read:recommendations" in refused.json()["error"]["message"]
    stranger = ask(path, {"authorization": "Bearer lx_000000000000_" + "0" * 64})
    assert stranger.status_code == 401
    assert stranger.headers["www-authenticate"] == 'Bearer realm="lingxi"'
    secret = good["authorization"].removeprefix("Bearer ")
    assert ask(path, {"x-api-key": secret}).status_code == 200
    assert ask(path, {}).status_code == 401
    assert ask.taken == 4


def test_a_revoked_key_is_out_at_once(shop: Shop, ask: Ask, key: Headers) -> None:
    path = "/v1/recommendations/17850"
    assert ask(path, key).status_code == 200
    key_id = key["authorization"].split("_")[1]
    with shop.store.write() as tx:
        revoke_key(tx, shop.clock.now(), key_id, actor="test")
    assert ask(path, key).status_code == 401
    assert ask.taken == 2
    with shop.store.read() as tx:
        assert next(each for each in list_keys(tx) if each.key_id == key_id).revoked_at


def test_the_lane_and_the_routes_share_one_allowance(
    shop: Shop, make_key: Callable[..., Headers]
) -> None:
    server = replace(shop.settings.server, requests_per_minute=3)
    limited = replace(shop, settings=replace(shop.settings, server=server))
    ask = Ask(create_app(limited), limited)
    key = make_key(Scope.ADMIN)
    path = "/v1/recommendations/17850"
    assert isinstance(shop.clock, FixedClock)
    shop.clock.advance(timedelta(seconds=10))
    assert [ask(path, key).status_code for _ in range(2)] == [200, 200]
    with TestClient(ask.app) as client:
        assert client.get("/v1/models", headers=key).status_code == 200
        refused = ask(path, key)
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "50"
        assert client.get("/v1/models", headers=key).status_code == 429
    ask.lane.close()


def test_what_happened_counts_in_the_next_answer(
    shop: Shop, ask: Ask, key: Headers, customer_id: str
) -> None:
    path = f"/v1/recommendations/{customer_id}?n=5"

    def offered() -> list[dict[str, Any]]:
        answer = ask(path, key)
        assert answer.status_code == 200
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    first = offered()[0]["item_id"]
    assert offered()[0]["item_id"] == first
    with shop.store.read() as tx:
        (item,) = catalogue.get_items(tx, [first]).values()
        subject = find_customer(tx, customer_id)
    renamed = msgspec.structs.replace(item, name="renamed", price_cents=7)
    with shop.store.write() as tx:
        catalogue.put_items(shop.store, tx, [renamed], shop.clock.now())
    assert offered()[0] | {"name": "renamed", "price_cents": 7} == offered()[0]
    now = shop.clock.now()
    order = Event(
        event_id="new-order",
        name="Order Completed",
        occurred_at=now,
        received_at=now,
        subject=subject,
        order_id="new",
        lines=(Line(item_id=first),),
    )
    shop.store.log.append([order])
    assert first not in {each["item_id"] for each in offered()}
    second = offered()[0]["item_id"]
    with shop.store.write() as tx:
        catalogue.remove_items(shop.store, tx, [second], shop.clock.now())
    assert second not in {each["item_id"] for each in offered()}


def test_a_withdrawn_consent_counts_in_the_next_answer(
    shop: Shop, ask: Ask, key: Headers, customer_id: str
) -> None:
    path = f"/v1/recommendations/{customer_id}"
    assert ask(path, key).json()["personalised"] is True
    say_consent(shop, customer_id, ConsentWord("personalisation", granted=False))
    answer = ask(path, key).json()
    assert answer["personalised"] is False
    assert not any(each["because"] for each in answer["items"])
    assert isinstance(shop.clock, FixedClock)
    shop.clock.advance(timedelta(seconds=1))
    say_consent(shop, customer_id, ConsentWord("personalisation", granted=True))
    assert ask(path, key).json()["personalised"] is True


def test_what_was_shown_is_in_the_log_by_lane_and_route_alike(
    shop: Shop, ask: Ask, key: Headers, customer_id: str
) -> None:
    with shop.store.read() as tx:
        subject = find_customer(tx, customer_id)
    with TestClient(ask.app) as client:
        path = f"/v1/recommendations/{customer_id}"
        shown = [ask(path, key).json(), client.get(path, headers=key).json()]
        shown.append(client.get("/v1/recommendations?n=3", headers=key).json())
        for looking in (path, "/v1/recommendations"):
            assert client.get(f"{looking}?log=false", headers=key).json()["list_id"] == ""
        assert ask(f"{path}?n=2&log=false", key).json()["list_id"] == ""
    assert ask.taken == 2
    shop.served.flush()
    events = shop.store.log.read(names=["Recommendations Served"])
    assert [e.event_id for e in events] == [f"list:{each['list_id']}" for each in shown]
    assert [e.subject for e in events] == [subject, subject, None]
    for event, view in zip(events, shown, strict=True):
        assert [line.item_id for line in event.lines] == [i["item_id"] for i in view["items"]]
        assert event.properties["sources"] == " ".join(i["model"] for i in view["items"])
        assert event.properties["propensities"].split() == ["1.0"] * len(view["items"])
        assert event.properties["model"] == view["version"]
        assert "placement" not in event.properties


def test_requests_on_the_lane_are_counted_and_logged(
    shop: Shop, ask: Ask, key: Headers, capsys: pytest.CaptureFixture[str]
) -> None:
    ask("/v1/recommendations/17850", key)
    line = msgspec.json.decode(capsys.readouterr().err.splitlines()[-1])
    assert line["route"] == "/v1/recommendations/{customer_id}"
    assert line["actor"].startswith("key:")
    assert line["status"] == 200
    assert "17850" not in str(line)
    with TestClient(ask.app) as client:
        client.get("/v1/recommendations/17850", headers=key)
        numbers = client.get("/metrics", headers=key).text
    counted = 'method="GET",route="/v1/recommendations/{customer_id}",status="200"'
    assert f"lingxi_http_requests_total{{{counted}}} 2.0" in numbers
    sizes = dict(re.findall(r'lingxi_recommender_bytes\{part="(\w+)"\} (\S+)', numbers))
    assert set(sizes) == {"mapped", "remembered", "histories", "catalogue"}
    assert 0 < float(sizes["remembered"]) <= 64 * 2**20
    artefact = shop.store.artefacts.current("recommender")
    assert artefact is not None
    arrays = sum(path.stat().st_size for path in artefact.path.glob("*.npy"))
    assert float(sizes["mapped"]) == arrays
    models = dict(re.findall(r'lingxi_model_mapped_bytes\{kind="(\w+)"\} (\S+)', numbers))
    assert float(models["recommender"]) == arrays
    assert set(models) == {manifest.kind for manifest in shop.store.artefacts.list()}
