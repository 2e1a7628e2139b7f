"""Lists for many customers at once: the same models and rules, a block of customers at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from numpy.typing import NDArray

from lingxi.catalogue import read_items
from lingxi.errors import InvalidInput
from lingxi.profiles.tables import item_history
from lingxi.recommend.histories import CART, ORDER, VIEW, Histories
from lingxi.recommend.lists import exclude, fill_up, top_items
from lingxi.recommend.matrix import Csr, row_lengths, row_sums, sum_pairs
from lingxi.recommend.rules import Candidate, RuleSettings, find_rule
from lingxi.store import Progress, Store
from lingxi.store.arrow_state import read_columns

if TYPE_CHECKING:
    from lingxi.recommend.recommender import Recommender

BLOCK = 1024
STEP = "Recommendations"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REASON = pa.struct([pa.field("item_id", pa.string()), pa.field("share", pa.float64())])

_FIELDS: "list[pa.Field[pa.DataType]]" = [
    pa.field("customer", pa.int64(), nullable=False),
    pa.field("rank", pa.int32(), nullable=False),
    pa.field("item_id", pa.string(), nullable=False),
    pa.field("score", pa.float64(), nullable=False),
    pa.field("model", pa.string(), nullable=False),
    pa.field("because", pa.list_(_REASON), nullable=False),
]

LISTS = pa.schema(_FIELDS)
"""One row per customer and place, best first; ``because`` as in ``Recommended``."""


@dataclass(frozen=True)
class Block:
    """The histories of some customers as entries: row in the block, item, counts, last moment."""

    customers: NDArray[np.int64]
    rows: NDArray[np.int64]
    items: NDArray[np.int64]
    views: NDArray[np.int64]
    carts: NDArray[np.int64]
    orders: NDArray[np.int64]
    moments: NDArray[np.int64]


def recommend_in_blocks(
    recommender: "Recommender",
    store: Store,
    customers: Sequence[int],
    *,
    n: int,
    rules: RuleSettings,
    reasons: int,
    progress: Progress,
) -> pa.Table:
    """Lists of ``n`` items for each customer, in rising order of customer; see ``LISTS``."""
    if n < 1:
        raise InvalidInput(f"n must be at least 1, but is {n}.")
    everyone = np.unique(np.array(list(customers), dtype=np.int64))
    tables = [LISTS.empty_table()]
    with store.read() as tx:
        barred = _find_barred(recommender, tx, rules)
        for start in range(0, len(everyone), BLOCK):
            progress(STEP, start, len(everyone))
            block = _read_block(recommender, tx, everyone[start : start + BLOCK])
            tables.append(_recommend_block(recommender, block, barred, n, rules, reasons))
    progress(STEP, len(everyone), len(everyone))
    return pa.concat_tables(tables)


def _find_barred(
    recommender: "Recommender", tx: sa.Connection, rules: RuleSettings
) -> NDArray[np.int64]:
    """Items that a rule keeps from everyone."""
    items = read_items(tx)
    barred = [
        at
        for at, item_id in enumerate(recommender.item_ids)
        if find_rule(Candidate(item_id, items.get(item_id)), rules) is not None
    ]
    return np.array(barred, dtype=np.int64)


def _read_block(
    recommender: "Recommender", tx: sa.Connection, customers: NDArray[np.int64]
) -> Block:
    table = item_history.c
    query = sa.select(
        table.customer,
        table.item_id,
        table.views,
        table.carts,
        table.orders,
        sa.type_coerce(table.last_at, sa.BigInteger),
    ).where(
        table.customer.between(int(customers[0]), int(customers[-1])), table.last_at.is_not(None)
    )
    columns = read_columns(tx, query)
    who = np.array(columns[0], dtype=np.int64)
    places = pc.index_in(pa.array(columns[1], pa.string()), value_set=recommender.ids)
    items = np.array(places.fill_null(-1), dtype=np.int64)
    rows = np.minimum(np.searchsorted(customers, who), len(customers) - 1)
    kept = (customers[rows] == who) & (items >= 0)
    counts = [np.array(column, dtype=np.int64)[kept] for column in columns[2:]]
    return Block(customers, rows[kept], items[kept], *counts)


def _recommend_block(
    recommender: "Recommender",
    block: Block,
    barred: NDArray[np.int64],
    n: int,
    rules: RuleSettings,
    reasons: int,
) -> pa.Table:
    shape = (len(block.customers), len(recommender.item_ids))
    histories = _read_histories(recommender, block, shape)
    scores = np.array(recommender.model.score(histories))
    fill_up(scores, recommender.popularity)
    scores[:, barred] = -np.inf
    exclude(scores, _find_excluded(recommender, block, rules, shape))
    lists = top_items(scores, n)
    given = recommender.model.explain(histories, np.maximum(lists, 0))
    return _tabulate(recommender, block.customers, lists, scores, given, reasons)


def _read_histories(recommender: "Recommender", block: Block, shape: tuple[int, int]) -> Histories:
    """As ``Recommender.read_history``: one event for all of a kind and item."""
    kinds = ((VIEW, block.views), (CART, block.carts), (ORDER, block.orders))
    cells = [np.flatnonzero(counts > 0) for _, counts in kinds]
    entries = np.concatenate(cells)
    histories = Histories.of_events(
        block.rows[entries],
        block.items[entries],
        shape,
        moments=block.moments[entries],
        kinds=np.repeat([kind for kind, _ in kinds], [len(c) for c in cells]),
        weights=np.concatenate([c[at] for (_, c), at in zip(kinds, cells, strict=True)]),
    )
    own = [recommender.rows.get(c, -1) for c in block.customers.tolist()]
    return replace(histories, rows=np.array(own, dtype=np.int64))


def _find_excluded(
    recommender: "Recommender", block: Block, rules: RuleSettings, shape: tuple[int, int]
) -> Csr:
    """Cells that a rule about the customer's own history keeps out."""
    entries = np.flatnonzero(block.orders > 0)
    if rules.repurchase_after is not None or rules.off:
        entries = np.array(
            [at for at in entries.tolist() if _is_excluded(recommender, block, at, rules)],
            dtype=np.int64,
        )
    return sum_pairs(block.rows[entries], block.items[entries], np.ones(len(entries)), shape)


