"""What runs on request or on a schedule: import, train, plan, save."""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from lingxi import catalogue, gorse, ingest, lifecycle, recommend
from lingxi.app.collect_views import Retaken
from lingxi.app.migrate import upgrade
from lingxi.app.privacy import run_requests
from lingxi.app.queries.waiting import replay_messages
from lingxi.app.rooms import FORGETTERS, METADATAS, PROJECTIONS
from lingxi.app.shop import Shop
from lingxi.app.views import ImportReport
from lingxi.clock import Clock, SystemClock
from lingxi.config import CONFIG_FILE, load_settings
from lingxi.errors import FileUnreadable, InvalidInput, NotEnoughData, NotTrained
from lingxi.ingest.aside_keys import destroy_expired
from lingxi.policy.jobs import MadePlan, decide_plan
from lingxi.recommend.renew import renew_recommender
from lingxi.schema import Scalar
from lingxi.segments.marks import forget_marks
from lingxi.store import Progress, backup, restore, silent

Run = Callable[[Shop, Progress], str]


class BringIn(Protocol):
    """One kind of import of a file."""

    def __call__(
        self,
        shop: Shop,
        path: Path,
        options: ingest.ImportOptions | None = None,
        *,
        progress: Progress = silent,
    ) -> ImportReport:
        """Bring the file in; what it came to."""


@dataclass(frozen=True)
class Job:
    """One long step of training; ``run`` returns its summary in one line."""

    title: str
    run: Run


def import_orders(
    shop: Shop,
    path: Path,
    options: ingest.ImportOptions | None = None,
    *,
    progress: Progress = silent,
) -> ImportReport:
    """Bring in order lines; see ``lingxi.ingest.import_orders``.

    Items that no feed lists are learned from the lines; lines whose time in quarantine is over go.
    """
    report = ingest.import_orders(shop.store, shop.settings, shop.clock, path, options, progress)
    with shop.store.write() as tx:
        catalogue.learn_from_orders(shop.store, tx, shop.clock.now())
        ingest.expire_quarantine(tx, shop.clock.now())
    destroy_expired(shop.store, shop.clock.now())
    return report


def import_events(
    shop: Shop,
    path: Path,
    options: ingest.ImportOptions | None = None,
    *,
    progress: Progress = silent,
) -> ImportReport:
    """Bring in web and app events; see ``lingxi.ingest.import_lines``."""
    return _import_lines(shop, path, "events", options, progress)


def import_customers(
    shop: Shop,
    path: Path,
    options: ingest.ImportOptions | None = None,
    *,
    progress: Progress = silent,
) -> ImportReport:
    """Bring in customers with their traits and consent; see ``lingxi.ingest.import_lines``."""
    return _import_lines(shop, path, "customers", options, progress)


def _import_lines(
    shop: Shop, path: Path, kind: str, options: ingest.ImportOptions | None, progress: Progress
) -> ImportReport:
    return ingest.import_lines(
        shop.store, shop.settings, shop.clock, shop.intake, path, kind, options, progress
    )


def import_items(
    shop: Shop,
    path: Path,
    options: ingest.ImportOptions | None = None,
    *,
    complete: bool = False,
    progress: Progress = silent,
) -> ImportReport:
    """Bring in the catalogue; see ``lingxi.catalogue.import_items``."""
    return catalogue.import_items(
        shop.store, shop.settings, shop.clock, path, progress, options, complete=complete
    )


def import_gorse(shop: Shop, path: Path, *, progress: Progress = silent) -> ImportReport:
    """Bring in users, items and feedback of Gorse; see ``lingxi.gorse.import_gorse``."""
    return gorse.import_gorse(shop.store, shop.settings, shop.clock, path, progress)


def _roll_lake(shop: Shop, progress: Progress) -> str:
    run_requests(shop)
    if shop.store.log.position() == 0:
        raise NotEnoughData(
            "There is nothing to learn from yet. Import orders first with "
            "'lingxi import orders FILE'; what an import set aside is in 'lingxi quality'."
        )
    with shop.store.write() as tx:
        ingest.expire_quarantine(tx, shop.clock.now())
    destroy_expired(shop.store, shop.clock.now())
    rolled = shop.store.lake.roll(progress)
    return f"{rolled.events:,} events written to Parquet"


def _train_recommenders(shop: Shop, progress: Progress) -> str:
    try:
        made = recommend.train_recommenders(shop.store, shop.settings, shop.clock, progress)
    except NotEnoughData as error:
        return f"left out: {error}"
    return f"chose {made.chosen}{_tell_slower(made.extra)}"


def _tell_slower(extra: Mapping[str, Scalar]) -> str:
    if not extra.get("slower_model"):
        return ""
    return (
        f"; {extra['slower_model']} ranked higher on earlier weeks, but a list by it takes "
        f"{extra['slower_answer_ms']} ms (settings recommend.answer_ms and quick_ms)"
    )


def _renew_recommenders(shop: Shop, progress: Progress) -> str:
    made = renew_recommender(shop.store, shop.settings, progress)
    changed = made.extra["items_changed"]
    told = "" if changed is None else f"; {changed:,} items had new ones"
    return f"{made.chosen}, chosen earlier, fitted on all events{told}"


