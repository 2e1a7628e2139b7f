"""The whole road on the real shop, through the public command line: file to plan."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from lingxi.cli import main

MakeOnce = Callable[[str, Callable[[Path], None]], Path]

LINES = 541_909
ACTIONS = {
    "welcome",
    "second_order",
    "cross_sell",
    "loyalty_thanks",
    "replenishment",
    "win_back",
    "leave_alone",
}


def run(*args: str) -> dict[str, object]:
    """The JSON answer of a command that must succeed."""
    result = CliRunner().invoke(main, [*args, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


pytestmark = pytest.mark.xdist_group("road")


@pytest.fixture(scope="session")
def shop(make_once: MakeOnce, online_retail: Path) -> Path:
    def build(folder: Path) -> None:
        run("init", str(folder), "--currency", "GBP", "--timezone", "Europe/London")
        run("import", "orders", str(online_retail), "--shop", str(folder))
        with (folder / "lingxi.toml").open("a") as settings:
            settings.write("\n[learning]\nrecommender_seconds = 60.0\n")
        run("train", "--shop", str(folder))
        run("plan", "--shop", str(folder))

    return make_once("road", build)


def test_cleaning_adds_up(shop: Path) -> None:
    report = run("quality", "--shop", str(shop))["imports"][0]
    aside = [r for r in report["reasons"] if not r["kept"]]
    assert report["lines_in"] == LINES
    assert report["lines_in"] == report["lines_kept"] + report["lines_set_aside"]
    assert report["lines_set_aside"] == sum(r["lines"] for r in aside)
    assert {r["reason"]: r["lines"] for r in aside} == {
        "exact_duplicate": 5268,
        "ledger_entry": 3,
        "stock_adjustment": 1336,
        "price_zero": 1178,
    }
    waiting = run("quality", "--shop", str(shop))
    assert waiting["quarantined"] == report["lines_set_aside"]


def test_importing_the_same_file_twice_changes_nothing(shop: Path, online_retail: Path) -> None:
    before = run("status", "--shop", str(shop))
    again = run("import", "orders", str(online_retail), "--shop", str(shop))
    after = run("status", "--shop", str(shop))
    assert again["events_new"] == 0
    for name in ("events", "customers", "items", "quarantined"):
        assert after[name] == before[name]


def test_plan_covers_every_customer_once_in_three_forms(shop: Path) -> None:
    plan = pq.read_table(shop / "plan" / "plan.parquet")
    ids = plan.column("customer_id").to_pylist()
    assert len(ids) == len(set(ids)) == run("status", "--shop", str(shop))["customers"]
    assert set(plan.column("action").to_pylist()) <= ACTIONS
    assert "leave_alone" in plan.column("action").to_pylist()
    assert all(plan.column("reason").to_pylist())
    acted = plan.filter(pyarrow.compute.not_equal(plan.column("action"), "leave_alone"))
    assert all(items for items in acted.column("item_ids").to_pylist())
    rows = json.loads((shop / "plan" / "plan.json").read_text(encoding="utf-8"))
    assert [row["customer_id"] for row in rows] == ids
    convert = pyarrow.csv.ConvertOptions(column_types={"customer_id": "string"})
    table = pyarrow.csv.read_csv(shop / "plan" / "plan.csv", convert_options=convert)
    assert table.column("customer_id").to_pylist() == ids


def test_recommendations_have_exact_reasons_and_nothing_bought(shop: Path) -> None:
    told = run("explain", "17850", "--shop", str(shop))
    offered = run("recommend", "17850", "-n", "10", "--shop", str(shop))
    assert offered["known"]
    assert len(offered["items"]) == 10
    bought = {
        line["item_id"]
        for entry in told["customer"]["timeline"]
        if entry["name"] == "Order Completed"  # a refund may be of an order older than the file
        for line in entry["lines"]
    }
    assert len(bought) > 20
    assert not bought & {item["item_id"] for item in offered["items"]}
    for item in offered["items"]:
        if item["because"]:
            assert sum(cause["share"] for cause in item["because"]) <= 1 + 1e-6


def test_a_visitor_gets_what_is_popular(shop: Path) -> None:
    offered = run("recommend", "--shop", str(shop))
    assert not offered["known"]
    assert len(offered["items"]) == 10


def test_churn_is_on_the_honest_level_beside_the_rfm_rule(shop: Path) -> None:
    models = run("models", "list", "--shop", str(shop))["versions"]
    churn = next(version for version in models if version["kind"] == "churn")
    auc = {
        candidate["name"]: next(m for m in candidate["measures"] if m["metric"] == "auc")
        for candidate in churn["candidates"]
    }
    chosen = auc[churn["chosen"]]
    assert chosen["value"] > 0.72
    assert chosen["low"] < chosen["value"] < chosen["high"]
    assert auc["rfm_sum"]["value"] > 0.72
    assert chosen["value"] > auc["recency"]["value"]


def test_recommender_beats_popularity_on_orders_it_has_not_seen(shop: Path) -> None:
    models = run("models", "list", "--shop", str(shop))["versions"]
    made = next(version for version in models if version["kind"].startswith("recommend"))
    ndcg = {
        candidate["name"]: next(
            (m["value"] for m in candidate["measures"] if m["metric"] == "ndcg@10"), None
        )
        for candidate in made["candidates"]
    }
    chosen = next(c["name"] for c in made["candidates"] if c["chosen"])
    popular = next(v for name, v in ndcg.items() if name.startswith("popular"))
    assert ndcg[chosen] > 1.2 * popular


def test_doctor_finds_nothing_wrong(shop: Path) -> None:
    checks = CliRunner().invoke(main, ["doctor", "--shop", str(shop), "--json"])
    states = {check["name"]: check["state"] for check in json.loads(checks.stdout)}
    assert set(states.values()) <= {"ok", "warning"}
    assert states["lake"] == states["models"] == states["plan"] == "ok"
