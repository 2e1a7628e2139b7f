"""Any model of the recommender on a matrix or a data frame, in the manner of scikit-learn."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import msgspec
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from lingxi.clock import SystemClock
from lingxi.errors import FileUnreadable, InvalidInput, NotTrained, did_you_mean
from lingxi.recommend.bench import FILL
from lingxi.recommend.dataset import number_together
from lingxi.recommend.evaluation import evaluate
from lingxi.recommend.event_files import Events
from lingxi.recommend.families import build_scorer, find_family, make_recipe
from lingxi.recommend.frames import (
    Frame,
    Id,
    are_whole,
    check_seconds,
    check_size,
    find_ids,
    is_one,
    make_history,
    name_ids,
    read_data,
    read_histories,
    restore_ids,
    write_histories,
)
from lingxi.recommend.histories import Histories
from lingxi.recommend.item_frames import check_family, list_new, read_items, tell_of_items
from lingxi.recommend.lists import exclude, fill_up, top_items
from lingxi.recommend.model import Model, fit_model
from lingxi.recommend.operators import ItemOperator
from lingxi.recommend.order import forget_order, tells_order
from lingxi.recommend.ratings import Ratings
from lingxi.recommend.recipe import Param, Recipe
from lingxi.recommend.unaided import Picked, pick
from lingxi.schema import Item
from lingxi.store import Artefact, Artefacts, Manifest

Places = NDArray[np.int64]
AUTO = "auto"
_KIND = "estimator"
_BLOCK = 1_024


class _Kept(msgspec.Struct, frozen=True):
    """What is written beside the model's own arrays."""

    settings: dict[str, Any]
    recipe: Recipe
    customer_ids: tuple[str, ...]
    item_ids: tuple[str, ...]
    numbered: bool
    timed: bool
    why: str
    whole: tuple[bool, bool] | None = None


