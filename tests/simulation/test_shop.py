"""The simulated shop as a whole: its files, that they repeat, that they keep the truth apart."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from lingxi.errors import InvalidInput
from lingxi.schema import Name
from lingxi.simulation import (
    PRESETS,
    DirtSettings,
    Simulated,
    SimulationSettings,
    preset,
    simulate,
    write_shop,
)

SPOTLESS = DirtSettings(**{field.name: 0.0 for field in fields(DirtSettings)})


def _read_bytes(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_shop(simulate(preset("tiny", seed=5)), tmp_path / name)
    first = _read_bytes(tmp_path / "one")
    assert first == _read_bytes(tmp_path / "two")
    assert set(first) == {
        "items.csv",
        "customers.csv",
        "orders.csv",
        "events.parquet",
        *(f"truth/{name}.parquet" for name in ("customers", "items", "orders", "refunds", "dirt")),
    }


def test_another_seed_makes_another_shop() -> None:
    one, two = simulate(preset("tiny", seed=1)), simulate(preset("tiny", seed=2))
    assert not one.orders.equals(two.orders)
    assert not one.items.equals(two.items)


def test_files_read_back_as_the_tables(tmp_path: Path) -> None:
    tiny = simulate(preset("tiny"))
    write_shop(tiny, tmp_path)
    assert pq.read_table(tmp_path / "events.parquet").equals(tiny.events)
    text = pa.csv.ConvertOptions(
        column_types=dict.fromkeys(("invoice", "stock_code", "invoice_date"), pa.string()),
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    orders = pa.csv.read_csv(tmp_path / "orders.csv", convert_options=text)
    assert orders.column_names == tiny.orders.column_names
    for column in tiny.orders.column_names:
        assert orders[column].to_pylist() == tiny.orders[column].to_pylist(), column


def test_raw_columns_are_those_the_importers_expect(shop: Simulated) -> None:
    assert shop.items.column_names == (
        ["item_id", "name", "category", "brand", "price", "margin", "stock"]
    )
    assert shop.orders.column_names[:8] == [
        "invoice",
        "stock_code",
        "description",
        "quantity",
        "invoice_date",
        "unit_price",
        "customer_id",
        "country",
    ]
    assert shop.events.column_names == [
        "message_id",
        "event",
        "user_id",
        "anonymous_id",
        "session_id",
        "timestamp",
        "product_id",
        "category",
        "query",
        "quantity",
        "price",
        "user_agent",
        "country",
    ]


def test_raw_tables_hold_nothing_of_the_truth(shop: Simulated) -> None:
    told = {"customer_id", "item_id", "category", "order_id"}
    latent = set(shop.truth["customers"].column_names + shop.truth["items"].column_names) - told
    raw = {*shop.items.column_names, *shop.orders.column_names, *shop.events.column_names}
    assert not latent & raw


def test_web_events_never_hold_an_order(shop: Simulated) -> None:
    names = {name.lower() for name in shop.events["event"].to_pylist()}
    assert not any("order" in name for name in names)
    assert {Name.SIGNED_UP.lower(), Name.CHECKOUT_STARTED.lower()} <= names


def test_customer_ids_are_no_cancellations_and_items_are_unique(shop: Simulated) -> None:
    customers = shop.truth["customers"]["customer_id"].to_pylist()
    assert len(set(customers)) == len(customers)
    assert all(customer.startswith("U") for customer in customers)
    assert len(set(shop.items["item_id"].to_pylist())) == shop.items.num_rows
    assert len(set(shop.items["name"].to_pylist())) == shop.items.num_rows


def test_nothing_happens_outside_the_period(shop: Simulated, settings: SimulationSettings) -> None:
    for table in ("orders", "refunds"):
        times = shop.truth[table]["occurred_at"]
        assert pc.min(times).as_py() >= settings.start
        assert pc.max(times).as_py() < settings.end
    absurd = {datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)}
    times = set(shop.events["timestamp"].drop_null().to_pylist()) - absurd
    assert min(times) >= settings.start
    assert max(times) < settings.end


def test_an_end_within_a_day_cuts_that_day() -> None:
    end = datetime(2026, 3, 5, 14, 30, tzinfo=UTC)
    simulated = simulate(preset("tiny", end=end))
    last = pc.max(simulated.truth["orders"]["occurred_at"]).as_py()
    assert end - timedelta(days=3) < last < end
    assert pc.max(simulated.truth["customers"]["registered_at"]).as_py() < end


def test_times_in_orders_are_local_and_the_truth_is_utc() -> None:
    utc, local = (simulate(preset("tiny", timezone=z)) for z in ("UTC", "Asia/Shanghai"))
    assert utc.truth["orders"].equals(local.truth["orders"])
    first = [datetime.fromisoformat(s.orders["invoice_date"][0].as_py()) for s in (utc, local)]
    assert first[1] - first[0] == timedelta(hours=8)


def test_without_dirt_the_same_purchases_happen() -> None:
    dirty, clean = simulate(PRESETS["tiny"]), simulate(replace(PRESETS["tiny"], dirt=SPOTLESS))
    assert sum(clean.truth["dirt"]["rows"].to_pylist()) == 0
    assert dirty.truth["customers"].equals(clean.truth["customers"])
    keyed = {"customer_id", "occurred_at", "goods_cents"}
    rows = [
        {tuple(row[key] for key in sorted(keyed)) for row in s.truth["orders"].to_pylist()}
        for s in (dirty, clean)
    ]
    put_in = {r["kind"]: r["rows"] for r in dirty.truth["dirt"].to_pylist()}
    assert len(rows[0] - rows[1]) == put_in["keying_error"]
    assert rows[1] <= rows[0]


def test_demo_is_of_the_promised_size() -> None:
    demo = simulate(PRESETS["demo"])
    assert 150_000 < demo.events.num_rows < 300_000
    assert 15_000 < demo.truth["orders"].num_rows < 20_000


def test_more_categories_than_items_can_fill_are_left_out() -> None:
    small = simulate(SimulationSettings(customers=40, items=12, days=90))
    assert len(set(small.items["category"].to_pylist())) == 6


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"customers": 0}, "customers"),
        ({"items": 3}, "items"),
        ({"days": 1}, "days"),
        ({"seed": -1}, "seed"),
        ({"end": datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)}, "aware"),
        ({"timezone": "Mars/Base"}, "Mars/Base"),
    ],
)
def test_impossible_settings_are_refused(wrong: dict[str, object], word: str) -> None:
    with pytest.raises(InvalidInput, match=word):
        replace(PRESETS["tiny"], **wrong)


def test_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(InvalidInput, match="did you mean 'demo'"):
        preset("demos")
