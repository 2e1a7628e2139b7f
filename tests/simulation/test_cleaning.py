"""What the importers make of the simulated orders, against the recorded truth."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lingxi.clock import FixedClock
from lingxi.config import Settings
from lingxi.ingest import ImportOptions, ImportReport, import_lines, import_orders
from lingxi.ingest.intake import Intake
from lingxi.ingest.tables import metadata as ingest_tables
from lingxi.schema import Event, Name
from lingxi.simulation import Simulated, SimulationSettings, simulate, write_shop
from lingxi.store import Store, silent
from lingxi.store.tables import metadata as store_tables


@dataclass(frozen=True)
class Cleaned:
    """One import of a simulated shop's orders and web events."""

    shop: Simulated
    report: ImportReport
    web: ImportReport
    events: list[Event]


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cleaned]:
    simulated = SimulationSettings(customers=600, items=80, days=300, seed=3)
    shop, folder = simulate(simulated), tmp_path_factory.mktemp("cleaned")
    write_shop(shop, folder)
    settings, clock = Settings(folder=folder), FixedClock(simulated.end)
    store = Store.open(settings, clock, tables=(store_tables, ingest_tables))
    orders, web = folder / "orders.csv", folder / "events.parquet"
    report = import_orders(store, settings, clock, orders, ImportOptions(), silent)
    events = store.log.read(limit=1_000_000)
    intake = Intake(store, settings, clock)
    told = import_lines(store, settings, clock, intake, web, "events")
    yield Cleaned(shop, report, told, events)
    store.close()


def _read_orders(cleaned: Cleaned) -> list[dict[str, object]]:
    orders = cleaned.shop.truth["orders"].to_pylist()
    return [row for row in orders if row["readable_date"]]


def _count_dirt(cleaned: Cleaned) -> dict[str, int]:
    return {row["kind"]: row["rows"] for row in cleaned.shop.truth["dirt"].to_pylist()}


def _count_aside(report: ImportReport) -> Counter[str]:
    """Lines set aside by reason, all reasons about time as one; they and the kept add up."""
    aside = Counter[str]()
    for row in report.reasons:
        if not row.kept:
            aside["time" if row.reason.startswith("time_") else row.reason] += row.lines
    assert report.lines_set_aside == aside.total()
    assert report.lines_in == report.lines_kept + report.lines_set_aside
    return aside


def test_lines_set_aside_are_the_dirt_that_was_put_in(cleaned: Cleaned) -> None:
    dirt = _count_dirt(cleaned)
    assert cleaned.report.lines_in == cleaned.shop.orders.num_rows
    assert _count_aside(cleaned.report) == {
        "exact_duplicate": dirt["duplicate_line"],
        "time": dirt["impossible_date"],
        "stock_adjustment": dirt["stock_adjustment"],
        "price_zero": dirt["zero_price"],
        "ledger_entry": dirt["bad_debt"],
    }


def test_web_events_set_aside_are_the_dirt_that_was_put_in(cleaned: Cleaned) -> None:
    dirt = _count_dirt(cleaned)
    assert cleaned.web.lines_in == cleaned.shop.events.num_rows
    agents = cleaned.shop.events["user_agent"].to_pylist()
    windowless = sum("HeadlessChrome" in (agent or "") for agent in agents)  # as often a test: kept
    assert 0 < windowless < dirt["bot"]
    assert _count_aside(cleaned.web) == {
        "exact_duplicate": dirt["duplicate_event"],
        "time": dirt["missing_time"] + dirt["absurd_time"],
        "item_missing": dirt["missing_product"],
        "visitor_missing": dirt["missing_identity"],
        "bot": dirt["bot"] - windowless,
    }
    changed = {row.reason: row.lines for row in cleaned.web.reasons if row.kept}
    assert changed["custom_event"] == dirt["custom_event"]


def test_orders_are_the_true_ones_to_the_penny(cleaned: Cleaned) -> None:
    found = {
        event.order_id: (event.amount_cents, event.cost_cents, event.occurred_at)
        for event in cleaned.events
        if event.name == Name.ORDER_COMPLETED
    }
    true = {
        row["order_id"]: (row["goods_cents"], row["cost_cents"], row["occurred_at"])
        for row in _read_orders(cleaned)
    }
    assert found == true


def test_refunds_are_the_true_ones_and_those_of_customers_are_tied(cleaned: Cleaned) -> None:
    refunds = cleaned.shop.truth["refunds"].to_pylist()
    events = [event for event in cleaned.events if event.name == Name.ORDER_REFUNDED]
    assert sum(event.amount_cents or 0 for event in events) == sum(
        row["goods_cents"] for row in refunds
    )
    tieable = [row for row in refunds if row["order_id"] and row["customer_id"]]
    assert cleaned.report.refunds == len(refunds)
    assert cleaned.report.refunds_tied == len(tieable)


def test_guests_stay_anonymous_and_customers_are_counted(cleaned: Cleaned) -> None:
    orders = _read_orders(cleaned)
    guests = [row for row in orders if row["customer_id"] is None]
    assert cleaned.report.anonymous_baskets == len(guests)
    anonymous = [
        event
        for event in cleaned.events
        if event.name == Name.ORDER_COMPLETED and event.subject is None
    ]
    assert len(anonymous) == len(guests)
    refunds = cleaned.shop.truth["refunds"].to_pylist()
    customers = {row["customer_id"] for row in [*orders, *refunds]} - {None}
    assert cleaned.report.customers == len(customers)
