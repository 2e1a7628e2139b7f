"""One customer's history as serving reads it: a few numbers for each item, by the item's place."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from lingxi.profiles.read import CountColumns
from lingxi.recommend.histories import CART, DAY, NOBODY, ORDER, VIEW, Histories
from lingxi.recommend.history import Weighting
from lingxi.recommend.interactions import to_micros
from lingxi.recommend.rules import RuleSettings

Whole = NDArray[np.int64]
_LOOKED = 3
"""After the kinds of events: one more view."""


@dataclass(frozen=True)
class Past:
    """What one customer did with each item, in rising order of the items' places.

    Parameters
    ----------
    items
        Places, shape (n,), each once.
    counts
        Views, carts and orders, shape (3, n).
    moments
        When each was last met, microseconds since 1970 in UTC, shape (n,); 0 for what is known only
        as sent back, which counts nothing.
    looked
        1 for what is looked at just now, shape (n,): one view more.
    known
        How many of the entries count for the model: of the items that it knows, whose places
        come first, and of new ones that others stand in for.
    newest
        The latest moment of all, also of items without a place, and at least 1.
    """

    items: Whole
    counts: Whole
    moments: Whole
    looked: Whole
    known: int
    newest: int = 1
    _weighed: dict[Weighting, tuple[Whole, NDArray[np.float64]]] = field(
        default_factory=dict, repr=False, compare=False
    )
    """What ``weigh`` gave: a history that is kept is weighed once."""

    @staticmethod
    def read(
        told: CountColumns, index: Mapping[str, int], n_known: int, given: Sequence[str] = ()
    ) -> "Past":
        """The past that the profile tells, with the items ``given`` as just met.

        Items without a place are left out, but their moments say what "just now" is.
        """
        places = [index.get(item_id, -1) for item_id in told.item_ids]
        table = np.empty((5, len(places)), dtype=np.int64)
        table[0], table[1:] = places, told.numbers
        newest = int(table[4].max(initial=1))  # 0 is kept for what is only sent back
        items = table[0]
        if len(items) and (items[0] < 0 or not (items[1:] > items[:-1]).all()):
            order = np.argsort(items, kind="stable")
            table = table[:, order[np.searchsorted(items, 0, sorter=order) :]]
        past = Past._of(table, n_known, newest)
        looked = {index[item_id] for item_id in given if item_id in index}
        return past.look_at(looked, n_known) if looked else past

    @staticmethod
    def of_history(history: Histories) -> "Past":
        """A single history as serving would have read it; weights are numbers of times."""
        items, place = np.unique(history.items, return_inverse=True)
        counts = np.zeros((3, len(items)))
        np.add.at(counts, (history.kinds, place), history.weights)
        moments = np.zeros(len(items), dtype=np.int64)
        np.maximum.at(moments, place, history.moments)
        table = np.concatenate((items[None], np.ceil(counts).astype(np.int64), moments[None]))
        return Past._of(table, history.n_items, max(history.newest, 1))

    @staticmethod
    def _of(table: Whole, n_known: int, newest: int) -> "Past":
        items = table[0]
        unseen = np.zeros(len(items), dtype=np.int64)
        known = int(np.searchsorted(items, n_known))
        return Past(items, table[1:4], table[4], unseen, known, newest)

    def within(self, n_places: int) -> "Past":
        """The same without entries behind the first ``n_places``."""
        if not len(self.items) or self.items[-1] < n_places:
            return self
        kept = int(np.searchsorted(self.items, n_places))
        return Past(
            self.items[:kept],
            self.counts[:, :kept],
            self.moments[:kept],
            self.looked[:kept],
            min(self.known, kept),
            self.newest,
        )

    def count_to(self, n_known: int) -> "Past":
        """The same where the entries of the first ``n_known`` places count for the model."""
        known = int(np.searchsorted(self.items, n_known))
        return self if known == self.known else replace(self, known=known, _weighed={})

    def look_at(self, looked: Collection[int], n_known: int) -> "Past":
        """The same with these places as just met; this one stays as it is."""
        new = sorted(set(looked).difference(self.items.tolist()))
        table = np.zeros((5, len(self.items) + len(new)), dtype=np.int64)
        table[0] = [*self.items.tolist(), *new]
        table[1:4, : len(self.items)], table[4, : len(self.items)] = self.counts, self.moments
        table = table[:, np.argsort(table[0], kind="stable")]
        seen = np.searchsorted(table[0], sorted(looked))
        table[4, seen] = self.newest
        past = Past._of(table, n_known, self.newest)
        past.looked[seen] = 1
        return past

    def __len__(self) -> int:
        return len(self.items)

    def weigh(self, weighting: Weighting) -> tuple[Whole, NDArray[np.float64]]:
        """The model's items and their weights above 0: the row that ``Histories.weigh`` gives."""
        found = self._weighed.get(weighting)
        if found is None:
            found = self._weighed[weighting] = self._weigh(weighting)
        return found

    def _weigh(self, weighting: Weighting) -> tuple[Whole, NDArray[np.float64]]:
        counts, items = self.counts[:, : self.known], self.items[: self.known]
        moments = self.moments[: self.known]
        values = weigh_counts(counts, self.looked[: self.known], weighting)
        if weighting.half_life_days > 0 and len(items):
            values = values * fade(moments.max() - moments, weighting)
        if weighting.position_decay < 1:
            later = len(moments) - np.searchsorted(np.sort(moments), moments, side="right")
            values = values * weighting.position_decay**later
        if len(values) and values.min() <= 0:
            kept = values > 0
            return items[kept], values[kept]
        return items, values

    def to_histories(self, row: int, n_items: int) -> Histories:
        """The same as one row of ``Histories``: an event for all of a kind and item.

        ``row`` is the fitted row that the customer has, or ``NOBODY``.
        """
        known = int(np.searchsorted(self.items, n_items))
        told = np.empty((known, 4), dtype=np.int64)
        told[:, (VIEW, CART, ORDER)] = self.counts[:, :known].T
        told[:, _LOOKED] = self.looked[:known]
        places, kinds = told.nonzero()
        history = Histories.of_events(
            np.zeros(len(places), dtype=np.int64),
            self.items[places],
            (1, n_items),
            moments=self.moments[places],
            kinds=np.where(kinds == _LOOKED, VIEW, kinds),
            weights=told[places, kinds].astype(np.float32),
        )
        return history if row == NOBODY else replace(history, rows=np.array([row]))

    def find_barred(self, rules: RuleSettings) -> Whole:
        """Places of the items that a rule about the customer's own history keeps out."""
        barred = bar_bought(self.counts, self.moments, rules)
        if "in_given_history" not in rules.off and self.looked.any():
            barred |= self.looked > 0
        return self.items[barred]