def _train_lifecycle(shop: Shop, progress: Progress) -> str:
    lifecycle.train_lifecycle(shop.store, shop.settings, shop.clock, progress)
    return "thresholds learned from the gaps between orders"


def _train_churn(shop: Shop, progress: Progress) -> str:
    try:
        made = lifecycle.train_churn(shop.store, shop.settings, shop.clock, progress)
    except NotEnoughData as error:
        return f"left out: {error}"
    return f"chose {made.chosen}"


def _score(shop: Shop, progress: Progress) -> str:
    scored = lifecycle.score_customers(shop.store, shop.settings, shop.clock, progress=progress)
    with shop.store.write() as tx:
        forget_marks(tx, "scores")
    shop.store.lake.roll(progress)
    return f"{scored:,} customers"


def _score_again(shop: Shop, progress: Progress) -> str:
    try:
        return _score(shop, progress)
    except NotTrained as error:
        return f"left out: {error}"


TRAINING: tuple[Job, ...] = (
    Job("Lake", _roll_lake),
    Job("Recommenders", _train_recommenders),
    Job("Lifecycle", _train_lifecycle),
    Job("Churn", _train_churn),
    Job("Scores", _score),
)


RENEWAL: tuple[Job, ...] = (
    Job("Lake", _roll_lake),
    Job("Recommenders", _renew_recommenders),
    Job("Scores", _score_again),
)
"""Puts the events since into the recommender in use, and scores customers; chooses nothing anew."""


def make_plan(shop: Shop, progress: Progress = silent) -> MadePlan:
    """Decide for every customer, keep the plan, and write its files."""
    return decide_plan(shop.store, shop.settings, progress)


@dataclass(frozen=True)
class Saved:
    """A backup: events in it, and files."""

    events: int
    files: int


def back_up(shop: Shop, destination: Path, progress: Progress = silent) -> Saved:
    """Save state, lake, models and settings to a new folder, consistent, while the shop runs.

    Raises
    ------
    InvalidInput
        If no folder can be made at the destination.
    Conflict
        If there is something at the destination.
    """
    parent = destination.absolute().parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"Cannot make the folder {parent}: {error.strerror}.") from error
    if not os.access(parent, os.W_OK):
        raise InvalidInput(f"The folder {parent} may not be written; name another for the backup.")
    made = backup(shop.store, destination, progress)
    return Saved(made.position, len(made.files))


def restore_shop(
    source: Path, folder: Path, *, clock: Clock | None = None, progress: Progress = silent
) -> Saved:
    """Bring a backup back into ``folder``: empty, or a shop that has lost its data.

    A folder without ``lingxi.toml`` takes the backup's. Erasures that the folder's keys remember
    are made again.

    Raises
    ------
    Conflict
        If the folder holds data already.
    FileUnreadable
        If the backup is not whole or is damaged.
    """
    kept = folder / CONFIG_FILE
    if not kept.exists():
        saved = source / CONFIG_FILE
        if not saved.is_file():
            raise FileUnreadable(f"{source} is not a backup: it has no {CONFIG_FILE}.")
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(saved, kept)
    done = restore(
        source,
        load_settings(folder),
        clock or SystemClock(),
        projections=PROJECTIONS,
        tables=METADATAS,
        rooms=tuple(FORGETTERS.values()),
        migrate=lambda engine: upgrade(engine, METADATAS),
        progress=progress,
    )
    return Saved(done.position, len(done.files))


def export_quarantine(shop: Shop, path: Path, *, reason: str = "") -> int:
    """Write the lines in quarantine to a CSV file; returns how many."""
    return ingest.export_quarantine(shop.store, path, reason=reason)


def list_retries(shop: Shop) -> ingest.Retries:
    """How lines of each kind of import are tried again."""
    place = shop.store, shop.settings
    lines = partial(ingest.retry_lines, *place, shop.intake)
    return {
        "orders": partial(ingest.retry_orders, *place),
        "events": lines,
        "customers": lines,
        "items": partial(catalogue.retry_items, *place),
    }


def mend_quarantine(shop: Shop, path: Path, *, progress: Progress = silent) -> ImportReport:
    """Bring in mended lines of any kind; those that pass leave quarantine."""
    report = ingest.mend_quarantine(shop.store, shop.clock, list_retries(shop), path, progress)
    with shop.store.write() as tx:
        catalogue.learn_from_orders(shop.store, tx, shop.clock.now())
    return report


@dataclass(frozen=True)
class Replayed:
    """What another try came to: of lines (nothing where none could be tried), of messages."""

    lines: ImportReport | None
    messages: Retaken


def replay_quarantine(shop: Shop, *, reason: str = "", progress: Progress = silent) -> Replayed:
    """Run today's rules and rates over what is in quarantine, or waits there for one reason.

    Raises
    ------
    InvalidInput
        If nothing is there to be tried.
    """
    messages = replay_messages(shop, reason=reason)
    try:
        report = ingest.replay_quarantine(
            shop.store, shop.clock, list_retries(shop), progress, reason=reason
        )
    except InvalidInput:
        if messages == Retaken(0, 0, 0):
            raise
        return Replayed(None, messages)
    with shop.store.write() as tx:
        catalogue.learn_from_orders(shop.store, tx, shop.clock.now())
    return Replayed(report, messages)
