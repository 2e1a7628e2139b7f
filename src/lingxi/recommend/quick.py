"""One history against stored operators, at the cost of the cells that it touches."""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import local

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.blend import Blend
from lingxi.recommend.kernels import Cells, RowOperator, Rows, add_rows, gather_rows
from lingxi.recommend.largest import Spread, find_scores, put_new, sort_best
from lingxi.recommend.model import Model
from lingxi.recommend.newcomers import Mixture, StandIns

Whole = NDArray[np.int64]
_SPARSE = 6
"""Items for each cell, up to which looking at all sums costs less than marking cells."""
_WIDE = 20_000
"""With more items, looking at all of them may cost more than looking at cells."""

_AT_HAND = 10_000
"""So many gathered cells are looked through sooner than others are gathered."""


@dataclass(frozen=True)
class Row:
    """A list, best first, and the terms of its scores: place in the list, item of the history."""

    listed: NDArray[np.integer]
    places: NDArray[np.integer]
    causes: Whole
    terms: NDArray[np.float64]


@dataclass(frozen=True)
class Voice:
    """What one operator hears of a history: ``items``, which it knows, with ``weights``.

    ``causes`` are the items of the history that they come from, ``mixture`` how where these are
    others: new ones, for which known ones stand in. All rise.
    """

    items: Whole
    weights: NDArray[np.float64]
    causes: Whole
    mixture: Mixture | None = None

    @staticmethod
    def of(items: Whole, weights: NDArray[np.float64], stand_ins: StandIns | None) -> "Voice":
        """The voice of a history's items, whose weights are above 0."""
        if stand_ins is None:
            return Voice(items, weights, items)
        heard, sums, mixture = stand_ins.hear(items, weights)
        return Voice(heard, sums, items, mixture)


Voices = Sequence[Voice]
"""One for each way in which a model hears histories (``QuickModel.hearings``)."""


class _Scratch(local):
    """Arrays as wide as the catalogue, kept for the next request; each thread has its own."""

    def __init__(self, n_items: int, n_parts: int, blends: bool) -> None:
        self.sums = np.zeros(n_items)
        self.total = np.zeros(n_items if blends else 0, dtype=np.float32)
        self.flags = np.zeros(n_items, dtype=np.bool_)
        self.places = np.zeros(n_items, dtype=np.int32)
        self.marks = np.zeros(n_items, dtype=np.int32)
        self.everything = np.arange(n_items, dtype=np.int32)
        self.gathered: list[tuple[Whole | None, Cells | None]] = [(None, None)] * n_parts
        """The rows last gathered of each part: reasons are asked for right after the scores."""


class _Part:
    """One operator of a model, and which voice it hears; ``share``: its part of a blend."""

    def __init__(self, linear: RowOperator, voice: int, share: float) -> None:
        self.operator, self.columns = Rows.of(linear.operator), Rows.of(linear.columns)
        self.voice, self.share = voice, share


