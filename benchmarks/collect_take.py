"""Events a second that the collector keeps, without a server: from a body's bytes to the commit.

    python benchmarks/collect_take.py [--events 50000] [--commit 1000] [--ids 0] [--profile]

Beside it the ceiling of the same run: a loop that decodes the same bodies and inserts the events
into the same log, as many rows a commit.
"""

import argparse
import cProfile
import os
import platform
import pstats
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from collect_ceiling import insert_all
from collect_messages import make_batches, make_messages, stamp
from collect_prefill import prefill
from lingxi.app.rooms import METADATAS, PROJECTIONS
from lingxi.clock import SystemClock
from lingxi.config import Settings
from lingxi.ingest.intake import Intake
from lingxi.ingest.message import Message
from lingxi.ingest.recent import Recent
from lingxi.ingest.wire import Sender, address_parcel, read_body
from lingxi.store import Store


def take_all(intake: Intake, bodies: Sequence[bytes], commit: int) -> float:
    """Seconds to take all bodies, grouped to ``commit`` events."""
    begin = time.perf_counter()
    waiting: list[Message] = []
    for body in bodies:
        sender = Sender("web", datetime.now(UTC))
        waiting += address_parcel(read_body(stamp(body)), sender)
        if len(waiting) >= commit:
            intake.take(waiting)
            waiting = []
    if waiting:
        intake.take(waiting)
    return time.perf_counter() - begin


def run(options: argparse.Namespace, folder: Path) -> None:
    """Measure and print."""
    bodies = list(make_batches(make_messages(options.events), options.batch))
    warm = list(make_batches(make_messages(options.warm, seed=2), options.batch))
    settings = Settings(folder=folder)
    store = Store.open(settings, SystemClock(), projections=PROJECTIONS, tables=METADATAS)
    if options.ids:
        print(f"prefilled with {options.ids:,} ids in {prefill(store, options.ids):.0f} s")
    intake = Intake(store, settings, SystemClock(), observer=Recent())
    take_all(intake, warm, options.commit)
    before, used = store.log.position(), time.process_time()
    profile = cProfile.Profile() if options.profile else None
    if profile:
        profile.enable()
    seconds = take_all(intake, bodies, options.commit)
    if profile:
        profile.disable()
        pstats.Stats(profile).sort_stats(options.sort).print_stats(60)
    used = time.process_time() - used
    kept = store.log.position() - before
    _report("taken, with projections", kept, seconds)
    print(
        f"{'of processor time':30} {kept / used:9,.0f} events/s {1e6 * used / kept:7.1f} us/event"
    )
    store.close()
    place = folder / "data" / "state.sqlite"
    for seed, tree, label in ((77, False, "decode and insert"), (78, True, "with a tree of ids")):
        other = list(make_batches(make_messages(options.events, seed=seed), options.batch))
        ceiling = insert_all(place, other, options.commit, tree=tree)
        _report(f"ceiling: {label}", options.events, ceiling)
        print(f"share of the ceiling {kept / seconds / (options.events / ceiling):.0%}")


def _report(label: str, events: int, seconds: float) -> None:
    rate = events / seconds
    print(f"{label:30} {rate:9,.0f} events/s {1e6 / rate:7.1f} us/event  {events:,} events")


def main() -> None:
    """Print the rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--warm", type=int, default=20_000, help="events taken before")
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--commit", type=int, default=1_000)
    parser.add_argument("--ids", type=int, default=0, help="events in the log beforehand")
    parser.add_argument("--folder", default=None, help="where the files go; a temporary folder")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--sort", default="tottime")
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        run(options, Path(folder))


if __name__ == "__main__":
    main()
