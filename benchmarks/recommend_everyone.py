"""Lists with reasons for every customer of a shop, into Parquet, by one process and by two.

    python benchmarks/recommend_everyone.py --shop DIR [--processes 2] [--rounds 5]

Each process opens the shop and loads the model once, then writes the file of everyone's lists so
many times; the clock runs from the moment that all of them are ready. So a small shop tells the
rate of a large one, whose start is soon forgotten. Customers a second of the wall, and of processor
time of each process.
"""

import argparse
import multiprocessing
import os
import platform
import tempfile
import time
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

from lingxi.app.lists import export_lists
from lingxi.app.shop import Shop
from lingxi.recommend import Recommender


def write(folder: Path, rounds: int, barrier: Barrier, answers: Queue) -> None:
    """Write everyone's lists, and say how many there were and what they took of the processor."""
    with tempfile.TemporaryDirectory() as place:
        shop = Shop.open(folder)
        path = Path(place) / "lists.parquet"
        export_lists(shop, path, processes=1)  # what is read once is read
        barrier.wait()
        start, customers = time.process_time(), 0
        for _ in range(rounds):
            customers += export_lists(shop, path, processes=1).customers
        answers.put((customers, time.process_time() - start, path.stat().st_size))
        shop.close()


def measure(folder: Path, processes: int, rounds: int) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(processes + 1), context.Queue()
    children = [
        context.Process(target=write, args=(folder, rounds, barrier, answers))
        for _ in range(processes)
    ]
    for child in children:
        child.start()
    barrier.wait()
    start = time.perf_counter()
    told = [answers.get() for _ in children]
    wall = time.perf_counter() - start
    for child in children:
        child.join()
    customers = sum(each[0] for each in told)
    cpu = sum(each[1] for each in told)
    print(
        f"{processes} process(es): {customers / wall:8,.0f} customers/s, {customers / cpu:8,.0f} a "
        f"second of processor time, {customers:,} lists in {wall:.1f} s, "
        f"{told[0][2] / 1e6:.1f} MB a file"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shop", type=Path, required=True)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    shop = Shop.open(chosen.shop)
    recommender = Recommender.load(shop.store)
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, model "
        f"{recommender.name} of {len(recommender.item_ids):,} items, ten items each with reasons"
    )
    shop.close()
    for processes in sorted({1, chosen.processes}):
        measure(chosen.shop, processes, chosen.rounds)


if __name__ == "__main__":
    main()
