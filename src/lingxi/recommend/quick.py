"""One history against stored operators, at the cost of the cells that it touches."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import local

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.blend import Blend
from lingxi.recommend.gathered import Gathered, Linear, Room, find_linear, gather
from lingxi.recommend.kernels import Cells, list_once, multiply_rows
from lingxi.recommend.largest import Spread, find_scores, put_new, sort_best
from lingxi.recommend.model import Model
from lingxi.recommend.newcomers import Mixture, StandIns
from lingxi.recommend.scratch import BUSIEST, Best, Gains, Scratch

Whole = NDArray[np.int64]
Vector = NDArray[np.float64]


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


class _Last(local):
    """The rows last gathered: reasons are asked for right after the scores."""

    voices: Voices | None = None
    rows: Gathered | None = None
    best: Best | None = None

    def __init__(self) -> None:
        self.room = Room()


class QuickModel:
    """A model of one operator, or a blend of several, asked for one history at a time.

    Its scores are those of ``Model.score`` to the last bit: each item's terms are added in the
    same order, in double precision.
    """

    def __init__(self, model: Model, linear: Sequence[Linear], shares: Sequence[float]) -> None:
        self.hearings = tuple(dict.fromkeys(each.heard for each in linear))
        """The different ways in which its operators hear."""
        self.linear, self.shares = tuple(linear), tuple(shares)
        self._voice = [self.hearings.index(each.heard) for each in linear]
        self._blends = isinstance(model.scorer, Blend)
        self.factors = model.trend
        """As ``trend``, in double precision, in which terms are told."""
        self._trend = model.trend.astype(np.float32)
        self._gains = Gains(self._trend, float(self._trend.max(initial=np.float32(0))))
        self._scratch = Scratch(len(model.trend))
        self._lending: tuple[StandIns, Cells] | None = None
        self._last = _Last()
        self._groups = _group(self.linear)
        self._mixes = len(self._groups) > 1 or (self._blends and linear[0].speaks_against)

    @staticmethod
    def of(model: Model) -> "QuickModel | None":
        """The model in this form, or nothing where it has none."""
        scorer = model.scorer
        parts = scorer.parts if isinstance(scorer, Blend) else (scorer,)
        shares = scorer.shares if isinstance(scorer, Blend) else (1.0,)
        linear = [find_linear(each) for each in parts]
        known = [each for each in linear if each is not None]
        return QuickModel(model, known, shares) if len(known) == len(parts) else None

    @property
    def adds_up(self) -> bool:
        """Whether a score is one sum of the terms of all operators, which hear alike."""
        return not self._mixes and len(self.hearings) == 1

    @property
    def top_gain(self) -> float:
        """The highest trend of an item."""
        return self._gains.top

    @property
    def trend(self) -> NDArray[np.float32]:
        """How much each item is wanted now, shape (n_items,)."""
        return self._trend

    def spread(
        self, voices: Voices, stand_ins: StandIns | None = None, barred: Whole | None = None
    ) -> Spread:
        """Scores of everything that a history speaks for, new items behind the known ones; 0 for
        what is barred."""
        columns, lent = self._add_up(voices), self.lend(stand_ins, self._sums)
        if barred is not None:
            self._bar(barred)
        known = self._take_sums(columns, self._trend)
        return known if lent is None else _join(known, lent, barred, len(self._trend))

    def find_best(
        self,
        voices: Voices,
        n: int,
        stand_ins: StandIns | None = None,
        barred: Whole | None = None,
    ) -> Spread:
        """The same of those scored above 0 alone, and at least of the ``n`` highest."""
        columns, lent = self._add_up(voices), self.lend(stand_ins, self._sums)
        if barred is not None:
            self._bar(barred)
        known = self._take_best(columns, n, self._gains)
        return known if lent is None else _join(known, lent, barred, len(self._trend))

    def _gather(self, voices: Voices) -> Gathered:
        last, own = self._last, [(voices[at].items, voices[at].weights) for at in self._voice]
        last.voices = last.best = None
        found = last.rows = gather(self.linear, own, last.room)
        last.voices = voices
        return found

    def _add_up(self, voices: Voices) -> Whole:
        """Add the terms of every item to the sums; the columns that were looked at."""
        rows, scratch = self._gather(voices), self._scratch
        sums, total, weights = scratch.sums, scratch.total, self._share_out(rows)
        if not self._mixes:
            return rows.add(self._groups[0], weights, sums)
        for parts in self._groups:
            columns = rows.add(parts, weights, sums)
            if scratch.is_few(len(columns)):
                said = sums.take(columns).astype(np.float32)
                scratch.clear(sums, columns)
                # an item that stands there often reads and writes the same each time
                total[columns] += np.maximum(said, np.float32(0))
            else:
                total += np.maximum(sums.astype(np.float32), np.float32(0))
                sums.fill(0.0)
        return rows.index

    def _share_out(self, rows: Gathered) -> Vector:
        """The weights of the entries, times the shares of their operators."""
        if not self._blends:
            return rows.weights
        weights: Vector = rows.weights * np.repeat(self.shares, np.diff(rows.bounds))
        return weights

    @property
    def _sums(self) -> NDArray[np.floating]:
        """Where what was added up stands."""
        return self._scratch.total if self._mixes else self._scratch.sums

    def _bar(self, barred: Whole) -> None:
        n_known = len(self._trend)
        stays = len(barred) and barred[-1] >= n_known  # they rise
        self._sums[barred[barred < n_known] if stays else barred] = 0

    def lend(
        self, stand_ins: StandIns | None, sums: NDArray[np.floating]
    ) -> NDArray[np.float32] | None:
        """What these sums of the known items lend to the new ones; below 0 lends nothing."""
        if stand_ins is None or not len(stand_ins):
            return None
        held = self._lending
        if held is None or held[0] is not stand_ins:
            cells = stand_ins.weigh(self.factors.astype(sums.dtype))
            held = self._lending = stand_ins, cells
        if not self._blends and self.linear[0].speaks_against:
            sums = np.maximum(sums, 0)
        return multiply_rows(held[1], sums[:, None])[:, 0].astype(np.float32)

    def _take_best(self, columns: Whole, n: int, gains: Gains) -> Spread:
        """The items above 0, the ``n`` highest at least; the sums are 0 again afterwards."""
        best = self._scratch.take_best(self._sums, columns, n, self.busiest, gains)
        self._last.best = best
        return Spread(best.items, best.scores)

    def _find_terms(
        self, rows: Gathered, listed: Whole
    ) -> tuple[NDArray[np.int32], Whole, NDArray[np.float64]]:
        """The terms of listed items by the rows last gathered: places, entries, values."""
        best, cells = self._last.best, None
        if best is not None and best.cells is not None:
            near = self._scratch.are_among(listed, best.items)
            cells = best.cells if near.all() else None
        places, entries, terms = rows.find_terms(listed, self._scratch, cells)
        terms *= self.factors.take(listed).take(places)
        if self._blends:
            terms *= np.repeat(self.shares, np.diff(rows.bounds)).take(entries)
        return places, entries, terms

    @cached_property
    def busiest(self) -> Whole:
        """The columns with the most cells in all operators, rising."""
        share = BUSIEST // max(len(self.linear), 1)
        busiest = np.concatenate([each.longest[:share] for each in self.linear])
        return list_once(busiest).astype(np.int64, copy=False)

    def _take_sums(self, columns: Whole, gains: NDArray[np.float32]) -> Spread:
        """What was added up for these columns, which is 0 again afterwards, times the gains."""
        sums, scratch = self._sums, self._scratch
        if not scratch.is_few(len(columns)):
            scores = sums.astype(np.float32)
            sums.fill(0.0)
            scores *= gains
            return Spread(np.arange(len(scores)), scores)
        items = scratch.list_met(sums, columns)
        scores = sums.take(items).astype(np.float32)
        sums[items] = 0.0
        scores *= gains.take(items)
        return Spread(items, scores)

    def find_table(self, voices: Voices, listed: Whole) -> tuple[Whole, NDArray[np.float64]]:
        """The terms of the listed items' scores, shape (n_listed, n_causes), and the causes."""
        last = self._last
        rows = last.rows if last.voices is voices else None
        rows = self._gather(voices) if rows is None else rows
        places, entries, terms = self._find_terms(rows, listed)
        causes = voices[0].causes
        if len(voices) > 1:
            causes = np.unique(np.concatenate([voice.causes for voice in voices]))
        if self._mixes or any(voice.mixture for voice in voices):
            table = np.zeros((len(listed), len(rows.items)))
            table[places, entries] = terms
            return causes, self._mix(voices, rows, table, causes)
        own = rows.items.take(entries)
        slots = places.astype(np.int64) * len(causes) + causes.searchsorted(own)
        summed = np.bincount(slots, weights=terms, minlength=len(listed) * len(causes))
        return causes, summed.reshape(len(listed), len(causes)).astype(np.float64, copy=False)

    def _mix(
        self, voices: Voices, rows: Gathered, table: NDArray[np.float64], causes: Whole
    ) -> NDArray[np.float64]:
        """The terms by causes, from those by entries; a part whose terms sum to less than 0 says
        nothing of an item."""
        total = np.zeros((len(table), len(causes)))
        for at, voice in enumerate(self._voice):
            heard, own = voices[voice], table[:, rows.bounds[at] : rows.bounds[at + 1]]
            if self._blends:
                own = own * (own.sum(axis=1, keepdims=True) > 0)
            own = mix_causes(own, heard.mixture, len(heard.causes))
            if len(voices) == 1:
                total += own
            else:
                total[:, np.searchsorted(causes, heard.causes)] += own
        return total

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
        lent, n_known = self.lend(stand_ins, self._sums), len(self._trend)
        self._bar(barred)
        best = self._take_best(columns, n, Gains(gains, self._gains.top))
        listed = np.array(sort_best(best, n)[:n], dtype=np.int64)
        if lent is not None and opened is not None:
            lent *= opened[n_known : n_known + len(lent)]
            listed = put_new(listed, find_scores(best, listed), lent, barred, n_known, n)
        mixed = any(voice.mixture for voice in voices) or bool((listed >= n_known).any())
        if not mixed and not self._blends:
            rows = self._last.rows
            assert rows is not None
            places, entries, terms = self._find_terms(rows, listed)
            return Row(listed, places, rows.items[entries], terms)
        asked, mixture = listed, None
        if stand_ins is not None:
            asked, mixture = stand_ins.ask(listed)
        causes, table = self.find_table(voices, asked)
        table = mix_table(table, mixture, len(listed))
        rows_of, owners = np.nonzero(table)
        return Row(listed, rows_of, causes[owners], table[rows_of, owners])


def _group(linear: Sequence[Linear]) -> list[range]:
    """Neighbouring parts that never speak against an item, whose terms are added in one go; others
    alone, since what they score below 0 counts as 0."""
    groups: list[range] = []
    for at, each in enumerate(linear):
        if groups and not each.speaks_against and not linear[at - 1].speaks_against:
            groups[-1] = range(groups[-1].start, at + 1)
        else:
            groups.append(range(at, at + 1))
    return groups


def _join(known: Spread, lent: NDArray[np.float32], barred: Whole | None, n_known: int) -> Spread:
    """Known items with the new ones to which something is lent."""
    if barred is not None and len(barred) and barred[-1] >= n_known:  # they rise
        lent[barred[(barred >= n_known) & (barred < n_known + len(lent))] - n_known] = 0
    new = (lent > 0).nonzero()[0]
    if not len(new):
        return known
    return Spread(
        np.concatenate((known.items, new + n_known)), np.concatenate((known.scores, lent[new]))
    )


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