class QuickModel:
    """A model of one operator, or a blend of several, asked for one history at a time.

    Its scores are those of ``Model.score`` to the last bit: each item's terms are added in the
    same order, in double precision.
    """

    def __init__(self, model: Model, linear: Sequence[RowOperator], shares: Sequence[float]):
        self.hearings = tuple(dict.fromkeys(each.heard for each in linear))
        """The different ways in which its operators hear."""
        self._parts = [
            _Part(each, self.hearings.index(each.heard), share)
            for each, share in zip(linear, shares, strict=True)
        ]
        self._blends = isinstance(model.scorer, Blend)
        self._factors = np.asarray(model.trend).view(np.ndarray)
        self._trend = model.trend.astype(np.float32)
        self._scratch = _Scratch(len(model.trend), len(linear), self._blends)

    @staticmethod
    def of(model: Model) -> "QuickModel | None":
        """The model in this form, or nothing where it has none."""
        scorer = model.scorer
        parts = scorer.parts if isinstance(scorer, Blend) else (scorer,)
        shares = scorer.shares if isinstance(scorer, Blend) else (1.0,)
        linear = [each for each in parts if isinstance(each, RowOperator)]
        if len(linear) < len(parts):
            return None
        if any(each.operator.data.dtype != np.float32 for each in linear):
            return None
        return QuickModel(model, linear, shares)

    @property
    def trend(self) -> NDArray[np.float32]:
        """How much each item is wanted now, shape (n_items,)."""
        return self._trend

    def spread(
        self, voices: Voices, stand_ins: StandIns | None = None, barred: Whole | None = None
    ) -> Spread:
        """Scores of everything that a history speaks for, new items behind the known ones; 0 for
        what is barred."""
        columns, n_known = self._add_up(voices), len(self._trend)
        lent = self._lend(stand_ins)
        if barred is not None:
            self._sums[barred[barred < n_known]] = 0
        known = self._take_sums(columns, self._trend)
        if lent is None or stand_ins is None:
            return known
        if barred is not None:
            lent[barred[(barred >= n_known) & (barred < n_known + len(lent))] - n_known] = 0
        new = np.flatnonzero(lent > 0)
        return Spread(
            np.concatenate((known.items, new + stand_ins.n_known)),
            np.concatenate((known.scores, lent[new])),
        )

    def _add_up(self, voices: Voices) -> NDArray[np.integer]:
        """Add the terms of every item to the sums; the columns that were looked at."""
        looked: list[NDArray[np.integer]] = []
        for at, part in enumerate(self._parts):
            voice = voices[part.voice]
            cells = gather_rows(part.operator, voice.items)
            self._scratch.gathered[at] = (voice.items, cells)
            add_rows(cells, voice.weights, self._scratch.sums)
            columns: NDArray[np.integer] = cells.columns
            if self._is_few(columns):
                columns = columns.astype(np.int64)  # what NumPy makes of indices each time
            if self._blends:
                self._put_share(columns, np.float32(part.share))
            looked.append(columns)
        return looked[0] if len(looked) == 1 else np.concatenate(looked)

    def _put_share(self, columns: NDArray[np.integer], share: np.float32) -> None:
        """Move a part's sums, so far as they are above 0, to the total of the blend."""
        sums, total = self._scratch.sums, self._scratch.total
        if self._is_few(columns):
            columns = columns[self._find_first(columns)]
            said = np.maximum(sums[columns].astype(np.float32), np.float32(0))
            total[columns] += share * said
            sums[columns] = 0.0
        else:
            total += share * np.maximum(sums.astype(np.float32), np.float32(0))
            sums.fill(0.0)

    def _is_few(self, columns: NDArray[np.integer]) -> bool:
        """Whether looking at these costs less than looking at all items."""
        n_items = len(self._trend)
        return n_items > _WIDE and n_items > _SPARSE * len(columns)

    def _find_first(self, columns: NDArray[np.integer]) -> NDArray[np.bool_]:
        """One entry of each column."""
        marks, places = self._scratch.marks, np.arange(len(columns), dtype=np.int32)
        marks[columns] = places
        first: NDArray[np.bool_] = marks[columns] == places
        return first

    @property
    def _sums(self) -> NDArray[np.floating]:
        """Where what was added up stands."""
        return self._scratch.total if self._blends else self._scratch.sums

    def _lend(self, stand_ins: StandIns | None) -> NDArray[np.float32] | None:
        """What the sums of the known items lend to the new ones."""
        if stand_ins is None or not len(stand_ins):
            return None
        used = stand_ins.shares.indices
        return stand_ins.lend(self._sums[used].astype(np.float32) * self._trend[used])

    def _take_sums(self, columns: NDArray[np.integer], gains: NDArray[np.float32]) -> Spread:
        """What was added up for these columns, which is 0 again afterwards, times the gains."""
        sums = self._sums
        if not self._is_few(columns):
            scores = sums.astype(np.float32)
            sums.fill(0.0)
            scores *= gains
            return Spread(self._scratch.everything, scores)
        scores = sums[columns].astype(np.float32)
        sums[columns] = 0.0
        scores *= gains[columns]
        scores *= self._find_first(columns)
        return Spread(columns, scores)

    def find_table(self, voices: Voices, listed: Whole) -> tuple[Whole, NDArray[np.float64]]:
        """The terms of the listed items' scores, shape (n_listed, n_causes), and the causes."""
        causes = voices[0].causes
        if len(voices) > 1:
            causes = np.unique(np.concatenate([voice.causes for voice in voices]))
        table = np.zeros((len(listed), len(causes)))
        for at, part in enumerate(self._parts):
            voice = voices[part.voice]
            own = self._tell(at, voice, listed)
            if self._blends:
                own *= part.share * (own.sum(axis=1, keepdims=True) > 0)
            own = mix_causes(own, voice.mixture, len(voice.causes))
            if len(self._parts) == 1:
                return causes, own
            table[:, np.searchsorted(causes, voice.causes)] += own
        return causes, table

    def _tell(self, at: int, voice: Voice, listed: Whole) -> NDArray[np.float64]:
        """The terms that one part gives, shape (n_listed, n_items of the voice)."""
        part, items = self._parts[at], voice.items
        table = np.zeros((len(listed), len(items)))
        known, kept = self._scratch.gathered[at]
        rows = kept if known is items else None
        if _is_shorter(part, listed, items, rows):
            cells = gather_rows(part.columns, listed)
            flags, own = self._scratch.flags, self._scratch.places
            own[items] = np.arange(len(items), dtype=np.int32)
            flags[items] = True
            met = flags.take(cells.columns).nonzero()[0]
            flags[items] = False
            owners = own[cells.columns[met]]
            places = cells.ends.searchsorted(met, side="right") - 1
            terms = voice.weights[owners] * cells.values[met] * self._factors[listed[places]]
            table[places, owners] = terms
        else:
            rows = gather_rows(part.operator, items) if rows is None else rows
            found = self._find_terms(rows, voice.weights, listed)
            table[found[0], found[1]] = found[2]
        return table

    def _find_terms(
        self, cells: Cells, weights: NDArray[np.float64], listed: NDArray[np.integer]
    ) -> tuple[NDArray[np.int32], Whole, NDArray[np.float64]]:
        """The terms of the listed items' scores: places in the list, places in the history, values.

        They are looked for in the rows of the history: the column of an item that everybody speaks
        for may be as long as the catalogue.
        """
        flags, own = self._scratch.flags, self._scratch.places
        own[listed] = np.arange(len(listed), dtype=np.int32)
        flags[listed] = True
        met = flags.take(cells.columns).nonzero()[0]
        flags[listed] = False
        places = own[cells.columns[met]]
        owners = cells.ends.searchsorted(met, side="right") - 1
        terms = weights[owners] * cells.values[met] * self._factors[listed[places]]
        return places, owners, terms

    def list_row(
        self,
        voices: Voices,
        gains: NDArray[np.float32],
        barred: Whole,
        n: int,
        stand_ins: StandIns | None = None,
        opened: NDArray[np.bool_] | None = None,
    ) -> Row:
        """The ``n`` best of one history with every term of their scores; for lists of everyone.

        ``gains``, shape (n_items,): the model's trend, 0 where an item is not open; ``opened``,
        shape (n_places,): which items are, the new ones of ``stand_ins`` included.
        """
        columns = self._add_up(voices)
        lent, n_known = self._lend(stand_ins), len(self._trend)
        self._sums[barred[barred < n_known]] = 0
        spread = self._take_sums(columns, gains)
        listed = np.array(sort_best(spread, n)[:n], dtype=np.int64)
        if lent is not None and opened is not None:
            lent *= opened[n_known : n_known + len(lent)]
            listed = put_new(listed, find_scores(spread, listed), lent, barred, n_known, n)
        mixed = any(voice.mixture for voice in voices) or bool((listed >= n_known).any())
        if not mixed and not self._blends:
            _, cells = self._scratch.gathered[0]
            assert cells is not None
            places, owners, terms = self._find_terms(cells, voices[0].weights, listed)
            return Row(listed, places, voices[0].items[owners], terms)
        asked, mixture = listed, None
        if stand_ins is not None:
            asked, mixture = stand_ins.ask(listed)
        causes, table = self.find_table(voices, asked)
        table = mix_table(table, mixture, len(listed))
        rows, owners = np.nonzero(table)
        return Row(listed, rows, causes[owners], table[rows, owners])


