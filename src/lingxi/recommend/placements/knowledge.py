"""What lists are made from: the recommender in use and the items as they are now."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from lingxi.profiles.read import Counts
from lingxi.recommend.baskets import Baskets
from lingxi.recommend.histories import CART, NOBODY, ORDER, VIEW, Histories
from lingxi.recommend.history import Weighting
from lingxi.recommend.interactions import to_micros
from lingxi.recommend.item_table import ItemTable
from lingxi.recommend.model import Model
from lingxi.recommend.past import Past
from lingxi.recommend.placements.context import Met
from lingxi.recommend.placements.definition import Weights
from lingxi.recommend.placements.scored import Cause, Places, Scored, Vector
from lingxi.recommend.quick import QuickModel
from lingxi.recommend.rerank import Likeness, find_likeness

_ROUNDING = 1e-5
"""What a sum of single precision may differ by; more is a part that no item of the history has."""

_KINDS = ((VIEW, "views"), (CART, "carts"), (ORDER, "orders"))


@dataclass(frozen=True)
class Knowledge:
    """The fitted models and counts beside the item table; the first items of both are the same."""

    table: ItemTable
    model: Model
    visitor_model: Model
    popularity: Vector
    baskets: Baskets
    rows: Mapping[int, int]
    quick: QuickModel | None = None
    quick_visitor: QuickModel | None = None
    trending: Vector | None = None

    @cached_property
    def likeness(self) -> Likeness:
        """What items have in common by category, brand and price."""
        return find_likeness(self.table)

    @property
    def n_known(self) -> int:
        """How many items the models know: the first ones of the table."""
        return self.table.n_known

    def find(self, item_ids: Sequence[str], *, known: bool = False) -> list[int]:
        """Places of these items, unknown ones left out; ``known``: those new to the model too."""
        limit = self.n_known if known else len(self.table)
        index = self.table.index
        return [index[i] for i in item_ids if i in index and index[i] < limit]

    def make_history(
        self,
        past: Mapping[str, Met],
        looked_at: Sequence[str],
        weights: Weights,
        heard: Weighting,
        row: int = NOBODY,
    ) -> Histories:
        """A history as one row: what was done in the past, and one view for what is seen now.

        ``weights`` of the placement take the place of those that the model hears with.
        """
        ratios = _compare_weights(weights, heard)
        events: list[tuple[int, int, int, float]] = []
        newest = max((to_micros(met.last_at) for met in past.values()), default=0)
        seen = set(looked_at)
        for item_id, met in past.items():
            place = self.table.index.get(item_id, self.n_known)
            if place < self.n_known:
                at = newest if item_id in seen else to_micros(met.last_at)
                events += [
                    (place, at, kind, getattr(met, name) * ratios[kind])
                    for kind, name in _KINDS
                    if getattr(met, name)
                ]
        now = [(place, newest, VIEW, ratios[VIEW]) for place in self.find(looked_at, known=True)]
        events = [event for event in (*events, *now) if event[3] > 0]
        places, moments, kinds, counts = zip(*events, strict=True) if events else ((),) * 4
        history = Histories.of_events(
            np.zeros(len(events), dtype=np.int64),
            np.array(places, dtype=np.int64),
            (1, self.n_known),
            moments=np.array(moments, dtype=np.int64),
            kinds=np.array(kinds, dtype=np.int64),
            weights=np.array(counts, dtype=np.float64),
        )
        return replace(history, rows=np.array([row]))

    def score(self, model: Model, history: Histories, kind: str) -> Scored:
        """What a model thinks of all items it knows, with the causes from the history."""
        quick = self.quick if model is self.model else self.quick_visitor
        if quick is not None:
            return self._score_quickly(quick, model, history, kind)
        scores = model.score(history)[0].astype(np.float64)
        places = np.flatnonzero(scores > 0)

        def explain(place: int) -> list[Cause]:
            if place >= self.n_known:
                return []
            given = model.explain(history, np.array([[place]]))
            pairs = zip(given.indices.tolist(), given.data.tolist(), strict=True)
            causes = self._name_causes(kind, pairs)
            rest = float(scores[place]) - sum(cause.value for cause in causes)
            if abs(rest) > _ROUNDING * float(scores[place]):
                causes.append(Cause("model", "", rest))
            return causes

        return Scored(places, scores[places], model.name, explain)

    def score_rows(
        self, rows: Sequence[Counts], looked_at: Sequence[str], weights: Weights
    ) -> Scored | None:
        """As ``score`` by the chosen model, from the profile's rows; only where it is quick."""
        if self.quick is None:
            return None
        past = Past.read(rows, self.table.index, self.n_known, looked_at)
        items, values = past.weigh(_override(weights, self.quick.heard))
        return self._spread(self.quick, self.model, items, values, "history")

    def _score_quickly(
        self, quick: QuickModel, model: Model, history: Histories, kind: str
    ) -> Scored:
        row = history.weigh(quick.heard)
        return self._spread(quick, model, row.indices.astype(np.int64), row.data, kind)

    def _spread(
        self, quick: QuickModel, model: Model, items: Places, weights: Vector, kind: str
    ) -> Scored:
        """What a model of one operator makes of these weights; ``items`` in rising order."""
        spread = quick.spread(items, weights)
        kept = np.flatnonzero(spread.scores > 0)
        order = kept[np.argsort(spread.items[kept])]

        def brief(places: Sequence[int], most: int) -> list[tuple[float, list[Cause]]]:
            found = quick.explain(items, weights, np.array(places, dtype=np.int64), most)
            return [
                (total, self._name_causes(kind, ((int(items[at]), value) for at, value in terms)))
                for total, _, terms in found
            ]

        def explain(place: int) -> list[Cause]:
            return brief([place], len(items))[0][1] if place < self.n_known else []

        values = spread.scores[order].astype(np.float64)
        return Scored(spread.items[order].astype(np.int64), values, model.name, explain, brief)

    def _name_causes(self, kind: str, pairs: Iterable[tuple[int, float]]) -> list[Cause]:
        return [Cause(kind, self.table.facts[item].item_id, value) for item, value in pairs]


def _override(weights: Weights, heard: Weighting) -> Weighting:
    """How the model hears, with the placement's own weights of events."""
    return replace(
        heard,
        view=heard.view if weights.view is None else weights.view,
        cart=heard.cart if weights.cart is None else weights.cart,
        order=heard.order if weights.order is None else weights.order,
    )


def _compare_weights(weights: Weights, heard: Weighting) -> list[float]:
    """By what an event's weight is multiplied, for views, carts and orders."""
    ratios = []
    for wanted, mine in (
        (weights.view, heard.view),
        (weights.cart, heard.cart),
        (weights.order, heard.order),
    ):
        ratios.append(1.0 if wanted is None or mine <= 0 else wanted / mine)
    return ratios
