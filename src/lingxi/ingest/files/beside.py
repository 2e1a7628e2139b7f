"""A process beside an import that reads, tells and cleans its lines, while the import keeps them.

Half of what an event of a file costs is done before anything is looked up: with a second core that
half takes no time of its own. The batches come over a pipe in their order, so what is kept, and how
far a broken import had come, is the same with and without such a process.
"""

import gc
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from queue import Queue
from threading import Thread
from types import TracebackType
from typing import IO

from lingxi.clock import FixedClock
from lingxi.config import Settings
from lingxi.errors import FileUnreadable, LingxiError
from lingxi.ingest.cleaning import Rules, clean
from lingxi.ingest.files.carrying import Batch, pack
from lingxi.ingest.files.keeping import Noted
from lingxi.ingest.files.lines import Lines, cut_batches
from lingxi.ingest.options import ImportOptions
from lingxi.ingest.rates import RateBook
from lingxi.store import Store

_LENGTH = 8
_AHEAD = 12
"""Batches that may be ready before they are asked for: what holds one side up for a moment, a part
of the file to read or a commit, leaves the other with work."""
_CHILD = "from lingxi.ingest.files.beside import main; main()"
"""Not ``-m``: what is carried over must be of this module, and not of ``__main__``."""


@dataclass(frozen=True)
class Errand:
    """What the process beside is to do: a file's units past the first ``done``, cleaned."""

    path: Path
    kind: str
    options: ImportOptions
    settings: Settings
    now: datetime
    started_at: datetime
    done: int


def is_worthwhile(lines: Lines) -> bool:
    """Whether a file is long enough, and the machine has a core for it."""
    return lines.is_long and (os.cpu_count() or 1) > 1 and bool(sys.executable)


class Beside:
    """The batches of an errand, as a process of its own makes them. Use it in ``with``."""

    def __init__(self, errand: Errand) -> None:
        self._errand = errand
        self._child = subprocess.Popen(
            [sys.executable, "-c", _CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __enter__(self) -> "Beside":
        assert self._child.stdin is not None
        pickle.dump(self._errand, self._child.stdin, protocol=5)
        self._child.stdin.close()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _where: TracebackType | None
    ) -> None:
        self._child.kill()
        self._child.wait()
        if self._child.stdout is not None:
            self._child.stdout.close()

    def __iter__(self) -> Iterator[Batch]:
        """The batches in their order.

        Raises
        ------
        LingxiError
            Whatever is wrong with the file, once what came before it was given.
        FileUnreadable
            If the process was stopped by somebody else.
        """
        assert self._child.stdout is not None
        while True:
            said = receive(self._child.stdout)
            if isinstance(said, Batch):
                yield said
            elif isinstance(said, LingxiError):
                raise said
            elif said is None:
                return
            else:
                raise FileUnreadable(
                    f"{self._errand.path} was not read to its end: the process that reads it was "
                    "stopped. Import the file again; it goes on where it stopped."
                )


def receive(stream: IO[bytes]) -> object:
    """The next thing said; ``False`` where the other side is gone."""
    head = stream.read(_LENGTH)
    if len(head) < _LENGTH:
        return False
    text = stream.read(int.from_bytes(head, "big"))
    return pickle.loads(text)


def send(stream: IO[bytes], said: object) -> None:
    """Say something; an error that cannot be carried over is told in words."""
    text = pickle.dumps(said, protocol=5)
    stream.write(len(text).to_bytes(_LENGTH, "big"))
    stream.write(text)
    stream.flush()


def make_batches(errand: Errand) -> Iterator[Batch]:
    """Do an errand in this process."""
    store = Store.open(errand.settings, FixedClock(errand.now))
    try:
        rates = RateBook(store)
        rates.refresh(errand.now)
        rules = Rules.of(errand.settings, rates.rate)
        lines = Lines.open(errand.path, errand.kind, errand.settings, errand.now, errand.options)
        lines.look()
        skipped, batches = cut_batches(lines, errand.done)
        noted = Noted(errand.kind)
        for unit in skipped:
            noted.know(unit)
        for units in batches:
            for unit in units:
                noted.know(unit)
            messages = [unit.to_message(errand.kind, errand.started_at) for unit in units]
            judged = [clean(message, rules) for message in messages]
            yield pack(units, judged, noted, lines.read, lines.learnt)
            noted = Noted(errand.kind)
        yield pack([], [], noted, lines.read, lines.learnt)
    finally:
        store.close()


def main() -> None:
    """Read an errand from standard input and write its batches to standard output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the import itself ends this process
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nothing else may be written there
    errand: Errand = pickle.load(sys.stdin.buffer)
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)  # as the import itself: what a line makes forms no cycles
    try:
        send_ahead(out, _tell(errand))
    except BrokenPipeError:
        os._exit(1)  # the import is gone


def _tell(errand: Errand) -> Iterator[object]:
    """The batches, and what ends them: nothing, or what is wrong with the file."""
    try:
        yield from make_batches(errand)
    except LingxiError as error:
        yield error
    else:
        yield None


def send_ahead(out: IO[bytes], said: Iterable[object]) -> None:
    """Say all of it, while what is to be said next is being made.

    Raises
    ------
    OSError
        If it cannot be said: nobody listens any more.
    """
    ready: Queue[tuple[object, ...]] = Queue(_AHEAD)
    failed: list[Exception] = []

    def send_ready() -> None:
        while each := ready.get():
            if failed:
                continue  # so that who fills the queue does not wait for ever
            try:
                send(out, *each)
            except Exception as error:
                failed.append(error)

    sender = Thread(target=send_ready, name="lingxi-sender", daemon=True)
    sender.start()
    for each in said:
        if failed:
            break
        ready.put((each,))
    ready.put(())
    sender.join()
    if failed:
        raise failed[0]
