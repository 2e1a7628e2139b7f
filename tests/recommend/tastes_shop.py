"""A small shop with two tastes, garden items and kitchen items, and what its lists must be."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from lingxi import catalogue, profiles
from lingxi.clock import FixedClock
from lingxi.config import Settings
from lingxi.ingest.tables import metadata as ingest_metadata
from lingxi.schema import Event, Item, Line
from lingxi.store import Store

START = datetime(2026, 1, 1, tzinfo=UTC)
GARDEN = [f"g{n}" for n in range(12)]
KITCHEN = [f"k{n}" for n in range(12)]
CUSTOMERS = 120


def make_order(number, subject, items, day):
    moment = START + timedelta(days=day, seconds=number)
    return Event(
        event_id=f"order-{number}",
        name="Order Completed",
        occurred_at=moment,
        received_at=moment,
        subject=subject,
        order_id=f"o{number}",
        amount_cents=100 * len(items),
        lines=tuple(Line(item_id=item, price_cents=100, amount_cents=100) for item in items),
    )


def make_orders():
    rng = np.random.default_rng(5)
    events = []
    for number in range(700):
        subject = int(rng.integers(1, CUSTOMERS + 1))
        taste = GARDEN if subject % 2 else KITCHEN
        items = rng.choice(taste, int(rng.integers(1, 4)), replace=False).tolist()
        anonymous = number % 10 == 0
        events.append(
            make_order(number, None if anonymous else subject, items, int(rng.integers(0, 200)))
        )
    return events


def open_store(folder):
    store = Store.open(
        Settings(folder=folder),
        FixedClock(START + timedelta(days=300)),
        projections=profiles.PROJECTIONS,
        tables=[profiles.metadata, catalogue.metadata, ingest_metadata],
    )
    with store.write() as tx:
        items = [Item(item_id=i, name=i, price_cents=100) for i in GARDEN + KITCHEN]
        catalogue.put_items(store, tx, items, START)
    return store


def check_batch(recommender, store, customers, n):
    table = recommender.recommend_all(store, customers, n=n).to_pylist()
    with store.read() as tx:
        for customer in customers:
            rows = [row for row in table if row["customer"] == customer]
            single = recommender.recommend(tx, customer, n=n)
            assert [row["rank"] for row in rows] == list(range(1, len(single) + 1))
            noise = (at for at, one in enumerate(single) if one.score < 1e-6)  # of float32
            sure = next(noise, len(single))
            rows, single = rows[:sure], single[:sure]
            told = [one.score for one in single]
            assert [row["score"] for row in rows] == pytest.approx(told, rel=1e-6)
            for row, one in zip(rows, single, strict=True):
                assert row["model"] == one.model
                if row["item_id"] != one.item_id:  # equal but for the last bit of a sum
                    continue
                reasons = [(reason["item_id"], reason["share"]) for reason in row["because"]]
                assert [item for item, _ in reasons] == [item for item, _ in one.because]
                assert [s for _, s in reasons] == pytest.approx([s for _, s in one.because])
