"""The collector killed 200 times under load; the result is kept in docs/proof/collector_kills.txt.

``LINGXI_PROOF_KILLS=200 python -m pytest -m proof tests/proof/test_collector_kills.py``.
"""

import os
import platform
import random
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from collecting import Clients, Collector, check, kill

SEED = int(os.environ.get("LINGXI_PROOF_SEED", "7"))
KILLS = int(os.environ.get("LINGXI_PROOF_COLLECTOR_KILLS", "200"))
ROUND = 20
"""Kills of one shop before everything in it is checked."""
ROOT = Path(__file__).parents[2]
RESULT = ROOT / "docs" / "proof" / "collector_kills.txt"

pytestmark = [pytest.mark.proof, pytest.mark.timeout(7200), pytest.mark.xdist_group("proof")]


def test_every_acknowledged_message_survives_two_hundred_kills(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    restarts: list[float] = []
    acknowledged = events = repeated = 0
    for place in range(0, KILLS, ROUND):
        collector = Collector.make(tmp_path / f"shop{place}")
        clients = Clients(collector)
        child = collector.start()
        try:
            collector.wait()
            clients.start(4, seed=SEED + place)
            for _ in range(min(ROUND, KILLS - place)):
                time.sleep(rng.uniform(0.0, 0.6))
                kill(child)
                child = collector.start()
                restarts.append(collector.wait())
            clients.stop()
        finally:
            clients.stop()
            kill(child)
        events += check(collector, clients.acknowledged)
        acknowledged += len(clients.acknowledged)
        repeated += clients.repeated
    assert len(restarts) == KILLS
    p50, p99, worst = np.quantile(restarts, [0.5, 0.99, 1.0])
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    lines = [
        "kill -9 of lingxi serve and its worker at random moments, four clients sending batches",
        f"command: LINGXI_PROOF_COLLECTOR_KILLS={KILLS} LINGXI_PROOF_SEED={SEED} "
        "python -m pytest -m proof tests/proof/test_collector_kills.py",
        f"commit {commit}, Python {platform.python_version()}, {os.cpu_count()} cores",
        f"{KILLS} kills; {acknowledged:,} messages acknowledged, each in the log exactly once; "
        f"{events:,} events; {repeated:,} batches sent again by their clients",
        "profiles and histories equal those folded anew from the log; counts equal the log; "
        "PRAGMA integrity_check: ok",
        f"from start to the first 200: median {p50:.2f} s, 99 % {p99:.2f} s, worst {worst:.2f} s",
    ]
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")
