"""Real processes killed with -9 while they send: no marketing twice, no transactional lost."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from lingxi.app.rooms import METADATAS, PROJECTIONS
from lingxi.clock import FixedClock
from lingxi.config import Settings
from lingxi.ingest import resolve_subjects
from lingxi.messaging import Message, message_id, queue_messages
from lingxi.messaging.sending.claim import find_due
from lingxi.messaging.tables import message as table
from lingxi.store import Store
from messaging.conftest import NOON
from messaging.kill_worker import SENDING, make_settings, send_all

WORKER = Path(__file__).with_name("kill_worker.py")
_PATIENCE_SECONDS = 240


def fill(settings: Settings, n: int) -> tuple[set[str], set[str]]:
    """Queue ``n`` marketing messages and half as many transactional ones; the ids of both."""
    clock = FixedClock(datetime.now(UTC) - timedelta(minutes=1))
    store = Store.open(settings, clock, projections=PROJECTIONS, tables=METADATAS)
    [customer] = resolve_subjects(store, "user_id", ["ada"], known=True).values()
    ids: dict[str, set[str]] = {"marketing": set(), "transactional": set()}
    messages = []
    for number in range(n + n // 2):
        kind = "transactional" if number % 3 == 2 else "marketing"
        one = Message(
            id=message_id(kind, "kill", number),
            customer=customer,
            channel="fax",
            template="t",
            queued_at=clock.now(),
            message_class=kind,
        )
        ids[kind].add(one.id)
        messages.append(one)
    with store.write() as tx:
        queue_messages(store, tx, messages)
    store.close()
    return ids["marketing"], ids["transactional"]


def kill_while_sending(settings: Settings, sink: Path, workers: int, until: int) -> None:
    """Start workers, and kill all of them once ``until`` messages have arrived in all."""
    command = [sys.executable, WORKER, settings.folder, sink, settings.store.url]
    started = [subprocess.Popen(command) for _ in range(workers)]
    end = time.monotonic() + _PATIENCE_SECONDS
    try:
        while count_arrived(sink) < until and time.monotonic() < end:
            assert any(process.poll() is None for process in started), "the workers ended early"
            time.sleep(0.003)
    finally:
        for process in started:
            process.send_signal(signal.SIGKILL)
        for process in started:
            process.wait()


def count_arrived(path: Path) -> int:
    return path.stat().st_size // 33 if path.exists() else 0  # 32 digits and the line's end


def read_sink(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def check_road(settings: Settings, n: int, workers: int, kills: int) -> Counter[str]:
    """Kill workers ``kills`` times on the way, let one end it, and hold it to the promise.

    The number of marketing messages in each state.
    """
    sink = settings.folder / "sink.txt"
    marketing, transactional = fill(settings, n)
    for kill in range(kills):
        until = (kill + 1) * (n + n // 2) // (kills + 2)
        kill_while_sending(settings, sink, workers, until)
    later = FixedClock(datetime.now(UTC) + timedelta(hours=1))  # every lease is over
    send_all(settings, sink, later)
    arrived = Counter(read_sink(sink))
    assert set(arrived) <= marketing | transactional
    store = Store.open(settings, later)
    with store.read() as tx:
        states = {row[0]: row[1] for row in tx.execute(sa.select(table.c.id, table.c.state))}
    store.close()
    assert [each for each in marketing if arrived[each] > 1] == []
    assert {states[each] for each in marketing} <= {"accepted", "unknown"}
    assert [e for e in marketing if states[e] == "accepted" and arrived[e] != 1] == []
    assert [e for e in marketing if not arrived[e] and states[e] != "unknown"] == []
    assert [each for each in transactional if not arrived[each]] == []
    assert {states[each] for each in transactional} == {"accepted"}
    return Counter(states[each] for each in marketing)


def test_workers_killed_while_sending_repeat_no_marketing_and_lose_no_order(
    tmp_path: Path,
) -> None:
    counts = check_road(make_settings(tmp_path), n=200, workers=2, kills=1)
    assert counts["accepted"] > 0


def test_what_is_due_is_found_without_sorting_a_whole_campaign(store: Store) -> None:
    """A hundred thousand messages of one moment were read and sorted for each batch of them."""
    with store.read() as tx:
        text = find_due(NOON, 20).compile(tx.engine, compile_kwargs={"literal_binds": True})
        plan = [row[-1] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")]
    assert any("ix_message_due" in step for step in plan), plan
    assert not any("TEMP B-TREE" in step for step in plan), plan


@pytest.mark.proof
@pytest.mark.timeout(7200)
@pytest.mark.timeout(7200)
def test_killed_again_and_again(tmp_path: Path) -> None:
    """Four workers, many kills; messages in doubt are never more than the batches in hand."""
    kills, workers = int(os.environ.get("LINGXI_PROOF_KILLS", "20")), 4
    n = int(os.environ.get("LINGXI_PROOF_MESSAGES", "20000"))
    counts = check_road(make_settings(tmp_path), n=n, workers=workers, kills=kills)
    print(f"{n:,} marketing: {dict(counts)}, {n // 2:,} transactional, {kills * workers} killed")
    assert counts["unknown"] <= kills * workers * SENDING.batch
