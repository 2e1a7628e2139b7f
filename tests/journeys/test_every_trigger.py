"""Each kind of trigger begins runs from its real cause, through the shop's own standing work."""

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from demo_shop import DEMO_END
from lingxi.access import Scope, create_key
from lingxi.app import jobs
from lingxi.app.runs.desk import RunDesk
from lingxi.app.runs.views import RunRow
from lingxi.app.shop import Shop
from lingxi.app.tasks import TASKS
from lingxi.app.work import choose_tasks, work_off
from lingxi.clock import FixedClock
from lingxi.coupons.file import read_offer
from lingxi.ingest import customer_ids, resolve_subjects
from lingxi.journeys import read_journey
from lingxi.lifecycle.tables import customer_state
from lingxi.policy.offers import NO_OFFER
from lingxi.policy.tables import planned_action
from lingxi.profiles import put_traits
from lingxi.schema import Event, Line, Name
from lingxi.segments import Segment, read_rule
from lingxi.server.app import create_app

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
"""A Monday."""
DAY = timedelta(days=1)
STEPS = {
    "met": {"kind": "set_trait", "trait": "met", "value": True, "next": "end"},
    "end": {"kind": "end"},
}
Entered = dict[str, set[tuple[str, str]]]


def go_live(shop: Shop, triggers: Mapping[str, Mapping[str, Any]], **more: Any) -> None:
    for name, trigger in triggers.items():
        form = {"name": name, "trigger": trigger, "steps": STEPS, "holdout": 0, **more}
        shop.journeys.save(read_journey(form), actor="t")
        shop.journeys.publish(name, actor="t")


def tell(shop: Shop, name: str, who: str, n: int, at: datetime, **fields: Any) -> None:
    customer = resolve_subjects(shop.store, "user_id", [who], known=True)[who]
    event = Event(
        event_id=f"{name}-{who}-{n}",
        name=name,
        subject=customer,
        occurred_at=at,
        received_at=shop.clock.now(),
        **fields,
    )
    shop.store.log.append([event])


def list_rows(shop: Shop) -> list[RunRow]:
    return list(RunDesk(shop).list(n=200).runs)


def list_entered(shop: Shop) -> Entered:
    found: Entered = {}
    for row in list_rows(shop):
        found.setdefault(row.journey, set()).add((row.customer_id, row.key))
    return found


def stock(shop: Shop, path: Path, *lines: str) -> None:
    path.write_text("\n".join(["item_id,name,price,stock", *lines, ""]))
    jobs.import_items(shop, path)


def test_what_customers_and_the_shop_do(shop: Shop, clock: FixedClock, tmp_path: Path) -> None:
    stock(shop, tmp_path / "before.csv", "L1,Lamp,30.00,5", "S1,Shade,5.50,0")
    rule = read_rule({"did": "Product Viewed", "within_days": 1})
    shop.segments.put(Segment("browsers", "Browsers", rule), actor="t", now=True)
    go_live(
        shop,
        {
            "cart": {"kind": "event", "events": ["Product Added"], "key": "cart_id"},
            "entered": {"kind": "segment", "segment": "browsers"},
            "left": {"kind": "segment", "segment": "browsers", "change": "left"},
            "cheaper": {"kind": "price_drop", "least_share": 0.1},
            "again": {"kind": "back_in_stock"},
            "asked": {"kind": "api"},
        },
    )
    for who, item_id in (("ann", "L1"), ("ben", "S1")):
        tell(shop, "Product Viewed", who, 1, NOW, lines=(Line(item_id),))
    for n, cart in enumerate(("c1", "c1", "c2")):
        tell(shop, "Product Added", "cat", n, NOW, properties={"cart_id": cart})
    work_off(shop, TASKS)
    seen: Entered = {
        "cart": {("cat", "c1"), ("cat", "c2")},
        "entered": {("ann", ""), ("ben", "")},
    }
    assert list_entered(shop) == seen
    stock(shop, tmp_path / "after.csv", "L1,Lamp,24.00,5", "S1,Shade,5.50,3")
    work_off(shop, TASKS)
    seen |= {"cheaper": {("ann", "")}, "again": {("ben", "")}}
    assert list_entered(shop) == seen
    assert ask_over_http(shop, "cat", "order-9") == {
        "journey": "asked",
        "customer_id": "cat",
        "begun": True,
    }
    seen |= {"asked": {("cat", "order-9")}}
    clock.advance(2 * DAY)
    work_off(shop, TASKS)
    seen |= {"left": {("ann", ""), ("ben", "")}}
    assert list_entered(shop) == seen
    assert {row.outcome for row in list_rows(shop)} == {"completed"}


