"""The runner on PostgreSQL: what holds on SQLite holds there, to the letter of the same tests."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import journey_kills as kills
from journey_road import NOW, Road
from journeys.test_runner import (
    test_a_paused_journey_stands_still_and_goes_on,
    test_a_run_waits_sends_and_ends,
    test_a_worker_paused_past_its_lease_changes_nothing,
    test_lanes_are_shared_out_among_workers,
    test_the_goal_ends_a_run_before_its_message,
    test_those_held_out_get_nothing_and_are_noted,
    test_what_was_prepared_before_the_goal_is_left_out,
)
from journeys.test_steps import (
    test_a_branch_on_what_became_of_this_very_message,
    test_caps_of_the_journey,
    test_the_higher_priority_has_the_day,
    test_traits_lists_and_calls,
)
from journeys.test_triggers import test_reentry_once_after_and_restart
from lingxi.app.shop import init_shop
from lingxi.clock import FixedClock

__all__ = [
    "test_a_branch_on_what_became_of_this_very_message",
    "test_a_paused_journey_stands_still_and_goes_on",
    "test_a_run_waits_sends_and_ends",
    "test_a_worker_paused_past_its_lease_changes_nothing",
    "test_caps_of_the_journey",
    "test_lanes_are_shared_out_among_workers",
    "test_reentry_once_after_and_restart",
    "test_the_goal_ends_a_run_before_its_message",
    "test_the_higher_priority_has_the_day",
    "test_those_held_out_get_nothing_and_are_noted",
    "test_traits_lists_and_calls",
    "test_what_was_prepared_before_the_goal_is_left_out",
]
pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.xdist_group("engines")]


@pytest.fixture(scope="module")
def new_shop(
    tmp_path_factory: pytest.TempPathFactory,
    fill_once: Callable[[Callable[[str], None]], tuple[str, Callable[[], str]]],
) -> Callable[[Path], Path]:
    """Makes a shop without anything in it: a copy of one whose tables were made once."""
    first = tmp_path_factory.mktemp("first") / "shop"
    shop = {"name": "S", "currency": "GBP", "timezone": "UTC", "language": "en"}
    address, copy = fill_once(
        lambda it: init_shop(first, **shop, database=it, clock=FixedClock(NOW)).close()
    )

    def make(folder: Path) -> Path:
        shutil.copytree(first, folder)
        config = folder / "lingxi.toml"
        config.write_text(config.read_text().replace(address, copy()))
        return folder

    return make


@pytest.fixture
def road(tmp_path: Path, new_shop: Callable[[Path], Path]) -> Iterator[Road]:
    made = Road(new_shop(tmp_path / "road"))
    assert made.store.engine.dialect.name == "postgresql"
    yield made
    made.shop.close()


def test_killed_workers_lose_nothing_there_either(
    tmp_path: Path, new_shop: Callable[[Path], Path]
) -> None:
    folder, sink, customers = new_shop(tmp_path / "shop"), tmp_path / "sink", 60
    sink.touch()
    assert kills.fill(folder, customers) == 2 * customers
    done = kills.kill_and_restart(folder, sink, workers=2, kills=3, seed=3, longest=1.5)
    kills.settle(folder, sink)
    kills.check(kills.tally(folder, sink, done), customers)
