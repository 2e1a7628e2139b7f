"""Every ready journey tried on the demo's past: what it says agrees with what the log says."""

import json
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from demo_shop import DEMO_END
from lingxi.app import jobs
from lingxi.app.definitions.apply import apply_folder
from lingxi.app.journeys.gallery import GALLERY, ORDER, read_ready
from lingxi.app.journeys.outcome import Simulation
from lingxi.app.journeys.simulate import simulate
from lingxi.app.shop import Shop
from lingxi.cli import main
from lingxi.clock import FixedClock
from lingxi.journeys import Journey
from lingxi.journeys.step import CouponStep
from lingxi.journeys.trigger import EventTrigger
from lingxi.messaging.nouns import SkipReason
from lingxi.store.tables import event, identity, to_micros

DAYS = 10
pytestmark = pytest.mark.proof


@pytest.fixture(scope="module")
def shop(
    demo_folder: Path, raw_shop: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """The demo's shop with its customers' addresses and words of consent, and with everything that
    the ready journeys need."""
    folder = tmp_path_factory.mktemp("tried") / "shop"
    shutil.copytree(demo_folder, folder)
    opened = Shop.open(folder, clock=FixedClock(DEMO_END), environ={})
    jobs.import_customers(opened, raw_shop / "customers.csv")
    apply_folder(opened, GALLERY, actor="t")
    yield opened
    opened.close()


def count_triggered(shop: Shop, names: tuple[str, ...], start: datetime, end: datetime) -> int:
    """Customers of whom the log has one of these events between two moments."""
    owner = sa.func.coalesce(identity.c.customer, event.c.subject)
    query = (
        sa.select(sa.func.count(sa.distinct(owner)))
        .select_from(event.outerjoin(identity, identity.c.subject == event.c.subject))
        .where(
            event.c.name.in_(names),
            event.c.occurred_at > to_micros(start),
            event.c.occurred_at <= to_micros(end),
        )
    )
    with shop.store.read() as tx:
        return int(tx.execute(query).scalar_one())


def check(journey: Journey, got: Simulation) -> None:
    """What holds of every simulation, whatever the customers did."""
    assert got.end - got.start == timedelta(days=DAYS)
    assert got.customers <= got.runs + got.held_out
    assert sum(got.outcomes.values()) + got.on_the_way == got.runs
    templates = {message.template for message in journey.messages.values()}
    assert set(got.messages) <= templates
    for counts in got.messages.values():
        assert sum(counts.values()) <= got.runs, "a run sends each message once"
    offers = {step.offer for step in journey.steps.values() if isinstance(step, CouponStep)}
    assert set(got.coupons) <= offers
    assert sum(got.coupons.values()) <= got.runs
    assert got.coupons or got.coupon_cost_cents == 0
    most = max((int(n) for n in got.per_week), default=0)
    assert most <= (journey.caps.week or 0), "no customer's week has more than the cap"


@pytest.mark.parametrize("name", ORDER)
def test_a_ready_journey_is_tried_on_the_demo(shop: Shop, name: str) -> None:
    journey = read_ready(name)
    got = simulate(shop, journey, days=DAYS)
    check(journey, got)
    if isinstance(journey.trigger, EventTrigger):
        triggered = count_triggered(shop, journey.trigger.events, got.start, got.end)
        assert got.customers <= triggered
        if journey.entry is None:
            assert got.customers == triggered


def test_the_command_tells_the_same_and_letters_reach_who_agreed(shop: Shop) -> None:
    path = GALLERY / "journeys" / "cart-abandonment.yaml"
    asked = ["journey", "simulate", str(path), "--days", str(DAYS), "--json"]
    answer = CliRunner().invoke(main, [*asked, "--shop", str(shop.settings.folder)])
    assert answer.exit_code == 0, answer.output
    told = json.loads(answer.output)["simulation"]
    until = datetime.fromisoformat(told["end"])
    got = simulate(shop, read_ready("cart-abandonment"), days=DAYS, until=until)
    assert told == json.loads(msgspec.json.encode(got))
    first = got.messages["cart-1"]
    assert first["accepted"] > 0
    assert set(first) - {"accepted"} <= {f"skipped:{reason}" for reason in SkipReason}
    assert got.coupons["cart-5"] <= sum(first.values()), "the coupon comes after the first letter"
