"""Reports on the shop's own data: made on request, kept as files beside the plan's."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from lingxi.app.quality_views import ReportsView
from lingxi.recommend.measures import ShopReport
from lingxi.store.files import write_whole

if TYPE_CHECKING:
    from lingxi.app.shop import Shop
    from lingxi.recommend.recipe import Recipe

MOST_KEPT = 20


def make_report(shop: "Shop", tell: Callable[[str], None] = lambda _text: None) -> ShopReport:
    """Measure the recommender on the last days of the shop's own data, and keep the report.

    Raises
    ------
    NotEnoughData
        If there is too little data to tell.
    """
    from lingxi.recommend.shop_report import report_shop
    from lingxi.recommend.stored import read_described

    interactions, _ = read_described(shop.store)
    recipe, seed = _find_recipe(shop), shop.settings.learning.seed
    made = report_shop(interactions, recipe, shop.clock.now(), seed=seed, tell=tell)
    folder = _folder(shop)
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / f"{made.made_at:%Y%m%dT%H%M%S%f}.json", msgspec.json.encode(made))
    for old in _list_files(shop)[MOST_KEPT:]:
        old.unlink(missing_ok=True)
    return made


def list_reports(shop: "Shop") -> ReportsView:
    """The reports kept, newest first; one that an older version wrote otherwise is left out."""
    found = []
    for path in _list_files(shop):
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=ShopReport))
        except (OSError, msgspec.DecodeError):
            continue
    return ReportsView(tuple(found))


def _find_recipe(shop: "Shop") -> "Recipe | None":
    from lingxi.recommend.recommender import KIND, read_recipe

    artefact = shop.store.artefacts.current(KIND)
    return read_recipe(artefact) if artefact is not None else None


def _folder(shop: "Shop") -> Path:
    return shop.settings.folder / "reports" / "recommender"


def _list_files(shop: "Shop") -> list[Path]:
    return sorted(_folder(shop).glob("*.json"), reverse=True)
