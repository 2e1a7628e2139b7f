"""Recommendations with names, prices and reasons; the model in use is loaded once and kept."""

from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING

from lingxi.app.cursors import check_size
from lingxi.app.views import Because, RecommendationsView, RecommendedItem, SimilarView
from lingxi.catalogue import get_items
from lingxi.errors import InvalidInput, UnknownCustomer, UnknownItem
from lingxi.ingest import find_customer
from lingxi.ingest.consent import is_allowed
from lingxi.schema import Item

if TYPE_CHECKING:
    from lingxi.app.shop import Shop
    from lingxi.recommend import Recommended, Recommender
    from lingxi.store import Store

LARGEST = 100
"""Items in one answer at most."""

_LONGEST_HISTORY = 100


class Shelf:
    """Holds the recommender in use and changes it when another version is activated."""

    def __init__(self, store: "Store") -> None:
        self._store = store
        self._lock = Lock()
        self._held: tuple[str, Recommender] | None = None

    def get(self) -> "Recommender":
        """The recommender in use.

        Raises
        ------
        NotTrained
            Before the first training.
        """
        from lingxi.recommend import Recommender

        version = Recommender.current_version(self._store)
        held = self._held
        if held is None or held[0] != version:
            with self._lock:
                held = self._held
                if held is None or held[0] != version:
                    held = (version, Recommender.load(self._store))
                    self._held = held
        return held[1]

    def recommend(
        self, shop: "Shop", customer_id: str | None, *, n: int, history: Sequence[str]
    ) -> RecommendationsView:
        """For a known customer from their own history; for anyone else from ``history``."""
        check_size(n, largest=LARGEST)
        if len(history) > _LONGEST_HISTORY:
            raise InvalidInput(f"history holds {len(history)} items; {_LONGEST_HISTORY} at most.")
        recommender = self.get()
        with shop.store.read() as tx:
            customer = None
            if customer_id is not None:
                try:
                    customer = find_customer(tx, customer_id, store=shop.store)
                except UnknownCustomer:
                    customer = None
            personal = customer is None or is_allowed(
                tx, shop.settings.consent, customer, "personalisation"
            )
            found = recommender.recommend(
                tx,
                customer if personal else None,
                n=n,
                history=list(history) if history else None,
            )
            items = get_items(tx, _mentioned(found))
        return RecommendationsView(
            customer_id=customer_id,
            known=customer is not None,
            personalised=personal,
            model=recommender.name,
            as_of=shop.clock.now(),
            currency=shop.settings.shop.currency,
            items=tuple(to_recommended(one, items) for one in found),
        )

    def similar(self, shop: "Shop", item_id: str, *, n: int) -> SimilarView:
        """The items nearest to one of the catalogue's."""
        check_size(n, largest=LARGEST)
        with shop.store.read() as tx:
            known = get_items(tx, [item_id])
            if item_id not in known:
                raise UnknownItem(f"There is no item {item_id[:80]!r}.")
            recommender = self.get()
            found = recommender.similar(item_id, n)
            items = get_items(tx, _mentioned(found))
        return SimilarView(
            item_id=item_id,
            name=known[item_id].name,
            model=recommender.item_model,
            currency=shop.settings.shop.currency,
            items=tuple(to_recommended(one, items) for one in found),
        )


def to_recommended(found: "Recommended", items: Mapping[str, Item]) -> RecommendedItem:
    """A recommendation with what the catalogue knows of it."""
    item = items.get(found.item_id)
    return RecommendedItem(
        item_id=found.item_id,
        name=item.name if item else "",
        category=item.category if item else None,
        price_cents=item.price_cents if item else None,
        score=found.score,
        model=found.model,
        because=tuple(
            Because(cause, items[cause].name if cause in items else "", share)
            for cause, share in found.because
        ),
    )


def _mentioned(found: "Iterable[Recommended]") -> list[str]:
    ids = {one.item_id for one in found}
    ids.update(cause for one in found for cause, _ in one.because)
    return sorted(ids)
