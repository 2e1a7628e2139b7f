"""Processes that work beside the server: started with it, started again when they end, ended with
it."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from time import monotonic

from lingxi.app.orphans import PARENT_VARIABLE
from lingxi.config import Settings

_STOP_SECONDS = 20.0
_LOOK_SECONDS = 0.2
_PAUSE_SECONDS = 2.0
_LONGEST_PAUSE_SECONDS = 60.0
_NICE = 10
"""A worker that catches up takes a tenth of a core that the server needs, not half."""


def list_companions(settings: Settings) -> list[list[str]]:
    """The commands that a shop's settings ask for."""
    found = []
    if settings.watch.folder:
        found.append(["watch"])
    if settings.pull:
        found.append(["pull", "--keep"])
    found += [["work"]] * settings.work.processes
    if settings.collect.queue == "kafka":
        found.append(["drain", "--keep"])
    return found


@contextmanager
def companions(
    settings: Settings, *, after: Event | None = None, stop: Event | None = None
) -> Iterator[None]:
    """The companions of a shop's server, for as long as the block runs, or until ``stop`` is set:
    so that they end while the server does, and not after it. With ``after`` they begin once that is
    set, and leave the processors to the server's own start until then."""
    stop = stop or Event()
    threads = [
        Thread(target=keep_running, args=(command, settings.folder, stop, after), daemon=True)
        for command in list_companions(settings)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(_STOP_SECONDS + 5)


def keep_running(
    command: Sequence[str], folder: Path, stop: Event, after: Event | None = None
) -> None:
    """Run a command of ours, again when it ends, longer and longer after each failure."""
    pause = _PAUSE_SECONDS
    while after is not None and not stop.is_set() and not after.wait(_LOOK_SECONDS):
        pass
    while not stop.is_set():
        started = monotonic()
        child = subprocess.Popen(
            [sys.executable, "-m", "lingxi.cli", *command, "--shop", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={**os.environ, PARENT_VARIABLE: str(os.getpid())},
        )
        stand_back(child.pid)
        while child.poll() is None and not stop.wait(_LOOK_SECONDS):
            pass
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        else:
            if monotonic() - started > _LONGEST_PAUSE_SECONDS:
                pause = _PAUSE_SECONDS  # it had worked: this end is not one more failure to start
            stop.wait(pause)
            pause = min(_LONGEST_PAUSE_SECONDS, pause * 2)


def stand_back(pid: int) -> None:
    """Let the server go first where both want the processor: its clients wait for an answer."""
    with suppress(OSError, AttributeError):  # gone already, or not a Unix
        os.setpriority(os.PRIO_PROCESS, pid, os.getpriority(os.PRIO_PROCESS, 0) + _NICE)
