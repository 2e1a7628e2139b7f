"""Lines of every subject that were set aside come back through one command, each once."""

import csv
from datetime import UTC, datetime
from pathlib import Path

from click.testing import CliRunner

from lingxi.app import jobs
from lingxi.app.shop import Shop
from lingxi.catalogue import get_items
from lingxi.cli import main
from lingxi.ingest import list_quarantine

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def write(shop: Shop, name: str, text: str) -> Path:
    path = shop.settings.folder / name
    path.write_text(text, encoding="utf-8")
    return path


def mend(shop: Shop, **cells: str) -> None:
    """Correct these cells, by their column, wherever the column stands in the export."""
    path = shop.settings.folder / "q.csv"
    jobs.export_quarantine(shop, path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, fieldnames=list(rows[0]))
        out.writeheader()
        out.writerows({**row, **{k: v for k, v in cells.items() if row.get(k)}} for row in rows)
    jobs.mend_quarantine(shop, path)


def test_lines_of_all_subjects_are_mended_from_one_export(shop: Shop) -> None:
    head = "order_id,sku,qty,price,date,customer_id\n"
    jobs.import_orders(
        shop, write(shop, "o.csv", head + "1,A,1,5,2026-01-02,u1\n1,B,one,5,2026-01-02,u1\n")
    )
    jobs.import_items(shop, write(shop, "i.csv", "item_id,name,cost\nA,Lamp,cheap\nB,Rug,2\n"))
    jobs.import_events(
        shop, write(shop, "e.csv", "event,user_id,timestamp,product_id\nview,u1,yesterday,A\n")
    )
    jobs.import_customers(
        shop, write(shop, "c.csv", "customer_id,level,updated_at\nu1,gold,never\n")
    )
    assert len(list_quarantine(shop.store)) == 4
    told = CliRunner().invoke(main, ["quality", "--shop", str(shop.settings.folder)]).output
    assert told.count("goods value") == 1, "only a file of orders has one"
    mend(shop, qty="2", cost="1.5", timestamp="2026-01-03T10:00:00Z", updated_at="2026-01-04")
    assert list_quarantine(shop.store) == []
    view = shop.answers.customer("u1")
    assert view.orders == 1, "the mended line is part of the order that is there"
    assert view.traits == {"level": "gold"}
    names = [event.name for event in shop.store.log.read()]
    assert names.count("Order Completed") == 2
    assert names.count("Product Viewed") == 1
    with shop.store.read() as tx:
        assert get_items(tx, ["A"])["A"].cost_cents == 150


def test_a_replayed_item_line_does_not_undo_what_was_written_since(shop: Shop) -> None:
    feed = "id,title,price\nA,Lamp,5 USD\n"
    jobs.import_items(shop, write(shop, "i.csv", feed))
    assert [line.reason for line in list_quarantine(shop.store)] == ["currency_rate_missing"]
    shop.clock.moment = datetime(2026, 3, 2, tzinfo=UTC)
    jobs.import_items(shop, write(shop, "later.csv", "id,title,price\nA,Lamp,9 GBP\n"))
    write(shop, "rates.csv", "Date,USD\n2026-03-01,1.25\n")
    from lingxi.app.rates import import_rates

    import_rates(shop, shop.settings.folder / "rates.csv", base="GBP")
    jobs.replay_quarantine(shop)
    assert list_quarantine(shop.store) == []
    with shop.store.read() as tx:
        assert get_items(tx, ["A"])["A"].price_cents == 900


def test_a_customer_who_was_only_told_of_has_a_profile(shop: Shop) -> None:
    head = "customer_id,level,updated_at\n"
    jobs.import_customers(shop, write(shop, "c.csv", head + "u9,gold,2026-01-05\n"))
    view = shop.answers.customer("u9")
    assert (view.orders, view.revenue_cents, view.last_order_at) == (0, 0, None)
    assert view.first_seen_at == NOW
    assert view.traits == {"level": "gold"}
