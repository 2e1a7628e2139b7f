"""Designs as they are kept, and arms as the log has them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lingxi.clock import FixedClock
from lingxi.config import Settings
from lingxi.errors import Conflict, InvalidInput
from lingxi.experiments import Design, find_design, list_designs, log_arm, put_design
from lingxi.experiments.design import holdout_design
from lingxi.experiments.exposure import log_arms
from lingxi.experiments.tables import metadata
from lingxi.store import Store

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=5)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(Settings(folder=tmp_path), FixedClock(NOW), tables=[metadata])
    yield opened
    opened.close()


def split(arms: dict[str, float], at: datetime = NOW) -> Design:
    return Design(name="subject-line", arms=arms, started_at=at)


def test_a_design_is_kept_in_its_order_and_only_once(store: Store) -> None:
    design = split({"z": 0.25, "a": 0.75})
    with store.write() as tx:
        kept = put_design(tx, design)
        again = put_design(tx, split({"z": 0.25, "a": 0.75}, LATER))
    assert (kept.version, again) == (1, kept)
    with store.read() as tx:
        found = find_design(tx, "subject-line")
        assert found == kept
        assert list(found.arms) == ["z", "a"]
        assert find_design(tx, "other") is None


@pytest.mark.parametrize(
    "arms", [{"a": 0.75, "z": 0.25}, {"z": 0.5, "a": 0.5}, {"z": 0.25, "b": 0.75}]
)
def test_arms_of_an_experiment_never_change(store: Store, arms: dict[str, float]) -> None:
    with store.write() as tx:
        put_design(tx, split({"z": 0.25, "a": 0.75}))
        with pytest.raises(Conflict, match="another name"):
            put_design(tx, split(arms, LATER))


def test_a_holdouts_share_may_change_and_both_versions_stay(store: Store) -> None:
    with store.write() as tx:
        put_design(tx, holdout_design("journey:win-back", 0.1, NOW))
        put_design(tx, holdout_design("journey:win-back", 0.2, LATER))
    with store.read() as tx:
        versions = list_designs(tx, "journey:win-back")
        assert list_designs(tx) == versions
    assert [(d.version, d.arms["holdout"], d.started_at) for d in versions] == [
        (1, 0.1, NOW),
        (2, 0.2, LATER),
    ]


@pytest.mark.parametrize(
    ("name", "arms"),
    [("Bad Name", {"a": 0.5, "b": 0.5}), ("x", {"a": 1.0}), ("x", {"": 0.5, "b": 0.5})],
)
def test_a_design_that_says_nothing_is_refused(name: str, arms: dict[str, float]) -> None:
    with pytest.raises(InvalidInput):
        Design(name=name, arms=arms, started_at=NOW)


def test_an_arm_is_noted_once_whatever_is_said_later(store: Store) -> None:
    with store.write() as tx:
        assert log_arm(store.log, tx, "subject-line", 7, "a", NOW)
        assert not log_arm(store.log, tx, "subject-line", 7, "z", LATER)
        assert log_arm(store.log, tx, "other", 7, "z", LATER)
        assert log_arms(store.log, tx, "other", [(7, "z"), (8, "a"), (9, "z")], LATER) == 2
    events = store.log.read(names=["Arm Assigned"])
    assert [(e.subject, e.properties["experiment"], e.properties["arm"]) for e in events] == [
        (7, "subject-line", "a"),
        (7, "other", "z"),
        (8, "other", "a"),
        (9, "other", "z"),
    ]
