"""Workers killed with -9 at any moment: nothing is sent twice, nothing is lost without a word."""

import shutil
from pathlib import Path

import journey_kills as kills


def test_killed_workers_send_marketing_once_and_lose_nothing_transactional(
    tmp_path: Path, empty_shop: Path
) -> None:
    folder = Path(shutil.copytree(empty_shop, tmp_path / "shop"))
    sink, customers = tmp_path / "sink", 120
    sink.touch()
    assert kills.fill(folder, customers) == 2 * customers
    done = kills.kill_and_restart(folder, sink, workers=2, kills=4, seed=3, longest=1.5)
    kills.settle(folder, sink)
    kills.check(kills.tally(folder, sink, done), customers)
