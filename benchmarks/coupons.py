"""Coupons issued, checked and redeemed a second, and one code tried 1,000 times at once.

Run: ``python benchmarks/coupons.py [--coupons 2000] [--tries 1000] [--threads 8]``

Every issue and every redemption is a transaction of its own on SQLite with ``synchronous=FULL``: a
checkout waits for each. The floor of each is made in the same run, on a copy of the same database:
a bare sqlite3 connection that executes the statements which were noted (for issuing and
redeeming those that write), with the same commits, and decides nothing. Seconds of the processor
are told beside those of the clock: the machine may be busy, and a commit waits for the disk.
"""

import argparse
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa

from lingxi.app.shop import Shop, init_shop
from lingxi.clock import FixedClock
from lingxi.coupons import Basket, BasketLine
from lingxi.coupons.file import read_offer
from lingxi.coupons.ledger import audit

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
BASKET = Basket(lines=(BasketLine("MUG", 1_000, 2), BasketLine("LAMP", 3_000)), shipping_cents=395)
OFFER = {
    "benefit": {"kind": "percent", "percent": 10, "at_most_cents": 2_000},
    "conditions": {"minimum_cents": 2_000},
    "validity": {"days": 14},
    "limits": {"budget_cents": 100_000_000, "per_customer": 3},
}
Statement = tuple[str, Any, bool]
_QUERIES, _WRITES = ("SELECT", "WITH"), ("INSERT", "UPDATE", "DELETE")


NOTED: list[Statement] = []
"""What ``Noting`` connections were told, in its order."""


class NotingCursor(sqlite3.Cursor):
    """A cursor that notes what it executes."""

    def execute(self, statement: str, values: Any = (), /) -> "NotingCursor":
        NOTED.append((statement, values, False))
        super().execute(statement, values)
        return self

    def executemany(self, statement: str, values: Any, /) -> "NotingCursor":
        rows = list(values)
        NOTED.append((statement, rows, True))
        super().executemany(statement, rows)
        return self


class Noting(sqlite3.Connection):
    """A connection that notes every statement, whoever gives it and however."""

    def cursor(self, _factory: Any = None) -> Any:
        return super().cursor(NotingCursor)

    def execute(self, statement: str, values: Any = (), /) -> sqlite3.Cursor:
        return cast(sqlite3.Cursor, self.cursor().execute(statement, values))

    def executemany(self, statement: str, values: Any, /) -> sqlite3.Cursor:
        return cast(sqlite3.Cursor, self.cursor().executemany(statement, values))


def open_shop(folder: Path) -> Shop:
    return Shop.open(folder, clock=FixedClock(NOW), environ={})


def open_noting(folder: Path) -> Shop:
    """A shop whose connections note what reaches the database."""
    shop = open_shop(folder)

    def connect(_dialect: Any, _record: Any, _values: Any, named: dict[str, Any]) -> None:
        named["factory"] = Noting

    shop.store.engine.dispose()
    sa.event.listen(shop.store.engine, "do_connect", connect)
    return shop


def measure(name: str, n: int, act: Callable[[], object]) -> float:
    """Print how many a second, of the clock and of the processor; the latter."""
    clock, used = time.perf_counter(), time.process_time()
    act()
    clock, used = time.perf_counter() - clock, time.process_time() - used
    print(f"{name:<46} {n / clock:>8,.0f}/s clock {n / used:>8,.0f}/s processor")
    return n / used


def replay(folder: Path, acts: Sequence[Sequence[Statement]], *, begin: str) -> None:
    """The statements of each act in a transaction of their own, over a bare connection."""
    line = _connect(folder)
    for act in acts:
        line.execute(begin)
        for statement, values, many in act:
            if many:
                line.executemany(statement, values)
            else:
                line.execute(statement, values).fetchall()
        line.execute("COMMIT")
    line.close()


def _connect(folder: Path) -> sqlite3.Connection:
    line = sqlite3.connect(
        folder / "data" / "state.sqlite", isolation_level=None, timeout=60, check_same_thread=False
    )
    line.execute("PRAGMA synchronous = FULL")
    return line