def _is_shorter(part: _Part, listed: Whole, items: Whole, rows: Cells | None) -> bool:
    """Whether looking along the columns of the listed items costs less than along the history's
    rows; ``rows``: these, where they are still at hand."""
    if rows is not None and len(rows.columns) <= _AT_HAND:
        return False
    columns, operator = part.columns.indptr, part.operator.indptr
    cells = len(rows.columns) if rows is not None else _count_cells(operator, items)
    return _count_cells(columns, listed) < cells


def _count_cells(indptr: NDArray[np.integer], rows: Whole) -> int:
    return int((indptr[rows + 1] - indptr[rows]).sum())


def mix_table(
    table: NDArray[np.float64], mixture: Mixture | None, n_listed: int
) -> NDArray[np.float64]:
    """The terms of listed items from those of the items that stand in for them."""
    if mixture is None:
        return table
    spoken = np.where(table.sum(axis=1, keepdims=True) > 0, table, 0.0)
    return mixture.mix_rows(spoken, n_listed)


def mix_causes(
    table: NDArray[np.float64], mixture: Mixture | None, n_items: int
) -> NDArray[np.float64]:
    """The terms by what the history holds, from those by the items that it was heard as."""
    return table if mixture is None else mixture.mix_rows(table.T, n_items).T
