"""What is kept of a history is never stale, whatever changes it and whichever process does."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from lingxi import catalogue
from lingxi.app import jobs
from lingxi.app.erase import erase_customer
from lingxi.app.placements.request import Ask
from lingxi.app.placements.views import PlacedItem
from lingxi.app.shop import Shop
from lingxi.clock import FixedClock
from lingxi.ingest import find_customer, seek_customer
from lingxi.ingest.merging.merges import list_merges, undo_merge
from lingxi.ingest.message import Message
from lingxi.profiles.read import read_counts
from lingxi.recommend.placements.defaults import DEFAULTS
from lingxi.recommend.placements.definition import Filters
from lingxi.schema import Event, Line

NOW = datetime(2026, 6, 30, tzinfo=UTC)
Change = Callable[["Bench"], None]


class Bench:
    """A shop that answers, and the same shop opened by another process, which changes it."""

    def __init__(self, folder: Path) -> None:
        self.shop = Shop.open(folder, clock=FixedClock(NOW), environ={})
        self.other = Shop.open(folder, clock=FixedClock(NOW), environ={})
        nothing = dict.fromkeys(("RECOMMENDATION_MEMORY_MB", "HISTORY_MEMORY_MB"), "0")
        cold = {f"LINGXI_SERVER_{name}": value for name, value in nothing.items()}
        self.cold = Shop.open(folder, clock=FixedClock(NOW), environ=cold)
        self.cold.answers.recommender()
        self.who = [row.customer_id for row in self.shop.answers.customers(n=2).rows]
        self.items = [row.item_id for row in self.shop.answers.items(n=40).rows]

    def close(self) -> None:
        for each in (self.shop, self.other, self.cold):
            each.close()

    def take(self, *bodies: dict[str, object]) -> list[str]:
        messages = [
            Message(body=body, raw=msgspec.json.encode(body), received_at=NOW, source="web")
            for body in bodies
        ]
        return [outcome.result for outcome in self.other.intake.take(messages)]

    def tell(self, customer_id: str) -> list[tuple[object, ...]]:
        """The history that lists are made from."""
        recommender = self.shop.answers.recommender()
        with self.shop.store.read() as tx:
            customer = seek_customer(tx, customer_id)
            if customer is None:
                return []
            told = recommender.tell(tx, customer)
            assert recommender.tell(tx, customer) is told, "it is kept"
            stored = sorted(read_counts(tx, customer, 2_000))
        columns = told.columns
        found = sorted(zip(columns.item_ids, *columns.numbers.tolist(), strict=True))
        assert found == stored
        return found

    def list(self, shop: Shop, customer_id: str) -> tuple[object, ...]:
        answers = shop.answers
        places = answers.placements.recommend("home", Ask(customer_id=customer_id), log=False)
        return answers.recommendations(customer_id, n=20).items, places.items


@pytest.fixture
def bench(demo_folder: Path, tmp_path: Path) -> Iterator[Bench]:
    folder = tmp_path / "shop"
    shutil.copytree(demo_folder, folder)
    bench = Bench(folder)
    yield bench
    bench.close()


def _event(bench: Bench, number: str, at: datetime, item_id: str) -> None:
    with bench.other.store.read() as tx:
        subject = find_customer(tx, bench.who[0])
    event = Event(
        event_id=f"order-{number}",
        name="Order Completed",
        occurred_at=at,
        received_at=NOW,
        subject=subject,
        order_id=number,
        lines=(Line(item_id=item_id),),
    )
    bench.other.store.log.append([event])


def _new_item(bench: Bench) -> str:
    known = {row[0] for row in bench.tell(bench.who[0])}
    return next(item_id for item_id in bench.items if item_id not in known)


def happens(bench: Bench) -> None:
    _event(bench, "now", NOW, _new_item(bench))


def comes_late(bench: Bench) -> None:
    _event(bench, "late", NOW - timedelta(days=900), _new_item(bench))


def is_imported(bench: Bench) -> None:
    path = bench.other.settings.folder / "old.csv"
    row = f"old-1,{_new_item(bench)},2,5,2020-01-02,{bench.who[0]}"
    path.write_text(f"order_id,sku,qty,price,date,customer_id\n{row}\n")
    jobs.import_orders(bench.other, path)


def is_replayed(bench: Bench) -> None:
    """A line set aside comes back: its moment could not be read."""
    path, mended = (bench.other.settings.folder / name for name in ("set.csv", "q.csv"))
    row = f"view,{bench.who[0]},yesterday,{_new_item(bench)}"
    path.write_text(f"event,user_id,timestamp,product_id\n{row}\n")
    before = bench.tell(bench.who[0])
    jobs.import_events(bench.other, path)
    assert bench.tell(bench.who[0]) == before, "it is in quarantine"
    jobs.export_quarantine(bench.other, mended)
    mended.write_text(mended.read_text().replace("yesterday", "2026-06-29T10:00:00Z"))
    jobs.mend_quarantine(bench.other, mended)


def _meet(bench: Bench) -> None:
    """A browser looks at things, and is then known to be the customer's."""
    view = {"product_id": _new_item(bench)}
    body = {"type": "track", "event": "Product Viewed", "properties": view}
    stamp = {"timestamp": "2026-06-29T10:00:00Z", "anonymousId": "browser-1"}
    known = {"type": "identify", "messageId": "m-2", "userId": bench.who[0]}
    assert bench.take(body | stamp | {"messageId": "m-1"}) == ["stored"]
    assert bench.take(known | stamp) == ["stored"]


