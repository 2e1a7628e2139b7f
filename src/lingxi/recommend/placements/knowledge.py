"""What lists are made from: the recommender in use and the items as they are now."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from lingxi.profiles.read import CountColumns
from lingxi.recommend.attribution import Attributing, tell_signals
from lingxi.recommend.baskets import Baskets
from lingxi.recommend.histories import CART, NOBODY, ORDER, VIEW, Histories
from lingxi.recommend.history import Weighting
from lingxi.recommend.interactions import to_micros
from lingxi.recommend.item_table import ItemTable
from lingxi.recommend.kept import Told
from lingxi.recommend.kernels import list_once
from lingxi.recommend.largest import list_largest
from lingxi.recommend.model import Model
from lingxi.recommend.newcomers import Mixture, StandIns
from lingxi.recommend.past import Past
from lingxi.recommend.placements.context import Met
from lingxi.recommend.placements.definition import Weights
from lingxi.recommend.placements.scored import Cause, Largest, Places, Scored, Vector
from lingxi.recommend.quick import QuickModel, Voice, Voices, mix_table
from lingxi.recommend.rerank import Likeness, find_likeness

_ROUNDING = 1e-5
"""What a sum of single precision may differ by; more is a part that no item of the history has."""

_AS_CHOSEN = Weights()
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
    stand_ins: StandIns | None = None
    """For the items of the table that came since the model was fitted, those behind ``n_known``."""

    @cached_property
    def likeness(self) -> Likeness:
        """What items have in common by category, brand and price."""
        return find_likeness(self.table)

    @property
    def is_quick(self) -> bool:
        """Whether one history costs what it touches, and not a look at all items."""
        return self.quick is not None and self.quick_visitor is not None

    @property
    def n_known(self) -> int:
        """How many items the models know: the first ones of the table."""
        return self.table.n_known

    @property
    def counted(self) -> int:
        """How many items count in histories: those known, and new ones that others stand in for."""
        return self.n_known if self.stand_ins is None else self.stand_ins.n_all

    def tell(self, columns: CountColumns) -> Told:
        """A history that no profile keeps as it is, by the places of its items."""
        return Told.read(columns, self.table.index, self.counted)

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
        return self._score_slowly(model, history, kind)

    def _score_slowly(self, model: Model, history: Histories, kind: str) -> Scored:
        scores = model.score(history)[0].astype(np.float64)
        if self.stand_ins is not None:
            lent = self.stand_ins.lend(scores[self.stand_ins.shares.indices])
            scores = np.concatenate((scores, lent))
        places = np.flatnonzero(scores > 0)

        def tell(wanted: Sequence[int]) -> tuple[Places, Vector, list[float]]:
            causes, table = self._tell(model, history, np.array(wanted, dtype=np.int64))
            return causes, table, (scores[wanted] - table.sum(axis=1)).tolist()

        def add_rest(causes: list[Cause], place: int, rest: float) -> list[Cause]:
            told = abs(rest) <= _ROUNDING * float(scores[place])
            return causes if told else [*causes, Cause("model", "", rest)]

        def explain(place: int) -> list[Cause]:
            causes, table, (rest,) = tell([place])
            return add_rest(self._name_causes(kind, _pair(causes, table[0])), place, rest)

        def brief(wanted: Sequence[int], most: int) -> list[Largest]:
            items, table, left = tell(wanted)
            found = list[Largest]()
            for place, rest, terms in zip(wanted, left, list_largest(table, most), strict=True):
                named = self._name_causes(kind, ((int(items[at]), v) for at, v in terms.largest))
                causes = add_rest(named, place, rest)
                for_it = terms.support + sum(max(each.value, 0.0) for each in causes[len(named) :])
                causes.sort(key=lambda each: (-each.value, each.item_id))
                found.append((float(scores[place]), for_it, causes[:most]))
            return found

        signals = None
        if isinstance(model.scorer, Attributing):
            signals = partial(tell_signals, model.scorer, model.recipe, history)
        return Scored(places, scores[places], model.name, explain, brief, signals)

    def score_past(
        self, past: Past, looked_at: Sequence[str], weights: Weights, *, personal: bool
    ) -> Scored | None:
        """As ``score``, from a past by place, by the model for customers or by that for visitors;
        only where it is quick."""
        quick = self.quick if personal else self.quick_visitor
        if quick is None:
            return None
        looked = self.find(looked_at)
        past = past.look_at(looked, self.counted) if looked else past.count_to(self.counted)
        voices = [
            Voice.of(*past.weigh(_override(weights, heard)), self.stand_ins)
            for heard in quick.hearings
        ]
        return self._spread(quick, self.model if personal else self.visitor_model, voices)

    def _tell(self, model: Model, history: Histories, places: Places) -> tuple[Places, Vector]:
        """What each item of the history gives to each of these, whoever stands in for it: the
        items that give anything, rising, and a row for each place."""
        asked, mixed = self._ask(places)
        if not len(asked):
            return np.empty(0, dtype=np.int64), np.zeros((len(places), 0))
        given = model.explain(history, asked[None, :])
        items = list_once(given.indices).astype(np.int64)
        table = np.zeros((len(asked), len(items)))
        owners = np.repeat(np.arange(len(asked)), np.diff(given.indptr))
        table[owners, np.searchsorted(items, given.indices)] = given.data
        return items, mix_table(table, mixed, len(places))

    def _ask(self, places: Places) -> tuple[Places, Mixture | None]:
        """The items known to the model by which the value of these is told."""
        if self.stand_ins is None:
            return places[places < self.n_known], None
        return self.stand_ins.ask(places[places < self.stand_ins.n_all])

    def _score_quickly(
        self, quick: QuickModel, model: Model, history: Histories, kind: str
    ) -> Scored:
        rows = [history.weigh(heard) for heard in quick.hearings]
        voices = [Voice.of(row.indices.astype(np.int64), row.data, self.stand_ins) for row in rows]
        return self._spread(quick, model, voices, kind)

    def _spread(
        self, quick: QuickModel, model: Model, voices: Voices, kind: str = "history"
    ) -> Scored:
        """What a model of operators makes of what it hears."""
        spread = quick.spread(voices, self.stand_ins)
        kept = (spread.scores > 0).nonzero()[0]
        items, scores = spread.items[kept].astype(np.int64, copy=False), spread.scores[kept]
        if not (items[1:] > items[:-1]).all():
            order = np.argsort(items)
            items, scores = items[order], scores[order]

        def find_table(places: Sequence[int]) -> tuple[Places, Vector]:
            asked, mixed = self._ask(np.array(places, dtype=np.int64))
            causes, table = quick.find_table(voices, asked)
            return causes, mix_table(table, mixed, len(places)) if len(asked) else table

        def brief(places: Sequence[int], most: int) -> list[Largest]:
            causes, table = find_table(places)
            facts, ids = self.table.facts, causes.tolist()
            return [
                (total, for_it, [Cause(kind, facts[ids[at]].item_id, v) for at, v in terms])
                for total, for_it, terms in list_largest(table, most)
            ]

        def explain(place: int) -> list[Cause]:
            causes, table = find_table([place])
            return self._name_causes(kind, _pair(causes, table[0])) if len(table) else []

        return Scored(items, scores.astype(np.float64), model.name, explain, brief)

    def _name_causes(self, kind: str, pairs: Iterable[tuple[int, float]]) -> list[Cause]:
        return [Cause(kind, self.table.facts[item].item_id, value) for item, value in pairs]


def _pair(items: NDArray[np.integer], terms: Vector) -> list[tuple[int, float]]:
    """The items that give anything, with what each gives."""
    met = np.flatnonzero(terms)
    return list(zip(items[met].tolist(), terms[met].tolist(), strict=True))


def _override(weights: Weights, heard: Weighting) -> Weighting:
    """How the model hears, with the placement's own weights of events."""
    if weights == _AS_CHOSEN:
        return heard
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
