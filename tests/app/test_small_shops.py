"""Shops of few or poor data: training and planning go on, and say what is missing."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lingxi.cli import main

HEADER = "order,customer,item,name,quantity,price,date"
WITHOUT_ITEMS = [f"{i},c{i % 7},{i}.50,2024-{1 + i % 9:02d}-{1 + i % 28:02d}" for i in range(1, 60)]
FEW_OF_EACH = [f"{i},c{i % 3},A{i},Lamp {i},1,10.00,2024-01-05 10:00" for i in range(1, 10)]


def run(folder: Path, *args: str) -> Result:
    return CliRunner().invoke(main, [*args, "--shop", str(folder)])


def make(folder: Path, header: str, rows: Sequence[str]) -> Path:
    file = folder / "orders.csv"
    file.write_text("\n".join([header, *rows]) + "\n")
    shop = folder / "shop"
    assert CliRunner().invoke(main, ["init", str(shop)]).exit_code == 0
    imported = run(shop, "import", "orders", str(file))
    assert imported.exit_code == 0, imported.output
    return shop


def test_orders_without_items_still_end_in_a_plan(tmp_path: Path) -> None:
    shop = make(tmp_path, "order,customer,total,date", WITHOUT_ITEMS)
    trained = json.loads(run(shop, "train", "--json").stdout)
    assert trained["steps"]["Recommenders"].startswith("left out: There are no orders that name")
    assert trained["steps"]["Scores"] == "7 customers"
    assert run(shop, "plan").exit_code == 0
    planned = json.loads((shop / "plan" / "plan.json").read_text())
    assert sorted(row["customer_id"] for row in planned) == [f"c{i}" for i in range(7)]
    explained = run(shop, "explain", "c1")
    assert explained.exit_code == 0
    assert "there is no recommender" in explained.stdout
    refused = run(shop, "recommend", "c1", "--json")
    assert (refused.exit_code, json.loads(refused.stdout)["error"]["code"]) == (2, "not_trained")


def test_one_busy_day_is_one_day_and_the_parcel_is_waited_for(tmp_path: Path) -> None:
    shop = make(tmp_path, HEADER, FEW_OF_EACH)
    assert run(shop, "train").exit_code == 0
    assert run(shop, "plan").exit_code == 0
    explained = run(shop, "explain", "c1").stdout
    assert "Ordered on one day so far, 0 days ago" in explained
    assert "rule second_order. The first order was 0 days ago; let the parcel arrive" in explained


@pytest.mark.parametrize(
    ("rows", "code", "words"),
    [
        (["1,,A,Lamp,1,10.00,2024-01-05"], "not_enough_data", "There is no customer to plan for"),
        (["1,c1,A,Lamp,0,10.00,2024-01-05"], "not_trained", "lingxi train"),
    ],
)
def test_nobody_to_plan_for_is_said(
    tmp_path: Path, rows: Sequence[str], code: str, words: str
) -> None:
    shop = make(tmp_path, HEADER, rows)
    run(shop, "train")
    refused = run(shop, "plan", "--json")
    error = json.loads(refused.stdout)["error"]
    assert (refused.exit_code, error["code"]) == (2, code)
    assert words in error["message"]


def test_training_on_nothing_says_to_import_first(tmp_path: Path) -> None:
    shop = make(tmp_path, HEADER, ["1,c1,A,Lamp,0,10.00,2024-01-05"])
    refused = run(shop, "train")
    assert refused.exit_code == 2
    assert "There is nothing to learn from yet" in refused.stderr
