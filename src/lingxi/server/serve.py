"""``lingxi serve``: one granian server under supervision, for as long as nobody stops it."""

import errno
import multiprocessing
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event, Thread, get_native_id
from typing import Any

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import MPServer

from lingxi.config import load_settings
from lingxi.errors import Conflict, InvalidSetting
from lingxi.server.companions import companions, stand_back

TARGET = "lingxi.server.load:load_app"
SHOP_VARIABLE = "LINGXI_SHOP_FOLDER"
"""Tells a worker process which shop it serves. The application itself is loaded only there."""
_STOP_SECONDS = 5
"""For requests under way when we are told to stop: what they write is there whole or not at all."""
_ANSWER_SECONDS = 5.0
_LOGS = {
    "formatters": {
        "generic": {
            "()": "logging.Formatter",
            "fmt": '{"level": "%(levelname)s", "event": "%(message)s", "timestamp": "%(asctime)s"}',
            "datefmt": "%Y-%m-%dT%H:%M:%S%z",
        }
    },
    "handlers": {
        "console": {
            "formatter": "generic",
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stderr",
        }
    },
    "loggers": {
        "_granian": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "granian.access": {"handlers": ["console"], "level": "INFO", "propagate": False},
    },
}


def serve(
    folder: Path,
    *,
    host: str | None = None,
    port: int | None = None,
    ready: Callable[[], None] = lambda: None,
    beside: Callable[[], None] = lambda: None,
) -> None:
    """Serve the shop in ``folder`` until SIGTERM or SIGINT; a worker that dies is started again.

    One worker process: SQLite has one writer, and the numbers at ``/metrics`` are one process's.
    It is started before anything else: after a crash every message waits for it. The companions
    begin once it answers.

    Parameters
    ----------
    host, port
        Where to listen; the shop's settings where not given.
    ready
        Called once, from another thread, as soon as the address answers and ``beside`` is done.
    beside
        Called from another thread while the worker starts. What it raises ends the server, and is
        raised here.

    Raises
    ------
    ShopNotFound, InvalidSetting
        If the folder is no shop, or the address cannot be listened on.
    Conflict
        If the port is in use.
    """
    settings = load_settings(folder)
    address = host or settings.server.host
    number = settings.server.port if port is None else port
    check_address(address, number)
    os.environ[SHOP_VARIABLE] = str(settings.folder)
    # A forked worker would inherit locks of OpenMP and DuckDB threads that nobody releases.
    multiprocessing.set_start_method("spawn", force=True)
    server = _Server(
        TARGET,
        address=address,
        port=number,
        interface=Interfaces.ASGI,
        factory=True,
        workers=1,
        websockets=False,
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=_STOP_SECONDS,
        log_level=LogLevels.warning,
        log_dictconfig=_LOGS,
        process_name=None,
    )
    opened = Event()
    with (
        companions(settings, after=opened, stop=server.told_to_stop),
        _run_beside(beside, server.signal_handler_interrupt) as done,
        _call_when_open(address, number, opened, done, ready),
    ):
        server.serve()


class _Server(MPServer):
    """Granian with worker processes, which says at once that it was told to stop: it returns only
    when its worker has ended."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.told_to_stop = Event()

    def signal_handler_interrupt(self, *given: Any, **named: Any) -> None:
        """SIGTERM, SIGINT, or a failure beside it."""
        self.told_to_stop.set()
        super().signal_handler_interrupt(*given, **named)  # type: ignore[no-untyped-call]


@contextmanager
def _run_beside(work: Callable[[], None], stop: Callable[[], None]) -> Iterator[Event]:
    """Do some work in a thread that stands back for the worker; set once it is done well."""
    failures: list[BaseException] = []
    done = Event()

    def run() -> None:
        stand_back(get_native_id())
        try:
            work()
            done.set()
        except BaseException as error:  # it is raised below, in the thread that serves
            failures.append(error)
            stop()

    thread = Thread(target=run, name="lingxi-beside")
    thread.start()
    try:
        yield done
    finally:
        thread.join()
        if failures:
            raise failures[0]


@contextmanager
def _call_when_open(
    host: str, port: int, opened: Event, done: Event, ready: Callable[[], None]
) -> Iterator[None]:
    over = Event()

    def look() -> None:
        while not over.is_set() and not _answers(host, port):
            over.wait(0.1)
        opened.set()
        while not over.is_set() and not done.wait(0.1):
            pass
        if not over.is_set():
            ready()

    thread = Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(5)


def _answers(host: str, port: int) -> bool:
    """Whether the server says anything, and so has loaded all that it needs."""
    connection = HTTPConnection(host, port, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", "/health/live")
        connection.getresponse().read()
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
    return True


def check_address(host: str, port: int) -> None:
    """Refuse an address before any process is started for it.

    Raises
    ------
    Conflict
        If something listens there already.
    InvalidSetting
        If this machine has no such address, or the port may not be opened.
    """
    if not 1 <= port <= 65535:
        raise InvalidSetting(f"A port is between 1 and 65535, not {port}.")
    try:
        family, kind, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Conflict(
                f"Port {port} on {host} is in use. Stop what listens there, or choose another "
                "with --port."
            ) from error
        raise InvalidSetting(f"Cannot listen on {host}, port {port}: {error.strerror}.") from error
