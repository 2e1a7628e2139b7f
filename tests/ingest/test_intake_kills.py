"""kill -9 of a real server under load: what was acknowledged is there, once and whole.

Long form, 200 kills: ``tests/proof/test_collector_kills.py``.
"""

import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "proof"))

from collecting import Clients, Collector, check, kill


def test_killed_under_load_it_keeps_every_acknowledged_message_once(tmp_path: Path) -> None:
    rng = random.Random(11)
    collector = Collector.make(tmp_path / "shop")
    clients = Clients(collector)
    child = collector.start()
    try:
        collector.wait()
        clients.start(3, seed=1)
        for _ in range(3):
            time.sleep(rng.uniform(0.05, 0.5))
            kill(child)
            child = collector.start()
            collector.wait()
        clients.stop()
    finally:
        clients.stop()
        kill(child)
    assert clients.repeated > 0  # some batches were on their way when the server died
    assert check(collector, clients.acknowledged) >= len(clients.acknowledged) > 100
