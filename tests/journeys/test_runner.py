"""Runs go through their steps, once each, whatever the workers do."""

from datetime import timedelta

from journey_road import Road
from lingxi.journeys.control import pause, resume
from lingxi.journeys.run import Outcome, RunState
from lingxi.journeys.runner import Runner

HOUR = timedelta(hours=1)
CART = {
    "trigger": {"kind": "event", "events": ["Product Added"], "key": "cart_id"},
    "start": "pause",
    "steps": {
        "pause": {"kind": "wait", "duration": "1h", "next": "mail"},
        "mail": {"kind": "message", "template": "cart", "next": "end"},
        "end": {"kind": "end"},
    },
    "goal": {"event": "Order Completed"},
    "reentry": {"mode": "always"},
}


def test_a_run_waits_sends_and_ends(road: Road) -> None:
    road.publish(**CART)
    road.happen("Product Added", properties={"cart_id": "c1"})
    road.go()
    assert road.run.state is RunState.WAITING
    assert road.run.key == "c1"
    assert road.sent() == []
    road.go(HOUR - timedelta(seconds=1))
    assert road.sent() == []
    road.go(timedelta(seconds=1))
    (message,) = road.sent()
    assert (message["template"], message["journey"], message["node"]) == ("cart", "j", "mail")
    assert message["run"] == str(road.run.id)
    assert road.run.outcome == Outcome.COMPLETED
    assert road.ports() == ["pause.next", "mail.next", "end.completed"]
    assert road.codes_of(road.run) == ["waits", "waited", "queued", "end"]
    names = [
        event.name for event in road.store.log.read(names=["Journey Started", "Journey Ended"])
    ]
    assert names == ["Journey Started", "Journey Ended"]


def test_the_goal_ends_a_run_before_its_message(road: Road) -> None:
    road.publish(**CART)
    road.happen("Product Added", properties={"cart_id": "c1"})
    road.go()
    road.clock.advance(HOUR)
    road.happen("Order Completed")
    assert road.runner.run_once(road.clock.now()) == 0  # due, but the log knows more
    road.go()
    assert road.run.outcome == Outcome.GOAL
    assert road.sent() == []


def test_each_cart_has_its_own_run_and_a_second_event_of_it_begins_none(road: Road) -> None:
    road.publish(**CART)
    for cart in ("c1", "c2", "c1"):
        road.happen("Product Added", properties={"cart_id": cart})
    road.go()
    assert [run.key for run in road.runs()] == ["c1", "c2"]


def test_an_event_of_long_ago_begins_nothing(road: Road) -> None:
    road.publish(**CART)
    road.happen("Product Added", occurred_at=road.clock.now() - timedelta(days=3))
    road.go()
    assert road.runs() == []


def test_those_held_out_get_nothing_and_are_noted(road: Road) -> None:
    road.publish(**{**CART, "holdout": 1})
    road.happen("Product Added")
    road.go(HOUR)
    assert road.run.outcome == Outcome.HELD_OUT
    assert road.sent() == []
    (event,) = road.store.log.read(names=["Journey Started"])
    assert event.properties["held_out"] is True
    (arm,) = road.store.log.read(names=["Arm Assigned"])
    assert arm.properties == {"experiment": "journey:j", "arm": "holdout"}


def test_a_worker_paused_past_its_lease_changes_nothing(road: Road) -> None:
    road.publish(**CART)
    for customer in range(1, 10):
        road.happen("Product Added", customer)
    road.go()
    slow = road.runner
    now = road.clock.advance(HOUR)
    held = slow.lanes.hold(now)
    with road.store.read() as tx:
        prepared = slow._prepare(tx, slow._find_due(tx, held, now), now)
    assert len(prepared) == 9
    later = road.clock.advance(timedelta(minutes=2))
    other = Runner(road.store, road.hands, "w2", sleep=lambda _seconds: None)
    while other.run_once(later):
        pass
    assert len(road.sent()) == 9
    assert slow._write(prepared, later) == 0
    assert len(road.sent()) == 9
    assert {run.outcome for run in road.runs()} == {Outcome.COMPLETED}


def test_what_was_prepared_before_the_goal_is_left_out(road: Road) -> None:
    road.publish(**CART)
    road.happen("Product Added")
    road.go()
    now = road.clock.advance(HOUR)
    with road.store.read() as tx:
        due = road.runner._find_due(tx, road.runner.lanes.hold(now), now)
        prepared = road.runner._prepare(tx, due, now)
    road.happen("Order Completed")
    road.go()
    assert road.runner._write(prepared, now) == 0
    assert road.sent() == []
    assert road.run.outcome == Outcome.GOAL


def test_lanes_are_shared_out_among_workers(road: Road) -> None:
    now = road.clock.now()
    first, second = road.runner.lanes, Runner(road.store, road.hands, "w2").lanes
    assert len(first.hold(now)) == 16
    assert second.hold(now) == ()
    now = road.clock.advance(timedelta(seconds=11))
    assert len(first.hold(now)) == 8
    now = road.clock.advance(timedelta(seconds=11))
    assert len(second.hold(now)) == 8
    assert not set(first.hold(now)) & set(second.hold(now))
    second.release()
    now = road.clock.advance(timedelta(seconds=11))
    assert len(first.hold(now)) == 16


def test_a_lease_written_before_the_clock_was_put_back_is_none(road: Road) -> None:
    now = road.clock.now()
    road.runner.lanes.hold(now + timedelta(days=365))
    assert len(Runner(road.store, road.hands, "w2").lanes.hold(now)) == 16


def test_a_paused_journey_stands_still_and_goes_on(road: Road) -> None:
    road.publish(**CART)
    road.happen("Product Added")
    road.go()
    with road.store.write() as tx:
        pause(tx, "j", actor="t", now=road.clock.now())
    road.happen("Product Added", 2)
    road.go(HOUR)
    assert road.sent() == []
    assert len(road.runs()) == 1
    with road.store.write() as tx:
        resume(tx, "j", actor="t", now=road.clock.now())
    road.go()
    assert len(road.sent()) == 1


def test_a_runner_makes_way_for_who_writes_the_log_but_not_for_another_runner(road: Road) -> None:
    waits = {f"w{i}": {"kind": "wait", "duration": "1h", "next": f"m{i}"} for i in range(3)}
    mails = {f"m{i}": {"kind": "message", "template": "t", "next": f"w{i + 1}"} for i in range(3)}
    end = {"w3": {"kind": "end"}}
    road.publish(**{**CART, "start": "w0", "steps": {**waits, **mails, **end}})
    pauses: list[float] = []
    first, second = (
        Runner(road.store, road.hands, name, sleep=pauses.append) for name in ("a", "b")
    )
    road.happen("Product Added", properties={"cart_id": "c1"})
    road.go()
    road.happen("Product Viewed", 2)
    assert first.run_once(road.clock.advance(HOUR)) == 1
    assert len(pauses) == 1  # an event came in
    assert second.run_once(road.clock.advance(HOUR)) == 1
    assert len(pauses) == 1  # the log holds more, but by the first runner
    road.happen("Product Viewed", 2)
    assert first.run_once(road.clock.advance(HOUR)) == 1
    assert len(pauses) == 2
