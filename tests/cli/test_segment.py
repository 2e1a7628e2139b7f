"""``lingxi segment`` and ``lingxi list`` as an owner types them."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lingxi.cli import main

RULE = """\
name: twice
title: Ordered twice
rule:
  all:
    - did: Order Completed
      at_least: 2
    - not: {list: staff}
"""


@pytest.fixture(scope="module")
def folder(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    made = tmp_path_factory.mktemp("cli-segments") / "shop"
    shutil.copytree(demo_folder, made)
    return str(made)


def run(*args: str) -> Result:
    return CliRunner().invoke(main, list(args))


def tell(*args: str) -> dict:
    result = run(*args, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_a_segment_is_counted_put_looked_into_and_deleted(folder: str, tmp_path: Path) -> None:
    file = tmp_path / "twice.yaml"
    file.write_text(RULE, encoding="utf-8")
    shop = ("--shop", folder)
    refused = run("segment", "put", str(file), *shop)
    assert refused.exit_code == 2
    assert "There is no list 'staff'" in refused.output
    assert tell("list", "put", "staff", "--title", "Our own", *shop)["members"] == 0
    counted = tell("segment", "count", str(file), *shop)["count"]
    made = tell("segment", "put", str(file), *shop)
    assert made["segment"]["members"] == counted > 0
    who = tell("segment", "members", "twice", "--n", "2", *shop)["members"][0]["customer_id"]
    assert "1 added" in run("list", "add", "staff", who, *shop).output
    assert who in run("list", "show", "staff", *shop).output
    assert tell("segment", "count", str(file), *shop)["count"] == counted - 1
    told = run("segment", "explain", "twice", who, *shop).output
    assert f"{who} is not in twice." in told
    assert 'yes  {"list":"staff"}' in told
    assert "twice" in run("segment", *shop).output
    assert tell("segment", "growth", "twice", *shop)["days"]
    assert run("segment", "delete", "twice", *shop).output.startswith("twice is deleted")
    assert tell("segment", "list", *shop)["segments"] == []
