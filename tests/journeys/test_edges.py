"""Runs over the command line and the API: the same desk."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from journey_road import Road
from lingxi.app.runs.campaigns import publish_campaign, read_campaign
from lingxi.app.runs.desk import RunDesk
from lingxi.cli import main
from lingxi.errors import InvalidInput, UnknownJourney, UnknownRun

STEPS = {
    "w": {"kind": "wait", "duration": "1h", "next": "mail"},
    "mail": {"kind": "message", "template": "a", "next": "end"},
    "end": {"kind": "end"},
}
GO = {"kind": "event", "events": ["Go"]}


def _cli(road: Road, *words: str) -> Result:
    folder = str(road.shop.settings.folder)
    return CliRunner().invoke(main, [*words, "--shop", folder], catch_exceptions=False)


def test_a_run_tells_every_step_and_why(road: Road) -> None:
    road.publish(trigger=GO, steps=STEPS)
    road.know(1, 2)
    for customer in (1, 2):
        road.happen("Go", customer)
    road.go(timedelta(0))
    desk = RunDesk(road.shop)
    counts = desk.count("j")
    assert (counts.started, counts.held_out) == (2, 0)
    assert {step.step: step.here for step in counts.steps} == {"w": 2, "mail": 0, "end": 0}
    road.go(timedelta(hours=1))
    assert {step.here for step in desk.count("j").steps} == {0}
    view = desk.get(1)
    assert [(step.step, step.way) for step in view.steps] == [
        ("w", ""),
        ("w", "next"),
        ("mail", "next"),
        ("end", "completed"),
    ]
    assert view.steps[2].message_state == "queued"
    first = desk.list(n=1)
    assert [row.id for row in first.runs] == [2]
    second = desk.list(n=1, cursor=first.next_cursor)
    assert [row.id for row in second.runs] == [1]
    assert second.next_cursor is None
    assert desk.list(state="waiting").runs == []
    with pytest.raises(UnknownRun):
        desk.get(99)
    with pytest.raises(UnknownJourney):
        desk.list(journey="nope")
    with pytest.raises(InvalidInput, match="state is one of"):
        desk.list(state="lost")


def test_the_command_line_lists_shows_counts_and_stops(road: Road) -> None:
    road.publish(trigger=GO, steps=STEPS)
    road.know(1)
    road.happen("Go")
    road.go(timedelta(0))
    assert "customer-1" in _cli(road, "run", "list").output
    shown = _cli(road, "run", "show", "1").output
    assert "w: Waits until 2026-03-02 13:00 UTC." in shown
    counted = json.loads(_cli(road, "run", "counts", "j", "--json").output)
    assert counted["steps"][0] == {"step": "w", "here": 1, "left": {}}
    assert _cli(road, "run", "stop", "j", "--yes").output == "1 runs ended.\n"
    assert "stopped" in _cli(road, "run", "list").output
    assert _cli(road, "run", "show", "7").exit_code == 2


def test_a_run_is_begun_by_hand_once(road: Road) -> None:
    road.publish(trigger={"kind": "api"}, steps=STEPS)
    road.know(1)
    first = _cli(road, "run", "trigger", "j", "customer-1", "--key", "o1")
    assert first.output == "j begins for customer-1.\n"
    assert "does not begin" in _cli(road, "run", "trigger", "j", "customer-1", "--key", "o1").output
    assert road.run.key == "o1"


def test_a_campaign_is_read_counted_and_published(road: Road, tmp_path: Path) -> None:
    road.enlist("news", 1, 2)
    text = "campaign: sale\ntemplate: sale\naudience: {list: news}\nholdout: 0\n"
    read = read_campaign(road.shop, text, "sale.yaml")
    assert (read.name, read.audience, read.when) == ("sale", 2, "now")
    later = read_campaign(road.shop, text, "sale.yaml", "2026-03-05T09:00+00:00")
    assert later.when == "2026-03-05 09:00 UTC"
    with pytest.raises(InvalidInput, match="offset"):
        read_campaign(road.shop, text, "sale.yaml", "2026-03-05T09:00")
    with pytest.raises(InvalidInput, match="no campaign"):
        read_campaign(road.shop, "name: j\n", "j.yaml")
    with pytest.raises(InvalidInput):  # there is no template of this name
        publish_campaign(road.shop, read, actor="t")
    assert "campaign" in _cli(road, "campaign", "list").output
    (tmp_path / "sale.yaml").write_text(text)
    assert _cli(road, "campaign", "send", str(tmp_path / "sale.yaml"), "--yes").exit_code == 2
