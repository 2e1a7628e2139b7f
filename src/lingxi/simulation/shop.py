"""The simulated shop as a whole: settings in, raw tables and their truth out."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from lingxi.simulation.assortment import draw_assortment
from lingxi.simulation.baskets import Market, live
from lingxi.simulation.clickstream import record_clicks
from lingxi.simulation.customers_file import write_customers
from lingxi.simulation.event_dirt import soil_events
from lingxi.simulation.events_file import write_events
from lingxi.simulation.ledger import keep_ledger
from lingxi.simulation.order_dirt import soil_orders
from lingxi.simulation.orders_file import write_orders
from lingxi.simulation.population import draw_population
from lingxi.simulation.seasons import make_seasons
from lingxi.simulation.settings import SimulationSettings
from lingxi.simulation.truth import tell_customers, tell_dirt, tell_documents, tell_items
from lingxi.simulation.visits import draw_visits
from lingxi.simulation.vocabulary import BRANDS, CATEGORIES
from lingxi.store.progress import Progress, silent

STEPS = 4


@dataclass(frozen=True)
class Simulated:
    """A simulated shop: four raw tables that a pipeline may read, and the truth.

    ``items``, ``customers``, ``orders`` (lines, dirty) and ``events`` (web events, dirty) have the
    columns of the files that ``write_shop`` makes; ``truth`` holds customers, items, orders,
    refunds and dirt.
    """

    items: pa.Table
    customers: pa.Table
    orders: pa.Table
    events: pa.Table
    truth: Mapping[str, pa.Table]


def _write_items(market: Market) -> pa.Table:
    items = market.assortment
    return pa.table(
        {
            "item_id": pa.array(items.item_ids),
            "name": pa.array(items.names),
            "category": pa.array([CATEGORIES[k].name for k in items.categories]),
            "brand": pa.array([BRANDS[k] for k in items.brands]),
            "price": pa.array(items.base_price_cents / 100),
            "margin": pa.array(items.margin_cents / 100),
            "stock": pa.array(items.stocks),
        }
    )


def simulate(settings: SimulationSettings, progress: Progress = silent) -> Simulated:
    """Simulate a shop; the same settings give the same tables.

    Each part draws from a stream of its own, so that more dirt, say, changes no purchase.
    """
    seeds = np.random.SeedSequence(settings.seed).spawn(9)
    rngs = [np.random.Generator(np.random.PCG64(seed)) for seed in seeds]
    end = settings.seconds
    progress("simulate", 0, STEPS)
    assortment = draw_assortment(settings, rngs[0])
    seasons = make_seasons(settings.start, settings.calendar_days, assortment.n_categories)
    population = draw_population(settings, seasons, assortment.n_categories, rngs[1])
    market = Market(assortment, population, seasons)
    own, left = draw_visits(population, seasons, end, rngs[2])
    visits, looks = live(own, left, market, end, rngs[3])
    progress("simulate", 1, STEPS)
    ledger = keep_ledger(visits, looks, market, settings, rngs[4])
    ledger, order_dirt = soil_orders(ledger, market, settings, rngs[5])
    orders = write_orders(ledger, market, settings)
    progress("simulate", 2, STEPS)
    clicks = record_clicks(visits, looks, market, settings, rngs[6])
    clicks, messages, event_dirt = soil_events(clicks, settings, rngs[7])
    events = write_events(clicks, messages, market, settings)
    progress("simulate", 3, STEPS)
    truth = {
        "customers": tell_customers(market, left, settings),
        "items": tell_items(market, settings),
        **tell_documents(ledger, market, settings),
        "dirt": tell_dirt(order_dirt, event_dirt),
    }
    progress("simulate", STEPS, STEPS)
    customers = write_customers(market, settings, rngs[8])
    return Simulated(_write_items(market), customers, orders, events, truth)


def write_shop(simulated: Simulated, folder: Path) -> None:
    """Write items.csv, customers.csv, orders.csv and events.parquet into ``folder``, the truth into
    ``folder/truth``."""
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    pyarrow.csv.write_csv(simulated.items, folder / "items.csv")
    pyarrow.csv.write_csv(simulated.customers, folder / "customers.csv")
    pyarrow.csv.write_csv(simulated.orders, folder / "orders.csv")
    pq.write_table(simulated.events, folder / "events.parquet")
    for name, table in simulated.truth.items():
        pq.write_table(table, folder / "truth" / f"{name}.parquet")
