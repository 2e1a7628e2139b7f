"""Runs follow their person; what is erased is gone."""

from datetime import timedelta

from journey_road import Road
from lingxi.app.messages.sender import send_due
from lingxi.experiments import in_holdout
from lingxi.journeys import forget
from lingxi.journeys.run import Outcome
from lingxi.profiles import put_traits

GO = {"kind": "event", "events": ["Go"]}
STEPS = {
    "w": {"kind": "wait", "duration": "1h", "next": "mail"},
    "mail": {"kind": "message", "template": "a", "next": "end"},
    "end": {"kind": "end"},
}


def test_a_run_follows_its_person_and_of_two_one_stays(road: Road) -> None:
    road.know(1, 2, 3)
    road.publish(trigger=GO, steps=STEPS)
    for customer in (1, 2):
        road.happen("Go", customer)
    road.go()
    road.merge(3, 2)
    road.go()
    assert [(run.customer, run.outcome) for run in road.runs()] == [(1, None), (3, None)]
    road.merge(1, 3)
    road.go()
    assert [(run.customer, run.outcome) for run in road.runs()] == [
        (1, None),
        (1, Outcome.MERGED),
    ]
    road.go(timedelta(hours=1))
    assert [message["customer"] for message in road.sent()] == [1]


def test_a_goal_of_the_other_half_ends_the_run(road: Road) -> None:
    road.know(1, 2)
    road.publish(trigger=GO, steps=STEPS, goal={"event": "Order Completed"})
    road.happen("Go", 2)
    road.go()
    road.merge(1, 2)
    road.happen("Order Completed", 1)
    road.go(timedelta(hours=1))
    assert road.run.outcome == Outcome.GOAL
    assert road.sent() == []


def test_what_the_other_half_got_counts_for_the_caps_of_the_person(road: Road) -> None:
    road.know(1, 2)
    steps = {"mail": STEPS["mail"], "end": STEPS["end"]}
    road.publish(trigger=GO, steps=steps, reentry={"mode": "always"}, caps={"day": 1})
    road.happen("Go", 2)
    road.go()
    road.merge(1, 2)
    road.happen("Go", 1)
    road.go()
    assert [message["customer"] for message in road.sent()] == [2]


def test_who_is_held_out_gets_nothing_through_a_merge_either(road: Road) -> None:
    held, free = (
        next(c for c in range(1, 99) if in_holdout("journey:j", c, 0.5) is wanted)
        for wanted in (True, False)
    )
    road.know(held, free)
    put_traits(road.store, free, {"email": "ada@customer.example"})
    steps = {"mail": STEPS["mail"], "end": STEPS["end"]}
    road.publish(trigger=GO, steps=steps, reentry={"mode": "always"}, holdout=0.5)
    road.happen("Go", free)
    road.go()
    assert send_due(road.shop, road.clock.now()) == {"skipped": 1}
    road.happen("Go", free)
    road.go(timedelta(hours=1))
    road.merge(held, free)
    assert send_due(road.shop, road.clock.now()) == {"skipped": 1}
    assert [message["reason"] for message in road.sent()] == ["no_template", "holdout"]


def test_erasure_leaves_no_run(road: Road) -> None:
    road.publish(trigger=GO, steps=STEPS)
    for customer in (1, 2):
        road.happen("Go", customer)
    road.go()
    with road.store.write() as tx:
        assert forget(tx, frozenset({1})) == 1
    assert [run.customer for run in road.runs()] == [2]
