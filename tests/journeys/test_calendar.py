"""The calendar: what is going to be sent and what was, by construction."""

import shutil
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from journey_road import NOW, Road
from lingxi.app.runs.calendar import show_calendar
from lingxi.coupons.tables import coupon
from lingxi.errors import InvalidInput
from lingxi.journeys.dates import count_dated, list_dated
from lingxi.journeys.moments import next_local
from lingxi.journeys.planned import Calendar, Day, Planned, Sent
from lingxi.journeys.plans import list_plans
from lingxi.journeys.reading import read_journey
from lingxi.journeys.trigger import DateOf, DateTrigger, ScheduleTrigger
from lingxi.journeys.versions import put_draft, remove_journey, set_paused
from lingxi.messaging.tables import message
from lingxi.profiles import put_traits

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MAIL = {"mail": {"kind": "message", "template": "a", "next": "end"}, "end": {"kind": "end"}}
ZONES = ("UTC", "Europe/London", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe")


def see(road: Road, first: str = "2026-03-02", last: str | None = None) -> Calendar:
    end = date.fromisoformat(last) if last else None
    return show_calendar(road.shop, date.fromisoformat(first), end)


def days_of(view: Calendar) -> Mapping[str, Day]:
    return {day.day.isoformat(): day for day in view.days}


def plans_of(view: Calendar) -> list[tuple[str, Planned]]:
    return [(day.day.isoformat(), plan) for day in view.days for plan in day.planned]


@pytest.fixture
def london(tmp_path: Path, empty_shop: Path) -> Any:
    folder = Path(shutil.copytree(empty_shop, tmp_path / "london"))
    made = Road(folder, {"LINGXI_SHOP_TIMEZONE": "Europe/London"})
    yield made
    made.shop.close()


@given(
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    hour=st.times(time(0), time(23, 59)).map(lambda t: t.replace(second=0, microsecond=0)),
    weekdays=st.sets(st.sampled_from(("mon", "wed", "sun"))),
    first=st.dates(date(2026, 1, 1), date(2026, 12, 1)),
)
def test_the_moments_of_a_schedule_are_those_that_come_one_after_the_other(
    zone: ZoneInfo, hour: time, weekdays: set[str], first: date
) -> None:
    trigger = ScheduleTrigger(time=f"{hour:%H:%M}", weekdays=tuple(weekdays))
    last = first + 20 * DAY
    plans = list(list_plans(trigger, zone, first, last))
    moment = datetime.combine(first, time(0), zone).astimezone(UTC) - timedelta(seconds=1)
    expected = []
    while True:
        moment = next_local(moment, hour, zone, weekdays=weekdays)
        if moment.astimezone(zone).date() > last:
            break
        expected.append(moment)
    assert [plan.at for plan in plans] == expected


def test_a_campaign_stands_on_its_day_with_its_audience_and_then_with_who_came(road: Road) -> None:
    audience = road.enlist("news", 1, 2, 3)
    road.know(4)
    road.publish(
        campaign="sale",
        template="sale",
        audience=audience,
        at="2026-03-04T10:00:00Z",
        title={"en": "Sale"},
        holdout=0.25,
    )
    ((day, plan),) = plans_of(see(road))
    assert (day, plan.journey, plan.state, plan.campaign) == ("2026-03-04", "sale", "live", True)
    assert (plan.at, plan.local) == (datetime(2026, 3, 4, 10, tzinfo=UTC), False)
    assert (plan.customers, plan.came_in, plan.holdout) == (3, None, 0.25)
    assert (plan.channels, plan.waits_until) == (("email",), None)
    road.go(2 * DAY)
    ((day, plan),) = plans_of(see(road))
    assert (day, plan.customers, plan.came_in, plan.finished) == ("2026-03-04", None, 3, True)
    held = sum(run.outcome == "held_out" for run in road.runs())
    ((only,),) = [each.sent for each in see(road).days if each.sent]
    assert (only.journey, only.title, only.waiting) == ("sale", {"en": "Sale"}, 3 - held)


def test_every_week_at_nine_on_the_shops_clock_across_both_changes(london: Road) -> None:
    london.publish(trigger={"kind": "schedule", "time": "09:00", "weekdays": ["sun"]}, steps=MAIL)
    spring = see(london, "2026-03-16", "2026-04-05")
    assert [(day, f"{plan.at:%H:%M}") for day, plan in plans_of(spring)] == [
        ("2026-03-22", "09:00"),
        ("2026-03-29", "08:00"),
        ("2026-04-05", "08:00"),
    ]
    autumn = see(london, "2026-10-18", "2026-10-31")
    assert [(day, f"{plan.at:%H:%M}") for day, plan in plans_of(autumn)] == [
        ("2026-10-18", "08:00"),
        ("2026-10-25", "09:00"),
    ]
    hours = {day.day.isoformat(): day.hours for view in (spring, autumn) for day in view.days}
    assert {day: n for day, n in hours.items() if n != 24} == {"2026-03-29": 23, "2026-10-25": 25}


def test_paused_drafted_removed_and_missed_are_told_apart(road: Road) -> None:
    at = "2026-03-04T10:00:00Z"
    for name in ("paused", "removed"):
        road.publish(campaign=name, template="a", at=at)
    with road.store.write() as tx:
        made = read_journey({"campaign": "draft", "template": "a", "at": at})
        put_draft(tx, made, actor="t", now=road.clock.now())
        set_paused(tx, "paused", True, actor="t", now=road.clock.now())
    states = {plan.journey: plan.state for _, plan in plans_of(see(road))}
    assert states == {"paused": "paused", "removed": "live", "draft": "draft"}
    road.know(1)
    road.go(2 * DAY)
    with road.store.write() as tx:
        remove_journey(tx, "removed")
    road.publish(campaign="missed", template="a", at="2026-03-05T10:00:00Z")
    road.clock.advance(4 * DAY)
    found = {plan.journey: plan for _, plan in plans_of(see(road))}
    assert {name: plan.state for name, plan in found.items()} == {
        "removed": "removed",
        "paused": "paused",
        "missed": "live",
    }
    assert {name for name, plan in found.items() if plan.missed} == {"paused", "missed"}
    assert found["removed"].came_in == 1


def test_quiet_hours_and_holidays_say_when_a_campaign_leaves(
    tmp_path: Path, empty_shop: Path
) -> None:
    folder = Path(shutil.copytree(empty_shop, tmp_path / "quiet"))
    road = Road(folder, {"LINGXI_MESSAGING_HOLIDAYS": "2026-03-05"})
    try:
        for name, at, more in (
            ("late", "2026-03-04T22:00:00Z", {}),
            ("early", "2026-03-03T12:00:00Z", {}),
            ("receipt", "2026-03-03T22:00:00Z", {"message_class": "transactional"}),
        ):
            road.publish(campaign=name, template="a", at=at, **more)
        view = see(road)
        waits = {plan.journey: plan.waits_until for _, plan in plans_of(view)}
        # 21:00 to 08:00 are quiet, and then the holiday
        assert waits == {
            "late": datetime(2026, 3, 6, 8, tzinfo=UTC),
            "early": None,
            "receipt": None,
        }
        assert [day for day, each in days_of(view).items() if each.holiday] == ["2026-03-05"]
        assert view.quiet_hours == "21:00-08:00"
    finally:
        road.shop.close()


def test_dates_of_customers_stand_on_their_days(road: Road) -> None:
    road.know(1, 2, 3)
    for customer, birthday in ((1, "1990-03-04"), (2, "1985-03-04"), (3, "1970-04-30")):
        put_traits(road.store, customer, {"birthday": birthday})
    road.publish(trigger={"kind": "date", "of": "birthday", "offset": "-1d"}, steps=MAIL)
    found = [(day, plan.customers, plan.local) for day, plan in plans_of(see(road))]
    assert found == [("2026-03-03", 2, True)]
    april = [(day, plan.customers) for day, plan in plans_of(see(road, "2026-04-01"))]
    assert april == [("2026-04-29", 1)]
    road.go()
    road.go(DAY)
    ((day, plan),) = plans_of(see(road, "2026-03-02", "2026-03-10"))
    assert (day, plan.came_in, plan.at) == ("2026-03-03", 2, datetime(2026, 3, 3, 9, tzinfo=UTC))


def test_too_many_sealed_dates_are_not_opened_but_said(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lingxi.journeys.dates.MOST_OPENED", 1)
    road.know(1, 2)
    for customer in (1, 2):
        put_traits(road.store, customer, {"birthday": "1990-03-04"})
    road.publish(trigger={"kind": "date", "of": "birthday", "at": "08:30"}, steps=MAIL)
    view = see(road)
    assert plans_of(view) == []
    assert [(each.journey, each.time) for each in view.standing] == [("j", "08:30")]


def test_dates_counted_for_a_month_are_those_of_its_days(road: Road) -> None:
    road.know(1)
    with road.store.write() as tx:
        for number, hours in ((5, 30), (6, 71), (7, 100)):
            row = {"coupon": number, "offer": "ten", "version": 1, "state": "issued"}
            row |= {"customer": 1, "expires_at": NOW + hours * HOUR}
            tx.execute(sa.insert(coupon), row)
    trigger = DateTrigger(of=DateOf.COUPON_EXPIRY, offset="-2d")
    first = date(2026, 2, 25)
    counted = count_dated(road.store, trigger, first, first + 20 * DAY)
    one_by_one = {
        day: len(list_dated(road.store, trigger, day))
        for day in (first + n * DAY for n in range(21))
    }
    assert counted == {day: n for day, n in one_by_one.items() if n}
    assert counted is not None
    assert sum(counted.values()) == 3


def _queue(road: Road, number: int, journey: str, state: str, queued: datetime, **row: Any) -> None:
    values = {
        "id": f"{number:032d}",
        "customer": 1,
        "channel": "email",
        "template": "a",
        "template_version": 1,
        "category": "news",
        "message_class": "marketing",
        "journey": journey,
        "run": "",
        "node": "",
        "context": "{}",
        "queued_at": queued,
        "state": state,
        "fence": 0,
        "attempts": 0,
        **row,
    }
    with road.store.write() as tx:
        tx.execute(sa.insert(message), values)


def test_messages_stand_on_the_shops_day_and_those_that_wait_where_they_leave(
    london: Road,
) -> None:
    london.clock.advance(28 * DAY)  # the 30th of March, 12:00 UTC
    night = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)  # still the 28th: winter time
    summer = datetime(2026, 3, 29, 23, 30, tzinfo=UTC)  # already the 30th
    _queue(london, 1, "j", "accepted", night)
    _queue(london, 2, "j", "accepted", summer)
    _queue(london, 3, "j", "skipped", summer, reason="cap")
    _queue(london, 4, "", "failed", summer)
    _queue(london, 5, "j", "unknown", summer)
    soon = datetime(2026, 3, 31, 23, 15, tzinfo=UTC)  # the first of April
    _queue(london, 6, "j", "queued", night, due_at=soon)
    _queue(london, 7, "j", "queued", night, due_at=night)  # overdue: today
    sent = {
        day: [(e.journey, e.accepted, e.skipped, e.failed, e.unknown, e.waiting) for e in each.sent]
        for day, each in days_of(see(london, "2026-03-27", "2026-04-02")).items()
        if each.sent
    }
    assert sent == {
        "2026-03-28": [("j", 1, 0, 0, 0, 0)],
        "2026-03-30": [("j", 1, 1, 0, 1, 1), ("", 0, 0, 1, 0, 0)],
        "2026-04-01": [("j", 0, 0, 0, 0, 1)],
    }
    listed = london.shop.messages.list_all(day=date(2026, 3, 30)).messages
    assert {each.id[-1] for each in listed} == {"2", "3", "4", "5"}


def test_a_span_that_is_none_is_refused(road: Road) -> None:
    for first, last in (
        ("2026-03-02", "2026-03-01"),
        ("2026-03-02", "2026-08-01"),
        ("0001-01-01", "0001-01-02"),
    ):
        with pytest.raises(InvalidInput):
            see(road, first, last)
    with pytest.raises(InvalidInput):
        see(road, "9999-12-30")


def test_nothing_planned_and_nothing_sent_is_days_with_nothing(road: Road) -> None:
    view = see(road)
    assert (view.first, view.last) == (date(2026, 3, 2), date(2026, 4, 1))
    assert {(day.planned, day.sent) for day in view.days} == {((), ())}
    assert isinstance(view.days[0], Day)
    assert Sent.__struct_fields__[0] == "journey"
