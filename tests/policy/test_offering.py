"""The plan's offers are the shop's: the usual ones once, and only what is open and left."""

import dataclasses
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lingxi.catalogue.tables import item
from lingxi.catalogue.tables import metadata as catalogue_metadata
from lingxi.clock import FixedClock
from lingxi.config import Settings, ShopSettings
from lingxi.coupons import Basket, BasketLine, Coupons
from lingxi.coupons.book import list_offers, remove_offer
from lingxi.coupons.file import read_offer
from lingxi.coupons.tables import metadata
from lingxi.coupons.usual import USUAL_OFFERS
from lingxi.policy.offering import read_offering
from lingxi.profiles import PROJECTIONS
from lingxi.profiles.tables import metadata as profiles_metadata
from lingxi.segments.tables import metadata as segments_metadata
from lingxi.store import Store

sys.path.insert(0, str(Path(__file__).parent))

from test_rules import ACTIVE

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BASKET = Basket(lines=(BasketLine("MUG", 5_000),), shipping_cents=395)


@pytest.fixture
def till(tmp_path: Path) -> Iterator[Coupons]:
    store = Store.open(
        Settings(folder=tmp_path, shop=ShopSettings(currency="GBP")),
        FixedClock(NOW),
        projections=PROJECTIONS,
        tables=[metadata, profiles_metadata, catalogue_metadata, segments_metadata],
    )
    yield Coupons(store, lambda *_: False)
    store.close()


def put(till: Coupons, name: str, **parts: object) -> None:
    raw = {
        "benefit": {"kind": "percent", "percent": 10},
        "plan": {"occasions": ["win_back"]},
        **parts,
    }
    with till.store.write() as tx:
        till.put_offer(tx, read_offer(raw, name=name), NOW, actor="test")


def names(till: Coupons) -> list[str]:
    return [each.offer.name for each in read_offering(till.store).offers]


def test_a_shop_without_offers_gets_the_usual_ones_once(till: Coupons) -> None:
    assert names(till) == ["early_access", "free_shipping", "percent_10"]
    with till.store.write() as tx:
        assert [kept.offer for kept in list_offers(tx)] == list(USUAL_OFFERS)
        assert {kept.actor for kept in list_offers(tx)} == {"the plan"}
        remove_offer(tx, "percent_10")
    assert names(till) == ["early_access", "free_shipping"]  # taken away, and it stays away


def test_a_shop_with_an_offer_for_the_plan_keeps_its_own(till: Coupons) -> None:
    put(till, "own")
    put(till, "not-for-the-plan", plan={})
    assert names(till) == ["own"]
    put(till, "own", paused=True)
    assert names(till) == []


def test_offers_that_do_not_count_now_are_left_out(till: Coupons) -> None:
    put(till, "soon", validity={"starts_at": "2026-03-02T00:00:00Z"})
    put(till, "over", validity={"ends_at": "2026-02-28T00:00:00Z"})
    put(till, "dry", code={"kind": "pool"})
    put(till, "once", limits={"redemptions": 1})
    assert names(till) == ["once"]
    with till.store.write() as tx:
        till.issue(tx, "once", None, "k", NOW)
    assert names(till) == []  # the one that is out is reserved


def test_what_was_redeemed_counts_against_customer_and_budget(till: Coupons) -> None:
    put(till, "own", limits={"budget_cents": 900, "per_customer": 1})
    with till.store.write() as tx:
        code = till.issue(tx, "own", 7, "k", NOW)
        assert till.redeem(tx, code.text, BASKET, 7, order_id="A", key="A", now=NOW).redeemed
    offering = read_offering(till.store)
    assert [each.budget_cents for each in offering.offers] == [400]
    assert offering.used == {7: frozenset({"own"})}
    with till.store.write() as tx:
        till.release(tx, "A", NOW)
    assert read_offering(till.store).used == {}


def test_margin_is_that_of_the_items_proposed_else_the_shop_s(till: Coupons) -> None:
    with till.store.write() as tx:
        for item_id, margin in (("A", 400), ("B", 200), ("C", None)):
            row = {"item_id": item_id, "price_cents": 1_000, "margin_cents": margin}
            row |= {"name": item_id, "active": True, "listed": True, "updated_at": NOW}
            tx.execute(item.insert().values(row))
    put(till, "own")
    assert read_offering(till.store).add_to(ACTIVE).margin_share is None  # nobody asks
    put(till, "own", plan={"occasions": ["win_back"], "margin_floor": 10})
    offering = read_offering(till.store)
    assert offering.add_to(ACTIVE).margin_share == pytest.approx(0.3)  # A and B
    only_a = dataclasses.replace(ACTIVE, item_ids=("A", "C"))
    assert offering.add_to(only_a).margin_share == pytest.approx(0.4)
    nothing = dataclasses.replace(ACTIVE, item_ids=("C",))
    assert offering.add_to(nothing).margin_share == pytest.approx(0.3)