def _is_excluded(recommender: "Recommender", block: Block, at: int, rules: RuleSettings) -> bool:
    moment = _EPOCH + timedelta(microseconds=int(block.moments[at]))
    item_id = recommender.item_ids[int(block.items[at])]
    candidate = Candidate(item_id, None, int(block.orders[at]), moment)
    return find_rule(candidate, rules) is not None


def _tabulate(
    recommender: "Recommender",
    customers: NDArray[np.int64],
    lists: NDArray[np.int64],
    scores: NDArray[np.float32],
    given: Csr,
    reasons: int,
) -> pa.Table:
    n = lists.shape[1]
    owners = np.repeat(np.arange(lists.size), row_lengths(given))
    totals = row_sums(given)
    items = lists.reshape(-1)
    places = np.flatnonzero(items >= 0)
    own = np.take_along_axis(scores, np.maximum(lists, 0), axis=1).reshape(-1)
    personal = (own > 0) & (totals > 0)
    shown = np.where(personal, totals, recommender.popularity[np.maximum(items, 0)])
    ids = recommender.ids
    names = pa.array(["popularity", recommender.name], pa.string())
    columns: list[pa.Array[pa.Scalar[pa.DataType]]] = [
        pa.array(np.repeat(customers, n)[places], pa.int64()),
        pa.array(np.tile(np.arange(1, n + 1), len(customers))[places], pa.int32()),
        ids.take(pa.array(items[places], pa.int64())),
        pa.array(shown[places], pa.float64()),
        names.take(pa.array(personal[places].astype(np.int64), pa.int64())),
        _list_reasons(ids, given, owners, totals, personal, places, reasons),
    ]
    return pa.Table.from_arrays(columns, schema=LISTS)


def _list_reasons(
    ids: pa.StringArray,
    given: Csr,
    owners: NDArray[np.int64],
    totals: NDArray[np.float64],
    personal: NDArray[np.bool_],
    places: NDArray[np.int64],
    reasons: int,
) -> "pa.ListArray[pa.ListScalar[pa.StructType]]":
    """The largest shares of each place's score, largest first; what lowers it is no reason."""
    cells = np.flatnonzero(personal[owners] & (given.data > 0))
    order = cells[np.lexsort((given.indices[cells], -given.data[cells], owners[cells]))]
    counts = np.bincount(owners[order], minlength=len(totals))
    starts = np.concatenate(([0], np.cumsum(counts)))
    kept = order[np.arange(len(order)) - starts[owners[order]] < reasons]
    shares = given.data[kept] / totals[owners[kept]]
    reason = pa.StructArray.from_arrays(
        [ids.take(pa.array(given.indices[kept], pa.int32())), pa.array(shares, pa.float64())],
        fields=list(_REASON),
    )
    lengths = np.minimum(counts, reasons)[places]
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), reason)
