"""A shop of any size for the benchmark of segments, its past written by column.

The lake is what ``lingxi train`` leaves every night: the log cut in chunks, each by its days of
arrival, in the order of arrival. ``check_lake`` holds the files against those that the shop itself
writes of the same events, one by one.
"""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lingxi.app.shop import Shop, init_shop
from lingxi.clock import FixedClock
from lingxi.ingest.tables import consent
from lingxi.lifecycle.tables import customer_state
from lingxi.profiles.ledger import Ledger
from lingxi.profiles.tables import customer_profile
from lingxi.schema import EVENT_ROWS, Event, Line
from lingxi.segments.lists import put_list
from lingxi.segments.tables import customer_list_entry
from lingxi.store.counters import put
from lingxi.store.keyed import upsert
from lingxi.store.lake import CHUNK, record_files
from lingxi.store.tables import identity, to_micros

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY_US = 86_400_000_000
DAYS = 180
PART = 1_000_000
STATE_PART = 50_000
NAMES = ("Product Viewed", "Product Added", "Products Searched", "Order Completed")
SHARES = (0.7, 0.15, 0.1, 0.05)
STAGES = ("new", "active", "loyal", "lapsing")
Ints = NDArray[np.int64]


def make_shop(folder: Path) -> Shop:
    """An empty shop whose clock stands at ``NOW``."""
    clock = FixedClock(NOW)
    return init_shop(folder, name="S", currency="GBP", timezone="UTC", language="en", clock=clock)


