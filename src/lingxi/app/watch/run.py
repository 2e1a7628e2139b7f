"""Looks at a folder again and again, for as long as somebody wants it."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

from lingxi.app.orphans import is_orphan
from lingxi.app.shop import Shop
from lingxi.app.watch.folder import WatchedReport, Watcher
from lingxi.errors import InvalidSetting, StoreBusy, StoreUnavailable
from lingxi.store import Progress, silent

Told = Callable[[WatchedReport], None]
_PATIENCE_SECONDS = 10.0


def find_folder(shop: Shop, named: Path | None) -> Path:
    """The folder to watch: the one named, else the one of the settings.

    Raises
    ------
    InvalidSetting
        If neither says one.
    """
    if named is not None:
        return named
    said = shop.settings.watch.folder
    if not said:
        raise InvalidSetting("No folder to watch: name one, or set [watch] folder in lingxi.toml.")
    return shop.settings.folder / said


def watch(
    shop: Shop,
    folder: Path,
    told: Told,
    *,
    once: bool = False,
    progress: Progress = silent,
) -> None:
    """Bring in what is dropped into ``folder``, until stopped.

    Parameters
    ----------
    told
        Called with each file that came in, or could not.
    once
        Look once only.

    Raises
    ------
    InvalidInput
        If the folder cannot be used.
    StoreBusy, StoreUnavailable
        If the shop's database cannot be written, with ``once``; else it is tried again.
    """
    settings = shop.settings.watch
    watcher = Watcher(shop, folder, settle_seconds=settings.settle_seconds, progress=progress)
    while True:
        pause = settings.look_seconds
        try:
            for report in watcher.look():
                told(report)
        except (StoreBusy, StoreUnavailable) as error:
            if once:
                raise
            structlog.get_logger().warning("watch_waits", error=str(error))
            with suppress(StoreBusy, StoreUnavailable):
                watcher.note(str(error))
            pause = max(pause, _PATIENCE_SECONDS)
        if once:
            return
        time.sleep(pause)
        if is_orphan():
            return
