"""What a version of the recommender holds: read, fitted and written, by a training or a renewal."""

from dataclasses import replace

from msgspec import structs

from lingxi.catalogue import read_items
from lingxi.recommend.baskets import count_baskets
from lingxi.recommend.bench import FILL
from lingxi.recommend.content import Descriptions, group_items
from lingxi.recommend.earlier import Earlier, mark_items
from lingxi.recommend.interactions import Interactions, read_interactions
from lingxi.recommend.model import fit_model
from lingxi.recommend.popularity import Trending
from lingxi.recommend.recipe import Recipe
from lingxi.recommend.recommender import Held
from lingxi.store import ArtefactWriter, Store

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


def write_models(
    writer: ArtefactWriter,
    interactions: Interactions,
    recipes: tuple[Recipe, Recipe],
    descriptions: Descriptions | None = None,
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
    kept = structs.replace(chosen, trees="")  # they are a file of their own
    writer.save_json("recommender", Held(kept, visitor, interactions.item_ids))
    return personal
