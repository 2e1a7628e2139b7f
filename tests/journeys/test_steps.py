"""Each kind of step: which way a run leaves it, and what it asks for."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from journey_road import NOW, Road
from lingxi.errors import InvalidInput
from lingxi.experiments import assign
from lingxi.journeys.run import Outcome
from lingxi.journeys.tables import step_count
from lingxi.messaging.tables import message as messages
from lingxi.profiles import get_traits
from lingxi.segments.lists import is_in_list

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
GO = {"kind": "event", "events": ["Go"]}
END = {"kind": "end"}


def _journey(road: Road, steps: dict[str, Any], /, **more: Any) -> None:
    road.publish(**{"trigger": GO, "steps": {**steps, "end": END}, **more})


def _begin(road: Road, customer: int = 1) -> None:
    road.happen("Go", customer)
    road.go()


def test_a_branch_takes_the_first_case_that_holds(road: Road) -> None:
    cases = [
        {"name": "never", "rule": road.enlist("nobody"), "next": "end"},
        {"name": "gold", "rule": road.enlist("gold", 1), "next": "end"},
        {"name": "also", "rule": road.enlist("also", 1), "next": "end"},
    ]
    _journey(road, {"b": {"kind": "branch", "cases": cases, "otherwise": "end"}})
    for customer in (1, 2):
        _begin(road, customer)
    assert [run.steps[0].port for run in road.runs()] == ["gold", "otherwise"]
    with road.store.read() as tx:
        counts = {(r.node, r.port): r.n for r in tx.execute(sa.select(step_count))}
    assert counts == {
        ("", "started"): 2,
        ("b", "gold"): 1,
        ("b", "otherwise"): 1,
        ("end", "completed"): 2,
    }


def test_a_branch_on_what_became_of_this_very_message(road: Road) -> None:
    was = {"step": "mail", "was": "opened"}
    _journey(
        road,
        {
            "mail": {"kind": "message", "template": "a", "next": "pause"},
            "pause": {"kind": "wait", "duration": "1d", "next": "b"},
            "b": {"kind": "branch", "cases": [{"name": "read", **was, "next": "end"}]},
        },
    )
    for customer in (1, 2, 3):
        _begin(road, customer)
    ids = [run.context["messages"]["mail"] for run in road.runs()]
    road.happen("Message Opened", 1, properties={"message": ids[0]})
    road.happen("Message Opened", 2, properties={"message": "another"})
    road.happen("Message Opened", 3, properties={"message": ids[2], "machine": True})
    road.go(DAY)
    ports = [[step.port for step in run.steps if step.node == "b"] for run in road.runs()]
    assert ports == [["read"], ["otherwise"], ["otherwise"]]


def test_what_was_skipped_and_what_was_sent_are_told_apart(road: Road) -> None:
    cases = [
        {"name": "gone", "step": "mail", "was": "sent", "next": "end"},
        {"name": "not", "step": "mail", "was": "skipped", "next": "end"},
    ]
    _journey(
        road,
        {
            "mail": {"kind": "message", "template": "a", "next": "pause"},
            "pause": {"kind": "wait", "duration": "1d", "next": "b"},
            "b": {"kind": "branch", "cases": cases, "otherwise": "end"},
        },
    )
    for customer, state in ((1, "accepted"), (2, "skipped"), (3, "queued")):
        _begin(road, customer)
        with road.store.write() as tx:
            of_customer = sa.update(messages).where(messages.c.customer == customer)
            tx.execute(of_customer.values(state=state))
    road.go(DAY)
    assert [[p.port for p in run.steps if p.node == "b"] for run in road.runs()] == [
        ["gone"],
        ["not"],
        ["otherwise"],
    ]


def test_a_split_follows_the_experiment_and_notes_the_arm(road: Road) -> None:
    arms = [{"name": "a", "share": 1, "next": "end"}, {"name": "b", "share": 3, "next": "end"}]
    _journey(road, {"s": {"kind": "split", "experiment": "x", "arms": arms}})
    for customer in range(1, 9):
        _begin(road, customer)
    expected = [assign("x", c, {"a": 0.25, "b": 0.75}) for c in range(1, 9)]
    assert [run.steps[0].port for run in road.runs()] == expected
    noted = road.store.log.read(names=["Arm Assigned"])
    assert [event.properties["arm"] for event in noted] == expected


def test_a_coupon_step_leaves_by_whether_there_was_a_code(road: Road) -> None:
    _journey(
        road,
        {
            "c": {"kind": "coupon", "offer": "ten", "next": "mail", "otherwise": "end"},
            "mail": {"kind": "message", "template": "a", "next": "end"},
        },
    )
    road.codes = ["77"]
    _begin(road, 1)
    _begin(road, 2)
    assert [run.steps[0].port for run in road.runs()] == ["next", "otherwise"]
    (message,) = road.sent()
    assert '"coupon":77' in message["context"]


def test_traits_lists_and_calls(road: Road) -> None:
    _journey(
        road,
        {
            "t": {"kind": "set_trait", "trait": "vip", "value": True, "next": "l"},
            "l": {"kind": "add_to_list", "list": "vips", "next": "w"},
            "w": {"kind": "webhook", "url": "https://shop.example/hook", "next": "end"},
        },
    )
    road.know(1)
    road.enlist("vips")
    _begin(road)
    assert get_traits(road.store, 1) == {"vip": "True"}
    with road.store.read() as tx:
        assert is_in_list(tx, "vips", 1)
    (call,) = road.sent()
    assert (call["channel"], call["message_class"]) == ("webhook", "transactional")
    assert road.run.outcome == Outcome.COMPLETED


def test_without_a_plan_the_next_best_action_is_none(road: Road) -> None:
    actions = [{"offer": "ten", "next": "end"}]
    _journey(road, {"n": {"kind": "next_best_action", "actions": actions, "otherwise": "end"}})
    _begin(road)
    assert road.ports()[0] == "n.otherwise"


def test_the_best_hour_is_that_of_the_customers_own_visits(road: Road) -> None:
    """Whose visits are at seven in the evening is written to at seven, others at ten."""
    road.know(1, 2)
    for days in range(1, 7):
        road.happen("Product Viewed", 1, occurred_at=NOW + 7 * HOUR + 9 * MINUTE - days * DAY)
    mail = {"kind": "message", "template": "a", "next": "end"}
    _journey(road, {"w": {"kind": "wait", "best_within": "2d", "next": "mail"}, "mail": mail})
    for customer in (1, 2):
        _begin(road, customer)
    sent: dict[int, datetime] = {}
    for _ in range(48):
        road.go(HOUR)
        for message in road.sent():
            sent.setdefault(message["customer"], road.clock.now())
    assert sent == {1: NOW + 7 * HOUR, 2: NOW + 22 * HOUR}


def test_an_exit_rule_is_asked_when_a_step_begins(road: Road) -> None:
    _journey(
        road,
        {"mail": {"kind": "message", "template": "a", "next": "end"}},
        exits=[{"rule": road.enlist("out", 1)}],
    )
    _begin(road, 1)
    _begin(road, 2)
    assert [run.outcome for run in road.runs()] == [Outcome.EXIT, Outcome.COMPLETED]
    assert len(road.sent()) == 1


def test_an_entry_rule_keeps_others_out(road: Road) -> None:
    _journey(road, {}, entry=road.enlist("in", 2), start="end")
    _begin(road, 1)
    _begin(road, 2)
    assert [run.customer for run in road.runs()] == [2]


def test_caps_of_the_journey(road: Road) -> None:
    _journey(
        road,
        {"mail": {"kind": "message", "template": "a", "next": "end"}},
        caps={"day": 1, "week": 2},
        reentry={"mode": "always"},
    )  # the shop's clock stands on a Monday
    for _ in range(3):
        _begin(road)
        _begin(road)
        road.go(DAY)
    assert len(road.sent()) == 2
    codes = [code for run in road.runs() for code in road.codes_of(run) if code != "end"]
    assert codes == ["queued", "capped_day", "queued", "capped_day", "capped_week", "capped_week"]


def test_the_higher_priority_has_the_day(road: Road) -> None:
    mail = {"mail": {"kind": "message", "template": "a", "send_within": "2d", "next": "end"}}
    _journey(road, mail, name="low", priority=10)
    _journey(road, mail, name="high", priority=90)
    _journey(
        road,
        {"mail": {**mail["mail"], "send_within": "1h"}},
        name="hurry",
        priority=20,
    )
    _begin(road)
    assert [m["journey"] for m in road.sent()] == ["high"]
    road.go(DAY)
    assert [m["journey"] for m in road.sent()] == ["high", "low"]
    by_name = {run.journey: road.codes_of(run) for run in road.runs()}
    assert by_name["low"] == ["yields", "queued", "end"]
    assert by_name["hurry"] == ["yielded", "end"]


def test_a_step_that_fails_is_tried_again_and_holds_up_nobody(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = [{"name": "x", "rule": road.enlist("nobody"), "next": "end"}]
    _journey(road, {"b": {"kind": "branch", "cases": case, "otherwise": "end"}})

    class Broken:
        def matches(self, _tx: object, _rule: object, customer: int, _now: object) -> bool:
            if customer == 1:
                raise InvalidInput("no such segment")
            return False

    monkeypatch.setitem(road.hands.__dict__, "judge", Broken())
    _begin(road, 1)
    _begin(road, 2)
    assert [run.outcome for run in road.runs()] == [None, Outcome.COMPLETED]
    for _ in range(6):
        road.go(DAY)
    assert road.runs()[0].outcome == Outcome.FAILED


def test_a_loop_without_a_wait_does_not_hold_up_the_worker(road: Road) -> None:
    steps = {
        "a": {"kind": "set_trait", "trait": "x", "value": "1", "next": "b"},
        "b": {"kind": "set_trait", "trait": "x", "value": "2", "next": "a"},
    }
    road.publish(trigger=GO, steps=steps)
    road.know(1)
    road.happen("Go")
    assert road.read() > 0
    road.runner.run_once(road.clock.now())
    assert len(road.run.steps) == 50
