"""The truth of a simulated shop: what the pipeline must find out and may never read."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lingxi.simulation.assortment import STYLES
from lingxi.simulation.baskets import Market
from lingxi.simulation.ledger import NOBODY, REFUND, SALE, Ledger
from lingxi.simulation.orders_file import name_documents, number_customers
from lingxi.simulation.population import DAY
from lingxi.simulation.settings import SimulationSettings
from lingxi.simulation.text import Column, pick, to_timestamps
from lingxi.simulation.vocabulary import CATEGORIES


def tell_customers(
    market: Market, left: NDArray[np.int64], settings: SimulationSettings
) -> pa.Table:
    """One row per customer: when they registered and left, how active, what they like."""
    n, people = settings.customers, market.population
    alive = left[:n] >= settings.seconds
    columns: dict[str, Column] = {
        "customer_id": number_customers(market),
        "registered_at": to_timestamps(people.arrivals[:n], settings.start),
        "left_at": to_timestamps(left[:n], settings.start, ~alive),
        "alive": pa.array(alive),
        "visits_per_day": pa.array(people.visits_per_day[:n]),
        "leaves_per_day": pa.array(people.leave_rates[:n]),
        "one_time": pa.array(people.one_time[:n]),
        "order_log_odds": pa.array(people.eagerness[:n]),
        "price_sensitivity": pa.array(people.price_sensitivities[:n]),
        "bulk": pa.array(people.bulk[:n]),
    }
    for k in range(market.assortment.n_categories):
        columns[f"taste_{CATEGORIES[k].name}"] = pa.array(people.tastes[:n, k])
    for k in range(STYLES):
        columns[f"style_{k}"] = pa.array(people.styles[:n, k])
    return pa.table(columns)


def tell_items(market: Market, settings: SimulationSettings) -> pa.Table:
    """One row per item: popularity, style, how long it lasts, what goes with it."""
    items = market.assortment
    columns: dict[str, Column] = {
        "item_id": pa.array(items.item_ids),
        "category": pa.array([CATEGORIES[k].name for k in items.categories]),
        "popularity": pa.array(items.popularities),
        "launched_at": to_timestamps(items.launch_days * DAY, settings.start),
        "cycle_days": pa.array(items.cycle_days),
        "companion_item_id": pick(items.item_ids, items.companions),
    }
    for k in range(STYLES):
        columns[f"style_{k}"] = pa.array(items.styles[:, k])
    return pa.table(columns)


def _sum(ledger: Ledger, rows: NDArray[np.bool_]) -> NDArray[np.int64]:
    lines = ledger.lines.take(rows)
    amounts = (lines.quantities * lines.price_cents).astype(np.float64)
    totals = np.bincount(lines.documents, weights=amounts, minlength=len(ledger.documents.kinds))
    return np.rint(totals).astype(np.int64)


def tell_documents(
    ledger: Ledger, market: Market, settings: SimulationSettings
) -> Mapping[str, pa.Table]:
    """Orders and refunds without the dirt: what cleaning should come to.

    ``goods_cents`` is the value of the products, without duplicates; ``cost_cents`` postage and
    charges; both are positive for what a refund gives back. ``order_id`` of a refund is the order
    it undoes, if that lies in the period.
    """
    goods = _sum(ledger, (ledger.lines.codes < settings.items) & ~ledger.lines.copies)
    costs = _sum(ledger, ledger.lines.codes >= settings.items)
    documents, names = ledger.documents, name_documents(ledger)
    signs = np.where(documents.kinds == REFUND, -1, 1)
    every: dict[str, Column] = {
        "order_id": names,
        "cancels": pick(names, documents.cancels),
        "customer_id": pick(number_customers(market), documents.people),
        "occurred_at": to_timestamps(documents.moments, settings.start),
        "goods_cents": pa.array(signs * goods, pa.int64()),
        "cost_cents": pa.array(signs * costs, pa.int64()),
        "readable_date": pa.array(documents.dates_as == 0),
    }
    shopped = documents.people != NOBODY
    found = {}
    for name, kind in (("orders", SALE), ("refunds", REFUND)):
        rows = np.flatnonzero((documents.kinds == kind) & shopped)
        rows = rows[np.argsort(documents.moments[rows], kind="stable")]
        found[name] = pa.table(every).take(pa.array(rows, pa.int64()))
    renamed = {"order_id": "refund_id", "cancels": "order_id"}
    refunds = found["refunds"].drop_columns(["readable_date"]).rename_columns(renamed)
    return {"orders": found["orders"].drop_columns(["cancels"]), "refunds": refunds}


def tell_dirt(orders: Mapping[str, int], events: Mapping[str, int]) -> pa.Table:
    """How many rows of each kind of dirt were put in."""
    rows = [("orders", k, n) for k, n in orders.items()]
    rows += [("events", k, n) for k, n in events.items()]
    return pa.table(
        {
            "source": [source for source, _, _ in rows],
            "kind": [kind for _, kind, _ in rows],
            "rows": [n for _, _, n in rows],
        }
    )
