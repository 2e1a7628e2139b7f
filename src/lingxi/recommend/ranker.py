"""A learned ranker: trees over what models say of candidates, of the customer and of the item.

The score starts from the logit of ``Learned``; trees (LambdaMART) add what it does not know: how
interest moves between an hour and half a year, how new an item is, who asks and when. Their part
is told exactly by Shapley values.

Source
------
Burges (2010), MSR-TR-2010-82, for LambdaMART; Lundberg et al. (2020), Nature Machine Intelligence
2, for the values.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from lingxi.errors import InvalidInput, NotTrained
from lingxi.recommend.among import BLOCK
from lingxi.recommend.attribution import Attribution
from lingxi.recommend.earlier import Earlier
from lingxi.recommend.histories import Histories
from lingxi.recommend.latest import Latest
from lingxi.recommend.learned import (
    Candidates,
    Learned,
    Table,
    Vector,
    Weighed,
    Whole,
)
from lingxi.recommend.matrix import Csr, count_ends, stack
from lingxi.recommend.operators import ItemKnn
from lingxi.recommend.scorer import Scorer
from lingxi.recommend.scratch import Scratch
from lingxi.recommend.signals import Signs, make_signals, name_signals
from lingxi.recommend.signals_alone import can_signal_alone, signal_alone
from lingxi.store import Artefact, ArtefactWriter

if TYPE_CHECKING:
    import lightgbm

NEAREST = 50
"""Neighbours of each item by which nearness to a history is told."""
_ROWS_PER_THREAD = 20_000
_LEAST = 1e-6
_NEAR, _SHARE = "near", "share"


def make_nearness(name: str) -> ItemKnn:
    """The unfitted operator that says which items are near to each other."""
    return ItemKnn(name, k=NEAREST, length=2 * NEAREST)


def read_trees(text: str) -> "lightgbm.Booster":
    """Trees from LightGBM's text."""
    import lightgbm

    return lightgbm.Booster(model_str=text)


def add_up(trees: "lightgbm.Booster", signals: Table) -> Vector:
    """What the trees give to each row's logit."""
    found = trees.predict(signals, raw_score=True, num_threads=count_threads(len(signals)))
    return np.asarray(found, dtype=np.float64)


