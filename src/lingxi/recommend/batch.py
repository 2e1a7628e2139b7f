"""Lists for many customers: the same models and rules as for one, a block at a time."""

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lingxi.errors import InvalidInput
from lingxi.recommend.block import Block, Lists, find_largest, make_lists, read_block
from lingxi.recommend.rules import RuleSettings
from lingxi.recommend.standing import FILL
from lingxi.store import Progress, Store

if TYPE_CHECKING:
    from lingxi.recommend.recommender import Recommender

STEP = "Recommendations"
_MOST_ROWS, _MOST_PLACES = 1024, 32_000
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


def recommend_in_blocks(
    recommender: "Recommender",
    store: Store,
    customers: Sequence[int],
    *,
    n: int,
    rules: RuleSettings,
    reasons: int,
    progress: Progress,
    strangers: Collection[int] = (),
) -> Iterator[pa.Table]:
    """Lists of ``n`` items for each customer, in rising order of customer; see ``LISTS``.

    Memory is that of a block of some hundred customers. ``strangers``, who have refused that their
    history is used, get what anybody gets.

    Raises
    ------
    InvalidInput
        If ``n`` is below 1.
    """
    if n < 1:
        raise InvalidInput(f"n must be at least 1, but is {n}.")
    everyone = np.unique(np.array(list(customers), dtype=np.int64))
    unknown = np.array(sorted(strangers), dtype=np.int64)
    size = max(1, min(_MOST_ROWS, _MOST_PLACES // n))
    for start in range(0, len(everyone), size):
        progress(STEP, start, len(everyone))
        with store.read() as tx:
            goods = recommender.goods.current(tx)
            ids = pa.array(goods.ids, pa.string())
            block = read_block(tx, goods, ids, everyone[start : start + size])
            stand_ins = recommender.find_stand_ins(tx, goods)
        if len(unknown):
            block = block.keep(~np.isin(block.customers, unknown)[block.owners])
        lists = make_lists(recommender, goods, block, n, rules, stand_ins)
        yield _tabulate(recommender, ids, block, lists, reasons)
    progress(STEP, len(everyone), len(everyone))


def _tabulate(
    recommender: "Recommender", ids: pa.StringArray, block: Block, lists: Lists, reasons: int
) -> pa.Table:
    n = lists.items.shape[1]
    items = lists.items.reshape(-1)
    places = np.flatnonzero(items >= 0)
    shown = items[places]
    personal = lists.scores[places] > 0
    popularity = np.zeros(len(ids))
    popularity[: len(recommender.popularity)] = recommender.popularity
    names = pa.array([FILL, recommender.name], pa.string())
    columns: list[pa.Array[pa.Scalar[pa.DataType]]] = [
        pa.array(np.repeat(block.customers, n)[places], pa.int64()),
        pa.array(np.tile(np.arange(1, n + 1), len(block.customers))[places], pa.int32()),
        ids.take(pa.array(shown, pa.int64())),
        pa.array(np.where(personal, lists.scores[places], popularity[shown]), pa.float64()),
        names.take(pa.array(personal.astype(np.int64), pa.int64())),
        _list_reasons(ids, lists, places, reasons),
    ]
    return pa.Table.from_arrays(columns, schema=LISTS)


def _list_reasons(
    ids: pa.StringArray, lists: Lists, places: NDArray[np.int64], reasons: int
) -> "pa.ListArray[pa.ListScalar[pa.StructType]]":
    """The largest shares of what speaks for each place, largest first."""
    owners, causes, terms = find_largest(lists, reasons)
    speaks = np.maximum(lists.terms, 0.0)
    support = np.bincount(lists.owners, weights=speaks, minlength=lists.items.size)
    reason = pa.StructArray.from_arrays(
        [
            ids.take(pa.array(causes, pa.int64())),
            pa.array(terms / support[owners], pa.float64()),
        ],
        fields=list(_REASON),
    )
    lengths = np.bincount(owners, minlength=lists.items.size)[places]
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), reason)
