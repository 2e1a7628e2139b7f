"""Recommendations with names, prices and reasons; the model in use is loaded once and kept."""

import logging
from collections.abc import Sequence
from threading import Lock, Thread
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import Connection

from lingxi.app.cursors import check_size
from lingxi.app.served import to_plain_event
from lingxi.app.views import Because, RecommendationsView, RecommendedItem, SimilarView
from lingxi.catalogue import get_items
from lingxi.errors import (
    CorruptArtefact,
    InvalidInput,
    LingxiError,
    UnknownItem,
    UnknownModel,
)
from lingxi.ingest import seek_customer
from lingxi.ingest.consent import is_allowed
from lingxi.profiles.read import is_sent_back, read_counts
from lingxi.recommend.rules import MOST_HISTORY

if TYPE_CHECKING:
    from lingxi.app.shop import Shop
    from lingxi.recommend import Recommended, Recommender
    from lingxi.recommend.goods import Goods
    from lingxi.store import Store

_KIND = "recommender"
log = logging.getLogger(__name__)

LARGEST = 100
"""Items in one answer at most."""


class Shelf:
    """Holds the recommender in use and changes it when another version is activated."""

    def __init__(self, store: "Store") -> None:
        self._store = store
        self._lock = Lock()
        self._held: Recommender | None = None
        self._mark: object = None
        self._loading = Lock()

    def get(self) -> "Recommender":
        """The recommender in use, loaded first if it is another than the one held.

        Raises
        ------
        NotTrained
            Before the first training.
        """
        mark, held = self._store.artefacts.current_mark(_KIND), self._held
        if held is not None and mark == self._mark:
            return held
        with self._lock:
            return self._load()

    def peek(self) -> "Recommender | None":
        """The recommender held, without waiting; another one in use is loaded in a thread of its
        own and held as soon as it is ready. Nothing before the first."""
        if self._store.artefacts.current_mark(_KIND) != self._mark and self._loading.acquire(False):
            Thread(target=self._load_beside, daemon=True).start()
        return self._held

    def measure_memory(self) -> dict[str, int]:
        """What the recommender held takes, by part; nothing where none is."""
        held = self._held
        return {} if held is None else held.measure_memory()

    def _load_beside(self) -> None:
        try:
            self.get()
        except LingxiError as error:  # the one held goes on serving
            log.warning("the recommender in use cannot be loaded: %s", error)
        finally:
            self._loading.release()

    def _load(self) -> "Recommender":
        """Load what is in use; once more if it was taken away for a newer one meanwhile."""
        from lingxi.recommend import Recommender

        for last in (False, True):
            mark = self._store.artefacts.current_mark(_KIND)
            if self._held is not None and mark == self._mark:
                break
            try:
                fresh = Recommender.load(self._store)
            except (UnknownModel, CorruptArtefact):
                if last or mark == self._store.artefacts.current_mark(_KIND):
                    raise
                continue
            with self._store.read() as tx:
                goods = fresh.goods.current(tx)
                goods.fill_order()
                fresh.find_stand_ins(tx, goods)
            self._held, self._mark = fresh, mark
            break
        assert self._held is not None
        return self._held

    def recommend(
        self,
        shop: "Shop",
        customer_id: str | None,
        *,
        n: int,
        history: Sequence[str],
        like: Sequence[str],
        log: bool,
    ) -> RecommendationsView:
        """For a known customer from their own history; for anyone else from ``history``."""
        recommender = self.get()
        with shop.store.read() as tx:
            return answer(
                shop, tx, recommender, customer_id, n=n, history=history, like=like, log=log
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
            goods = recommender.goods.current(tx)
        return SimilarView(
            item_id=item_id,
            name=known[item_id].name,
            model=recommender.item_model,
            currency=shop.settings.shop.currency,
            items=tuple(to_recommended(one, goods) for one in found),
        )


def answer(
    shop: "Shop",
    tx: Connection,
    recommender: "Recommender",
    customer_id: str | None,
    *,
    n: int,
    history: Sequence[str],
    like: Sequence[str] = (),
    log: bool = False,
) -> RecommendationsView:
    """What one customer, or a visitor, would like, as this transaction sees everything.

    ``like``: a taste that they told, which counts where they have no history, nor ``history``;
    ``log``: it is shown to them; the list waits in a bounded queue for the log.

    Raises
    ------
    InvalidInput
        If ``n`` or ``history`` is longer than may be asked for.
    """
    check_size(n, largest=LARGEST)
    if len(history) > MOST_HISTORY:
        raise InvalidInput(f"history holds {len(history)} items; {MOST_HISTORY} at most.")
    if len(like) > MOST_HISTORY:
        raise InvalidInput(f"like holds {len(like)} terms; {MOST_HISTORY} at most.")
    customer = None
    if customer_id is not None:
        customer = seek_customer(tx, customer_id, store=shop.store)
    personal = customer is None or is_allowed(
        tx, shop.settings.consent, customer, "personalisation"
    )
    subject = customer if personal else None
    if (
        like
        and not history
        and (subject is None or all(map(is_sent_back, read_counts(tx, subject, 1))))
    ):
        found = recommender.recommend_to_taste(to_recommended, tx, like, n=n)
    else:
        found = recommender.recommend_as(to_recommended, tx, subject, n=n, history=history)
    now, list_id = shop.clock.now(), ""
    if log:
        list_id = uuid4().hex
        shop.served.put(
            to_plain_event(list_id, found, subject=subject, now=now, version=recommender.version)
        )
    return RecommendationsView(
        customer_id=customer_id,
        known=customer is not None,
        personalised=personal,
        model=recommender.name,
        as_of=now,
        currency=shop.settings.shop.currency,
        items=found,
        version=recommender.version,
        list_id=list_id,
    )


def to_recommended(found: "Recommended", goods: "Goods") -> RecommendedItem:
    """A recommendation with what the catalogue knows of it."""
    item = goods.find(found.item_id)
    because = []
    for cause, share in found.because:
        known = goods.find(cause)
        because.append(Because(cause, known.name if known else "", share))
    return RecommendedItem(
        item_id=found.item_id,
        name=item.name if item else "",
        category=item.category if item else None,
        price_cents=item.price_cents if item else None,
        score=found.score,
        model=found.model,
        because=tuple(because),
    )