def count_threads(rows: int) -> int:
    """One for few rows: threads that wait for each other cost more than they bring."""
    return min(2, 1 + rows // _ROWS_PER_THREAD)


class Ranked(Learned):
    """Candidates of several models, in the order that trees put them.

    Reasons: a model's part of the score is what it adds to the logit, by its own terms and by the
    trees' Shapley values of its signals, divided among the items of the history as the model itself
    does; nearness to the history likewise, as item-based neighbours do. ``attribute`` tells the
    exact values of all signals.

    Parameters
    ----------
    parts
        Unfitted scorers.
    weights
        Shape (2 parts + 2,): the logit that the trees start from; see ``Learned``.
    trees
        LightGBM's text; empty where ``load`` follows.
    """

    def __init__(
        self, name: str, parts: Sequence[Scorer], weights: Sequence[float], trees: str = ""
    ) -> None:
        super().__init__(name, parts, weights)
        self._trees = read_trees(trees) if trees else None
        self.near = make_nearness(f"{name}_near")
        self._signs: Signs | None = None
        self._about: Scratch | None = None
        self._signaled = Latest[tuple[Candidates, Table]](BLOCK)
        self.signals = name_signals(len(self.parts))
        if self._trees is not None and self._trees.num_feature() != len(self.signals):
            raise InvalidInput(
                f"The trees read {self._trees.num_feature()} signals, but {len(self.parts)} models "
                f"give {len(self.signals)}."
            )

    @property
    def trees(self) -> "lightgbm.Booster":
        """The trees.

        Raises
        ------
        NotTrained
            If there are none: auto grows them.
        """
        if self._trees is None:
            raise NotTrained(f"{self.name} has no trees. Let auto learn it.")
        return self._trees

    def remember(self, earlier: Earlier, prefix: str) -> None:
        """Show every part, and nearness, what it came to before; see ``Remembering``."""
        super().remember(earlier, prefix)
        self.near.remember(earlier, f"{prefix}_near")

    def fit(self, taught: Histories) -> None:
        """Fit every part, find near items, and note what is known of each item."""
        self._signaled.clear()
        super().fit(taught)
        self.near.fit(taught)
        self._signs = Signs.read(taught)

    def attribute(self, histories: Histories, lists: Whole) -> Attribution:
        """What each signal gives to the logit of each listed item, exactly.

        ``lists``: shape (n_rows, n), all of them candidates. Models' own terms stand under
        ``share_0`` and so on, popularity's under ``item_met`` and ``item_trend``.
        """
        weighed = self._weigh(histories)
        return self._attribute(histories, weighed.find(lists)[0], weighed)

    def explain(self, histories: Histories, lists: Whole) -> Csr:
        """What each item of each history gives through models and nearness; see the class."""
        weighed = self._weigh(histories)
        asked, odds = weighed.find(lists)
        if not len(asked.items):
            return stack([], histories.n_items)
        found = self._attribute(histories, asked, weighed)
        at = {name: column for column, name in enumerate(found.names)}
        gains = []
        for number, said in enumerate(asked.said):
            own = [at[f"{_SHARE}_{number}"], at[f"place_{number}"]]
            gain = np.maximum(found.values[:, own].sum(axis=1), _LEAST)
            gains.append(np.where(said > 0, gain, 0.0))
        columns = [at[name] for name in found.names if name.startswith(_NEAR)]
        nearness = np.maximum(found.values[:, columns].sum(axis=1), 0.0)
        return self._share(histories, lists, gains, odds, [(self.near, nearness)])

    def save(self, writer: ArtefactWriter, prefix: str, customers: Whole) -> dict[str, str]:
        """Write every part, the trees as LightGBM's text and what is known of the items."""
        writer.save_lightgbm(f"{prefix}_trees", self.trees)
        self.near.save(writer, f"{prefix}_near", customers)
        self._read_signs().save(writer, prefix)
        return super().save(writer, prefix, customers)

    def load(self, artefact: Artefact, prefix: str) -> Whole:
        """Read them; the customers of a part that keeps them."""
        self._signaled.clear()
        self._trees = artefact.load_lightgbm(f"{prefix}_trees")
        self.near.load(artefact, f"{prefix}_near")
        self._signs = Signs.load(artefact, prefix)
        return super().load(artefact, prefix)

    def _rate(self, histories: Histories, asked: Candidates) -> Vector:
        logits = super()._rate(histories, asked)
        return logits + add_up(self.trees, self._signal(histories, asked))

    def _signal(self, histories: Histories, asked: Candidates) -> Table:
        if histories.n_rows > BLOCK or not histories.timed:
            signals = make_signals(histories, asked, self._read_signs(), self.near.operator)
        elif histories.n_rows == 1:
            signals = self._signal_one(histories, asked)
        else:
            ends = count_ends(asked.owners, histories.n_rows).tolist()
            found = [np.empty((0, len(self.signals)), dtype=np.float32)]
            for row, (start, stop) in enumerate(pairwise(ends)):
                items, said = asked.items[start:stop], asked.said[:, start:stop]
                own = Candidates(np.zeros(stop - start, dtype=np.int64), items, said)
                if stop > start:
                    found.append(self._signal_one(histories.take(np.array([row])), own))
            signals = np.concatenate(found)
        self._signaled.put(histories, (asked, signals))
        return signals

    def _signal_one(self, history: Histories, asked: Candidates) -> Table:
        signs, near = self._read_signs(), self.near.operator
        if not can_signal_alone(history, near):
            return make_signals(history, asked, signs, near)
        scratch = self._borrow(history.n_items)
        return signal_alone(history, asked, signs, near, scratch, self._terms(signs))

    def _terms(self, signs: Signs) -> Scratch:
        """Arrays as wide as what the catalogue can say."""
        width = 0 if signs.about is None else int(signs.about.shape[1])
        if self._about is None or self._about.n_items != width:
            self._about = Scratch(width)
        return self._about

    def _read_signs(self) -> Signs:
        if self._signs is None:
            raise NotTrained(f"{self.name} has not been fitted.")
        return self._signs

    def _attribute(self, histories: Histories, asked: Candidates, weighed: Weighed) -> Attribution:
        """As ``attribute``; places among the candidates count, so all of them are looked at."""
        found = self._signaled.get(histories)
        if found is None or found[0] is not weighed.asked:
            found = weighed.asked, self._signal(histories, weighed.asked)
        there, at = weighed.locate(asked.owners, asked.items)
        told = np.zeros((len(there), len(self.signals) + 1))
        if there.any():
            rows = found[1][at[there]]
            told[there] = self.trees.predict(
                rows, pred_contrib=True, num_threads=count_threads(len(rows))
            )
        values, base = told[:, :-1], told[:, -1]
        self._add_own_terms(values, asked)
        return Attribution(self.signals, values, base, values.sum(axis=1) + base)

    def _add_own_terms(self, values: Vector, asked: Candidates) -> None:
        """Put the terms of the logit that the trees start from beside theirs, in place."""
        at = {name: column for column, name in enumerate(self.signals)}
        own = [f"{_SHARE}_{number}" for number in range(len(self.parts))]
        values[:, [at[name] for name in (*own, "item_met", "item_trend")]] += self._split(asked)


def count_gains(trees: "lightgbm.Booster") -> Mapping[str, float]:
    """How much each signal lowered the loss, as shares of the whole, the largest first."""
    gains = trees.feature_importance(importance_type="gain")
    total = float(gains.sum()) or 1.0
    order = np.argsort(-gains, kind="stable")
    names = trees.feature_name()
    return {names[at]: float(gains[at]) / total for at in order.tolist()}
