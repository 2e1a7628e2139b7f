"""When the models are learnt anew by themselves: for their age, or because customers have changed.

In between they are renewed: the recommender in use takes in the events since, and nothing is chosen
anew. ``lingxi work`` looks; what is due is done by a process of its own, ``lingxi train --if-due``,
one at a time, so that nothing else waits for it. What was found stands in ``reports/refit.json``.
"""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from lingxi.clock import SystemClock
from lingxi.errors import LingxiError
from lingxi.i18n import Sentence
from lingxi.store.files import write_whole

if TYPE_CHECKING:
    from lingxi.app.shop import Shop
    from lingxi.store import Artefact, Manifest

KIND = "recommender"
_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_AGAIN = timedelta(hours=1)
"""Pause after a try, whatever came of it."""
_NICE = 10
_MEASURED = ("recommend.refit.drift", "recommend.refit.steady")
"""What stands until the next time that it is measured, or until the models are others."""


class Looked(msgspec.Struct, frozen=True):
    """What was found when the models were last looked at.

    ``due``: whether they are to be learnt anew; ``reason`` says why, or why not; ``measured_at``:
    when they were last asked about the latest events; ``tried_at``: when a refit was last begun;
    ``renew``: whether the events since are to be put in, where nothing is to be learnt anew.
    """

    looked_at: datetime
    due: bool
    reason: Sentence
    measured_at: datetime | None = None
    tried_at: datetime | None = None
    renew: bool = False


def read_looked(shop: "Shop") -> Looked | None:
    """What was found last; nothing before the first look."""
    try:
        return msgspec.json.decode(_path(shop).read_bytes(), type=Looked)
    except (OSError, msgspec.DecodeError):
        return None


def look(shop: "Shop", now: datetime) -> Looked:
    """Whether the models are due, and why; the answer is kept for the status.

    Asking the recommender about the latest events takes seconds, so it is done once in
    ``recommend.drift_hours``.
    """
    before = read_looked(shop)
    tried_at = before.tried_at if before else None
    artefact = shop.store.artefacts.current(KIND)
    if artefact is None:
        return _keep(shop, Looked(now, False, Sentence("recommend.refit.none")))
    if _is_outdated(artefact):
        return _keep(shop, Looked(now, True, Sentence("recommend.refit.outdated"), None, tried_at))
    n = _count_new(shop, artefact.manifest)
    due, reason, measured_at = _judge(shop, now, artefact, n, before)
    hours = (now - artefact.manifest.created_at) / _HOUR
    renew = not due and n > 0 and _is_stale(shop, artefact, hours)
    if renew:
        reason = Sentence("recommend.refit.renew", {"hours": int(hours), "n": n})
    return _keep(shop, Looked(now, due, reason, measured_at, tried_at, renew))


def _judge(
    shop: "Shop", now: datetime, artefact: "Artefact", n: int, before: Looked | None
) -> tuple[bool, Sentence, datetime | None]:
    """Whether these models are due, why, and when they were last measured; ``n``: new events."""
    settings, chosen_at = shop.settings.recommend, _find_choice(artefact.manifest)
    age = now - chosen_at
    params = {"days": age // _DAY, "n": n}
    fresh = Sentence("recommend.refit.fresh", params)
    measured_at = before.measured_at if before else None
    if measured_at is not None and measured_at < chosen_at:
        measured_at = None  # those were other models
    if not n:
        return False, fresh, measured_at
    if settings.refit_after_days and age >= timedelta(days=settings.refit_after_days):
        return True, Sentence("recommend.refit.old", params), measured_at
    if not settings.refit_on_drift:
        return False, fresh, measured_at
    if measured_at is None or now - measured_at >= timedelta(hours=settings.drift_hours):
        return *_measure(shop, artefact, fresh), now
    if before is not None and before.reason.code in _MEASURED:
        return before.due, before.reason, measured_at
    return False, fresh, measured_at


def _is_outdated(artefact: "Artefact") -> bool:
    from lingxi.recommend.recommender import is_outdated

    try:
        return is_outdated(artefact)
    except LingxiError:  # a version that is no longer there
        return False


def _find_choice(manifest: "Manifest") -> datetime:
    """When the recipe was chosen; a renewal chooses nothing."""
    chosen_at = manifest.extra.get("chosen_at")
    return datetime.fromisoformat(str(chosen_at)) if chosen_at else manifest.created_at


def _is_stale(shop: "Shop", artefact: "Artefact", hours: float) -> bool:
    """Whether models that took events in so long ago are to take in the newer ones."""
    from lingxi.recommend.recommender import Held
    from lingxi.recommend.renew import is_renewable

    wanted = shop.settings.recommend.renew_hours
    if not wanted or hours < wanted:
        return False
    try:
        return is_renewable(artefact.load_json("recommender", Held).recipe)
    except LingxiError:
        return False


def start_refit(shop: "Shop", now: datetime) -> int:
    """Begin a refit beside this process where one is due; 1 if one was begun.

    Only by the clock of the world: a process of its own knows no other.
    """
    if not isinstance(shop.clock, SystemClock):
        return 0
    before = read_looked(shop)
    if before is not None and before.tried_at is not None and now - before.tried_at < _AGAIN:
        return 0
    found = look(shop, now)
    if not (found.due or found.renew) or is_training(shop):
        return 0
    command = [sys.executable, "-m", "lingxi.cli", "train", "--if-due", "--json"]
    command += ["--shop", str(shop.settings.folder)]
    subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=_be_modest if os.name == "posix" else None,
    )
    note_try(shop, now)
    return 1


def note_try(shop: "Shop", now: datetime) -> None:
    """Note that a refit is begun."""
    before = read_looked(shop)
    if before is not None:
        _keep(shop, msgspec.structs.replace(before, tried_at=now))


@contextmanager
def training(shop: "Shop") -> Iterator[bool]:
    """Holds the right to train; False where another process on this machine has it."""
    path = shop.settings.folder / "reports" / "refit.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


def is_training(shop: "Shop") -> bool:
    """Whether a process on this machine trains the shop's models just now."""
    with training(shop) as free:
        return not free


def _measure(shop: "Shop", artefact: "Artefact", fresh: Sentence) -> tuple[bool, Sentence]:
    from lingxi.recommend.drift import measure_drift
    from lingxi.recommend.recommender import read_recipe
    from lingxi.recommend.stored import read_described

    try:
        interactions, _ = read_described(shop.store)
        recommender = shop.answers.held_recommender()
        seed, recipe = shop.settings.learning.seed, None
        if artefact.manifest.extra.get("chosen_at"):
            recipe = read_recipe(artefact)
        drift = measure_drift(recommender, artefact.manifest, interactions, seed, recipe)
    except LingxiError:  # too little to tell, or a version that is no longer there
        return False, fresh
    code = "recommend.refit.drift" if drift.is_worse else "recommend.refit.steady"
    params = {
        "n": drift.customers,
        "days": drift.days,
        "now_share": round(drift.now.value, 4),
        "then_share": round(drift.then.value, 4),
    }
    return drift.is_worse, Sentence(code, params)


def _count_new(shop: "Shop", manifest: "Manifest") -> int:
    from lingxi.app.status import count_after

    with shop.store.read() as tx:
        return count_after(tx, manifest.events)


def _path(shop: "Shop") -> Path:
    return shop.settings.folder / "reports" / "refit.json"


def _keep(shop: "Shop", looked: Looked) -> Looked:
    path = _path(shop)
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(OSError, LingxiError):  # a look that cannot be kept is made again
        write_whole(path, msgspec.json.encode(looked))
    return looked


def _be_modest() -> None:
    os.nice(_NICE)
