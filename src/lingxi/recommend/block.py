"""Some customers at once: their histories by columns, their lists, and the reasons of these."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from numpy.typing import NDArray

from lingxi.profiles.tables import LAST_MET, item_history
from lingxi.recommend.among import BLOCK
from lingxi.recommend.crowd import Crowd, CrowdLists
from lingxi.recommend.goods import Goods
from lingxi.recommend.histories import CART, NOBODY, ORDER, VIEW, Histories
from lingxi.recommend.history import Weighting
from lingxi.recommend.kernels import list_once
from lingxi.recommend.largest import Spread, sort_best
from lingxi.recommend.lists import top_items
from lingxi.recommend.matrix import row_lengths
from lingxi.recommend.model import Model
from lingxi.recommend.newcomers import StandIns
from lingxi.recommend.past import bar_bought, fade, weigh_counts
from lingxi.recommend.quick import QuickModel, Row, Voice, mix_table
from lingxi.recommend.rules import RuleSettings
from lingxi.recommend.scorer import as_listing, as_listing_many
from lingxi.store.arrow_state import read_with_text

if TYPE_CHECKING:
    from lingxi.recommend.recommender import Recommender

Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Block:
    """The histories of some customers: entries ``indptr[r]`` to ``indptr[r + 1]`` are row r's, in
    rising order of the items' places; ``counts`` are views, carts and orders, shape (3, n)."""

    customers: Whole
    indptr: Whole
    items: Whole
    counts: Whole
    moments: Whole

    @property
    def owners(self) -> Whole:
        """The row of each entry."""
        return np.repeat(np.arange(len(self.customers)), np.diff(self.indptr))

    def split(self, entries: NDArray[np.bool_]) -> list[Whole]:
        """The items of the chosen entries, by row."""
        ends = np.concatenate(([0], np.cumsum(entries)))[self.indptr]
        items = self.items[entries]
        return [items[a:b] for a, b in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)]

    def keep(self, stays: NDArray[np.bool_]) -> "Block":
        """The same customers with the chosen entries."""
        kept = np.concatenate(([0], np.cumsum(stays)))
        return Block(
            self.customers,
            kept[self.indptr],
            self.items[stays],
            self.counts[:, stays],
            self.moments[stays],
        )

    def weigh(self, weighting: Weighting) -> NDArray[np.float64]:
        """The weight of each entry: the same numbers as ``Past.weigh``."""
        values = weigh_counts(self.counts, np.zeros_like(self.items), weighting)
        if weighting.half_life_days > 0 and len(values):
            newest = np.full(len(self.customers), np.iinfo(np.int64).min)
            np.maximum.at(newest, self.owners, self.moments)
            values = values * fade(newest[self.owners] - self.moments, weighting)
        if weighting.position_decay < 1:
            values = values * weighting.position_decay ** self._count_later()
        return values

    def _count_later(self) -> Whole:
        """Entries of the same row that are newer, for each."""
        owners = self.owners
        order = np.lexsort((-self.moments, owners))
        who, moments = owners[order], self.moments[order]
        fresh = np.ones(len(order), dtype=np.bool_)
        fresh[1:] = (who[1:] != who[:-1]) | (moments[1:] != moments[:-1])
        first = np.maximum.accumulate(np.where(fresh, np.arange(len(order)), 0))
        later = np.empty(len(order), dtype=np.int64)
        later[order] = first - self.indptr[who]
        return later

    def to_histories(self, rows: Whole, n_known: int) -> Histories:
        """One event for all of a kind and item; ``rows`` are the fitted rows."""
        known = self.keep(self.items < n_known)
        entries, kinds = np.nonzero(known.counts.T)
        histories = Histories.of_events(
            known.owners[entries],
            known.items[entries],
            (len(self.customers), n_known),
            moments=known.moments[entries],
            kinds=np.array([VIEW, CART, ORDER])[kinds],
            weights=known.counts[kinds, entries].astype(np.float32),
        )
        return replace(histories, rows=rows)


