"""What the documents of an import come to, for its report."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingxi.ingest.documents import Documents, round_half_up
from lingxi.ingest.lines import COST

_AT_ONCE = 20_000
"""Documents that are counted at once."""


@dataclass
class Totals:
    """Documents and their lines; amounts in minor units. ``returned`` is what went back in all."""

    orders: int = 0
    anonymous: int = 0
    customers: int = 0
    items: int = 0
    sold_cents: int = 0
    returned_cents: int = 0
    refunds: int = 0
    refunds_tied: int = 0
    refund_lines: int = 0
    refund_lines_tied: int = 0


def sum_documents(
    documents: Documents, places: NDArray[np.int64], tied: NDArray[np.int64]
) -> Totals:
    """Add documents up. A part mended later is no order of its own, and costs alone are no sale.

    ``tied`` has, for each document of the file, how many of its lines found their order.
    """
    totals = Totals()
    lines = documents.lines
    items = np.zeros(len(lines.item.values), dtype=np.bool_)
    buyers = np.zeros(len(lines.customer.values) + len(lines.email.values), dtype=np.bool_)
    for start in range(0, len(places), _AT_ONCE):
        part = places[start : start + _AT_ONCE]
        rows = documents.list_lines(part)
        goods = (lines.part[rows] != COST) & ~lines.item.missing[rows]
        items[lines.item.codes[rows[goods]]] = True
        who = documents.buyer[part]
        buyers[who[who >= 0]] = True
        _add(totals, documents, part, rows, goods, tied[part])
    totals.customers, totals.items = int(buyers.sum()), int(items.sum())
    return totals


def _add(
    totals: Totals,
    documents: Documents,
    places: NDArray[np.int64],
    rows: NDArray[np.int64],
    goods: NDArray[np.bool_],
    tied: NDArray[np.int64],
) -> None:
    lines, scale = documents.lines, float(10**documents.digits)
    sizes = documents.sizes_of(places)
    begin = np.cumsum(sizes) - sizes
    refund, first = documents.refund[places], documents.first_of(places)
    cost = lines.part[rows] == COST
    amount = round_half_up(lines.quantity[rows] * lines.price[rows] * scale)
    amount = np.where(np.repeat(refund, sizes), np.abs(amount), amount)
    cents = np.add.reduceat(np.where(cost, 0, amount), begin)
    n_goods = np.add.reduceat(goods.astype(np.int64), begin)
    own_cost = ~refund & (round_half_up(lines.order_cost[first] * scale) != 0)
    has_cost = np.logical_or.reduceat(cost, begin) | own_cost | documents.has_items
    sale = ~refund & ~((n_goods == 0) & has_cost)
    whole = np.array([place not in documents.suffixes for place in places.tolist()], dtype=np.bool_)
    back, paid_back = refund & (n_goods > 0), sale & documents.paid_back[places]
    totals.orders += int((sale & whole).sum())
    totals.anonymous += int((sale & whole & (documents.buyer[places] < 0)).sum())
    totals.sold_cents += int(cents[sale].sum())
    totals.returned_cents += int(cents[back | paid_back].sum())
    stated = np.where(sale & whole, np.minimum(documents.refunded[places], cents), 0)
    n_back = int(paid_back.sum() + (stated > 0).sum())
    totals.returned_cents += int(stated.sum())
    totals.refunds += int(back.sum()) + n_back
    totals.refunds_tied += int((back & (tied == n_goods)).sum()) + n_back
    totals.refund_lines += int(n_goods[back | paid_back].sum())
    totals.refund_lines_tied += int(tied[back].sum() + n_goods[paid_back].sum())
