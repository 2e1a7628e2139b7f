"""Kills a step of the road at a chosen moment, and tells one shop's state from another's."""

import hashlib
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Timer

import sqlalchemy as sa

from demo_shop import DEMO_END
from lingxi.app.rooms import METADATAS
from lingxi.app.shop import Shop
from lingxi.clock import FixedClock
from lingxi.ingest.tables import import_file, import_run, source_count
from lingxi.store.tables import counter, lake_file

PROGRAM = Path(__file__).with_name("road_step.py")
VOLATILE = frozenset({"raw", "import_id", "trait.value", "private.value", "source.write_key"})
"""Columns of ciphertext under a random nonce, of a shop's own random key, or that name the run that
wrote a row."""
APART = (import_run, import_file, source_count, lake_file)
"""Who ran again has run more often, has counted what was known already, and may have cut the lake
into other files."""
_LIMIT_SECONDS = 300


def start(folder: Path, raw: Path, steps: Sequence[str]) -> "subprocess.Popen[str]":
    """A process on these steps; it has opened the shop when this returns."""
    child = subprocess.Popen(
        [sys.executable, str(PROGRAM), str(folder), str(raw), *steps],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    if child.stdout.readline() != "ready\n":
        raise AssertionError(f"the step did not start; exit status {child.wait(_LIMIT_SECONDS)}")
    return child


def finish(child: "subprocess.Popen[str]") -> None:
    """Wait for the end, which must be a good one."""
    child.communicate(timeout=_LIMIT_SECONDS)
    assert child.returncode == 0


def run_whole(folder: Path, raw: Path, steps: Sequence[str]) -> tuple[float, int]:
    """Run the steps to their end; seconds they took without the start, reports of progress."""
    child = start(folder, raw, steps)
    begin = time.monotonic()
    output, _ = child.communicate(timeout=_LIMIT_SECONDS)
    assert child.returncode == 0
    return time.monotonic() - begin, len(output.splitlines())


def run_killed(
    folder: Path, raw: Path, steps: Sequence[str], seconds: float, *, reports: int = 0
) -> bool:
    """Run the steps and kill -9 them so many seconds after so many reports of progress.

    False if they were done before. Reports come with the work done, whatever else the machine does.
    """
    child = start(folder, raw, steps)
    assert child.stdout is not None
    for _ in range(reports):
        child.stdout.readline()
    timer = Timer(seconds, child.send_signal, [signal.SIGKILL])
    timer.start()
    child.communicate(timeout=_LIMIT_SECONDS)
    timer.cancel()
    assert child.returncode in (0, -signal.SIGKILL)
    return child.returncode != 0


def read_state(folder: Path) -> dict[str, str]:
    """A digest of every state table, of the lake's rows, of the models in use, of the plan."""
    shop = Shop.open(folder, clock=FixedClock(DEMO_END), environ={})
    tables = [t for m in METADATAS for t in m.sorted_tables if t not in APART]
    state = {table.name: _digest_table(shop, table) for table in tables}
    with shop.store.analytics() as analytics:
        rows = analytics.to_arrow(analytics.events.order_by(["position", "line"])).to_pylist()
    state["events of lake and tail"] = _digest(rows)
    for manifest in shop.store.artefacts.list():
        if manifest.active:
            shop.store.artefacts.open(manifest.kind, manifest.version).verify()
            stable = {n: h for n, h in manifest.files.items() if not n.endswith(".skops")}
            state[f"model {manifest.kind}"] = _digest([manifest.chosen, sorted(stable.items())])
    for place in sorted((folder / "plan").glob("plan.*")):
        state[place.name] = hashlib.sha256(place.read_bytes()).hexdigest()
    shop.close()
    return state


def _digest_table(shop: Shop, table: sa.Table) -> str:
    own = table.autoincrement_column  # PostgreSQL leaves gaps in its numbers after a rollback
    columns = [
        c
        for c in table.columns
        if c.name not in VOLATILE and f"{table.name}.{c.name}" not in VOLATILE and c is not own
    ]
    query = sa.select(*columns).order_by(*table.primary_key.columns)
    if table is counter:
        query = query.where(counter.c.name != "import")
    with shop.store.read() as tx:
        return _digest([tuple(row) for row in tx.execute(query)])


def _digest(rows: Sequence[object]) -> str:
    return hashlib.sha256("\n".join(map(repr, rows)).encode()).hexdigest()
