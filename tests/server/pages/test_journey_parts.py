"""The forms of a journey's beginning, entry, goal and rules: there, back, and what is refused."""

from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from journey_road import Road
from lingxi.app.journeys.gallery import list_gallery, read_ready
from lingxi.app.shop import Shop
from lingxi.journeys import Journey, read_journey
from lingxi.journeys.reading import TRIGGER_KINDS, form_of
from lingxi.server.pages.journey_check import WrongField, check
from lingxi.server.pages.journey_panel import Panel, make_panel
from lingxi.server.pages.journey_settings import PARTS, TRIGGERS, raw_of, understand
from server.pages.test_segment_form import collect
from server.pages.test_without_a_browser import read_token

STEPS = {"mail": {"kind": "message", "template": "a", "next": "end"}, "end": {"kind": "end"}}
RULE = {"all": [{"did": "Order Completed", "at_least": 2}, {"any": [{"stage": ["loyal"]}]}]}
TRIGGER_FORMS: list[dict[str, Any]] = [
    {
        "kind": "event",
        "events": ["Product Added", "Cart Viewed"],
        "key": "cart_id",
        "where": [
            {"property": "amount_cents", "at_least": 2000},
            {"property": "plan", "equals": "7"},
        ],
    },
    {"kind": "segment", "segment": "vip", "change": "left"},
    {"kind": "stage", "to": ["lapsed", "lost"], "before": ["at_risk"]},
    {"kind": "churn_alert", "least_risk": 0.75},
    {"kind": "score", "score": "orders", "level": 3.5, "crosses": "below"},
    {"kind": "date", "of": "trait", "trait": "wedding", "offset": "-3d", "at": "08:30"},
    {"kind": "date", "of": "birthday"},
    {"kind": "price_drop", "least_share": 0.15, "met": ["carted"], "within": "2w"},
    {"kind": "back_in_stock", "met": ["viewed", "bought"]},
    {"kind": "schedule", "at": "2026-07-01T08:00:00+00:00", "audience": RULE},
    {"kind": "schedule", "time": "09:00", "weekdays": ["mon", "fri"], "local": True},
    {"kind": "schedule", "time": "18:30", "days": [1, 31]},
    {"kind": "api"},
]


@pytest.fixture
def shop(road: Road) -> Shop:
    return road.shop


def send_of(panel: Panel) -> dict[str, str]:
    """What a browser would send for a panel as it was drawn."""
    found = {"part": panel.part, "kind": panel.kind, "exits": str(panel.exits)}
    for section in panel.sections:
        for shown in section.fields:
            if shown.setting.kind == "checks":
                found |= {f"{shown.setting.name}.{each}": "on" for each in shown.chosen if each}
            elif shown.setting.kind != "flag" or shown.value:
                found[shown.setting.name] = shown.value
        for row in section.where:
            found |= {f"{row.name}/op": row.op, f"{row.name}/value": row.value}
            found[f"{row.name}/property"] = row.property or ""
        if section.node is not None:
            found |= collect(section.node)
    return found


def there_and_back(shop: Shop, journey: Journey, part: str) -> Journey:
    values = send_of(make_panel(shop, raw_of(journey), part))
    check(part, values)
    whole = {**form_of(journey), **understand(part, values, shop.settings.zone)}
    return read_journey({key: each for key, each in whole.items() if each is not None})


def test_a_form_sent_unchanged_is_the_same_journey(shop: Shop) -> None:
    ready = [read_ready(entry.name) for entry in list_gallery().journeys]
    made = [
        read_journey({"name": "j", "trigger": trigger, "steps": STEPS, "entry": RULE})
        for trigger in TRIGGER_FORMS
    ]
    goal = {"event": "Order Completed", "where": [{"property": "plan", "equals": "7"}]}
    exits = [
        {"happening": {"event": "Cart Emptied", "same_key": True}},
        {"rule": {"all": [{"stage": ["lost"]}]}},
        {"happening": {"event": "Gone", "where": [{"property": "n", "one_of": [1, 2]}]}},
    ]
    rules = {
        "goal": goal,
        "exits": exits,
        "reentry": {"mode": "after", "after": "3d", "meanwhile": "restart"},
        "priority": 7,
        "holdout": 0.25,
        "caps": {"day": 1, "run": 3},
        "message_class": "transactional",
        "category": "cart",
        "title": {"en": "A", "zh": "甲"},
    }
    made.append(read_journey({"name": "j", "trigger": {"kind": "api"}, "steps": STEPS, **rules}))
    assert {str(each.trigger.__struct_config__.tag) for each in made} == set(TRIGGER_KINDS)
    assert set(TRIGGERS) == set(TRIGGER_KINDS)
    for journey in (*ready, *made):
        for part in PARTS:
            back = there_and_back(shop, journey, part)
            assert _comparable(back) == _comparable(journey), (journey.name, part)


def _comparable(journey: Journey) -> dict[str, Any]:
    """Its form; a rule of one condition and a group of that one are the same."""
    form = form_of(journey)
    entry = form.get("entry")
    if entry is not None and set(entry) == {"all"} and len(entry["all"]) == 1:
        form["entry"] = entry["all"][0]
    audience = form["trigger"].get("audience")
    if audience is not None and set(audience) == {"all"} and len(audience["all"]) == 1:
        form["trigger"]["audience"] = audience["all"][0]
    return form