def bar_bought(counts: Whole, moments: Whole, rules: RuleSettings) -> NDArray[np.bool_]:
    """Which entries are of items bought, and not so long ago that they may be needed again.

    What is known only as sent back (its moment is 0) was bought too, and is not wanted again.
    """
    if "already_bought" in rules.off:
        return np.zeros(len(moments), dtype=np.bool_)
    barred: NDArray[np.bool_] = counts[ORDER] > 0
    if rules.repurchase_after is not None and rules.now is not None:
        age = to_micros(rules.now) - moments
        barred &= age < rules.repurchase_after // timedelta(microseconds=1)
    barred |= moments == 0
    return barred


def weigh_counts(counts: Whole, looked: Whole, weighting: Weighting) -> NDArray[np.float64]:
    """What views, carts and orders (3, n) and a look just now (n,) are worth, before they fade."""
    worths = (weighting.view, weighting.cart, weighting.order)
    if weighting.repeats == "once":
        met = counts > 0
        met[VIEW] |= looked > 0
        most: NDArray[np.float64] = (met * np.array(worths)[:, None]).max(axis=0, initial=0.0)
        return most
    values: NDArray[np.float64] = (
        worths[0] * counts[VIEW] + worths[1] * counts[CART] + worths[2] * counts[ORDER]
    )
    if looked.any():
        values = values + worths[0] * looked
    return np.log2(1.0 + values) if weighting.repeats == "log" else values


def fade(ages: Whole, weighting: Weighting) -> NDArray[np.float64]:
    """The factors of these ages in microseconds, for a half-life above 0."""
    return np.exp2(-(ages / DAY) / weighting.half_life_days)
