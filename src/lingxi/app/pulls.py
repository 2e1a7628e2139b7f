"""Pulling from the sources that ``lingxi.toml`` names, once or for as long as somebody wants it."""

import time
from collections.abc import Callable, Sequence

import structlog

from lingxi.app.orphans import is_orphan
from lingxi.app.shop import Shop
from lingxi.errors import (
    InvalidSetting,
    SourceUnavailable,
    StoreBusy,
    StoreUnavailable,
    did_you_mean,
)
from lingxi.ingest.pulling import Pulled, make_source, pull_source
from lingxi.store import Progress, silent

Told = Callable[[Pulled], None]
_STEP_SECONDS = 1.0


def choose_pulls(shop: Shop, name: str = "") -> Sequence[str]:
    """The sources to pull from: the one named, else all.

    Raises
    ------
    InvalidSetting
        If there is none, or none of that name.
    """
    known = shop.settings.pull
    if not known:
        raise InvalidSetting(
            "No source to pull from: describe one in lingxi.toml, for example "
            '[pull.logs] kind = "folder" path = "/var/log/shop".'
        )
    if name and name not in known:
        raise InvalidSetting(
            f"There is no [pull.{name}] in lingxi.toml{did_you_mean(name, known)}."
        )
    return [name] if name else list(known)


def pull(shop: Shop, name: str, *, progress: Progress = silent) -> Pulled:
    """Pull everything that one source has now.

    Raises
    ------
    InvalidSetting
        If its kind or its options cannot be used.
    SourceUnavailable
        If it cannot be reached, or breaks its contract.
    """
    settings = shop.settings.pull[name]
    options = dict(settings.options)
    if settings.kind == "folder" and "path" in options:
        options["path"] = str(shop.settings.folder / options["path"])
    source = make_source(settings.kind, options)
    try:
        return pull_source(
            shop.store, shop.intake, shop.clock, name, source, n=settings.size, progress=progress
        )
    finally:
        source.close()


def keep_pulling(shop: Shop, names: Sequence[str], told: Told) -> None:
    """Pull from each source as often as it says, until stopped.

    What goes wrong is logged, shown on the page of sources, and tried again.
    """
    due = dict.fromkeys(names, 0.0)
    while True:
        for name in names:
            if time.monotonic() < due[name]:
                continue
            try:
                told(pull(shop, name))
            except (SourceUnavailable, StoreBusy, StoreUnavailable) as error:
                structlog.get_logger().warning("pull_failed", source=name, error=str(error))
            due[name] = time.monotonic() + shop.settings.pull[name].every_seconds
        time.sleep(min(_STEP_SECONDS, max(0.05, min(due.values()) - time.monotonic())))
        if is_orphan():
            return
