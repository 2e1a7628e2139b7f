"""Workers that are killed at any moment, a sink that counts, and what must be true afterwards.

Run as a program it is one worker: ``python journey_kills.py FOLDER SINK``.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from lingxi.app.runs.hands import make_hands
from lingxi.app.shop import Shop
from lingxi.clock import Clock, FixedClock
from lingxi.journeys import Runner
from lingxi.journeys.occasions import AT_ONCE, Guest, choose_entrants, enter
from lingxi.journeys.reading import read_journey
from lingxi.journeys.tables import run as runs
from lingxi.journeys.versions import list_live, publish
from lingxi.messaging import Parcel
from lingxi.messaging.nouns import Accepted, Content, Outcome
from lingxi.messaging.sending.judgement import Composed
from lingxi.messaging.sending.sender import Sender
from lingxi.messaging.tables import message as messages
from lingxi.store.tables import identity

CLASSES = ("marketing", "transactional")
_LATER = timedelta(hours=1)


class CountingSink:
    """Takes every message over by writing its id to a file: what is written has arrived."""

    name, address_trait = "email", ""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def deliver(self, parcel: Parcel) -> Outcome:
        os.write(self._file, f"{parcel.message_id}\n".encode())
        return Accepted("taken")

    def close(self) -> None:
        os.close(self._file)


class PlainComposer:
    """The same text for everybody."""

    def compose(self, *_: object) -> Composed:
        return Composed(Content(subject="Hi", text="Hello"), 1)


@dataclass(frozen=True)
class Tally:
    """What arrived, and what the shop says of it, by class."""

    runs: int
    active: int
    messages: Counter[tuple[str, str]]
    doubled: Counter[str]
    missing: Counter[tuple[str, str]]
    strangers: int
    kills: int


def fill(folder: Path, customers: int) -> int:
    """Let everybody into a journey of each class; how many runs began.

    Quiet hours are off: whether a message leaves must not hang on the time of day.
    """
    with (folder / "lingxi.toml").open("a") as config:
        config.write('\n[messaging]\nquiet_hours = ""\nlease_seconds = 20\n')
    shop = Shop.open(folder, environ={})
    hands, now = make_hands(shop), shop.clock.now()
    rows = [{"subject": c, "customer": c, "known": True} for c in range(1, customers + 1)]
    with shop.store.write() as tx:
        tx.execute(sa.insert(identity), rows)
        for kind in CLASSES:
            steps = {
                "wait": {"kind": "wait", "duration": "1s", "next": "mail"},
                "mail": {"kind": "message", "template": "a", "next": "end"},
                "end": {"kind": "end"},
            }
            form = {"name": kind, "trigger": {"kind": "api"}, "steps": steps, "start": "wait"}
            journey = read_journey({**form, "message_class": kind, "holdout": 0})
            publish(tx, journey, actor="t", note="", now=now)
    with shop.store.read() as tx:
        live = list_live(tx)
    begun = 0
    for each in live:
        for start in range(1, customers + 1, AT_ONCE):
            part = [Guest(customer=c) for c in range(start, min(start + AT_ONCE, customers + 1))]
            entrants = choose_entrants(shop.store, hands, each, part, now)
            with shop.store.write() as tx:
                begun += enter(shop.store, tx, hands, each, entrants, now)
    shop.close()
    return begun


def run_worker(folder: Path, sink: Path, clock: Clock | None = None) -> None:
    """Move runs and send until nothing is left to do; with a clock in hand, until it comes to rest.

    A real worker never ends: it is killed.
    """
    shop = Shop.open(folder, clock=clock, environ={})
    runner = Runner(shop.store, make_hands(shop), f"worker-{os.getpid()}-{time.monotonic_ns()}")
    sender = Sender(shop.store, {"email": CountingSink(sink)}, PlainComposer())
    idle = True
    while True:
        now = shop.clock.now()
        done = runner.run_once(now) + sum(sender.run_once(now).values())
        if done and idle:
            idle = False
            _mark(sink, os.getpid()).touch()
        if not done:
            if clock is not None:
                break
            time.sleep(0.01)
    sender.close()
    shop.close()


def kill_and_restart(
    folder: Path, sink: Path, *, workers: int, kills: int, seed: int, longest: float
) -> int:
    """Workers that are killed, one after the other and at random moments, and started again; the
    number of kills, which may be fewer where everything was sent before.

    Only who has begun to work is killed, so that a busy machine, on which a start takes longer,
    makes no weaker proof.
    """
    rng = random.Random(seed)
    command = [sys.executable, __file__, str(folder), str(sink)]
    running = [subprocess.Popen(command) for _ in range(workers)]
    done = 0
    while done < kills and not _is_quiet(folder):
        time.sleep(rng.uniform(0.05, longest))
        working = [place for place in range(workers) if _mark(sink, running[place].pid).exists()]
        if not working:
            continue
        place = rng.choice(working)
        running[place].send_signal(signal.SIGKILL)
        running[place].wait()
        _mark(sink, running[place].pid).unlink()
        running[place] = subprocess.Popen(command)
        done += 1
    for worker in running:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        done += _mark(sink, worker.pid).exists()
    return done


def _mark(sink: Path, pid: int) -> Path:
    """A file that is there once the worker has moved a run or sent something."""
    return sink.with_name(f"works-{pid}")


def _is_quiet(folder: Path) -> bool:
    shop = Shop.open(folder, environ={})
    with shop.store.read() as tx:
        active = sa.select(runs.c.id).where(runs.c.ended_at.is_(None)).limit(1)
        waiting = sa.select(messages.c.id).where(messages.c.due_at.is_not(None)).limit(1)
        quiet = tx.execute(active).first() is None and tx.execute(waiting).first() is None
    shop.close()
    return quiet


def settle(folder: Path, sink: Path) -> None:
    """One worker that is not killed, once every lease is over."""
    clock = FixedClock(datetime.now(UTC) + _LATER)
    run_worker(folder, sink, clock)
    clock.advance(_LATER)
    run_worker(folder, sink, clock)


def tally(folder: Path, sink: Path, kills: int) -> Tally:
    """Count what arrived against what the shop says."""
    arrived = Counter(sink.read_text().split())
    shop = Shop.open(folder, environ={})
    c = messages.c
    with shop.store.read() as tx:
        rows = tx.execute(sa.select(c.id, c.message_class, c.state)).all()
        number = tx.execute(sa.select(sa.func.count()).select_from(runs)).scalar_one()
        open_ones = sa.select(sa.func.count()).where(runs.c.ended_at.is_(None))
        active = tx.execute(open_ones).scalar_one()
    shop.close()
    known = {row.id for row in rows}
    return Tally(
        runs=number,
        active=active,
        messages=Counter((row.message_class, row.state) for row in rows),
        doubled=Counter(row.message_class for row in rows if arrived[row.id] > 1),
        missing=Counter((row.message_class, row.state) for row in rows if arrived[row.id] == 0),
        strangers=len(set(arrived) - known),
        kills=kills,
    )


def check(found: Tally, customers: int) -> None:
    """What must be true, however often workers were killed."""
    assert found.kills > 0
    assert found.runs == 2 * customers
    assert found.active == 0
    by_class = Counter[str]()
    for (kind, _state), n in found.messages.items():
        by_class[kind] += n
    assert by_class == dict.fromkeys(CLASSES, customers)  # each run sent its message once
    assert found.strangers == 0
    states = {kind: {s for k, s in found.messages if k == kind} for kind in CLASSES}
    assert states["transactional"] == {"accepted"}
    assert states["marketing"] <= {"accepted", "unknown"}
    assert found.doubled["marketing"] == 0
    assert {state for kind, state in found.missing if kind == "marketing"} <= {"unknown"}
    assert not [kind for kind, _ in found.missing if kind == "transactional"]


if __name__ == "__main__":
    run_worker(Path(sys.argv[1]), Path(sys.argv[2]))
