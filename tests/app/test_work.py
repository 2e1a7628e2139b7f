"""Standing work: fair turns, pauses, failures that hold up nobody, a clean stop."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from threading import Event, Thread

import pytest
from click.testing import CliRunner

from lingxi.app.shop import Shop, init_shop
from lingxi.app.tasks import TASKS
from lingxi.app.work import Task, Worked, choose_tasks, work, work_off
from lingxi.cli import main
from lingxi.errors import InvalidInput, StoreBusy


def _counting(amounts: list[int], seen: list[str], name: str) -> Task:
    def run(_shop: Shop, _now: datetime) -> int:
        seen.append(name)
        return amounts.pop(0) if amounts else 0

    return Task(name, run, every_seconds=0.01)


def test_every_task_has_its_turn_while_another_has_more(shop: Shop) -> None:
    seen: list[str] = []
    tasks = [_counting([5, 5, 5], seen, "a"), _counting([1], seen, "b")]
    worked = work_off(shop, tasks)
    assert worked.done == {"a": 15, "b": 1}
    assert worked.total == 16
    assert seen == ["a", "b"] * 4


def _until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not done() and time.monotonic() < end:
        time.sleep(0.005)


@pytest.mark.parametrize("error", [StoreBusy("busy"), KeyError("a defect")])
def test_one_that_fails_holds_up_nobody_and_is_tried_again(
    shop: Shop, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lingxi.app.work._FIRST_FAILURE_SECONDS", 0.01)
    tries: list[str] = []
    seen: list[str] = []

    def run(_shop: Shop, _now: datetime) -> int:
        tries.append("x")
        if len(tries) < 3:
            raise error
        return 0

    stop = Event()
    tasks = [Task("bad", run, every_seconds=0.01), _counting([], seen, "good")]
    thread = Thread(target=work, args=(shop, tasks, stop))
    thread.start()
    _until(lambda: len(tries) >= 4 and len(seen) >= 4)
    stop.set()
    thread.join(30)
    assert not thread.is_alive()
    assert len(tries) >= 4
    assert len(seen) >= 4


def test_what_waits_for_other_computers_holds_up_nothing_else(shop: Shop) -> None:
    let_go, stop = Event(), Event()
    seen: list[str] = []

    def wait(_shop: Shop, _now: datetime) -> int:
        let_go.wait(60)
        return 0

    tasks = [Task("slow", wait, remote=True), _counting([1, 1, 1], seen, "quick")]
    thread = Thread(target=work, args=(shop, tasks, stop))
    thread.start()
    _until(lambda: len(seen) >= 4)
    assert len(seen) >= 4
    stop.set()
    assert thread.is_alive()  # what was begun is ended
    let_go.set()
    thread.join(30)
    assert not thread.is_alive()


def test_tasks_are_chosen_by_name() -> None:
    tasks = [_counting([], [], "journeys"), _counting([], [], "sender")]
    assert [t.name for t in choose_tasks(tasks, ["sender"])] == ["sender"]
    assert [t.name for t in choose_tasks(tasks, [])] == ["journeys", "sender"]
    with pytest.raises(InvalidInput, match="did you mean 'sender'"):
        choose_tasks(tasks, ["sendr"])


def test_the_tasks_of_the_product_end_on_an_empty_shop(shop: Shop) -> None:
    assert len({task.name for task in TASKS}) == len(TASKS)
    assert work_off(shop, TASKS).total == 0


def test_the_command_tells_what_the_messages_came_to(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message that was held back read as one that was sent."""
    done = Worked({"segments": 0, "sender": 1_201}, {"sender": {"accepted": 1, "skipped": 1_200}})
    monkeypatch.setattr("lingxi.app.work.work_off", lambda *_: done)
    command = ["work", "--once", "--shop", str(shop.settings.folder)]
    assert CliRunner().invoke(main, command).output == (
        "segments: 0\nsender: 1,201 (1 accepted, 1,200 skipped)\n"
    )
    told = json.loads(CliRunner().invoke(main, [*command, "--json"]).output)
    assert told["kinds"] == {"sender": {"accepted": 1, "skipped": 1_200}}


def test_a_worker_ends_cleanly_on_sigterm(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    init_shop(folder, name="S", currency="GBP", timezone="UTC", language="en").close()
    worker = subprocess.Popen(
        [sys.executable, "-m", "lingxi.cli", "work", "--shop", str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == "Working.\n"
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 0
