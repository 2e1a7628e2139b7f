"""The collector's end of the process that reads and cleans batches beside it."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic

import structlog

from lingxi.config import Settings
from lingxi.errors import RateLimited
from lingxi.ingest.beside import (
    COMMAND,
    LENGTH,
    Errand,
    Told,
    encode,
    frame,
    read_told,
    start_text,
    take_back,
)
from lingxi.ingest.carried import Judged
from lingxi.ingest.wire import Sender

_START_SECONDS = 30.0
_PAUSE_SECONDS = 10.0
"""How long after a process ended no other one is started."""
_BUFFER = 1024 * 1024


class Cleaner:
    """Sends batches to the process beside and takes what it tells; all on one event loop.

    The process starts with the first batch that is large enough, where there is a second core.
    Until it is ready, and whenever it is not, ``judge`` answers nothing, and the caller cleans.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._least = settings.collect.beside_bytes
        self._most = settings.collect.waiting_bytes
        self._child: subprocess.Popen[bytes] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[Told | None]] = {}
        self._bytes = 0
        self._number = 0
        self._not_before = 0.0
        self._wanted = self._least > 0 and bool(sys.executable) and count_cores() > 1

    def takes(self, size: int) -> bool:
        """Whether a body of so many bytes is one for the process beside."""
        return self._wanted and size >= self._least

    async def judge(self, body: bytes, sender: Sender) -> Sequence[Judged] | None:
        """The messages of a batch, cleaned; nothing where the caller must do it.

        Raises
        ------
        RateLimited
            If more bytes are on their way there than ``waiting_bytes``.
        """
        loop = asyncio.get_running_loop()
        writer = self._writer
        if writer is None or self._task is None or self._task.get_loop() is not loop:
            self._start(loop)
            return None
        if self._bytes and self._bytes + len(body) > self._most:
            raise RateLimited(
                "More events are waiting to be read than there is room for. Send them again "
                "in a moment.",
                retry_after_seconds=1,
            )
        self._number += 1
        errand = Errand(
            self._number, body, sender.source, sender.received_at, sender.agent, sender.address
        )
        future: asyncio.Future[Told | None] = loop.create_future()
        self._waiting[errand.number] = future
        self._bytes += len(body)
        try:
            text = encode(errand)
            writer.writelines((frame(text), text))
            async with asyncio.timeout(self._settings.collect.patience_seconds):
                told = await future
        except TimeoutError:
            self._give_up("it does not answer")
            return None
        finally:
            self._bytes -= len(body)
            self._waiting.pop(errand.number, None)
        return None if told is None or told.failed else take_back(told, errand)

    def close(self) -> None:
        """End the process; from any thread."""
        self._wanted = False
        task = self._task
        if task is not None and not task.get_loop().is_closed():
            task.get_loop().call_soon_threadsafe(task.cancel)
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.wait()

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._task is not None and not self._task.done():
            return
        if self._wanted and monotonic() >= self._not_before:
            self._task = loop.create_task(self._run())

    async def _run(self) -> None:
        """Start the process, then hand out what it tells until it ends."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._child = subprocess.Popen(
                [sys.executable, "-c", COMMAND, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
            )
        ours.setblocking(False)
        reader, writer = await asyncio.open_unix_connection(sock=ours, limit=_BUFFER)
        try:
            text = start_text(self._settings)
            writer.writelines((frame(text), text))
            async with asyncio.timeout(_START_SECONDS):
                await _read(reader)
            self._writer = writer
            while True:
                told = await _read(reader)
                future = self._waiting.get(told.number)
                if future is not None and not future.done():
                    future.set_result(told)
        except (asyncio.IncompleteReadError, OSError, TimeoutError):
            self._give_up("it has ended")
        finally:
            writer.close()

    def _give_up(self, why: str) -> None:
        """Go on without the process; another one may be started later."""
        self._writer = None
        self._not_before = monotonic() + _PAUSE_SECONDS
        for future in self._waiting.values():
            if not future.done():
                future.set_result(None)
        child, self._child = self._child, None
        if child is not None:
            structlog.get_logger().warning("cleaner_given_up", why=why)
            with suppress(OSError):
                child.kill()
            child.wait()


async def _read(reader: asyncio.StreamReader) -> Told:
    size = int.from_bytes(await reader.readexactly(LENGTH), "big")
    return read_told(await reader.readexactly(size))


def count_cores() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1