def ask_over_http(shop: Shop, customer_id: str, key: str) -> dict[str, Any]:
    from litestar.testing import TestClient

    with shop.store.write() as tx:
        secret = create_key(tx, shop.clock.now(), "t", [Scope.JOURNEYS_WRITE], actor="t").secret
    with TestClient(create_app(shop)) as client:
        path, headers = "/v1/journeys/asked/trigger", {"authorization": f"Bearer {secret}"}
        body = {"customer_id": customer_id, "key": key}
        nobody = client.post(path, json={**body, "customer_id": "nobody"}, headers=headers)
        assert nobody.status_code == 404
        other = client.post("/v1/journeys/cart/trigger", json=body, headers=headers)
        assert other.status_code == 400
        assert client.post(path, json=body).status_code == 401
        begun: dict[str, Any] = client.post(path, json=body, headers=headers).json()
        again = client.post(path, json=body, headers=headers).json()
    assert again["begun"] is False
    return begun


def test_what_the_calendar_brings(shop: Shop, clock: FixedClock) -> None:
    """Five journeys of Wednesday at nine, each for another customer and another reason."""
    names = resolve_subjects(shop.store, "user_id", ["ann", "ben", "dan"], known=True)
    put_traits(shop.store, names["ann"], {"birthday": "1990-03-04"})
    put_traits(shop.store, names["ben"], {"renewal": "2026-03-05"})
    line = (Line("A", 1, price_cents=100, amount_cents=100),)
    for n, days in enumerate((20, 9)):  # eleven days apart: the next one is due on Wednesday
        at = NOW - timedelta(days=days)
        order = {"order_id": f"o{n}", "amount_cents": 100, "lines": line}
        tell(shop, "Order Completed", "cat", n, at, **order)
    offer = read_offer(
        {"benefit": {"kind": "percent", "percent": 10}, "validity": {"days": 4}}, name="ten"
    )
    shop.offers.put(offer, actor="t")
    coupon = shop.counter.issue("ten", "dan", "k", actor="t")
    assert coupon.expires_at == datetime(2026, 3, 7, tzinfo=UTC)  # good all Friday, 6 March
    audience = {"did": "Order Completed"}
    go_live(
        shop,
        {
            "birthday": {"kind": "date", "of": "birthday"},
            "renewal": {"kind": "date", "of": "trait", "trait": "renewal", "offset": "-1d"},
            "next-order": {"kind": "date", "of": "expected_next_order"},
            "expiring": {"kind": "date", "of": "coupon_expiry", "offset": "-2d"},
            "schedule": {
                "kind": "schedule",
                "time": "09:00",
                "weekdays": ["wed"],
                "audience": audience,
            },
        },
    )
    clock.moment = datetime(2026, 3, 4, 8, 59, tzinfo=UTC)
    work_off(shop, TASKS)
    assert {row.outcome for row in list_rows(shop)} <= {""}
    clock.advance(timedelta(minutes=1))
    work_off(shop, TASKS)
    assert list_entered(shop) == {
        "birthday": {("ann", "")},
        "renewal": {("ben", "")},
        "next-order": {("cat", "")},
        "expiring": {("dan", str(coupon.coupon))},
        "schedule": {("cat", "")},
    }
    assert {(row.outcome, row.ended_at) for row in list_rows(shop)} == {("completed", clock.now())}


def read_states(shop: Shop) -> dict[int, tuple[float | None, int | None]]:
    c = customer_state.c
    with shop.store.read() as tx:
        rows = tx.execute(sa.select(c.customer, c.churn_probability, c.value_cents)).all()
    return {row.customer: (row.churn_probability, row.value_cents) for row in rows}


def middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


@pytest.mark.slow
def test_what_the_models_say(demo_folder: Path, tmp_path: Path) -> None:
    """A shop whose customers stay away: scored again forty days later, risks rise, values sink."""
    folder, clock = tmp_path / "shop", FixedClock(DEMO_END)
    shutil.copytree(demo_folder, folder)
    shop = Shop.open(folder, clock=clock, environ={})
    clock.advance(timedelta(hours=1))  # the stages of the first scoring are no news
    before = read_states(shop)
    risk = round(middle([p for p, _ in before.values() if p is not None]), 3)
    value = middle([v for _, v in before.values() if v is not None])
    go_live(
        shop,
        {
            "risk": {"kind": "churn_alert", "least_risk": risk},
            "value": {"kind": "score", "score": "value_cents", "level": value, "crosses": "below"},
            "stage": {"kind": "stage", "to": ["at_risk", "lapsed", "lost"]},
        },
    )
    tasks = choose_tasks(TASKS, ["journey-events", "journey-occasions", "journey-runs"])
    work_off(shop, tasks)
    assert list_rows(shop) == []  # who is there at the first look has crossed nothing
    clock.advance(40 * DAY)
    assert jobs.RENEWAL[-1].run(shop, lambda *_: None).endswith("customers")
    work_off(shop, tasks)
    after = read_states(shop)
    assert runs_of(shop, "risk") == {
        c
        for c, (p, _) in after.items()
        if p is not None and p >= risk and (before[c][0] is None or before[c][0] < risk)
    }
    assert runs_of(shop, "value") == {
        c
        for c, (_, v) in after.items()
        if v is not None and v < value and (before[c][1] is None or before[c][1] >= value)
    }
    told = shop.store.log.read(names=[Name.STAGE_CHANGED])
    fallen = {
        each.subject
        for each in told
        if each.received_at == clock.now()
        and each.properties["to"] in ("at_risk", "lapsed", "lost")
    }
    assert runs_of(shop, "stage") == fallen
    assert fallen
    shop.close()


@pytest.mark.slow
def test_the_plan_chooses_the_next_best_action(demo_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(demo_folder, folder)
    shop = Shop.open(folder, clock=FixedClock(DEMO_END), environ={})
    c = planned_action.c
    with shop.store.read() as tx:
        plan = dict(tx.execute(sa.select(c.customer, c.offer)).all())
        names = customer_ids(tx, plan)
    offered, left = (
        next(each for each, offer in sorted(plan.items()) if (offer != NO_OFFER) is wanted)
        for wanted in (True, False)
    )
    choice = {
        "kind": "next_best_action",
        "actions": [{"offer": plan[offered], "next": "code"}],
        "otherwise": "end",
    }
    code = {"kind": "coupon", "offer": plan[offered], "next": "end", "otherwise": "end"}
    form = {"name": "best", "trigger": {"kind": "api"}, "holdout": 0, "start": "choose"}
    steps = {"choose": choice, "code": code, "end": STEPS["end"]}
    shop.journeys.save(read_journey({**form, "steps": steps}), actor="t")
    shop.journeys.publish("best", actor="t")
    for customer in (offered, left):
        RunDesk(shop).trigger("best", names[customer], actor="t")
    work_off(shop, choose_tasks(TASKS, ["journey-runs"]))
    ways = {
        row.customer_id: [step.way for step in RunDesk(shop).get(row.id).steps]
        for row in list_rows(shop)
    }
    assert ways == {
        names[offered]: [plan[offered], "next", "completed"],
        names[left]: ["otherwise", "completed"],
    }
    [issued] = shop.store.log.read(names=[Name.COUPON_ISSUED])
    assert (issued.subject, issued.properties["offer"]) == (offered, plan[offered])
    shop.close()


def runs_of(shop: Shop, journey: str) -> set[int]:
    from lingxi.journeys.tables import run

    with shop.store.read() as tx:
        query = sa.select(run.c.customer).where(run.c.journey == journey)
        found = {int(each) for each in tx.execute(query).scalars()}
    assert found, journey
    return found