def is_merged(bench: Bench) -> None:
    _meet(bench)


def is_parted(bench: Bench) -> None:
    _meet(bench)
    merged = bench.tell(bench.who[0])
    bench.list(bench.shop, bench.who[0])
    with bench.other.store.read() as tx:
        latest = list_merges(tx, find_customer(tx, bench.who[0]))[0]
    undo_merge(bench.other.store, latest.id)
    assert bench.tell(bench.who[0]) != merged
    _event(bench, "after", NOW, bench.items[-1])


def is_erased(bench: Bench) -> None:
    erase_customer(bench.other, bench.who[0])


@pytest.mark.parametrize(
    "change",
    [happens, comes_late, is_imported, is_replayed, is_merged, is_parted, is_erased],
    ids=lambda change: change.__name__,
)
def test_what_was_kept_is_read_again_when_something(bench: Bench, change: Change) -> None:
    first, second = bench.who
    before = [(bench.tell(each), bench.list(bench.shop, each)) for each in (first, second)]
    assert all(history for history, _ in before)
    change(bench)
    assert bench.tell(first) != before[0][0], "the test must change something"
    assert bench.tell(second) == before[1][0]
    for each in (first, second):
        assert bench.list(bench.shop, each) == bench.list(bench.cold, each)
    assert bench.list(bench.shop, first) != before[0][1]


def test_a_remembered_list_follows_the_catalogue_and_its_definition(bench: Bench) -> None:
    first, desk = bench.who[0], bench.shop.answers.placements

    def list_items() -> tuple[PlacedItem, ...]:
        return desk.recommend("home", Ask(customer_id=first)).items

    before = list_items()
    assert list_items() is before, "it is remembered, though it was noted as shown"
    assert len(desk.recommend("home", Ask(customer_id=first, n=3)).items) == 3
    item_id = before[0].item_id
    with bench.other.store.write() as tx:
        (item,) = catalogue.get_items(tx, [item_id]).values()
        changed = msgspec.structs.replace(item, price_cents=7)
        catalogue.put_items(bench.other.store, tx, [changed], NOW)
    assert list_items()[0].price_cents == 7
    blocking = msgspec.structs.replace(DEFAULTS["home"], filters=Filters(blocklist=(item_id,)))
    bench.other.answers.placements.book.put("home", blocking, actor="test")
    assert item_id not in {each.item_id for each in list_items()}
    looked = desk.recommend("home", Ask(customer_id=first, item_id=before[1].item_id)).items
    assert before[1].item_id not in {each.item_id for each in looked}
    assert before[1].item_id in {each.item_id for each in list_items()}


class _TakenBack(Exception):
    pass


def _look_and_take_back(bench: Bench, item_id: str) -> None:
    recommender = bench.shop.answers.recommender()
    with bench.shop.store.write() as tx:
        subject = find_customer(tx, bench.who[0])
        event = Event(
            event_id="taken-back",
            name="Product Viewed",
            occurred_at=NOW,
            received_at=NOW,
            subject=subject,
            lines=(Line(item_id=item_id),),
        )
        bench.shop.store.log.append([event], tx=tx)
        assert item_id in recommender.tell(tx, subject).columns.item_ids
        raise _TakenBack


def test_what_a_transaction_may_yet_take_back_is_not_kept(bench: Bench) -> None:
    before = bench.tell(bench.who[0])
    with pytest.raises(_TakenBack):
        _look_and_take_back(bench, _new_item(bench))
    assert bench.tell(bench.who[0]) == before
