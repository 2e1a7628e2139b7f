"""Serving: a customer's own history, read in the caller's transaction, against stored operators."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from numpy.typing import NDArray

from lingxi.catalogue import get_items
from lingxi.errors import InvalidInput, NotTrained
from lingxi.profiles import HistoryItem, read_history
from lingxi.recommend.baskets import Baskets, Together
from lingxi.recommend.batch import recommend_in_blocks
from lingxi.recommend.families import build_scorer
from lingxi.recommend.histories import CART, NOBODY, ORDER, VIEW, Histories
from lingxi.recommend.interactions import to_micros
from lingxi.recommend.lists import fill_up, top_items
from lingxi.recommend.model import Model
from lingxi.recommend.operators import ItemOperator
from lingxi.recommend.recipe import Recipe
from lingxi.recommend.rules import Candidate, RuleSettings, find_rule
from lingxi.recommend.scorer import Vector
from lingxi.store import Artefact, Progress, Store, silent

KIND = "recommender"
LONGEST_HISTORY = 2000
_SPARE = 20
_UNTRAINED = "There is no recommender. 'lingxi train' makes one from orders that name products."


@dataclass(frozen=True)
class Recommended:
    """One recommendation. ``because``: items of the history with their shares of the score.

    The shares of all items of the history sum to 1; only the largest are listed. What popularity
    fills in has no reasons, and a score that is a share of the most popular item's.
    """

    item_id: str
    score: float
    model: str
    because: tuple[tuple[str, float], ...] = ()


class Held(msgspec.Struct, frozen=True):
    """What an artefact's ``recommender.json`` holds."""

    recipe: Recipe
    visitor_recipe: Recipe
    item_ids: tuple[str, ...]


