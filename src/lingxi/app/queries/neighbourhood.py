"""An item, its neighbours in the model in use, and how near those are to each other."""

from typing import TYPE_CHECKING

from lingxi.app.cursors import check_size
from lingxi.app.quality_views import Neighbour, NeighbourhoodView, Tie
from lingxi.catalogue import get_items
from lingxi.errors import UnknownItem

if TYPE_CHECKING:
    from lingxi.app.queries.recommendations import Shelf
    from lingxi.app.shop import Shop

LARGEST = 20
_DEEP = 50
_TIES = 3
"""Of each neighbour its strongest ones: more would hide them all."""


def get_neighbourhood(
    shop: "Shop", shelf: "Shelf", item_id: str, *, n: int = 8
) -> NeighbourhoodView:
    """The ``n`` nearest items to one, with ties among them.

    Raises
    ------
    UnknownItem
        If the catalogue has no such item.
    NotTrained
        Before the first training.
    """
    check_size(n, largest=LARGEST)
    with shop.store.read() as tx:
        known = get_items(tx, [item_id])
    if item_id not in known:
        raise UnknownItem(f"There is no item {item_id[:80]!r}.")
    recommender = shelf.get()
    similar = shelf.similar(shop, item_id, n=n)
    together = {each.item_id: each for each in recommender.bought_together(item_id, _DEEP)}
    places = {one.item_id: place for place, one in enumerate(similar.items)}
    ties: dict[tuple[int, int], float] = {}
    for one, place in places.items():
        near = (
            other
            for other in recommender.similar(one, _DEEP)
            if other.item_id in places and other.score > 0
        )
        for other in list(near)[:_TIES]:
            at = places[other.item_id]
            pair = (min(place, at), max(place, at))
            ties[pair] = max(ties.get(pair, 0.0), other.score)
    return NeighbourhoodView(
        item_id=item_id,
        name=known[item_id].name,
        category=known[item_id].category,
        model=similar.model,
        currency=similar.currency,
        neighbours=tuple(
            Neighbour(
                one,
                together[one.item_id].orders if one.item_id in together else None,
                together[one.item_id].lift if one.item_id in together else None,
            )
            for one in similar.items
        ),
        ties=tuple(Tie(one, other, score) for (one, other), score in sorted(ties.items())),
    )