@pytest.mark.parametrize(
    ("part", "values", "field"),
    [
        ("trigger", {"kind": "churn_alert", "trigger.least_risk": "120"}, "trigger.least_risk"),
        ("trigger", {"kind": "price_drop", "trigger.within": "2 parsecs"}, "trigger.within"),
        ("trigger", {"kind": "date", "trigger.at": "25:00"}, "trigger.at"),
        (
            "trigger",
            {"kind": "schedule", "trigger.repeats": "once", "trigger.moment": "soon"},
            "trigger.moment",
        ),
        ("trigger", {"kind": "schedule", "trigger.days": "1, x"}, "trigger.days"),
        ("goal", {"goal.event": "A", "goal.within": "0d"}, "goal.within"),
        ("rules", {"caps.day": "many"}, "caps.day"),
        ("rules", {"holdout": "-1"}, "holdout"),
    ],
)
def test_a_value_that_will_not_do_is_refused_by_its_field(
    part: str, values: dict[str, str], field: str
) -> None:
    with pytest.raises(WrongField) as refused:
        check(part, values)
    assert refused.value.field == field


def _post(client: TestClient[Litestar], **values: str) -> tuple[int, str]:
    token = read_token(client.get("/journeys/j").text)
    data = {"_csrf_token": token, **values}
    answer = client.post("/journeys/j/part", data=data, follow_redirects=True)
    return answer.status_code, answer.text


def test_a_beginning_is_filled_in_refused_by_its_field_and_saved(
    client: TestClient[Litestar], road: Road
) -> None:
    road.publish(trigger={"kind": "event", "events": ["Go"]}, steps=STEPS)
    page = client.get("/journeys/j?part=trigger&kind=schedule").text
    assert "When each customer" in page or "At each customer" in page
    form = {"part": "trigger", "kind": "schedule", "trigger.repeats": "again"}
    status, page = _post(client, **form, action="add:r-audience:did")
    assert (status, 'value="Product Viewed"' in page) == (200, True)
    assert road.shop.journeys.get_draft("j").trigger.events == ("Go",)  # nothing is kept yet
    rule = {"r-audience.all.0.did/": "", "r-audience.all.0.did/did": "Quiz"}
    status, page = _post(client, **form, **rule, action="save", **{"trigger.time": "nine"})
    assert status == 400
    assert 'value="nine"' in page
    assert page.count('aria-invalid="true"') == 1
    assert "Again: time of day:</strong>" in page
    assert 'value="Quiz"' in page
    status, page = _post(client, **form, **rule, action="save", **{"trigger.time": "09:00"})
    assert status == 200
    kept = form_of(road.shop.journeys.get_draft("j"))["trigger"]
    assert kept == {"kind": "schedule", "time": "09:00", "audience": {"all": [{"did": "Quiz"}]}}
    # what only the journey's reader can judge is told by the field too
    status, page = _post(client, part="rules", priority="500", holdout="10", action="save")
    assert (status, page.count('aria-invalid="true"')) == (400, 1)
    assert "Priority, 0 to 100:</strong>" in page
    both = {"trigger.weekdays.mon": "on", "trigger.days": "1", "trigger.time": "09:00"}
    status, page = _post(client, **form, **both, action="save")
    assert (status, "not both" in page) == (400, True)


def test_goal_and_exits_are_added_and_taken_out(client: TestClient[Litestar], road: Road) -> None:
    road.publish(trigger={"kind": "event", "events": ["Go"]}, steps=STEPS)
    form = {"part": "goal", "goal.event": "Order Completed", "goal.within": "7d"}
    _, page = _post(client, **form, exits="0", action="exit-add:event")
    assert 'name="exit0.event"' in page
    first = {"exit0.event": "Cart Emptied"}
    _, page = _post(client, **form, **first, exits="1", action="exit-add:rule")
    assert "add:r-exit1:did" in page
    _, page = _post(client, **form, **first, exits="2", action="add:r-exit1:stage")
    assert 'name="r-exit1.all.0.stage/stage"' in page
    status, page = _post(client, **form, **first, exits="2", action="save")
    assert status == 400  # a rule without a condition
    both = {**form, **first, "exits": "2", "r-exit1.all.0.stage/": ""}
    both["r-exit1.all.0.stage/stage"] = "lost"
    assert _post(client, **both, action="save")[0] == 200
    kept = form_of(road.shop.journeys.get_draft("j"))
    assert kept["goal"] == {"event": "Order Completed"}
    assert kept["exits"] == [
        {"happening": {"event": "Cart Emptied"}},
        {"rule": {"all": [{"stage": ["lost"]}]}},
    ]
    _, page = _post(client, **both, action="exit-remove:0")
    assert 'name="exit0.event"' not in page
    assert _post(client, part="goal", exits="0", action="save", **{"goal.event": ""})[0] == 200
    assert "goal" not in form_of(road.shop.journeys.get_draft("j"))
    assert _post(client, part="none", action="save")[0] == 400


def test_customers_are_counted_while_the_form_is_filled_in(
    client: TestClient[Litestar], road: Road
) -> None:
    road.publish(trigger={"kind": "event", "events": ["Go"]}, steps=STEPS)
    road.enlist("news", 1, 2)
    road.know(3)
    token = read_token(client.get("/journeys/j").text)
    data = {"_csrf_token": token, "part": "entry", "r-entry.all.0.list/list": "news"}
    assert "2" in client.post("/journey-audience", data=data).text
    data["r-entry.all.0.list/list"] = "nothing"
    assert "nothing" in client.post("/journey-audience", data=data).text
