"""Serving: a customer's own history, read in the caller's transaction, against stored operators."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec
import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from msgspec import structs
from numpy.typing import NDArray

from lingxi.errors import InvalidInput, MissingExtra, NotTrained
from lingxi.profiles.read import NO_COUNTS
from lingxi.recommend.baskets import Baskets, Together
from lingxi.recommend.batch import LISTS, recommend_in_blocks
from lingxi.recommend.families import build_scorer
from lingxi.recommend.goods import Goods
from lingxi.recommend.histories import NOBODY
from lingxi.recommend.kept import Kept, State, Told
from lingxi.recommend.model import Model
from lingxi.recommend.newcomers import Newcomers, StandIns
from lingxi.recommend.operators import ItemOperator
from lingxi.recommend.past import Past
from lingxi.recommend.quick import QuickModel
from lingxi.recommend.recipe import Recipe
from lingxi.recommend.remembered import Remembered
from lingxi.recommend.rules import RuleSettings
from lingxi.recommend.scorer import Scorer, Vector
from lingxi.recommend.standing import FILL, USUAL_RULES, Dress, Recommended, Standing
from lingxi.store import Artefact, Progress, Store, silent
from lingxi.store.engine import is_writing

KIND = "recommender"
TASTE = "taste"
"""Named as the model of items that fit a taste that was told."""
T = TypeVar("T")
_OUTDATED = (
    "The recommender was trained by an earlier release, whose {name} this one does not know. "
    "'lingxi train' makes a new one."
)
_UNTRAINED = "There is no recommender. 'lingxi train' makes one from orders that name products."


class Held(msgspec.Struct, frozen=True):
    """What an artefact's ``recommender.json`` holds."""

    recipe: Recipe
    visitor_recipe: Recipe
    item_ids: tuple[str, ...]


def read_recipe(artefact: Artefact) -> Recipe:
    """The recipe for customers, whole: a ranker's trees are a file of their own."""
    recipe = artefact.load_json("recommender", Held).recipe
    if recipe.name != "ranker":
        return recipe
    trees = artefact.load_lightgbm("chosen_trees").model_to_string()
    return structs.replace(recipe, trees=trees)


