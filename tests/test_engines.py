"""The whole road on PostgreSQL and DuckDB: the same files give the same shop as on SQLite."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from demo_shop import DEMO_END, make_shop
from lingxi.app import jobs
from lingxi.app.erase import erase_customer
from lingxi.app.migrate import list_differences
from lingxi.app.rooms import METADATAS
from lingxi.app.shop import Shop, init_shop
from lingxi.clock import FixedClock
from lingxi.config import load_settings
from lingxi.errors import Conflict, ShopExists, UnknownCustomer
from lingxi.features import compute_features
from lingxi.ingest.identity import EMAIL, PHONE
from lingxi.ingest.tables import identifier
from lingxi.store.engine import open_engine

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("engines")]

SORTS = ("revenue", "orders", "last_order", "churn", "value", "customer_id")
ITEM_SORTS = ("revenue", "orders", "customers", "price", "name", "item_id")
SECRET = frozenset({"sealed", "fingerprint", "report", "raw", "body", "write_key"})
"""Columns under the shop's own random secrets, or that hold how long something took."""


def open_at(folder: Path, url: str = "") -> Shop:
    return Shop.open(
        folder, clock=FixedClock(DEMO_END), environ={"LINGXI_STORE_URL": url} if url else {}
    )


@pytest.fixture(scope="module")
def folder(
    tmp_path_factory: pytest.TempPathFactory, raw_shop: Path, new_database: Callable[[], str]
) -> Path:
    made = tmp_path_factory.mktemp("engines") / "shop"
    make_shop(made, raw_shop, new_database())
    return made


@pytest.fixture(scope="module")
def sqlite(new_demo_folder: Callable[[], Path]) -> Iterator[Shop]:
    """A copy that no other test has touched."""
    shop = open_at(new_demo_folder())
    yield shop
    shop.close()


@pytest.fixture(scope="module")
def postgres(folder: Path) -> Iterator[Shop]:
    shop = open_at(folder)
    yield shop
    shop.close()


def plain(answer: object) -> object:
    """The answer as JSON values."""
    return msgspec.json.decode(msgspec.json.encode(answer))


def walk(ask: Callable[[str | None], object]) -> list[object]:
    """All pages of a list."""
    pages: list[object] = []
    cursor: str | None = None
    while True:
        page = ask(cursor)
        pages.append(plain(page))
        cursor = getattr(page, "next_cursor", None)
        if cursor is None:
            return pages


def both(demo: Shop, postgres: Shop, ask: Callable[[Shop], object]) -> object:
    """The answer, which must be the same on both engines."""
    expected, found = ask(demo), ask(postgres)
    assert found == expected
    return found


def test_the_shop_is_on_postgres(postgres: Shop) -> None:
    assert postgres.answers.status().engine == "postgresql + duckdb"
    assert not (postgres.settings.folder / "data" / "state.sqlite").exists()


@pytest.mark.parametrize("table", [t for m in METADATAS for t in m.sorted_tables], ids=str)
def test_every_table_holds_the_same_rows(sqlite: Shop, postgres: Shop, table: sa.Table) -> None:
    columns = [c for c in table.columns if c.name not in SECRET]

    def read(shop: Shop) -> list[tuple[object, ...]]:
        with shop.store.read() as tx:
            query = sa.select(*columns).order_by(*(c for c in columns if c.primary_key))
            rows = [tuple(row) for row in tx.execute(query)]
        if table is not identifier:
            return rows
        names = [c.name for c in columns]
        return sorted((hide_contact(dict(zip(names, row, strict=True))) for row in rows), key=repr)

    both(sqlite, postgres, read)


def hide_contact(row: dict[str, object]) -> tuple[object, ...]:
    """A row of ``identifier`` without the value of an address or a number: a hash under the shop's
    own key."""
    return tuple((row | ({"value": ""} if row["kind"] in (EMAIL, PHONE) else {})).values())


def test_features_are_the_same(sqlite: Shop, postgres: Shop) -> None:
    def compute(shop: Shop) -> list[dict[str, object]]:
        with shop.store.analytics() as analytics:
            return compute_features(analytics, DEMO_END).sort_by("customer").to_pylist()

    assert both(sqlite, postgres, compute)


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_the_plan_is_the_same_file(sqlite: Shop, postgres: Shop, form: str) -> None:
    assert both(sqlite, postgres, lambda s: s.answers.plan_file(form).read_bytes())


@pytest.mark.parametrize("sort", [*SORTS, *(f"-{sort}" for sort in SORTS)])
def test_customers_come_in_the_same_pages(sqlite: Shop, postgres: Shop, sort: str) -> None:
    pages = both(
        sqlite,
        postgres,
        lambda s: walk(lambda c: s.answers.customers(sort=sort, cursor=c, n=37)),
    )
    rows = [row["customer_id"] for page in pages for row in page["rows"]]
    assert len(rows) == len(set(rows)) == pages[0]["total"]


@pytest.mark.parametrize(
    "filters",
    [
        {"search": "c00"},
        {"search": "C0"},
        {"search": "_"},
        {"search": "%"},
        {"search": "\\"},
        {"search": "/"},
        {"stage": "active"},
        {"segment": "champions", "sort": "churn"},
        {"action": "leave_alone", "sort": "customer_id"},
        {"country": "United Kingdom"},
    ],
    ids=str,
)
def test_customers_are_found_alike(sqlite: Shop, postgres: Shop, filters: dict[str, str]) -> None:
    both(sqlite, postgres, lambda s: plain(s.answers.customers(**filters, n=500)))


@pytest.mark.parametrize("sort", [*ITEM_SORTS, *(f"-{sort}" for sort in ITEM_SORTS)])
def test_items_come_in_the_same_pages(sqlite: Shop, postgres: Shop, sort: str) -> None:
    both(sqlite, postgres, lambda s: walk(lambda c: s.answers.items(sort=sort, cursor=c, n=7)))


