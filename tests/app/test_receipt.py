"""The receipt of an erasure proves itself: this shop's, unchanged; anything else is refused."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lingxi.app.shop import Shop
from lingxi.cli import main

LINE = "customer_id,email\nada,ada@example.org\nlin,lin@example.org\n"


def run(*args: str) -> Result:
    return CliRunner().invoke(main, list(args))


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    people = tmp_path / "customers.csv"
    people.write_text(LINE, encoding="utf-8")
    for name in ("shop", "other"):
        assert run("init", str(tmp_path / name), "--currency", "GBP").exit_code == 0
    imported = run("import", "customers", str(people), "--shop", str(tmp_path / "shop"))
    assert imported.exit_code == 0, imported.output
    return tmp_path / "shop"


def test_a_receipt_is_checked_against_the_shop_that_signed_it(shop: Path, tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.json"
    told = run("forget", "ada", "--yes", "--receipt", str(receipt), "--shop", str(shop))
    assert told.exit_code == 0, told.output
    assert f"lingxi privacy verify {receipt}" in told.output
    assert "ada" not in receipt.read_text(encoding="utf-8")
    good = run("privacy", "verify", str(receipt), "--shop", str(shop))
    assert good.exit_code == 0
    assert good.output.startswith("Signed by this shop: ")

    other = run("privacy", "verify", str(receipt), "--shop", str(tmp_path / "other"))
    assert other.exit_code == 2
    body = json.loads(receipt.read_text(encoding="utf-8"))
    body["rows"]["ingest"] += 1
    receipt.write_text(json.dumps(body), encoding="utf-8")
    changed = run("privacy", "verify", str(receipt), "--shop", str(shop))
    assert changed.exit_code == 2
    assert "something in it was changed" in changed.output

    body["rows"]["ingest"] -= 1
    receipt.write_text(json.dumps(body, sort_keys=True, indent=4), encoding="utf-8")
    assert run("privacy", "verify", str(receipt), "--shop", str(shop)).exit_code == 0
    receipt.write_text("[]", encoding="utf-8")
    assert "no receipt" in run("privacy", "verify", str(receipt), "--shop", str(shop)).output


def test_nothing_is_erased_where_the_receipt_cannot_be_written(shop: Path, tmp_path: Path) -> None:
    nowhere = tmp_path / "absent" / "receipt.json"
    told = run("forget", "lin", "--yes", "--receipt", str(nowhere), "--shop", str(shop))
    assert told.exit_code == 2
    assert "cannot be written" in told.output
    assert run("consent", "show", "lin", "--shop", str(shop)).exit_code == 0


def test_who_is_erased_may_stand_in_files_that_came_in(shop: Path, tmp_path: Path) -> None:
    """A watched folder keeps what it brought in; an erasure that was silent of it seemed whole."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    dropped = folder / "customers.csv"
    dropped.write_text("customer_id,email\nmay,may@example.org\n", encoding="utf-8")
    os.utime(dropped, (1_700_000_000, 1_700_000_000))
    assert run("watch", str(folder), "--once", "--shop", str(shop)).exit_code == 0
    told = run("forget", "may", "--yes", "--shop", str(shop))
    assert told.exit_code == 0, told.output
    assert f"still lie in {folder} (1 in done/" in told.stderr
    for place in (folder / "done").iterdir():
        place.unlink()
    assert "still lie" not in run("forget", "lin", "--yes", "--shop", str(shop)).stderr


def test_a_no_to_letters_outlives_the_erasure(shop: Path) -> None:
    """Who had unsubscribed, was erased and came back by the same address was written to again."""
    assert run("consent", "withdraw", "ada", "marketing", "--shop", str(shop)).exit_code == 0
    for name in ("ada", "lin"):
        assert run("forget", name, "--yes", "--shop", str(shop)).exit_code == 0
    told = run("mail", "suppress", "list", "--json", "--shop", str(shop))
    [row] = json.loads(told.output)["rows"]
    assert (row["reason"], row["everything"]) == ("unsubscribe", False)
    opened = Shop.open(shop)
    assert row["address_hash"] == opened.store.keyring.blind("ada@example.org")
    opened.close()
