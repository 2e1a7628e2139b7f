"""A shop's coupons to test with: a store, a till, and offers in short."""

from datetime import UTC, datetime

import sqlalchemy as sa

from lingxi.catalogue.tables import metadata as catalogue_metadata
from lingxi.clock import FixedClock
from lingxi.config import Settings
from lingxi.coupons import Basket, BasketLine, Coupons, Offer
from lingxi.coupons.file import read_offer
from lingxi.coupons.tables import metadata
from lingxi.ingest.tables import metadata as ingest_metadata
from lingxi.profiles import PROJECTIONS
from lingxi.profiles.tables import metadata as profiles_metadata
from lingxi.store import Store

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
VIPS = frozenset({77})
BASKET = Basket(lines=(BasketLine("MUG", 1_000, 2), BasketLine("LAMP", 3_000)), shipping_cents=395)


def open_store(settings: Settings) -> Store:
    return Store.open(
        settings,
        FixedClock(NOW),
        projections=PROJECTIONS,
        tables=[metadata, profiles_metadata, catalogue_metadata, ingest_metadata],
    )


def is_member(_tx: sa.Connection, segment: str, customer: int, _now: datetime) -> bool:
    return segment == "vips" and customer in VIPS


def make_offer(name: str = "spring", **parts: object) -> Offer:
    return read_offer({"benefit": {"kind": "percent", "percent": 10}, **parts}, name=name)


def put(till: Coupons, offer: Offer) -> None:
    with till.store.write() as tx:
        till.put_offer(tx, offer, NOW, actor="test")