@pytest.mark.parametrize(
    "text", ["c0", "C0", "1", "tea", "TEA", "%", "_", "é", "茶", "\\", "'", ""]
)
def test_search_finds_the_same(sqlite: Shop, postgres: Shop, text: str) -> None:
    both(sqlite, postgres, lambda s: plain(s.answers.search(text, n=50)))
    both(sqlite, postgres, lambda s: plain(s.answers.items(search=text, n=500)))


def test_single_answers_are_the_same(sqlite: Shop, postgres: Shop) -> None:
    people = [row.customer_id for row in sqlite.answers.customers(n=4).rows]
    items = [row.item_id for row in sqlite.answers.items(n=5).rows]
    both(sqlite, postgres, lambda s: walk_timeline(s, people[0]))
    for person in people:
        both(sqlite, postgres, lambda s, p=person: plain(s.answers.customer(p, n=5)))
        both(sqlite, postgres, lambda s, p=person: plain(s.answers.recommendations(p)))
    for item in items:
        both(sqlite, postgres, lambda s, i=item: plain(s.answers.item(i)))
        both(sqlite, postgres, lambda s, i=item: plain(s.answers.similar(i)))
    both(
        sqlite,
        postgres,
        lambda s: plain(s.answers.recommendations(None, history=items[:3])),
    )
    both(sqlite, postgres, lambda s: plain(s.answers.overview()))
    both(sqlite, postgres, lambda s: walk(lambda c: s.answers.plan(cursor=c, n=50)))


def walk_timeline(shop: Shop, customer_id: str) -> list[object]:
    return walk(lambda c: shop.answers.customer(customer_id, before=c, n=200))


def test_quality_and_quarantine_are_the_same(sqlite: Shop, postgres: Shop) -> None:
    def quality(shop: Shop) -> object:
        report = msgspec.to_builtins(shop.answers.quality())
        for each in report["imports"]:
            each.pop("seconds")
        return report

    both(sqlite, postgres, quality)
    both(sqlite, postgres, lambda s: walk(lambda c: s.answers.quarantine(cursor=c, n=100)))


def test_models_are_the_same(sqlite: Shop, postgres: Shop) -> None:
    def models(shop: Shop) -> object:
        return [
            (m.kind, m.chosen, m.data_to, m.events, [(c.name, c.chosen) for c in m.candidates])
            for m in shop.answers.models().versions
        ]

    both(sqlite, postgres, models)


def test_a_second_import_changes_nothing(postgres: Shop, raw_shop: Path) -> None:
    before = postgres.answers.status()
    assert jobs.import_orders(postgres, raw_shop / "orders.csv").events_new == 0
    assert jobs.import_events(postgres, raw_shop / "events.parquet").events_new == 0
    after = postgres.answers.status()
    assert (after.events, after.customers, after.quarantined) == (
        before.events,
        before.customers,
        before.quarantined,
    )


def test_a_backup_comes_back_and_forgets_whom_it_should(
    postgres: Shop, new_database: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved, back = tmp_path / "saved", tmp_path / "back"
    jobs.back_up(postgres, saved)
    overview = plain(postgres.answers.overview())
    gone, stays = (row.customer_id for row in postgres.answers.customers(n=2).rows)
    with pytest.raises(Conflict, match="empty database"):  # the shop itself is still there
        jobs.restore_shop(saved, tmp_path / "wrong", clock=postgres.clock)
    shutil.copytree(postgres.settings.folder / "keys", back / "keys")
    url = new_database()
    monkeypatch.setenv("LINGXI_STORE_URL", url)
    jobs.restore_shop(saved, back, clock=postgres.clock)
    shop = open_at(back, url)
    assert plain(shop.answers.overview()) == overview
    assert plain(shop.answers.customer(stays)) == plain(postgres.answers.customer(stays))
    receipt = erase_customer(shop, gone)
    assert all(count >= 0 for count in receipt.rows.values())
    assert receipt.rows["profiles"] > 0
    with pytest.raises(UnknownCustomer):
        shop.answers.customer(gone)
    assert shop.answers.overview().customers == overview["customers"] - 1
    shop.close()
    assert postgres.answers.customer(gone).customer_id == gone


def test_a_database_with_a_shop_takes_no_second_one(folder: Path, tmp_path: Path) -> None:
    url = load_settings(folder).database_url
    with pytest.raises(ShopExists, match="database holds a shop"):
        init_shop(
            tmp_path / "other",
            name="Other",
            currency="GBP",
            timezone="UTC",
            language="en",
            database=url,
        )
    assert not (tmp_path / "other" / "lingxi.toml").exists()


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_two_processes_may_open_a_new_shop_at_once(
    engine: str, new_database: Callable[[], str], tmp_path: Path
) -> None:
    url = new_database() if engine == "postgresql" else ""
    (tmp_path / "lingxi.toml").write_text(f'[store]\nurl = "{url}"\n', encoding="utf-8")
    program = (
        "import sys; from pathlib import Path; from lingxi.app.shop import Shop\n"
        "sys.stdin.readline(); shop = Shop.open(Path(sys.argv[1]), environ={})\n"
        "print(shop.answers.status().engine, shop.store.log.count())"
    )
    children = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = []
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        said.append(child.communicate(timeout=60)[0])
        assert child.returncode == 0
    assert said == [f"{engine} + duckdb 0\n"] * 2
    store = open_engine(url or f"sqlite:///{tmp_path}/data/state.sqlite", lock_timeout_seconds=9)
    assert list_differences(store, METADATAS) == []
    store.dispose()
