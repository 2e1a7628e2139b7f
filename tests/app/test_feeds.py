"""A feed by the commands an owner types."""

import json
from pathlib import Path

from click.testing import CliRunner

from lingxi.app.shop import init_shop
from lingxi.cli import main


def run(*args: str) -> str:
    result = CliRunner().invoke(main, list(args))
    assert result.exit_code == 0, result.output
    return result.output


def feed(*item_ids: str) -> str:
    lines = "".join(f"<item><g:id>{i}</g:id><g:price>9.50 GBP</g:price></item>" for i in item_ids)
    return f'<rss xmlns:g="http://base.google.com/ns/1.0"><channel>{lines}</channel></rss>'


def test_a_complete_feed_says_what_it_took_off_sale(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    init_shop(folder, name="S", currency="GBP", timezone="UTC", language="en").close()
    file = tmp_path / "feed.xml"
    file.write_text(feed("A", "B"))
    told = json.loads(run("import", "items", str(file), "--shop", str(folder), "--json"))
    assert (told["kind"], told["lines_kept"], told["events_new"]) == ("items", 2, 2)
    file.write_text(feed("A"))
    told = run("import", "items", str(file), "--complete", "--shop", str(folder))
    assert "Note: 1 item that the file does not list was taken off sale." in told


def test_a_column_is_named_by_hand(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    init_shop(folder, name="S", currency="GBP", timezone="UTC", language="en").close()
    file = tmp_path / "items.csv"
    file.write_text("code,headline,price\nA,Lamp,9.50\n")
    mapped = "--map", "item=code,name=headline"
    told = json.loads(run("import", "items", str(file), *mapped, "--shop", str(folder), "--json"))
    assert told["mapping"] == {"item": "code", "name": "headline", "price": "price"}
