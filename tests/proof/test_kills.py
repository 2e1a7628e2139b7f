"""Many kills at random moments of every step; the result is kept in ``docs/proof/kills.txt``.

``make proof``, or ``LINGXI_PROOF_KILLS=100 python -m pytest -m proof tests/proof``.
"""

import os
import platform
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from interruption import read_state, run_killed, run_whole

from demo_shop import DEMO_END
from lingxi.app.shop import init_shop
from lingxi.clock import FixedClock

SEED = int(os.environ.get("LINGXI_PROOF_SEED", "7"))
KILLS = int(os.environ.get("LINGXI_PROOF_KILLS", "40"))
ROOT = Path(__file__).parents[2]
RESULT = ROOT / "docs" / "proof" / "kills.txt"
COMMIT = subprocess.run(
    ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
).stdout.strip()
ROAD = ("items", "orders", "events", "train", "plan")
ENGINES = ("sqlite", "postgresql")

pytestmark = [pytest.mark.proof, pytest.mark.timeout(7200), pytest.mark.xdist_group("proof")]


@pytest.fixture(scope="module")
def lines() -> list[str]:
    return []


@pytest.mark.parametrize("engine", [ENGINES[0], pytest.param(ENGINES[1], marks=pytest.mark.engine)])
def test_a_road_killed_many_times_ends_at_the_same_shop(
    engine: str,
    raw_shop: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    lines: list[str],
) -> None:
    """Each road is killed until it gets through: on average four times, at uniform moments."""
    make_database: Callable[[], str] = (
        request.getfixturevalue("new_database") if engine == "postgresql" else str
    )
    whole = make_empty(tmp_path / "whole", make_database())
    keys = shutil.copytree(whole / "keys", tmp_path / "keys")  # the same secrets for every shop
    seconds, _ = run_whole(whole, raw_shop, ROAD)
    expected = read_state(whole)
    rng = np.random.default_rng(SEED)
    kills = roads = 0
    while kills < KILLS // len(ENGINES):
        folder = make_empty(tmp_path / f"killed{roads}", make_database(), keys)
        for moment in rng.uniform(0.0, seconds, 4):
            kills += run_killed(folder, raw_shop, ROAD, float(moment))
        run_whole(folder, raw_shop, ROAD)
        found = read_state(folder)
        differing = [name for name in expected if found.get(name) != expected[name]]
        assert (differing, found.keys()) == ([], expected.keys()), f"road {roads}, seed {SEED}"
        shutil.rmtree(folder)
        roads += 1
    lines.append(
        f"{engine}: {kills} kills in {roads} roads of {seconds:.1f} s each; after running again "
        f"all {len(expected)} digests (tables, lake and tail, models, plan) equal the "
        "undisturbed shop's"
    )


def test_the_result_is_kept(lines: list[str]) -> None:
    assert lines
    head = [
        "kill -9 during items, orders, events, train and plan of the tiny simulated shop",
        f"command: LINGXI_PROOF_KILLS={KILLS} LINGXI_PROOF_SEED={SEED} "
        "python -m pytest -m proof tests/proof",
        f"seed {SEED}, commit {COMMIT}, Python {platform.python_version()}, {os.cpu_count()} cores",
    ]
    RESULT.write_text("\n".join([*head, *lines]) + "\n", encoding="utf-8")


def make_empty(folder: Path, database: str, keys: Path | None = None) -> Path:
    """A new shop; on PostgreSQL in a database of its own."""
    if keys is not None:
        shutil.copytree(keys, folder / "keys")
    init_shop(
        folder,
        name="Shop",
        currency="GBP",
        timezone="Europe/London",
        language="en",
        database=database,
        clock=FixedClock(DEMO_END),
    ).close()
    return folder
