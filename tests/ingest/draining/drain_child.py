"""``lingxi drain --keep`` of a shop, killed at a named moment of its Nth transaction.

Run as ``drain_child.py FOLDER MOMENT N``. The moments: ``written`` (all is written, nothing is
committed), ``committed`` (the transaction is on disk, Kafka has not heard of it), ``never``.
"""

import os
import signal
import sys
from pathlib import Path

from lingxi.app.drains import keep_draining
from lingxi.app.shop import Shop
from lingxi.ingest.draining import drain as room


def main(folder: str, moment: str, number: str) -> None:
    left = int(number)
    keeper = room._TopicKeeper
    keep, kept = keeper.keep, keeper.kept

    def die(at: str) -> None:
        nonlocal left
        if at == moment:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def dying_keep(self, tx, outcomes, /) -> None:
        keep(self, tx, outcomes)
        die("written")

    def dying_kept(self, outcomes, /) -> None:
        die("committed")
        kept(self, outcomes)

    keeper.keep, keeper.kept = dying_keep, dying_kept
    shop = Shop.open(Path(folder))
    keep_draining(shop, lambda _done: None, lambda: False)


if __name__ == "__main__":
    main(*sys.argv[1:])
