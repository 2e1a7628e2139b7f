"""The web events as the tracking would store them: an Arrow table from the clicks."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lingxi.simulation.baskets import Market
from lingxi.simulation.clickstream import EVENT_NAMES, QUERIES, Clicks
from lingxi.simulation.event_dirt import UNKNOWN_ITEMS
from lingxi.simulation.orders_file import number_customers
from lingxi.simulation.population import DAY
from lingxi.simulation.settings import SimulationSettings
from lingxi.simulation.text import Column, join_number, pick, to_timestamps
from lingxi.simulation.vocabulary import BOTS, BROWSERS, CATEGORIES, COUNTRIES


def _name_devices(devices: NDArray[np.int64]) -> Column:
    """Anonymous ids: numbers without order, so that they tell nothing of the person."""
    unique, index = np.unique(devices, return_inverse=True)
    names = join_number("a", (unique * 2_654_435_761) % 2**32, width=10)
    return pick(names, index, devices >= 0)


def write_events(
    clicks: Clicks,
    messages: NDArray[np.int64],
    market: Market,
    settings: SimulationSettings,
) -> pa.Table:
    """The raw web events in the order in which they came."""
    assortment = market.assortment
    listed = (clicks.items >= 0) & (clicks.items < assortment.n_items)
    items = np.where(listed, clicks.items, 0)
    unknown = [f"X{9_000 + i}" for i in range(UNKNOWN_ITEMS)]
    names = list(EVENT_NAMES)
    names += [name.lower() for name in names]
    countries = np.where(clicks.people < 0, 0, market.population.countries[clicks.people])
    days = np.clip(clicks.moments // DAY, 0, settings.calendar_days - 1)
    categories = np.where(listed, assortment.categories[items], -1)
    return pa.table(
        {
            "message_id": join_number("m", messages, width=9),
            "event": pick(names, clicks.names_as * len(EVENT_NAMES) + clicks.names),
            "user_id": pick(number_customers(market), clicks.people, clicks.known),
            "anonymous_id": _name_devices(clicks.devices),
            "session_id": join_number("s", clicks.sessions, width=8),
            "timestamp": to_timestamps(clicks.moments, settings.start, clicks.timed),
            "product_id": pick([*assortment.item_ids, *unknown], clicks.items),
            "category": pick([words.name for words in CATEGORIES], categories),
            "query": pick(list(QUERIES), clicks.queries),
            "quantity": pa.array(clicks.quantities, pa.int64(), mask=clicks.quantities < 0),
            "price": pa.array(
                assortment.price_cents(items, days) / 100, pa.float64(), mask=~listed
            ),
            "user_agent": pick([*BROWSERS, *BOTS], clicks.agents),
            "country": pick([name for name, _ in COUNTRIES], countries),
        }
    )
