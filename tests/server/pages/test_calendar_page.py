"""The calendar's page without a browser: the same figures as the API, in both languages."""

from datetime import UTC, datetime, timedelta

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from journey_road import Road
from lingxi.access import Scope, create_key
from lingxi.app.shop import Shop
from lingxi.messaging.templates.template import Template, Variant
from server.pages.test_without_a_browser import log_in, read_token

DAY = timedelta(days=1)
TEMPLATE = Template(
    name="news",
    channel="email",
    title="News",
    variants={"en": Variant(kind="text", subject="News", body="Hello")},
)


@pytest.fixture
def shop(road: Road) -> Shop:
    return road.shop


def test_month_week_api_and_command_tell_the_same(client: TestClient[Litestar], road: Road) -> None:
    audience = road.enlist("news", 1, 2, 3)
    title = {"en": "Spring sale", "zh": "春季大促"}
    at = "2026-03-04T10:00:00Z"
    road.publish(campaign="sale", template="sale", audience=audience, at=at, title=title)
    month = client.get("/calendar").text
    assert "March 2026" in month
    assert "Wed, 4 Mar 2026 10:00, to about 3 customers" in month
    assert 'href="/journeys/sale"' in month
    week = client.get("/calendar?week=2026-03-05").text
    assert "about 3 customers" in week
    client.cookies.set("lingxi_language", "zh")
    assert "春季大促" in client.get("/calendar?month=2026-03").text
    client.cookies.set("lingxi_language", "en")
    road.go(2 * DAY)
    log_in(client)  # two days are longer than a login lasts
    month = client.get("/calendar").text
    assert "/messages?journey=sale&amp;day=2026-03-04" in month
    assert "3 wait" in month
    log = client.get("/messages?journey=sale&day=2026-03-04").text
    assert log.count('href="/runs/') == 3
    assert 'href="/runs/' not in client.get("/messages?journey=sale&day=2026-03-03").text
    with road.store.write() as tx:
        secret = create_key(
            tx, road.clock.now(), "t", [Scope.JOURNEYS, Scope.MESSAGES], actor="t"
        ).secret
    headers = {"Authorization": f"Bearer {secret}", "accept": "application/json"}
    answer = client.get("/v1/calendar?from=2026-03-04&to=2026-03-04", headers=headers)
    (day,) = answer.json()["days"]
    assert (day["planned"][0]["came_in"], day["sent"][0]["waiting"]) == (3, 3)
    waiting = client.get("/v1/messages?state=queued&day=2026-03-04", headers=headers).json()
    assert len(waiting["messages"]) == 3
    refused = client.get("/v1/calendar?from=2026-13-01", headers=headers).json()["error"]
    assert refused["message"] == "Parameter 'from' must be a day such as 2026-03-29."
    for wrong in ("from=2026-13-01", "from=2026-03-04&to=2026-03-03", "from=0001-01-01"):
        assert client.get(f"/v1/calendar?{wrong}", headers=headers).status_code == 400


def test_an_empty_calendar_says_what_would_be_here_and_wrong_days_are_refused(
    client: TestClient[Litestar],
) -> None:
    page = client.get("/calendar?month=2026-05").text
    assert "lingxi campaign send FILE" in page
    assert "May 2026" in page
    for wrong in (
        "month=2026-13",
        "month=x",
        "week=2026-02-30",
        "month=0001-01",
        "week=9999-12-31",
    ):
        assert client.get(f"/calendar?{wrong}").status_code == 400
    assert client.get("/messages?day=tomorrow").status_code == 400


def test_a_campaign_is_planned_from_the_calendar_and_refused_in_words(
    client: TestClient[Litestar], road: Road
) -> None:
    road.enlist("news", 1)
    assert "There is no published template yet." in client.get("/calendar").text
    road.shop.templates.put(TEMPLATE, actor="test")
    road.shop.templates.publish("news", actor="test")
    page = client.get("/calendar").text
    form = {"_csrf_token": read_token(page), "name": "sale", "title": "Sale", "template": "news"}
    refused = client.post("/calendar", data={**form, "moment": "soon"})
    assert (refused.status_code, 'value="Sale"' in refused.text) == (400, True)
    kept = client.post("/calendar", data={**form, "moment": "2026-03-04T10:00"})
    assert (kept.status_code, kept.url.path) == (200, "/journeys/sale")
    drafted = road.shop.journeys.get_draft("sale")
    assert drafted.trigger.at == datetime(2026, 3, 4, 10, tzinfo=UTC)
    assert drafted.title == {"en": "Sale"}
    assert "draft" in client.get("/calendar").text
    again = client.post("/calendar", data={**form, "moment": "2026-03-05T10:00"})
    assert (again.status_code, "already" in again.text) == (400, True)
