"""How fast the simulated shop is made and written, beside the floor of the machine.

Run as ``python benchmarks/simulate.py [--customers N] [--repeat K]``. The floor of making is one
uniform draw and one sort per event and column in bare numpy; the floor of writing is the same bytes
copied to the same disk and flushed.
"""

import argparse
import os
import platform
import resource
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from lingxi.simulation import Simulated, SimulationSettings, simulate, write_shop


def _time_floor_of_making(events: int, columns: int) -> float:
    rng = np.random.default_rng(0)
    started = time.perf_counter()
    order = np.argsort(rng.random(events), kind="stable")
    for _ in range(columns):
        rng.random(events)[order]
    return time.perf_counter() - started


def _time_write(simulated: Simulated, folder: Path) -> tuple[float, float, int]:
    started = time.perf_counter()
    write_shop(simulated, folder)
    taken = time.perf_counter() - started
    contents = [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]
    started = time.perf_counter()
    with (folder / "floor").open("wb") as file:
        for content in contents:
            file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return taken, time.perf_counter() - started, sum(len(content) for content in contents)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=19_000)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    making, floor = [], []
    for i in range(options.repeat):
        settings = SimulationSettings(customers=options.customers, seed=i)
        started = time.perf_counter()
        simulated = simulate(settings)
        making.append(time.perf_counter() - started)
        floor.append(_time_floor_of_making(simulated.events.num_rows, 13))
    events = simulated.events.num_rows
    with tempfile.TemporaryDirectory() as folder:
        writing, write_floor, size = _time_write(simulated, Path(folder))
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    print(f"machine  {platform.machine()}, {os.cpu_count()} cores, commit {commit}")
    print(f"shop     {events:,} web events, {simulated.orders.num_rows:,} order lines")
    median = float(np.median(making))
    print(
        f"make     {median:.2f} s median of {len(making)} (from {min(making):.2f} to "
        f"{max(making):.2f}), {events / median:,.0f} events/s; floor {np.median(floor):.2f} s"
    )
    print(f"write    {writing:.2f} s, {size / 1e6:.1f} MB; floor {write_floor:.2f} s")
    print(f"peak     {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
