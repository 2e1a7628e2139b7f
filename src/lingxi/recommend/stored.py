"""What a version of the recommender holds: read, fitted and written, by a training or a renewal."""

from dataclasses import replace

from msgspec import structs

from lingxi.catalogue import read_items
from lingxi.ingest.consent import keep_permitted
from lingxi.recommend.attribution import describe_makeup
from lingxi.recommend.baskets import count_baskets
from lingxi.recommend.bench import FILL
from lingxi.recommend.content import Descriptions, group_items
from lingxi.recommend.earlier import Earlier, mark_items
from lingxi.recommend.interactions import Interactions, read_interactions
from lingxi.recommend.makeup import FILE
from lingxi.recommend.model import fit_model
from lingxi.recommend.popularity import Trending
from lingxi.recommend.promotions import NAMES, Counts
from lingxi.recommend.ranker import Ranked, count_gains
from lingxi.recommend.recipe import Recipe
from lingxi.recommend.recommender import Held
from lingxi.recommend.scorer import Scorer
from lingxi.schema import Name
from lingxi.store import Artefact, ArtefactWriter, Store

PURPOSES = ("personalisation", "analytics")
"""Whose data may be used for both teaches the recommender."""
_PROMOTIONS = "promotions"
FULL, RENEWAL = "full", "renewal"
"""``Manifest.extra["refit"]``: chosen anew, or the same recipe with the events since."""


def read_described(store: Store) -> tuple[Interactions, Descriptions | None]:
    """All that was done, and what the catalogue says of the items; nothing where it is silent."""
    with store.analytics() as analytics:
        interactions = read_interactions(analytics)
    with store.read() as tx:
        known = read_items(tx)
    items = [known.get(item_id) for item_id in interactions.item_ids]
    found = Descriptions.of(items)
    if not found.vectors.nnz:
        return interactions, None
    return replace(interactions, about=found.vectors, groups=group_items(items)), found


def _write_makeup(writer: ArtefactWriter, recipe: Recipe, scorer: Scorer) -> None:
    gains = count_gains(scorer.trees).items() if isinstance(scorer, Ranked) else ()
    makeup = describe_makeup(recipe, tuple(gains))
    if makeup is not None:
        writer.save_json(FILE, makeup)


def read_promotions(store: Store, position: int) -> dict[str, tuple[int, int]]:
    """Views and clicks of promotions up to a position of the log, of those who let them teach."""
    with store.analytics() as analytics:
        events = keep_permitted(analytics, analytics.events, *PURPOSES)
        wanted = events.filter(
            events.name.isin(list(NAMES)), events.item_id.notnull(), events.position <= position
        )
        told = wanted.select("position", "item_id", "name").distinct()
        counted = told.group_by(["item_id", "name"]).aggregate(n=told.count())
        rows = analytics.to_arrow(counted).to_pylist()
    found = {(row["item_id"], row["name"]): int(row["n"]) for row in rows}
    viewed, clicked = (Name.PROMOTION_VIEWED, Name.PROMOTION_CLICKED)
    ids = sorted({item_id for item_id, _ in found})
    return {i: (found.get((i, viewed), 0), found.get((i, clicked), 0)) for i in ids}


def load_promotions(artefact: Artefact) -> Counts | None:
    """The counts a version was stored with; nothing from one that kept none."""
    if f"{_PROMOTIONS}.json" not in artefact.manifest.files:
        return None
    return artefact.load_json(_PROMOTIONS, dict[str, tuple[int, int]])


def write_models(
    writer: ArtefactWriter,
    interactions: Interactions,
    recipes: tuple[Recipe, Recipe],
    descriptions: Descriptions | None = None,
    promotions: Counts | None = None,
    earlier: Earlier | None = None,
) -> dict[str, str]:
    """Fit the recipes for customers and for visitors on everything, and write all that serves.

    ``earlier`` makes it faster and changes nothing. The answer is ``Manifest.personal``.
    """
    taught = interactions.histories()
    chosen, visitor = recipes
    parts = {"chosen": chosen} | ({"visitor": visitor} if visitor != chosen else {})
    personal: dict[str, str] = {}
    for prefix, recipe in parts.items():
        model = fit_model(recipe, taught, earlier, prefix)
        if prefix == "chosen":
            _write_makeup(writer, recipe, model.scorer)
        personal |= model.scorer.save(writer, prefix, interactions.customers)
        writer.save_array(f"{prefix}_trend", model.trend)
    popular = taught.popularity(FILL)
    top = float(popular.max(initial=0.0))
    writer.save_array("popularity", popular / top if top > 0 else popular)
    trending = Trending("trending")
    trending.fit(taught)
    writer.save_array("trending", trending.weights)
    writer.save_array("marks", mark_items(interactions))
    count_baskets(interactions).save(writer)
    if descriptions is not None:
        descriptions.save(writer)
    if promotions is not None:
        writer.save_json(_PROMOTIONS, promotions)
    kept = structs.replace(chosen, trees="")  # they are a file of their own
    writer.save_json("recommender", Held(kept, visitor, interactions.item_ids))
    return personal