class Recommender:
    """The trained recommender. It holds no state of a customer: all of that is read when asked."""

    def __init__(
        self,
        model: Model,
        visitor_model: Model,
        item_ids: tuple[str, ...],
        popularity: Vector,
        baskets: Baskets,
        customers: NDArray[np.int64],
        version: str = "",
    ) -> None:
        self.model, self.visitor_model = model, visitor_model
        self.item_ids, self.popularity, self.baskets = item_ids, popularity, baskets
        self.version = version
        self.ids = pa.array(item_ids, pa.string())
        self.index = {item_id: at for at, item_id in enumerate(item_ids)}
        self.rows = {int(c): row for row, c in enumerate(customers.tolist()) if c >= 0}

    @property
    def name(self) -> str:
        """The model chosen for customers."""
        return self.model.name

    @property
    def item_model(self) -> str:
        """The item-item model that serves visitors and similar items."""
        return self.visitor_model.name

    @staticmethod
    def current_version(store: Store) -> str:
        """The version in use.

        Raises
        ------
        NotTrained
            Before the first training.
        """
        version = store.artefacts.current_version(KIND)
        if version is None:
            raise NotTrained(_UNTRAINED)
        return version

    @staticmethod
    def load(store: Store) -> "Recommender":
        """The recommender in use; its arrays are mapped into memory, not read.

        Raises
        ------
        NotTrained
            Before the first training.
        """
        artefact = _current(store)
        held = artefact.load_json("recommender", Held)
        model, customers = _load_model(artefact, held.recipe, "chosen")
        visitor_model = (
            model
            if held.recipe == held.visitor_recipe
            else _load_model(artefact, held.visitor_recipe, "visitor")[0]
        )
        return Recommender(
            model,
            visitor_model,
            held.item_ids,
            artefact.load_array("popularity", np.float64),
            Baskets.load(artefact),
            customers,
            artefact.manifest.version,
        )

    def recommend(
        self,
        tx: sa.Connection,
        customer: int | None,
        *,
        n: int = 10,
        history: Sequence[str] | None = None,
        rules: RuleSettings | None = None,
        reasons: int = 3,
    ) -> tuple[Recommended, ...]:
        """The ``n`` best items for a customer or a visitor, best first, after all rules.

        Parameters
        ----------
        tx
            The customer's history is read in it, so what it has written counts.
        customer
            Canonical subject, or nothing for a visitor.
        history
            Items looked at just now, one view each; ids the model lacks are passed over.
        reasons
            Largest shares listed with each item.

        Raises
        ------
        InvalidInput
            If ``n`` is below 1.
        """
        if n < 1:
            raise InvalidInput(f"n must be at least 1, but is {n}.")
        past = read_history(tx, customer, LONGEST_HISTORY) if customer is not None else []
        row = self.rows.get(customer, -1) if customer is not None else -1
        model = self.model if customer is not None and past else self.visitor_model
        given = tuple(dict.fromkeys(history or ()))
        mine = self.read_history(past, given, row)
        scores = np.array(model.score(mine))
        fill_up(scores, self.popularity)
        kept = self._apply(tx, scores[0], past, given, rules or RuleSettings(), n)
        return self._explain(model, mine, kept, scores[0], reasons)

    def recommend_all(
        self,
        store: Store,
        customers: Sequence[int],
        *,
        n: int = 10,
        rules: RuleSettings | None = None,
        reasons: int = 3,
        progress: Progress = silent,
    ) -> pa.Table:
        """The same lists for many customers: columns customer, rank, item_id, score, because.

        Rank counts from 1; the schema is ``batch.LISTS``. Customers without a history get what is
        popular.
        """
        return recommend_in_blocks(
            self,
            store,
            customers,
            n=n,
            rules=rules or RuleSettings(),
            reasons=reasons,
            progress=progress,
        )

    def read_history(
        self, past: Sequence[HistoryItem], given: Sequence[str] = (), row: int = NOBODY
    ) -> Histories:
        """A customer's history as one row; ``given``: looked at just now, one view each.

        The profile keeps numbers of each kind and the last moment, so an event stands for all of
        its kind and item. Items that the model has not met are left out.
        """
        events: list[tuple[int, int, int, int]] = []
        now = max((to_micros(entry.last_at) for entry in past), default=0)
        looked = {item_id for item_id in given if item_id in self.index}
        for entry in past:
            if (item := self.index.get(entry.item_id)) is None:
                continue
            at = now if entry.item_id in looked else to_micros(entry.last_at)
            counts = ((VIEW, entry.views), (CART, entry.carts), (ORDER, entry.orders))
            events += [(item, at, kind, count) for kind, count in counts if count]
        events += [(self.index[item_id], now, VIEW, 1) for item_id in given if item_id in looked]
        table = np.array(events, dtype=np.int64).reshape(-1, 4)
        history = Histories.of_events(
            np.zeros(len(table), dtype=np.int64),
            table[:, 0],
            (1, len(self.item_ids)),
            moments=table[:, 1],
            kinds=table[:, 2],
            weights=table[:, 3].astype(np.float32),
        )
        return replace(history, rows=np.array([row]))

    def similar(self, item_id: str, n: int = 10) -> tuple[Recommended, ...]:
        """The items most like one, best first; none for an item the model has not met."""
        at, scorer = self.index.get(item_id), self.visitor_model.scorer
        if at is None or not isinstance(scorer, ItemOperator):
            return ()
        items, values = scorer.similar(at)
        order = np.lexsort((items, -values))[:n]
        return tuple(
            Recommended(self.item_ids[items[place]], float(values[place]), self.item_model)
            for place in order.tolist()
        )

    def bought_together(self, item_id: str, n: int = 10) -> tuple[Together, ...]:
        """The items most often in the same orders as one; none for an item the model lacks."""
        at = self.index.get(item_id)
        return () if at is None else self.baskets.together(at, self.item_ids, n)

    def _apply(
        self,
        tx: sa.Connection,
        scores: NDArray[np.float32],
        past: Sequence[HistoryItem],
        given: Sequence[str],
        rules: RuleSettings,
        n: int,
    ) -> list[int]:
        """The first ``n`` items in order of score that no rule keeps out."""
        own = {e.item_id: Candidate(e.item_id, None, e.orders, e.last_at) for e in past}
        for item_id in given:
            own[item_id] = replace(own.get(item_id, Candidate(item_id)), given=True)
        for item_id, candidate in own.items():
            if item_id in self.index and find_rule(candidate, rules) is not None:
                scores[self.index[item_id]] = -np.inf
        asked, wanted, kept = 0, n + _SPARE, list[int]()
        while len(kept) < n and asked < len(self.item_ids):
            places = top_items(scores[None, :], min(wanted, len(self.item_ids)))[0]
            fresh = [int(item) for item in places[asked:] if item >= 0]
            if not fresh:
                break
            items = get_items(tx, [self.item_ids[item] for item in fresh])
            for item in fresh:
                item_id = self.item_ids[item]
                candidate = replace(own.get(item_id, Candidate(item_id)), item=items.get(item_id))
                if find_rule(candidate, rules) is None:
                    kept.append(item)
            asked, wanted = len(places), wanted * 4
        return kept[:n]

    def _explain(
        self,
        model: Model,
        mine: Histories,
        kept: Sequence[int],
        scores: NDArray[np.float32],
        reasons: int,
    ) -> tuple[Recommended, ...]:
        if not kept:
            return ()
        given = model.explain(mine, np.array([kept]))
        found = []
        for place, item in enumerate(kept):
            start, stop = given.indptr[place], given.indptr[place + 1]
            cells, values = given.indices[start:stop], given.data[start:stop]
            total = float(values.sum())
            if scores[item] < 0 or total <= 0:
                fallback = float(self.popularity[item])
                found.append(Recommended(self.item_ids[item], fallback, "popularity"))
                continue
            order = np.lexsort((cells, -values))[:reasons]
            because = tuple((self.item_ids[cells[o]], float(values[o]) / total) for o in order)
            found.append(Recommended(self.item_ids[item], total, model.name, because))
        return tuple(found)


def _current(store: Store) -> Artefact:
    artefact = store.artefacts.current(KIND)
    if artefact is None:
        raise NotTrained(_UNTRAINED)
    return artefact


def _load_model(artefact: Artefact, recipe: Recipe, prefix: str) -> tuple[Model, NDArray[np.int64]]:
    scorer = build_scorer(recipe)
    customers = scorer.load(artefact, prefix)
    return Model(recipe, scorer, artefact.load_array(f"{prefix}_trend", np.float64)), customers
