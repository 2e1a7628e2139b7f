"""One check after the other of installation and shop, each saying what to do about it."""

import platform
import shutil
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from lingxi.access.sources import SourceKind, list_sources
from lingxi.app.views import Check
from lingxi.errors import LingxiError
from lingxi.i18n import Sentence
from lingxi.learning.boosting import is_available
from lingxi.policy import get_totals

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

_ASK_SECONDS = 5.0
_FEW_BYTES = 1_000_000_000
_OLD_PLAN = timedelta(days=2)
_SHOWN = 5


def examine(shop: "Shop") -> tuple[Check, ...]:
    """All checks that concern the shop; a check that breaks is itself a failed one."""
    found = (_run(name, check, shop) for name, check in CHECKS.items())
    return tuple(check for check in found if check is not None)


def _run(name: str, check: Callable[["Shop"], Check | None], shop: "Shop") -> Check | None:
    try:
        return check(shop)
    except LingxiError as error:
        return Check(name, "failed", Sentence("doctor.broken", {"error": str(error)}))
    except Exception as error:  # whatever is broken: the other checks have something to say too
        told = f"{type(error).__name__}: {error}"
        return Check(name, "failed", Sentence("doctor.broken", {"error": told}))


def _python(_shop: "Shop") -> Check:
    state = "ok" if sys.version_info >= (3, 11) else "failed"
    return Check("python", state, Sentence("doctor.python", {"version": platform.python_version()}))


def _lightgbm(_shop: "Shop") -> Check:
    state = "ok" if is_available() else "warning"
    return Check("lightgbm", state, Sentence(f"doctor.lightgbm.{state}"))


def _disk(shop: "Shop") -> Check:
    free = shutil.disk_usage(shop.store.folder).free
    state = "ok" if free > _FEW_BYTES else "warning"
    return Check("disk", state, Sentence(f"doctor.disk.{state}", {"gigabytes": free / 1e9}))


def _write(shop: "Shop") -> Check:
    with shop.store.write():
        return Check("write", "ok", Sentence("doctor.write"))


def _log(shop: "Shop") -> Check:
    events, damaged = shop.store.log.count(), shop.store.log.find_damaged()
    if damaged:
        shown = _show_positions(damaged)
        params: dict[str, str | int] = {"n": len(damaged), "events": events, "positions": shown}
        return Check("log", "failed", Sentence("doctor.log.failed", params))
    state = "ok" if events else "warning"
    return Check("log", state, Sentence(f"doctor.log.{state}", {"n": events}))


def _show_positions(positions: Sequence[int]) -> str:
    shown = ", ".join(str(position) for position in positions[:_SHOWN])
    return f"{shown}, …" if len(positions) > _SHOWN else shown


def _lake(shop: "Shop") -> Check:
    behind = shop.store.log.position() - shop.store.lake.position()
    with shop.store.analytics() as analytics:
        rows = analytics.events.filter(analytics.events.line == 0)
        seen = int(analytics.to_arrow(rows.aggregate(n=rows.count())).column("n")[0].as_py())
    events = shop.store.log.count()
    if seen != events:
        params = {"seen": seen, "events": events}
        return Check("lake", "failed", Sentence("doctor.lake.failed", params))
    return Check("lake", "ok", Sentence("doctor.lake.ok", {"n": behind}))


def _models(shop: "Shop") -> Check:
    active = [m for m in shop.store.artefacts.list() if m.active]
    if not active:
        return Check("models", "warning", Sentence("doctor.models.none"))
    for manifest in active:
        shop.store.artefacts.open(manifest.kind, manifest.version).verify()
    return Check("models", "ok", Sentence("doctor.models.ok", {"n": len(active)}))


def _plan(shop: "Shop") -> Check:
    with shop.store.read() as tx:
        totals = get_totals(tx)
    if totals is None:
        return Check("plan", "warning", Sentence("doctor.plan.none"))
    customers = sum(totals.customers.values())
    made = max(
        (m.created_at for m in shop.store.artefacts.list() if m.active), default=totals.as_of
    )
    if shop.clock.now() - made > _OLD_PLAN:
        return Check("plan", "warning", Sentence("doctor.plan.old", {"made_at": made.isoformat()}))
    return Check("plan", "ok", Sentence("doctor.plan.ok", {"n": customers}))


def _keys(shop: "Shop") -> Check:
    folder = shop.settings.folder / "keys"
    open_to_others = folder.exists() and folder.stat().st_mode & 0o077
    state = "warning" if open_to_others else "ok"
    return Check("keys", state, Sentence(f"doctor.keys.{state}", {"folder": str(folder)}))


def _sources(shop: "Shop") -> Check | None:
    """Shopify's ids are of all its shops; every WooCommerce shop counts its own from 1."""
    with shop.store.read() as tx:
        sources = list_sources(tx)
    shops = [s.name for s in sources if s.kind is SourceKind.WOOCOMMERCE and not s.disabled_at]
    if len(shops) < 2:
        return None
    return Check("sources", "warning", Sentence("doctor.sources", {"names": ", ".join(shops)}))


def _kafka(shop: "Shop") -> Check | None:
    if shop.settings.collect.queue != "kafka":
        return None
    from lingxi.store.topics import describe_topic

    topic = describe_topic(shop.settings.kafka, seconds=_ASK_SECONDS)
    state = "ok" if topic.in_step > 1 else "warning"
    params: dict[str, str | int] = {"topic": shop.settings.kafka.topic, "n": topic.in_step}
    return Check("kafka", state, Sentence(f"doctor.kafka.{state}", params))


CHECKS: dict[str, Callable[["Shop"], Check | None]] = {
    "python": _python,
    "lightgbm": _lightgbm,
    "disk": _disk,
    "write": _write,
    "log": _log,
    "lake": _lake,
    "models": _models,
    "plan": _plan,
    "keys": _keys,
    "sources": _sources,
    "kafka": _kafka,
}
