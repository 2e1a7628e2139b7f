"""Bought together: pairs of items in the same orders, with confidence and lift."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.histories import ORDER
from lingxi.recommend.interactions import Interactions
from lingxi.recommend.matrix import (
    Csr,
    keep_best,
    row_blocks,
    row_lengths,
    scale,
    stack,
    sum_pairs,
    transpose,
)
from lingxi.recommend.pairs import drop_self
from lingxi.store import Artefact, ArtefactWriter

FEWEST_ORDERS = 2
MOST_PAIRS = 50


@dataclass(frozen=True)
class Together:
    """Another item in the same orders.

    ``orders`` held both; ``confidence`` = orders with both / orders with the first;
    ``lift`` = confidence / (orders with the other / all orders), 1 for chance.
    """

    item_id: str
    orders: int
    confidence: float
    lift: float


@dataclass(frozen=True)
class Baskets:
    """Counts of orders: of each item, of each pair (the most frequent ones), of all."""

    pairs: Csr
    item_orders: NDArray[np.int64]
    orders: int

    def together(self, item: int, item_ids: tuple[str, ...], n: int) -> tuple[Together, ...]:
        """The items most often in the same orders; equal counts: higher lift, then lower index."""
        start, stop = self.pairs.indptr[item], self.pairs.indptr[item + 1]
        found = []
        for other, both in zip(
            self.pairs.indices[start:stop].tolist(),
            self.pairs.data[start:stop].tolist(),
            strict=True,
        ):
            confidence = both / int(self.item_orders[item])
            lift = confidence * self.orders / int(self.item_orders[other])
            found.append(
                (-both, -lift, other, Together(item_ids[other], int(both), confidence, lift))
            )
        return tuple(entry[-1] for entry in sorted(found)[:n])

    def save(self, writer: ArtefactWriter) -> None:
        """Write the counts; nothing in them belongs to a customer."""
        writer.save_csr("pairs", self.pairs)
        writer.save_array("item_orders", self.item_orders)
        writer.save_json("orders", self.orders)

    @staticmethod
    def load(artefact: Artefact) -> "Baskets":
        """Read the counts."""
        return Baskets(
            artefact.load_csr("pairs"),
            artefact.load_array("item_orders", np.int64),
            artefact.load_json("orders", int),
        )


def count_baskets(interactions: Interactions) -> Baskets:
    """Count items and pairs over all orders, those of anonymous baskets too.

    Pairs in fewer than two orders are left out, and each item keeps its 50 most frequent.
    """
    ordered = interactions.kinds == ORDER
    n_items = len(interactions.item_ids)
    keys = np.unique(interactions.orders[ordered] * n_items + interactions.items[ordered])
    orders, items = np.divmod(keys, max(n_items, 1))
    _, orders = np.unique(orders, return_inverse=True)
    count = int(orders.max(initial=-1)) + 1
    by_order = sum_pairs(orders, items, np.ones(len(keys)), (count, n_items))
    by_item = transpose(by_order)
    blocks = []
    for part in row_blocks(by_item, by_order):
        both: Csr = by_item[part] @ by_order
        enough = scale(both, np.where(both.data >= FEWEST_ORDERS, both.data, 0.0))
        blocks.append(keep_best(drop_self(enough, part.start), MOST_PAIRS))
    pairs = stack(blocks, n_items)
    return Baskets(scale(pairs, pairs.data.astype(np.float32)), row_lengths(by_item), count)