class Bench:
    """One shop, its coupons and what the measured acts wrote."""

    def __init__(self, place: Path, n: int) -> None:
        self.place, self.n = place, n
        self.folder = place / "shop"
        shop = init_shop(
            self.folder, name="B", currency="GBP", timezone="UTC", language="en",
            clock=FixedClock(NOW),
        )  # fmt: skip
        for name in ("spring", "one"):
            shop.offers.put(read_offer(OFFER, name=name), actor="bench")
        shop.close()
        self.codes: list[str] = []

    def issue(self, shop: Shop, at: int) -> str:
        with shop.store.write() as tx:
            return shop.coupons.issue(tx, "spring", at + 1, f"bench-{at}", NOW).text

    def check(self, shop: Shop, at: int) -> None:
        with shop.store.read() as tx:
            verdict = shop.coupons.check(tx, self.codes[at], BASKET, at + 1, NOW)
        assert verdict.valid, verdict

    def redeem(self, shop: Shop, at: int) -> None:
        order = f"order-{at}"
        with shop.store.write(eager=True) as tx:
            done = shop.coupons.redeem(
                tx, self.codes[at], BASKET, at + 1, order_id=order, key=order, now=NOW
            )
        assert done.redeemed, done

    def compare(self, name: str, act: Callable[[Shop, int], object], *, writes: bool) -> None:
        """An act for each coupon, and the same statements without anything around them."""
        before = shutil.copytree(self.folder, self.place / f"before-{name}")
        shop = open_shop(self.folder)
        if not writes:
            act(shop, 0)  # what is opened once is open
        ours = measure(f"{name}, a transaction each", self.n, lambda: self._all(shop, act))
        shop.close()
        twin = Path(shutil.copytree(before, self.place / f"twin-{name}"))
        acts = self._record(twin, act, writes=writes)
        begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
        what = "the same writes" if writes else "the same queries"
        floor = measure(f"  floor: {what}, bare", self.n, lambda: replay(before, acts, begin=begin))
        size = sum(len(each) for each in acts) / self.n
        print(f"  {size:.1f} statements each; {floor / ours:.1f} times the floor's processor time")

    def _all(self, shop: Shop, act: Callable[[Shop, int], object]) -> None:
        found = [act(shop, at) for at in range(self.n)]
        if act == self.issue:
            self.codes = [str(each) for each in found]

    def _record(
        self, folder: Path, act: Callable[[Shop, int], object], *, writes: bool
    ) -> list[list[Statement]]:
        shop, acts = open_noting(folder), []
        kinds = _WRITES if writes else _QUERIES
        for at in range(self.n):
            NOTED.clear()
            act(shop, at)
            acts.append([each for each in NOTED if each[0].startswith(kinds)])
        shop.close()
        return acts

    def try_at_once(self, tries: int, threads: int) -> None:
        """One code, many orders at the same time: one has it."""
        shop = open_shop(self.folder)
        with shop.store.write() as tx:
            code = shop.coupons.issue(tx, "one", 7, "one", NOW).text

        def attempt(at: int) -> bool:
            order = f"at-once-{at}"
            with shop.store.write(eager=True) as tx:
                done = shop.coupons.redeem(tx, code, BASKET, 7, order_id=order, key=order, now=NOW)
            return done.redeemed

        won: list[bool] = []
        with ThreadPoolExecutor(threads) as pool:
            measure(
                f"{tries:,} tries of one code, {threads} threads", tries,
                lambda: won.extend(pool.map(attempt, range(tries))),
            )  # fmt: skip
        print(f"  {sum(won)} redeemed, {tries - sum(won):,} refused")
        with shop.store.read() as tx:
            print(f"  the ledger balances: {not audit(tx)}")
        shop.close()
        measure("  floor: lock, look, let go, bare", tries, lambda: self._knock(tries, threads))

    def _knock(self, tries: int, threads: int) -> None:
        lines = [_connect(self.folder) for _ in range(threads)]

        def knock(at: int) -> None:
            line = lines[at]
            for _ in range(tries // threads):
                line.execute("BEGIN IMMEDIATE")
                line.execute("SELECT state FROM coupon WHERE coupon = ?", (at,)).fetchall()
                line.execute("COMMIT")

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(knock, range(threads)))
        for line in lines:
            line.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--coupons", type=int, default=2_000)
    parser.add_argument("--tries", type=int, default=1_000)
    parser.add_argument("--threads", type=int, default=8)
    asked = parser.parse_args()
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    print(" ".join(["python", *sys.argv]))
    print(f"commit {commit}, {os.cpu_count()} cores, Python {platform.python_version()}, SQLite\n")
    with tempfile.TemporaryDirectory() as place:
        bench = Bench(Path(place), asked.coupons)
        bench.compare("issued", bench.issue, writes=True)
        bench.compare("checked", bench.check, writes=False)
        bench.compare("redeemed", bench.redeem, writes=True)
        bench.try_at_once(asked.tries, asked.threads)


if __name__ == "__main__":
    main()