def is_outdated(artefact: Artefact) -> bool:
    """Whether an earlier release made these models, by recipes that this one does not know."""
    recipes = read_recipe(artefact), artefact.load_json("recommender", Held).visitor_recipe
    try:
        for recipe in recipes:
            _build(recipe)
    except NotTrained:
        return True
    except MissingExtra:
        return False
    return False


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
        memory_bytes: int = 0,
        newcomers: Newcomers | None = None,
        trending: Vector | None = None,
        mapped_bytes: int = 0,
        history_bytes: int = 0,
    ) -> None:
        self.model, self.visitor_model = model, visitor_model
        self.item_ids, self.popularity, self.baskets = item_ids, popularity, baskets
        self.version = version
        self.ids = pa.array(item_ids, pa.string())
        self.index = {item_id: at for at, item_id in enumerate(item_ids)}
        self.goods = Goods(item_ids, popularity)
        self._quick, self._quick_visitor = QuickModel.of(model), QuickModel.of(visitor_model)
        self.newcomers, self.trending = newcomers, trending
        self._kept, self._mapped_bytes = Kept(memory_bytes, history_bytes), mapped_bytes
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
    def load(store: Store, version: str = "") -> "Recommender":
        """The recommender in use, or a version; its arrays are mapped into memory, not read.

        Raises
        ------
        NotTrained
            Before the first training, and where an earlier release made the models by recipes that
            this one does not know.
        UnknownModel
            If there is no such version.
        """
        artefact = store.artefacts.open(KIND, version) if version else _current(store)
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
            store.settings.server.recommendation_memory_mb * 2**20,
            Newcomers.load(artefact),
            artefact.load_array("trending", np.float64)
            if "trending.npy" in artefact.manifest.files
            else None,
            artefact.mapped_bytes,
            store.settings.server.history_memory_mb * 2**20,
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
        return self.recommend_as(
            _undressed, tx, customer, n=n, history=history, rules=rules, reasons=reasons
        )

    def recommend_as(
        self,
        dress: Dress[T],
        tx: sa.Connection,
        customer: int | None,
        *,
        n: int = 10,
        history: Sequence[str] | None = None,
        rules: RuleSettings | None = None,
        reasons: int = 3,
    ) -> tuple[T, ...]:
        """As ``recommend``, each item as ``dress`` shows it, which is kept for the next time."""
        if n < 1:
            raise InvalidInput(f"n must be at least 1, but is {n}.")
        goods, chosen = self.goods.current(tx), rules or USUAL_RULES
        standing = self._stand(tx, goods, customer, tuple(dict.fromkeys(history or ())))
        revision, key = goods.revision, (n, reasons, dress)
        known: tuple[T, ...] | None = standing.recall(key, revision) if rules is None else None
        if known is not None:
            return known
        listed = standing.choose(goods.gate(chosen.off).open, chosen, n)
        shown = standing.show(listed, reasons, goods, dress)
        if len(shown) < n:
            taken = {*listed, *standing.find_barred(chosen)}
            shown += [dress(each, goods) for each in self._fill(goods, chosen, taken, n)]
        answer = tuple(shown[:n])
        if rules is None:
            standing.keep(key, revision, answer)
        return answer

    def recommend_to_taste(
        self,
        dress: Dress[T],
        tx: sa.Connection,
        liked: Sequence[str],
        *,
        n: int = 10,
        rules: RuleSettings | None = None,
    ) -> tuple[T, ...]:
        """What fits a taste that somebody without a history told, then what is popular.

        ``liked``: what is said of items, ``brand:Acme``; see ``content.list_terms``.

        Raises
        ------
        InvalidInput
            If a term names no field, or ``n`` is below 1.
        NotTrained
            If nothing was known of the items when the model was trained.
        """
        if n < 1:
            raise InvalidInput(f"n must be at least 1, but is {n}.")
        if self.newcomers is None:
            raise NotTrained("The catalogue said nothing of the items when this was trained.")
        goods, chosen = self.goods.current(tx), rules or USUAL_RULES
        new = goods.items[goods.n_known :]
        scores = self.newcomers.descriptions.score_taste(dict.fromkeys(liked, 1.0), new)
        scores[~goods.gate(chosen.off).open[: len(scores)]] = 0.0
        best = np.lexsort((np.arange(len(scores)), -scores))[:n]
        listed = [at for at in best.tolist() if scores[at] > 0]
        found = [Recommended(goods.ids[at], float(scores[at]), TASTE) for at in listed]
        found += self._fill(goods, chosen, set(listed), n - len(found)) if len(found) < n else []
        return tuple(dress(each, goods) for each in found)

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
        blocks = recommend_in_blocks(
            self,
            store,
            customers,
            n=n,
            rules=rules or USUAL_RULES,
            reasons=reasons,
            progress=progress,
        )
        return pa.concat_tables([LISTS.empty_table(), *blocks])

    def measure_memory(self) -> dict[str, int]:
        """Bytes by part: ``mapped`` files, shared by all processes that use this version; what is
        ``remembered`` of customers; ``histories`` that were read; the ``catalogue``, about."""
        return {
            "mapped": self._mapped_bytes,
            "remembered": self._kept.answers.memory_bytes,
            "histories": self._kept.histories.memory_bytes,
            "catalogue": self.goods.memory_bytes,
        }

    @property
    def answers(self) -> Remembered[object]:
        """What is remembered of those who asked lately, each of a state (``Told.state``)."""
        return self._kept.answers

    @property
    def quick(self) -> QuickModel | None:
        """The model for customers in the form for one history, where it has one."""
        return self._quick

    def find_stand_ins(self, tx: sa.Connection, goods: Goods) -> StandIns | None:
        """Who stands in for the items that came since training; nothing where none can."""
        if self.newcomers is None or len(goods) == goods.n_known:
            return None
        found = self.newcomers.find(goods, keep=not is_writing(tx))
        return found if len(found) else None

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

    def tell(self, tx: sa.Connection, customer: int) -> Told:
        """A customer's own history as this transaction sees it, by the places of its items."""
        goods = self.goods.current(tx)
        stand_ins = self.find_stand_ins(tx, goods)
        state = self._kept.observe(tx, goods, customer, stand_ins)
        return self._kept.tell(tx, goods, customer, stand_ins, state)

    def _stand(
        self, tx: sa.Connection, goods: Goods, customer: int | None, given: tuple[str, ...]
    ) -> Standing:
        """What a customer's history comes to; remembered while nothing in it has changed."""
        stand_ins = self.find_stand_ins(tx, goods)
        state, key = self._kept.observe(tx, goods, customer, stand_ins), (customer, given)
        found = None if state is None else self._kept.answers.get(key, state)
        if isinstance(found, Standing):
            return found
        standing = self._work_out(tx, goods, customer, given, stand_ins, state)
        if state is not None:
            self._kept.answers.put(key, state, standing, standing.memory_bytes)
        return standing

    def _work_out(
        self,
        tx: sa.Connection,
        goods: Goods,
        customer: int | None,
        given: tuple[str, ...],
        stand_ins: StandIns | None,
        state: State | None,
    ) -> Standing:
        counted = goods.n_known if stand_ins is None else stand_ins.n_all
        if customer is None:
            past, personal = Past.read(NO_COUNTS, goods.index, counted, given), False
        else:
            told = self._kept.tell(tx, goods, customer, stand_ins, state)
            past, personal = told.past, told.personal
            looked = {goods.index[item_id] for item_id in given if item_id in goods.index}
            past = past.look_at(looked, counted) if looked else past
        return Standing(
            past,
            self.model if personal else self.visitor_model,
            self._quick if personal else self._quick_visitor,
            self.popularity,
            personal=personal,
            row=NOBODY if customer is None else self.rows.get(customer, NOBODY),
            stand_ins=stand_ins,
        )

    def _fill(
        self, goods: Goods, rules: RuleSettings, taken: set[int], n: int
    ) -> list[Recommended]:
        """Popular items, then new ones, at most ``n``."""
        found: list[Recommended] = []
        for at in goods.fill_order(rules.off):
            if at not in taken:
                score = float(self.popularity[at]) if at < goods.n_known else 0.0
                found.append(Recommended(goods.ids[at], score, FILL))
                if len(found) == n:
                    break
        return found


def _undressed(found: Recommended, _goods: Goods) -> Recommended:
    return found


def _current(store: Store) -> Artefact:
    artefact = store.artefacts.current(KIND)
    if artefact is None:
        raise NotTrained(_UNTRAINED)
    return artefact


def _load_model(artefact: Artefact, recipe: Recipe, prefix: str) -> tuple[Model, NDArray[np.int64]]:
    scorer = _build(recipe)
    customers = scorer.load(artefact, prefix)
    return Model(recipe, scorer, artefact.load_array(f"{prefix}_trend", np.float64)), customers


def _build(recipe: Recipe) -> Scorer:
    try:
        return build_scorer(recipe)
    except InvalidInput as error:
        raise NotTrained(_OUTDATED.format(name=recipe.name)) from error