@dataclass(frozen=True)
class Lists:
    """Lists of a block: places of items (n_rows, n), -1 where one is short; each place's score, 0
    for what fills up; and the terms, by place of all lists in order (row · n + place)."""

    items: Whole
    scores: NDArray[np.float64]
    owners: Whole
    causes: Whole
    terms: NDArray[np.float64]


def read_block(tx: sa.Connection, goods: Goods, ids: pa.StringArray, customers: Whole) -> Block:
    """The histories of these customers, which rise; ``ids`` are those of ``goods``."""
    table = item_history.c
    query = sa.select(
        table.item_id,
        table.customer,
        LAST_MET,
        table.views,
        table.carts,
        table.orders,
    ).where(table.customer.between(int(customers[0]), int(customers[-1])))
    item_ids, (who, moments, *counts) = read_with_text(tx, query)
    found = pc.index_in(pa.array(item_ids, pa.string()), value_set=ids)
    items = np.array(found.fill_null(-1), dtype=np.int64)
    rows = np.minimum(np.searchsorted(customers, who), len(customers) - 1)
    kept = np.flatnonzero((customers[rows] == who) & (items >= 0))
    keys = rows[kept] * len(goods) + items[kept]
    if not (keys[1:] > keys[:-1]).all():
        kept = kept[np.argsort(keys, kind="stable")]
    indptr = np.zeros(len(customers) + 1, dtype=np.int64)
    np.cumsum(np.bincount(rows[kept], minlength=len(customers)), out=indptr[1:])
    return Block(customers, indptr, items[kept], np.array(counts)[:, kept], moments[kept])


def make_lists(
    recommender: "Recommender",
    goods: Goods,
    block: Block,
    n: int,
    rules: RuleSettings,
    stand_ins: StandIns | None = None,
) -> Lists:
    """The ``n`` best of every customer by the model for customers, then filled up."""
    barred = block.split(bar_bought(block.counts, block.moments, rules))
    opened = goods.gate(rules.off).open
    quick = recommender.quick
    if quick is not None:
        rows = _list_quickly(quick, block, opened, barred, n, stand_ins)
    elif as_listing(recommender.model.scorer) is not None:
        rows = _list_together(recommender, block, opened, barred, n, stand_ins)
    else:
        rows = _list_by_scores(recommender, block, opened, barred, n, stand_ins)
    items = np.full((len(rows), n), -1, dtype=np.int64)
    for at, row in enumerate(rows):
        items[at, : len(row.listed)] = row.listed
    owners = np.concatenate([row.places + at * n for at, row in enumerate(rows)])
    causes = np.concatenate([row.causes for row in rows])
    terms: NDArray[np.float64] = np.concatenate([row.terms for row in rows])
    scores = np.bincount(owners, weights=terms, minlength=items.size).astype(np.float64)
    _fill(items, goods.fill_order(rules.off), barred)
    return Lists(items, scores, owners, causes, terms)


def _list_quickly(
    quick: QuickModel,
    block: Block,
    opened: NDArray[np.bool_],
    barred: Sequence[Whole],
    n: int,
    stand_ins: StandIns | None,
) -> list[Row]:
    """By a model of operators: all at once where it adds up, else one by one."""
    n_known = len(quick.trend)
    known = block.keep(block.items < (n_known if stand_ins is None else stand_ins.n_all))
    weights = [known.weigh(heard) for heard in quick.hearings]
    gains = quick.trend * opened[:n_known]
    found: list[Row | None] = [None] * len(barred)
    if quick.adds_up:
        plain = known.items < n_known
        told = plain & (weights[0] > 0)
        own = known.keep(told)
        crowd = Crowd(own.indptr, own.items, weights[0][told], barred)
        found = CrowdLists(quick, gains, n, stand_ins, opened).make(crowd)
        for row in set(known.owners[~plain].tolist()):
            found[row] = None
    ends = known.indptr.tolist()
    rows = list[Row]()
    for row, closed, start, stop in zip(found, barred, ends[:-1], ends[1:], strict=True):
        if row is not None:
            rows.append(row)
            continue
        voices = []
        for each in weights:
            items, mine = known.items[start:stop], each[start:stop]
            if len(mine) and mine.min() <= 0:
                items, mine = items[mine > 0], mine[mine > 0]
            voices.append(Voice.of(items, mine, stand_ins))
        rows.append(quick.list_row(voices, gains, closed, n, stand_ins, opened))
    return rows


