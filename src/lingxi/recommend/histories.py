"""What customers did, in order of time: the input of every model, for one customer or for many."""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import InvalidInput
from lingxi.recommend.history import Weighting
from lingxi.recommend.kernels import list_once
from lingxi.recommend.matrix import Csr, build_csr, stack

VIEW, CART, ORDER = 0, 1, 2
NOBODY = -1
"""The fitted row of a history that the model has not learnt from, and an unknown basket."""
AT_ONCE = 2_000_000
"""Events weighed together: more are cut into parts, which take less memory."""
DAY = 86_400_000_000
"""Microseconds in a day."""
Whole = NDArray[np.int64]
Table = NDArray[np.float32]
_MOST_MADE = 2
_Number = TypeVar("_Number", bound=np.generic)


@dataclass(frozen=True)
class Histories:
    """One entry per event, row after row, each row's oldest first.

    Parameters
    ----------
    indptr
        Shape (n_rows + 1,): row r holds entries ``indptr[r]`` to ``indptr[r + 1]``.
    items
        Shape (n_events,): an item's index.
    moments
        Microseconds since 1970 in UTC; 0 everywhere where ``timed`` is false.
    kinds
        VIEW, CART or ORDER.
    weights
        How much an event counts beside its kind, at least 0: 1, a rating, a number of times.
    baskets
        The order or session an event belongs to, -1 unknown.
    rows
        Shape (n_rows,): the fitted row of each history, -1 for none, so that a customer is never
        their own neighbour.
    n_items
        Items there are.
    timed
        Whether the order inside a row means anything.
    about
        What the catalogue says of the items, shape (n_items, any): see ``content.describe``.
    groups
        The narrowest category of each item, shape (n_items,), -1 where it is not known.
    """

    indptr: Whole
    items: Whole
    moments: Whole
    kinds: NDArray[np.int8]
    weights: NDArray[np.float32]
    baskets: Whole
    rows: Whole
    n_items: int
    timed: bool = True
    about: Csr | None = None
    groups: Whole | None = None
    _heard: dict[Weighting, tuple[Whole, NDArray[np.float64]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _sums: dict[Weighting | None, NDArray[np.float64]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _groups: list[tuple[Whole, Whole, Whole]] = field(
        default_factory=list, init=False, repr=False, compare=False
    )
    _made: dict[Hashable, Table] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @staticmethod
    def of_events(
        rows: Whole,
        items: Whole,
        shape: tuple[int, int],
        *,
        moments: Whole | None = None,
        kinds: NDArray[np.integer] | None = None,
        weights: NDArray[np.floating] | None = None,
        baskets: Whole | None = None,
    ) -> "Histories":
        """Histories from events in any order; shape is (n_rows, n_items).

        Without ``moments`` order means nothing. Without ``kinds`` all are orders. Events of the
        same row and moment stay in the order given. ``rows`` of the answer is 0, 1, 2, ...
        """
        count = len(items)
        keys = (rows,) if moments is None else (moments, rows)
        order = np.lexsort(keys)
        indptr = np.zeros(shape[0] + 1, dtype=np.int64)
        np.cumsum(np.bincount(rows, minlength=shape[0]), out=indptr[1:])
        return Histories(
            indptr=indptr,
            items=items[order].astype(np.int64, copy=False),
            moments=_same(0, count) if moments is None else moments[order].astype(np.int64),
            kinds=np.broadcast_to(np.int8(ORDER), count)
            if kinds is None
            else kinds[order].astype(np.int8),
            weights=np.broadcast_to(np.float32(1), count)
            if weights is None
            else weights[order].astype(np.float32),
            baskets=_same(NOBODY, count) if baskets is None else baskets[order].astype(np.int64),
            rows=np.arange(shape[0], dtype=np.int64),
            n_items=shape[1],
            timed=moments is not None,
        )

    @staticmethod
    def of_matrix(matrix: Csr) -> "Histories":
        """Each stored cell is one order of that weight; nothing is known of time.

        Examples
        --------
        >>> from lingxi.recommend.history import LINEAR
        >>> from lingxi.recommend.ratings import read_ratings
        >>> Histories.of_matrix(read_ratings([[0, 3], [1, 0]])).weigh(LINEAR).toarray().tolist()
        [[0.0, 3.0], [1.0, 0.0]]
        """
        count = len(matrix.indices)
        return Histories(
            indptr=matrix.indptr.astype(np.int64),
            items=matrix.indices.astype(np.int64),
            moments=_same(0, count),
            kinds=np.broadcast_to(np.int8(ORDER), count),
            weights=matrix.data.astype(np.float32),
            baskets=_same(NOBODY, count),
            rows=np.arange(matrix.shape[0], dtype=np.int64),
            n_items=matrix.shape[1],
            timed=False,
        )

    @property
    def n_rows(self) -> int:
        """How many histories."""
        return len(self.indptr) - 1

    @property
    def shape(self) -> tuple[int, int]:
        """Histories and items."""
        return self.n_rows, self.n_items

    @property
    def lengths(self) -> Whole:
        """Events of each history, shape (n_rows,)."""
        return np.diff(self.indptr)

    @property
    def owners(self) -> Whole:
        """Which history each event belongs to, shape (n_events,)."""
        return np.repeat(np.arange(self.n_rows), self.lengths)

    @property
    def newest(self) -> int:
        """The newest moment of all, 0 without events."""
        return int(self.moments.max(initial=0))

    def take(self, rows: NDArray[np.integer]) -> "Histories":
        """The histories at these places, in this order."""
        starts, lengths = self.indptr[rows], self.lengths[rows]
        indptr = np.concatenate(([0], np.cumsum(lengths)))
        cells = np.arange(indptr[-1]) + np.repeat(starts - indptr[:-1], lengths)
        return replace(self._pick(cells), indptr=indptr, rows=self.rows[rows])

    def keep(self, stays: NDArray[np.bool_]) -> "Histories":
        """The same rows with the chosen events only; ``stays``: shape (n_events,)."""
        kept = np.concatenate(([0], np.cumsum(stays)))
        return replace(self._pick(np.flatnonzero(stays)), indptr=kept[self.indptr])

    def of_nobody(self) -> "Histories":
        """The same histories, as if the model had not learnt from them."""
        return replace(self, rows=_same(NOBODY, self.n_rows))

    def merge(self, others: "Histories") -> "Histories":
        """Each row with the events of the same row of ``others`` put in by time, or after.

        Raises
        ------
        InvalidInput
            If the shapes differ.
        """
        if self.shape != others.shape:
            raise InvalidInput(f"Histories of shapes {self.shape} and {others.shape} do not fit.")
        timed = self.timed and others.timed
        moments = np.concatenate((self.moments, others.moments))
        owners = np.concatenate((self.owners, others.owners))
        order = np.lexsort((moments, owners)) if timed else np.argsort(owners, kind="stable")
        return Histories(
            indptr=self.indptr + others.indptr,
            items=np.concatenate((self.items, others.items))[order],
            moments=moments[order] if timed else _same(0, len(order)),
            kinds=np.concatenate((self.kinds, others.kinds))[order],
            weights=np.concatenate((self.weights, others.weights))[order],
            baskets=np.concatenate((self.baskets, others.baskets))[order],
            rows=self.rows,
            n_items=self.n_items,
            timed=timed,
            about=self.about,
            groups=self.groups,
        )

    def seen(self, kind: int | None = None) -> Csr:
        """1 for every item met (in an event of this kind), shape (n_rows, n_items)."""
        of_kind = self if kind is None else self.keep(self.kinds == kind)
        if len(of_kind.items) > AT_ONCE and self.n_rows > 1:
            return stack([part.seen() for part in of_kind._cut()], self.n_items)
        cells = list_once(of_kind.owners * self.n_items + of_kind.items)
        rows, items = np.divmod(cells, max(self.n_items, 1))
        indptr = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=self.n_rows))))
        return build_csr(np.ones(len(items)), items, indptr, self.shape)

    def weigh(self, weighting: Weighting, *, now: int | None = None) -> Csr:
        """The weight of each row's items, float64, columns sorted, nothing stored that is 0.

        ``now``: the moment that ages count from; by default each row's newest event, a common
        factor that changes no ranking.
        """
        if len(self.items) > AT_ONCE and self.n_rows > 1:
            return stack([part.weigh(weighting, now=now) for part in self._cut()], self.n_items)
        if now is not None or self.n_rows != 1:
            rows, items, values = self._weigh(weighting, now)
            indptr = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=self.n_rows))))
            return build_csr(values, items, indptr, self.shape)
        items, values = self.hear(weighting)
        return build_csr(values, items, np.array([0, len(items)]), self.shape)

    def hear(self, weighting: Weighting) -> tuple[Whole, NDArray[np.float64]]:
        """The items of a single history, rising, and their weights: the row that ``weigh`` gives.

        The parts of a model hear it alike: it is kept.
        """
        found = self._heard.get(weighting)
        if found is None:
            _, items, values = self._weigh(weighting, None)
            found = self._heard[weighting] = items, values
        return found

    def once(self, key: Hashable, make: Callable[[], Table]) -> Table:
        """What ``make`` gives, kept for the next that asks by the same key.

        A search fits the same model several times on the same histories. The last two are kept.
        """
        if key not in self._made:
            while len(self._made) >= _MOST_MADE:
                del self._made[next(iter(self._made))]
            self._made[key] = make()
        return self._made[key]

    def group(self) -> tuple[Whole, Whole, Whole]:
        """The order in which the events of each row and item stand together, the oldest first, and
        the places in it where such a group begins and ends."""
        if self._groups:
            return self._groups[0]
        cells = self.owners * self.n_items + self.items
        order = first = last = np.arange(len(cells))
        if len(cells) > 1 and not (cells[1:] > cells[:-1]).all():
            order = np.argsort(cells, kind="stable")  # stable: an item's newest event comes last
            cells = cells[order]
            first = np.flatnonzero(np.diff(cells, prepend=-1))
            last = np.append(first[1:], len(cells)) - 1
        if self.n_rows == 1:
            self._groups.append((order, first, last))
        return order, first, last

    def _weigh(
        self, weighting: Weighting, now: int | None
    ) -> tuple[Whole, Whole, NDArray[np.float64]]:
        """Row, item and weight of each cell above 0."""
        owners, (order, first, last) = self.owners, self.group()
        values = self._add_up(weighting, order, first)
        newest = order[last]
        if self.timed and weighting.fades:
            values = values * self._fade(weighting, owners, newest, now)
        kept = values > 0
        return owners[newest][kept], self.items[newest][kept], values[kept]

    def popularity(self, weighting: Weighting) -> NDArray[np.float64]:
        """Sum of each item's weights over all rows as of the newest event, shape (n_items,).

        Kept, and so not to be written to: a search asks for the same ones for every model.
        """
        if weighting not in self._sums:
            weights = self.weigh(weighting, now=self.newest)
            self._keep_sum(weighting, np.bincount(weights.indices, weights.data, self.n_items))
        return self._sums[weighting]

    def count_holders(self) -> NDArray[np.float64]:
        """How many rows met each item, shape (n_items,); kept as ``popularity`` is."""
        if None not in self._sums:
            self._keep_sum(None, np.bincount(self.seen().indices, minlength=self.n_items))
        return self._sums[None]

    def _keep_sum(self, key: Weighting | None, sums: NDArray[np.number]) -> None:
        self._sums[key] = sums.astype(np.float64)
        self._sums[key].flags.writeable = False

    def _add_up(self, weighting: Weighting, order: Whole, first: Whole) -> NDArray[np.float64]:
        worth = np.array([weighting.view, weighting.cart, weighting.order])[self.kinds[order]]
        if weighting.repeats != "once":
            worth = worth * self.weights[order]
        if len(first) < len(worth):
            add = np.maximum if weighting.repeats == "once" else np.add
            worth = add.reduceat(worth, first)
        return np.log2(1.0 + worth) if weighting.repeats == "log" else worth

    def _fade(
        self, weighting: Weighting, owners: Whole, newest: Whole, now: int | None
    ) -> NDArray[np.float64]:
        """The factor of each item's age and place; ``newest``: its newest event's entry."""
        factor = np.ones(len(newest))
        who, moments = owners[newest], self.moments[newest]
        if weighting.half_life_days > 0:
            if now is None:
                ends = np.maximum(self.indptr[1:] - 1, 0)
                latest = self.moments[ends][who] if len(self.moments) else moments
            else:
                latest = np.full(len(who), now)
            age_days = np.maximum(latest - moments, 0) / DAY
            factor = 2.0 ** (-age_days / weighting.half_life_days)
        if weighting.position_decay < 1:
            factor = factor * weighting.position_decay ** self._count_later(who, newest)
        return factor

    def _count_later(self, who: Whole, newest: Whole) -> Whole:
        """Different items of the same history met later; those of one moment count alike."""
        moments = self.moments[newest]
        order = np.lexsort((-moments, who))
        who, moments = who[order], moments[order]
        fresh = np.ones(len(order), dtype=np.bool_)
        fresh[1:] = (who[1:] != who[:-1]) | (moments[1:] != moments[:-1])
        places = np.maximum.accumulate(np.where(fresh, np.arange(len(order)), 0))
        starts = np.searchsorted(who, who)
        later = np.empty(len(order), dtype=np.int64)
        later[order] = places - starts
        return later

    def _cut(self) -> Iterator["Histories"]:
        """The same rows in parts of at most ``AT_ONCE`` events, or of one row; nothing copied."""
        start = 0
        while start < self.n_rows:
            most = int(self.indptr[start]) + AT_ONCE
            stop = max(int(np.searchsorted(self.indptr, most, side="right")) - 1, start + 1)
            rows, cells = slice(start, stop), slice(self.indptr[start], self.indptr[stop])
            yield replace(
                self,
                indptr=self.indptr[start : stop + 1] - self.indptr[start],
                items=self.items[cells],
                moments=self.moments[cells],
                kinds=self.kinds[cells],
                weights=self.weights[cells],
                baskets=self.baskets[cells],
                rows=self.rows[rows],
            )
            start = stop

    def _pick(self, cells: Whole) -> "Histories":
        return replace(
            self,
            items=self.items[cells],
            moments=_choose(self.moments, cells),
            kinds=_choose(self.kinds, cells),
            weights=_choose(self.weights, cells),
            baskets=_choose(self.baskets, cells),
        )


def _choose(values: NDArray[_Number], cells: Whole) -> NDArray[_Number]:
    """Some entries; of an array of equal numbers (``_same``) another one that takes no memory."""
    if len(values) and values.strides == (0,):
        return np.broadcast_to(values[0], len(cells))
    return values[cells]


def _same(value: int, count: int) -> Whole:
    """An array of equal numbers that takes no memory."""
    return np.broadcast_to(np.int64(value), count)
