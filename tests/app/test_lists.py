"""Lists for everyone: what each would be answered alone, whoever works at it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from lingxi.app import lists
from lingxi.app.lists import export_lists
from lingxi.app.people import ConsentWord, say_consent
from lingxi.app.shop import Shop
from lingxi.errors import InvalidInput


@pytest.fixture
def shop(demo_folder: Path, tmp_path: Path) -> Iterator[Shop]:
    shutil.copytree(demo_folder, tmp_path / "shop")
    shop = Shop.open(tmp_path / "shop")
    yield shop
    shop.close()


def test_the_file_holds_what_each_customer_would_be_answered(shop: Shop, tmp_path: Path) -> None:
    refused = shop.answers.customers(n=1).rows[0].customer_id
    say_consent(shop, refused, ConsentWord("personalisation", granted=False))
    seen: list[tuple[int, int | None]] = []
    done = export_lists(
        shop, tmp_path / "all.parquet", n=5, progress=lambda _step, i, n: seen.append((i, n))
    )
    table = pq.read_table(done.path)
    assert table.schema.metadata[b"recommender"].decode() == done.version
    assert table.num_rows == done.rows
    assert seen[0] == (0, done.customers)
    assert seen[-1] == (done.customers, done.customers)
    by_customer: dict[str, list[dict[str, object]]] = {}
    for row in table.to_pylist():
        by_customer.setdefault(row["customer_id"], []).append(row)
    everyone = shop.answers.customers(n=500)
    assert len(by_customer) == done.customers
    for customer in everyone.rows[:60]:
        alone = shop.answers.recommendations(customer.customer_id, n=5)
        rows = by_customer[customer.customer_id]
        assert [row["rank"] for row in rows] == [1, 2, 3, 4, 5]
        assert [row["item_id"] for row in rows] == [item.item_id for item in alone.items]
        assert [row["model"] for row in rows] == [item.model for item in alone.items]
        scores = [item.score for item in alone.items]
        assert [row["score"] for row in rows] == pytest.approx(scores)
    assert {row["model"] for row in by_customer[refused]} == {"popularity"}


@pytest.mark.slow
def test_several_processes_write_the_same_file(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "_CHUNK", 50)
    one = export_lists(shop, tmp_path / "one.parquet", n=5, processes=1)
    two = export_lists(shop, tmp_path / "two.parquet", n=5, processes=2)
    assert pq.read_table(one.path).equals(pq.read_table(two.path))


def test_a_file_that_cannot_be_written_is_refused(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="Cannot write"):
        export_lists(shop, tmp_path / "missing" / "all.parquet")
    with pytest.raises(InvalidInput, match="between 1 and 100"):
        export_lists(shop, tmp_path / "all.parquet", n=0)
    assert list(tmp_path.iterdir()) == [tmp_path / "shop"]
