"""The customer export as the shop would write it: address, language, and consent where given."""

import numpy as np
import pyarrow as pa

from lingxi.simulation.baskets import Market
from lingxi.simulation.orders_file import name_customers, number_customers
from lingxi.simulation.settings import SimulationSettings
from lingxi.simulation.text import pick, to_timestamps
from lingxi.simulation.vocabulary import COUNTRIES

CONSENT_SHARE = 0.62
"""Of customers who agreed to e-mail when they registered: an assumption."""
REFUSED_SHARE = 0.12
"""Of customers who said no; the others were not asked."""
OTHER_LANGUAGE_SHARE = 0.06


def write_customers(
    market: Market, settings: SimulationSettings, rng: np.random.Generator
) -> pa.Table:
    """One row per customer who registered in or before the period, in order of registration.

    Addresses are of example.com, a domain that is reserved and reaches nobody (RFC 2606).
    """
    people = market.population
    n = people.n_customers
    names, emails = name_customers(market)
    draws = rng.random(n)
    said = np.where(draws < CONSENT_SHARE, 0, np.where(draws < CONSENT_SHARE + REFUSED_SHARE, 1, 2))
    chinese = rng.random(n) < OTHER_LANGUAGE_SHARE
    moments = to_timestamps(people.arrivals[:n], settings.start)
    table = pa.table(
        {
            "customer_id": number_customers(market),
            "email": pa.array(emails),
            "name": pa.array(names),
            "country": pick([name for name, _ in COUNTRIES], people.countries[:n]),
            "language": pick(["en", "zh"], chinese.astype(np.int64)),
            "email_consent": pick(["yes", "no", None], said),
            "updated_at": moments,
        }
    )
    return table.take(np.argsort(people.arrivals[:n], kind="stable"))
