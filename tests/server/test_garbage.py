"""Python's cycle collector in the server: what is kept is looked at in time, what passes is not."""

import gc
import subprocess
import sys
from collections.abc import Iterator
from threading import Event, Thread

import pytest

from lingxi.server import garbage as module
from lingxi.server.garbage import Kept, look_in_time

_SECONDS = 20.0


@pytest.fixture
def seldom() -> Iterator[None]:
    """The collector looks by itself at every million objects only."""
    before = gc.get_threshold()
    gc.collect()
    gc.set_threshold(1_000_000, 20, 50)
    yield
    gc.set_threshold(*before)
    gc.collect()


@pytest.mark.usefixtures("seldom")
def test_what_grows_is_looked_at_before_there_is_much_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At every 50,000 objects all of them were looked at at once: nobody was answered for 30 ms."""
    monkeypatch.setattr(module, "_LOOK_SECONDS", 0.001)
    looked, stop = Event(), Event()

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start" and info["generation"] == 0:
            looked.set()

    thread = Thread(target=look_in_time, args=(stop,), daemon=True)
    gc.callbacks.append(note)
    kept: list[list[int]] = []
    try:
        thread.start()
        for n in range(module._KEPT + 1_000):
            kept.append([n])
        assert looked.wait(_SECONDS)
    finally:
        gc.callbacks.remove(note)
        stop.set()
        thread.join(_SECONDS)
    assert len(kept) > module._KEPT
    assert not thread.is_alive()


def test_what_only_passes_is_not_looked_at() -> None:
    """Looking at the messages of batches that are on their way took a third of the throughput."""
    kept = Kept()
    assert not any(kept.note(n) for n in (45_000, 30_000, 45_000, 200) * 50)


def test_it_is_looked_at_once_and_then_counted_anew() -> None:
    kept = Kept()
    told = [kept.note(8_000) for _ in range(20)]
    assert told.count(True) == 4
    assert told.index(True) == 4


_GROW = """
import gc, time
from lingxi.server.garbage import spare_collector
most = 0
def note(phase, info):
    global most
    if phase == "start":
        most = max(most, len(gc.get_objects(0)))
spare_collector()
gc.callbacks.append(note)
kept = []
while len(kept) < 60_000:
    kept += [[n] for n in range(1_000)]
    time.sleep(0.03)
print(most)
"""


def test_a_server_looks_at_a_part_of_what_it_keeps_at_a_time() -> None:
    """Of 33,000 objects a second, ten times what a full server keeps, at half a second's."""
    told = subprocess.run(
        [sys.executable, "-c", _GROW], check=True, capture_output=True, text=True
    ).stdout
    assert 0 < int(told) < 45_000