def _read_histories(recommender: "Recommender", block: Block) -> Histories:
    """The block as histories, each with the row that the model was fitted with, if there is one."""
    fitted = [recommender.rows.get(c, NOBODY) for c in block.customers.tolist()]
    return block.to_histories(np.array(fitted, dtype=np.int64), len(recommender.item_ids))


def _list_together(
    recommender: "Recommender",
    block: Block,
    opened: NDArray[np.bool_],
    barred: Sequence[Whole],
    n: int,
    stand_ins: StandIns | None,
) -> list[Row]:
    """As above for a model that knows the few items of each history that it scores."""
    model, histories = recommender.model, _read_histories(recommender, block)
    many, closed, rows = as_listing_many(model.scorer), ~opened, list[Row]()
    strange = _find_strangers(block).tolist()
    size = BLOCK if many is not None else 1
    for start in range(0, histories.n_rows, size):
        some = histories.take(np.arange(start, min(start + size, histories.n_rows)))
        found = [model.list_scores(some)] if many is None else model.list_many(many, some)
        lists = []
        part = slice(start, start + size)
        told = zip(found, barred[part], strange[part], strict=True)
        for (items, scores), own, nobody in told:
            if nobody:  # strangers get what anybody gets
                lists.append(np.empty(0, dtype=np.int64))
                continue
            if stand_ins is not None:
                items, scores = stand_ins.join(items, scores)
            before = closed[own]
            closed[own] = True
            scores = np.where(closed[items], np.float32(0), scores)
            closed[own] = before
            best = sort_best(Spread(items, scores), n)[:n]
            lists.append(np.array(best, dtype=np.int64))
        rows += _explain_lists(model, some, lists, stand_ins)
    return rows


def _find_strangers(block: Block) -> NDArray[np.bool_]:
    """Of whom nothing is known that counts."""
    strange = np.ones(len(block.customers), dtype=np.bool_)
    strange[block.owners[block.moments > 0]] = False
    return strange


def _list_by_scores(
    recommender: "Recommender",
    block: Block,
    opened: NDArray[np.bool_],
    barred: Sequence[Whole],
    n: int,
    stand_ins: StandIns | None,
) -> list[Row]:
    """As above for a model that scores all items of a history at once."""
    model, histories = recommender.model, _read_histories(recommender, block)
    strange, rows = _find_strangers(block), list[Row]()
    for start in range(0, histories.n_rows, BLOCK):
        part = slice(start, min(start + BLOCK, histories.n_rows))
        some = histories.take(np.arange(part.start, part.stop))
        scores = np.array(model.score(some))
        if stand_ins is not None:
            lent = [stand_ins.lend(each[stand_ins.shares.indices]) for each in scores]
            scores = np.concatenate((scores, np.array(lent)), axis=1)
        width = scores.shape[1]
        scores[:, ~opened[:width]] = -np.inf
        for row, own in zip(scores, barred[part], strict=True):
            row[own[own < width]] = -np.inf
        scores[scores <= 0] = -np.inf
        scores[strange[part]] = -np.inf  # strangers get what anybody gets
        lists = [each[each >= 0] for each in top_items(scores, min(n, width))]
        rows += _explain_lists(model, some, lists, stand_ins)
    return rows