def make_rows(rng: np.random.Generator, first: int, n: int, of: int, customers: int) -> pa.Table:
    """``EVENT_ROWS`` of ``n`` events from position ``first`` on, of ``of`` over half a year.

    They arrive one after the other; one in fifty is up to three days late.
    """
    position = np.arange(first, first + n, dtype=np.int64)
    received = to_micros(NOW) - DAYS * DAY_US + (position - 1) * (DAYS * DAY_US // of)
    late = np.where(rng.random(n) < 0.02, rng.integers(0, 3 * DAY_US, n), 0)
    name = rng.choice(len(NAMES), n, p=SHARES)
    ordered, has_line = name == 3, name != 2
    texts = pc.cast(pa.array(position), pa.string())
    items = pa.array([f"i{k}" for k in range(2_000)]).take(pa.array(rng.integers(0, 2_000, n)))
    known = {
        "position": pa.array(position),
        "line": pa.array(np.zeros(n, np.int32)),
        "event_id": pc.binary_join_element_wise("e", texts, ""),
        "name": pa.array(NAMES).take(pa.array(name)),
        "occurred_at": pa.array(received - late),
        "received_at": pa.array(received),
        "subject": pa.array(rng.integers(1, customers + 1, n)),
        "order_id": pc.if_else(ordered, pc.binary_join_element_wise("o", texts, ""), None),
        "event_amount_cents": pa.array(rng.integers(500, 9_000, n), mask=~ordered),
        "item_id": pc.if_else(has_line, items, None),
        "quantity": pa.array(np.ones(n, np.int64), mask=~has_line),
        "source": pa.array(["web"]).take(pa.array(np.zeros(n, np.int64))),
        "properties": pa.array(["{}"]).take(pa.array(np.zeros(n, np.int64))),
    }
    columns = [
        known[f.name].cast(f.type) if f.name in known else pa.nulls(n, f.type) for f in EVENT_ROWS
    ]
    return pa.Table.from_arrays(columns, schema=EVENT_ROWS)


def fill_lake(shop: Shop, rng: np.random.Generator, customers: int, events: int) -> int:
    """The past as the lake keeps it; how many files."""
    count = 0
    for first in range(1, events + 1, PART):
        part = make_rows(rng, first, min(PART, events + 1 - first), events, customers)
        files = [shop.store.lake.write_file(path, rows) for path, rows in _cut(part, first)]
        count += len(files)
        with shop.store.write() as tx:
            record_files(tx, files)
    with shop.store.write() as tx:
        put(tx, "event", events)
        put(tx, "lake", events)
    return count


def _cut(rows: pa.Table, first: int) -> Iterator[tuple[str, pa.Table]]:
    """The files of these rows, which begin a chunk: one a chunk and day of arrival."""
    for start in range(0, rows.num_rows, CHUNK):
        chunk = rows.slice(start, CHUNK)
        name = f"{first + start:012d}-{first + start + chunk.num_rows - 1:012d}.parquet"
        days = chunk["received_at"].cast(pa.date32())
        for day in pc.unique(days):
            yield f"day={day}/{name}", chunk.filter(pc.equal(days, day))


def check_lake(customers: int = 500, events: int = 120_000) -> None:
    """Hold the files that ``fill_lake`` writes against those of the shop itself, in small.

    Raises
    ------
    AssertionError
        If one is missing, superfluous, or has other rows, types or encodings.
    """
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = make_shop(Path(folder) / "ours"), make_shop(Path(folder) / "theirs")
        fill_lake(ours, np.random.default_rng(1), customers, events)
        rows = make_rows(np.random.default_rng(1), 1, events, events, customers)
        theirs.store.log.append([_to_event(row) for row in rows.to_pylist()])
        theirs.store.lake.roll()
        with theirs.store.write() as tx:
            put(tx, "lake", events)
        roots = [shop.store.lake.folder for shop in (ours, theirs)]
        paths = [
            sorted(p.relative_to(r) for r in [root] for p in r.glob("day=*/*")) for root in roots
        ]
        assert paths[0] == paths[1], paths
        for path in paths[0]:
            one, other = (pq.ParquetFile(root / path) for root in roots)
            assert one.read().equals(other.read()), path
            assert one.metadata.num_row_groups == other.metadata.num_row_groups, path
            group, same = one.metadata.row_group(0), other.metadata.row_group(0)
            for number in range(group.num_columns):
                left, right = group.column(number), same.column(number)
                assert (left.encodings, left.compression) == (right.encodings, right.compression)
        ours.close()
        theirs.close()


def _to_event(row: dict[str, object]) -> Event:
    fields = {name: row[name] for name in ("event_id", "name", "occurred_at", "received_at")}
    fields |= {"subject": row["subject"], "order_id": row["order_id"], "source": row["source"]}
    lines = () if row["item_id"] is None else (Line(str(row["item_id"])),)
    return Event(**fields, amount_cents=row["event_amount_cents"], lines=lines)  # type: ignore[arg-type]


def fill_state(shop: Shop, rng: np.random.Generator, customers: int) -> None:
    """A row in every state table for every customer, or for a share of them."""
    profile = {c.name: None for c in customer_profile.columns}
    counts = dict.fromkeys(("events", "views", "carts", "searches"), 5)
    counts |= dict.fromkeys(("cancelled_orders", "refunds", "refund_cents"), 0)
    profile |= {**counts, "first_seen_at": NOW, "last_seen_at": NOW, "ledger": Ledger()}
    state = {c.name: None for c in customer_state.columns}
    state |= {"since": NOW, "reason": "{}", "horizon_days": 90, "as_of": NOW}
    word = {"purpose": "marketing", "channel": "email", "at": NOW, "source": "form"}
    with shop.store.write() as tx:
        put_list(tx, "staff", "Staff", NOW)
        put(tx, "subject", customers)
    for first in range(1, customers + 1, STATE_PART):
        who = range(first, min(first + STATE_PART, customers + 1))
        orders = rng.poisson(1.5, len(who)).tolist()
        stage = rng.integers(0, 4, len(who)).tolist()
        churn = rng.random(len(who)).tolist()
        said = rng.random(len(who)).tolist()
        rows = list(zip(who, orders, stage, churn, said, strict=True))
        with shop.store.write() as tx:
            upsert(tx, identity, [{"subject": c, "customer": c, "known": True} for c in who])
            sums = [
                {**profile, "customer": c, "orders": o, "revenue_cents": o * 4_000}
                for c, o, *_ in rows
            ]
            upsert(tx, customer_profile, sums)
            stages = [
                {**state, "customer": c, "stage": STAGES[s], "churn_probability": p}
                for c, _, s, p, _ in rows
            ]
            upsert(tx, customer_state, stages)
            words = [{**word, "customer": c, "granted": g < 0.7} for c, *_, g in rows]
            upsert(tx, consent, words)
            staff = [{"list": "staff", "subject": c, "added_at": NOW} for c in who if c % 999 == 0]
            upsert(tx, customer_list_entry, staff)
