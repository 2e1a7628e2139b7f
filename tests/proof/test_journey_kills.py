"""Runs of journeys under workers that are killed with -9; the result is kept in
``docs/proof/journey_kills.txt``.

``LINGXI_PROOF_RUNS=100000 LINGXI_PROOF_KILLS=60 python -m pytest -m proof
tests/proof/test_journey_kills.py``.
"""

import os
import platform
import subprocess
import time
from pathlib import Path

import pytest

import journey_kills as kills
from journey_road import make_empty

RUNS = int(os.environ.get("LINGXI_PROOF_RUNS", "100000"))
KILLS = int(os.environ.get("LINGXI_PROOF_KILLS", "60"))
SEED = int(os.environ.get("LINGXI_PROOF_SEED", "7"))
WORKERS = 4
ROOT = Path(__file__).parents[2]
RESULT = ROOT / "docs" / "proof" / "journey_kills.txt"


@pytest.mark.proof
@pytest.mark.timeout(7200)
def test_runs_of_journeys_under_killed_workers(tmp_path: Path) -> None:
    folder, sink = make_empty(tmp_path / "shop"), tmp_path / "sink"
    sink.touch()
    customers = RUNS // 2
    assert kills.fill(folder, customers) == 2 * customers
    started = time.monotonic()
    done = kills.kill_and_restart(
        folder, sink, workers=WORKERS, kills=KILLS, seed=SEED, longest=4.0
    )
    killing = time.monotonic() - started
    sent = len(sink.read_text().split())
    kills.settle(folder, sink)
    found = kills.tally(folder, sink, done)
    kills.check(found, customers)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    unknown = found.messages["marketing", "unknown"]
    lost = found.missing["marketing", "unknown"]
    RESULT.write_text(
        f"LINGXI_PROOF_RUNS={RUNS} LINGXI_PROOF_KILLS={KILLS} LINGXI_PROOF_SEED={SEED} "
        "python -m pytest -m proof tests/proof/test_journey_kills.py\n"
        f"commit {commit}, SQLite, Python {platform.python_version()}\n\n"
        f"{found.runs:,} runs, {WORKERS} workers, {found.kills} kills with -9 in {killing:.0f} s "
        f"while {sent:,} messages arrived, then one worker to the end\n"
        f"marketing: {customers:,} messages, {found.doubled['marketing']} sent twice, "
        f"{unknown} unknown, of which {lost} did not arrive; none missing that is not unknown\n"
        f"transactional: {customers:,} messages, 0 lost, "
        f"{found.doubled['transactional']} sent again under the first id\n"
        f"runs left on their way: {found.active}\n",
        encoding="utf-8",
    )