class RecommenderModel(BaseEstimator):  # type: ignore[no-untyped-call]
    """A recommender that learns from who did what, and says why.

    Parameters
    ----------
    model
        A model's name, or ``"auto"``: the models are compared on a part of the data that is held
        back (the last events where there are times) and the best is fitted on everything.
    params
        Parameters of a named model, such as ``{"k": 50}``; what is left out has its default.
    seconds
        Time for choosing and fitting with ``"auto"``.
    include_seen
        Whether items of a customer's own history may be recommended.
    seed
        Of what is drawn at random while choosing.

    Attributes
    ----------
    recipe_
        The model that was fitted, with its parameters.
    why_
        Why it was chosen, in a sentence.
    trials_
        Everything ``"auto"`` compared: model, parameters, value, seconds.
    customer_ids_, item_ids_
        Ids in the order of the fitted rows and columns; numbers for a matrix.

    Examples
    --------
    >>> likes = [[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 0], [0, 0, 1, 1]]
    >>> model = RecommenderModel("item_cosine").fit(likes)
    >>> model.recommend([0], n=2).round(2).to_numpy().tolist()
    [[0.0, 1.0, 2.0, 1.07], [0.0, 2.0, 3.0, 0.0]]
    >>> model.explain(0, 2).round(2).to_numpy().tolist()
    [[1.0, 0.67], [0.0, 0.41]]
    >>> model.similar(3, n=1).item_id.tolist(), model.recommend_to([3], n=1).item_id.tolist()
    ([2], [2])
    """

    def __init__(
        self,
        model: str = AUTO,
        *,
        params: Mapping[str, Param] | None = None,
        seconds: float = 60.0,
        include_seen: bool = False,
        seed: int = 7,
    ) -> None:
        self.model = model
        self.params = params
        self.seconds = seconds
        self.include_seen = include_seen
        self.seed = seed

    def fit(self, X: Ratings | Frame, y: object = None, *, items: Frame | None = None) -> Self:
        """Learn.

        Parameters
        ----------
        X
            A table of customers by items (nested lists, an array, a SciPy matrix; 0: nothing
            known), or a data frame with ``customer_id``, ``item_id`` and, where there are any,
            ``timestamp`` and ``weight``: one row an event.
        y
            Not used; scikit-learn passes it.
        items
            What the items are, as ``read_items`` takes it, for ``content`` and
            ``category_popularity``; with items nobody met yet, of which content knows the likeness.

        Raises
        ------
        InvalidInput
            If the data, the model's name or a parameter cannot be used.
        UnknownColumn
            If a frame has no ``customer_id`` or ``item_id``.
        """
        del y
        check_seconds(self.seconds)
        events = read_data(X)
        self._numbered, self._whole = events.shape is not None, are_whole(X)
        self._customers, (customers,) = number_together([events.customers], keep_all=True)
        self._items, (places,) = number_together([events.items], keep_all=True)
        told = {} if items is None else read_items(items)
        self._items += list_new(told, self._items, fixed=self._numbered)
        return self._learn(events, customers, places, told)

    def _learn(
        self, events: Events, customers: Places, places: Places, told: Mapping[str, Item]
    ) -> Self:
        shape = len(self._customers), len(self._items)
        taught = Histories.of_events(
            customers, places, shape, moments=events.moments, weights=events.weights
        )
        self.taught_ = tell_of_items(taught, self._items, told)
        if self.model == AUTO:
            if not tells_order(self.taught_):
                self.taught_ = forget_order(self.taught_)
            picked = pick(
                self.taught_,
                seconds=self.seconds,
                seed=self.seed,
                include_seen=self.include_seen,
            )
        else:
            check_family(find_family(self.model), told, composed=bool(self.params))
            picked = Picked(make_recipe(self.model, self.params), "It was asked for.")
        self.recipe_, self.why_, self.trials_ = picked.recipe, picked.why, picked.trials
        self._fitted = fit_model(self.recipe_, self.taught_)
        self._popularity = self.taught_.popularity(FILL)
        self._index()
        return self

    def recommend(self, customers: Iterable[Id] | Id | None = None, n: int = 10) -> pd.DataFrame:
        """The ``n`` best items for each customer (one id, several, or by default all), best first.

        Returns
        -------
        pandas.DataFrame
            Columns customer_id, rank (from 1), item_id, score; 0 where only popularity speaks.

        Raises
        ------
        NotTrained
            Before ``fit``.
        InvalidInput
            If a customer is not known or ``n`` is below 1.
        """
        rows = self._find_rows(customers)
        blocks = [rows[start : start + _BLOCK] for start in range(0, len(rows), _BLOCK)]
        tables = [self._list(self.taught_.take(block), block, n) for block in blocks or [rows]]
        return pd.concat(tables, ignore_index=True)

    def recommend_to(self, history: Sequence[Id] | Id, n: int = 10) -> pd.DataFrame:
        """The ``n`` best items for somebody who is not in the data, from what they just met.

        Parameters
        ----------
        history
            One item, or several, the newest last; those that are not known are passed over.

        Returns
        -------
        pandas.DataFrame
            Columns rank, item_id, score.
        """
        found = self._list(self._to_history(history), np.zeros(1, dtype=np.int64), n)
        return found.drop(columns="customer_id")

    def explain(self, customer: Id | Sequence[Id], item: Id) -> pd.DataFrame:
        """What each item of the history gives to an item's score; they sum to the score.

        Parameters
        ----------
        customer
            A customer, or a history of items as ``recommend_to`` takes it.

        Returns
        -------
        pandas.DataFrame
            Columns item_id and contribution, the largest first.
        """
        self._require()
        if is_one(customer):
            history = self.taught_.take(self._find_rows(customer))
        else:
            history = self._to_history(customer)
        place = np.array([[self._find_item(item)]])
        given = self._fitted.explain(history, place)
        order = np.lexsort((given.indices, -np.abs(given.data)))
        return pd.DataFrame(
            {
                "item_id": [self.item_ids_[i] for i in given.indices[order].tolist()],
                "contribution": given.data[order].astype(np.float64),
            }
        )

    def similar(self, item: Id, n: int = 10) -> pd.DataFrame:
        """The items most like one, best first: columns item_id and score.

        Raises
        ------
        InvalidInput
            If the item is not known, or the model has no similarity of items.
        """
        self._require()
        at, scorer = self._find_item(item), self._fitted.scorer
        if not isinstance(scorer, ItemOperator):
            raise InvalidInput(
                f"{self.recipe_.name} does not say how alike items are; fit rp3beta or "
                "item_cosine for that."
            )
        items, values = scorer.similar(at)
        order = np.lexsort((items, -values))
        order = order[items[order] != at][:n]
        return pd.DataFrame(
            {
                "item_id": [self.item_ids_[i] for i in items[order].tolist()],
                "score": values[order].astype(np.float64),
            }
        )

    def score(self, X: Ratings | Frame, y: object = None, *, n: int = 10) -> float:
        """Mean NDCG of lists of ``n`` for what customers did afterwards, over all items.

        Customers and items that were not learnt are left out.
        """
        del y
        self._require()
        events = read_data(X)
        rows = find_ids(events.customers, self._row_of)
        items = find_ids(events.items, self._place_of)
        known = (rows >= 0) & (items >= 0)
        wanted = Histories.of_events(rows[known], items[known], self.taught_.shape).seen()
        barred = np.full(len(self.taught_.items), not self.include_seen)
        found = evaluate(
            self._fitted,
            self.taught_,
            wanted,
            at=(n,),
            excluded=self.taught_.keep(barred).seen(),
            popularity=self._popularity,
        )
        return float(found.values[f"ndcg@{n}"].mean())

    def save(self, folder: Path | str) -> None:
        """Write the fitted model to a folder: arrays and JSON, no pickle."""
        self._require()
        shelf = Artefacts(Path(folder), SystemClock())
        with shelf.write(_KIND) as writer:
            numbers = np.arange(self.taught_.n_rows)
            personal = self._fitted.scorer.save(writer, "model", numbers)
            write_histories(writer, self.taught_)
            writer.save_array("trend", self._fitted.trend)
            writer.save_array("popularity", self._popularity)
            settings = {**self._settings(), "params": dict(self.params or {}) or None}
            ids = (self._customers, self._items, self._numbered)
            kept = _Kept(settings, self.recipe_, *ids, self.taught_.timed, self.why_, self._whole)
            writer.save_json("estimator", kept)
            writer.manifest = Manifest(chosen=self.recipe_.name, personal=personal)
        shelf.prune(_KIND, 1)

    @classmethod
    def load(cls, folder: Path | str) -> Self:
        """The model that ``save`` wrote.

        Raises
        ------
        FileUnreadable
            If the folder holds none.
        """
        artefact = Artefacts(Path(folder), SystemClock()).current(_KIND)
        if artefact is None:
            raise FileUnreadable(f"There is no saved model in {folder}.")
        kept = artefact.load_json("estimator", _Kept)
        made = cls(**kept.settings)
        made._restore(artefact, kept)
        return made

    def _settings(self) -> dict[str, Any]:
        given: dict[str, Any] = self.get_params()  # type: ignore[no-untyped-call]
        return given

    def _restore(self, artefact: Artefact, kept: _Kept) -> None:
        self._customers, self._items = kept.customer_ids, kept.item_ids
        self._numbered, self.why_, self.recipe_ = kept.numbered, kept.why, kept.recipe
        self._whole = kept.whole or (kept.numbered, kept.numbered)
        self.trials_ = ()
        shape = len(self._customers), len(self._items)
        self.taught_ = read_histories(artefact, shape, timed=kept.timed)
        scorer = build_scorer(kept.recipe)
        scorer.load(artefact, "model")
        self._fitted = Model(kept.recipe, scorer, artefact.load_array("trend", np.float64))
        self._popularity = artefact.load_array("popularity", np.float64)
        self._index()

    def _index(self) -> None:
        self._row_of = {name: row for row, name in enumerate(self._customers)}
        self._place_of = {name: place for place, name in enumerate(self._items)}
        customers, items = self._whole
        self.customer_ids_ = restore_ids(self._customers, whole=customers)
        self.item_ids_ = restore_ids(self._items, whole=items)

    def _list(self, histories: Histories, rows: Places, n: int) -> pd.DataFrame:
        check_size(n)
        scores = np.array(self._fitted.score(histories))
        fill_up(scores, self._popularity)
        if not self.include_seen:
            exclude(scores, histories.seen())
        lists = top_items(scores, min(n, scores.shape[1]))
        places = np.flatnonzero(lists.reshape(-1) >= 0)
        who, rank = np.divmod(places, max(lists.shape[1], 1))
        items = lists.reshape(-1)[places]
        values = scores[who, items]
        return pd.DataFrame(
            {
                "customer_id": [self.customer_ids_[rows[w]] for w in who.tolist()],
                "rank": rank + 1,
                "item_id": [self.item_ids_[i] for i in items.tolist()],
                "score": np.where(values > 0, values, 0.0).astype(np.float64),
            }
        )

    def _to_history(self, history: Sequence[Id] | Id) -> Histories:
        self._require()
        names = name_ids(history)
        places = [self._place_of[name] for name in names if name in self._place_of]
        return make_history(places, len(self._items), timed=self.taught_.timed)

    def _find_rows(self, customers: Iterable[Id] | Id | None) -> Places:
        self._require()
        if customers is None:
            return np.arange(len(self._customers))
        names = name_ids(customers)
        for name in names:
            if name not in self._row_of:
                raise InvalidInput(
                    f"No customer {name!r}{did_you_mean(name, self._customers[:10_000])}; "
                    "recommend_to(history) serves somebody new."
                )
        return np.array([self._row_of[name] for name in names], dtype=np.int64)

    def _find_item(self, item: Id) -> int:
        (name,) = name_ids(item)
        if name not in self._place_of:
            near = did_you_mean(name, self._items[:10_000])
            raise InvalidInput(f"No item {name!r}{near}.")
        return self._place_of[name]

    def _require(self) -> None:
        if not hasattr(self, "_fitted"):
            raise NotTrained("The model has not learnt yet. Call fit(data) first.")
