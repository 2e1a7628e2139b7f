"""``lingxi serve``: one granian server under supervision, for as long as nobody stops it."""

import errno
import multiprocessing
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from lingxi.config import load_settings
from lingxi.errors import Conflict, InvalidSetting
from lingxi.server.companions import companions

TARGET = "lingxi.server.load:load_app"
SHOP_VARIABLE = "LINGXI_SHOP_FOLDER"
"""Tells a worker process which shop it serves. The application itself is loaded only there."""
_STOP_SECONDS = 20
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
) -> None:
    """Serve the shop in ``folder`` until SIGTERM or SIGINT; a worker that dies is started again.

    One worker process: SQLite has one writer, and the numbers at ``/metrics`` are one process's.

    Parameters
    ----------
    host, port
        Where to listen; the shop's settings where not given.
    ready
        Called once, from another thread, as soon as the address can be asked.

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
    server = Granian(
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
    with companions(settings), _call_when_open(address, number, ready):
        server.serve()


@contextmanager
def _call_when_open(host: str, port: int, ready: Callable[[], None]) -> Iterator[None]:
    over = Event()

    def look() -> None:
        while not over.wait(0.1):
            with suppress(OSError), socket.create_connection((host, port), timeout=1):
                ready()
                return

    thread = Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(5)


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