def _explain_lists(
    model: Model, histories: Histories, lists: Sequence[Whole], stand_ins: StandIns | None
) -> list[Row]:
    """The terms of each history's list."""
    new = stand_ins is not None and any((each >= histories.n_items).any() for each in lists)
    if new or histories.n_rows == 1:
        single = [histories.take(np.array([row])) for row in range(len(lists))]
        pairs = zip(single if new else [histories], lists, strict=True)
        return [_explain_one(model, one, listed, stand_ins) for one, listed in pairs]
    n = max(1, *map(len, lists))
    given = model.explain(histories, _pad(lists, n))
    ends = np.concatenate(([0], np.cumsum(row_lengths(given))))
    rows = []
    for row, listed in enumerate(lists):
        own = ends[row * n : row * n + len(listed) + 1]
        part = slice(int(own[0]), int(own[-1]))
        places = np.repeat(np.arange(len(listed)), np.diff(own))
        causes = given.indices[part].astype(np.int64)
        rows.append(Row(listed, places, causes, given.data[part].astype(np.float64)))
    return rows


def _explain_one(
    model: Model, history: Histories, listed: Whole, stand_ins: StandIns | None
) -> Row:
    """The terms of one list, in which new items may stand."""
    asked, mixed = (listed, None) if stand_ins is None else stand_ins.ask(listed)
    if not len(asked):
        nothing = np.empty(0, dtype=np.int64)
        return Row(listed, nothing, nothing, np.empty(0))
    given = model.explain(history, asked[None, :])
    causes = list_once(given.indices).astype(np.int64)
    table = np.zeros((len(asked), len(causes)))
    owners = np.repeat(np.arange(len(asked)), row_lengths(given))
    table[owners, np.searchsorted(causes, given.indices)] = given.data
    table = mix_table(table, mixed, len(listed))
    places, columns = np.nonzero(table)
    return Row(listed, places.astype(np.int32), causes[columns], table[places, columns])


def _pad(lists: Sequence[Whole], n: int) -> Whole:
    """The lists as rows of ``n``, with other items where they are short: none is asked twice."""
    padded = np.empty((len(lists), n), dtype=np.int64)
    for row, listed in zip(padded, lists, strict=True):
        row[: len(listed)] = listed
        if len(listed) < n:
            row[len(listed) :] = np.setdiff1d(np.arange(n), listed)[: n - len(listed)]
    return padded


def _fill(items: Whole, order: Whole, barred: Sequence[Whole]) -> None:
    """Fill short lists up, in place: open items in their order, neither listed nor barred."""
    n = items.shape[1]
    for row in np.flatnonzero(items[:, -1] < 0).tolist():
        listed = items[row][items[row] >= 0]
        taken = {*listed.tolist(), *barred[row].tolist()}
        most = order[: n + len(taken)].tolist()
        more = [at for at in most if at not in taken][: n - len(listed)]
        items[row, len(listed) : len(listed) + len(more)] = more


def find_largest(lists: Lists, reasons: int) -> tuple[Whole, Whole, NDArray[np.float64]]:
    """The largest terms of each place, largest first: place of all lists, item, value.

    Equal terms: the item of the lower place first. Places rise.
    """
    kind = np.int16 if lists.items.size < 2**15 else np.int64
    order = np.argsort(lists.owners.astype(kind), kind="stable")
    owners, values = lists.owners[order], lists.terms[order].copy()
    if not len(owners) or reasons < 1:
        nothing = np.empty(0, dtype=np.int64)
        return nothing, nothing, np.empty(0)
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    sizes = np.diff(np.append(starts, len(owners)))
    found = []
    for _ in range(reasons):
        most = np.repeat(np.maximum.reduceat(values, starts), sizes)
        hits = np.flatnonzero((values == most) & (values > 0))
        first = hits[np.flatnonzero(np.diff(owners[hits], prepend=-1))]
        found.append((first, values[first].copy()))
        values[first] = -np.inf
    cells = np.concatenate([cells for cells, _ in found])
    terms = np.concatenate([terms for _, terms in found])
    again = np.argsort(owners[cells], kind="stable")
    cells = cells[again]
    return owners[cells], lists.causes[order[cells]], terms[again]
