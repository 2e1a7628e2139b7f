"""A renewal: the recipe in use, fitted on all events there are now; nothing is chosen anew.

It is what a training that chose the same recipe would store: whoever and whatever is new counts in
every operator, in popularity and in pairs. What cannot have changed is taken over from the version
in use (``earlier``), which makes it faster and no different.
"""

from msgspec import structs

from lingxi.config import Settings
from lingxi.errors import Conflict, NotEnoughData, NotTrained
from lingxi.recommend.earlier import Earlier, mark_items
from lingxi.recommend.families import find_family
from lingxi.recommend.recipe import Recipe
from lingxi.recommend.recommender import KIND, Held, read_recipe
from lingxi.recommend.stored import RENEWAL, read_described, read_promotions, write_models
from lingxi.store import Manifest, Progress, Store

STEP = "Recommenders"
_STEPS = 3


def is_renewable(recipe: Recipe) -> bool:
    """Whether the recipe is fitted in seconds here, all its parts included.

    >>> from lingxi.recommend.families import make_recipe
    >>> is_renewable(make_recipe("rp3beta")), is_renewable(make_recipe("transformer"))
    (True, False)
    """
    family = find_family(recipe.name)
    return family.renewable and family.available and all(map(is_renewable, recipe.parts))


def was_renewed(manifest: Manifest) -> bool:
    """Whether a version is a renewal of an earlier choice."""
    return manifest.extra.get("refit") == RENEWAL


def renew_recommender(store: Store, settings: Settings, progress: Progress) -> Manifest:
    """Fit the recipe in use on all events; the new version is in use afterwards.

    Its manifest keeps what was measured when the recipe was chosen, and says in ``extra`` which
    version that was, when, how many renewals it has had and how many items' events were others,
    where the version before knows.

    Raises
    ------
    NotTrained
        If no recipe was chosen yet.
    Conflict
        If the recipe in use takes too long to be fitted between two choices.
    NotEnoughData
        If there are no events of products any more.
    """
    artefact = store.artefacts.current(KIND)
    if artefact is None:
        raise NotTrained("There is no recommender to renew. 'lingxi train' makes one.")
    recipe = read_recipe(artefact)
    if not is_renewable(recipe):
        raise Conflict(
            f"{recipe.name} cannot be renewed in seconds; 'lingxi train' learns it anew."
        )
    progress(STEP, 0, _STEPS)
    position = store.log.position()
    interactions, descriptions = read_described(store)
    if not len(interactions.items):
        raise NotEnoughData("There are no events of products any more, so there is nothing to fit.")
    progress(STEP, 1, _STEPS)
    held, before = artefact.load_json("recommender", Held), artefact.manifest
    marks = mark_items(interactions)
    earlier = Earlier.read(artefact, held.item_ids, interactions.item_ids, marks)
    changed = None if earlier is None else int(earlier.changed.sum())
    with store.artefacts.write(KIND) as writer:
        recipes = recipe, held.visitor_recipe
        counts = read_promotions(store, position)
        personal = write_models(writer, interactions, recipes, descriptions, counts, earlier)
        writer.manifest = structs.replace(
            before,
            data_from=interactions.first_moment,
            data_to=interactions.last_moment,
            events=position,
            extra={**before.extra, **_tell(before), "items_changed": changed},
            personal=personal,
            moved={},
        )
    progress(STEP, 2, _STEPS)
    _remove_superseded(store, before, settings.learning.keep_versions)
    progress(STEP, _STEPS, _STEPS)
    renewed = store.artefacts.current(KIND)
    return renewed.manifest if renewed else writer.manifest


def _tell(before: Manifest) -> dict[str, str | int]:
    """Where the recipe was chosen, and how often it has been renewed."""
    if was_renewed(before):
        return {"renewals": int(before.extra.get("renewals") or 0) + 1}
    return {
        "refit": RENEWAL,
        "renewals": 1,
        "chosen_version": before.version,
        "chosen_at": before.created_at.isoformat(),
    }


def _remove_superseded(store: Store, before: Manifest, keep: int) -> None:
    """One renewal before this one stays, to go back to; the versions chosen stay as they did."""
    renewals = [
        each.version
        for each in store.artefacts.list(KIND)
        if was_renewed(each) and each.version < before.version and not each.active
    ]
    store.artefacts.remove(KIND, renewals)
    store.artefacts.prune(KIND, keep)
