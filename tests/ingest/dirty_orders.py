"""A small file of order lines with every kind of dirt, and one number for all that a shop holds."""

import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from random import Random

import msgspec
import sqlalchemy as sa

from lingxi.ingest import ImportReport
from lingxi.ingest.quarantine import read_quarantine
from lingxi.ingest.tables import document, identifier, learnt_item
from lingxi.store import Store

HEADERS = (
    "order_id", "date", "status", "customer_id", "email", "sku", "product", "qty", "price",
    "postage", "country", "currency",
)  # fmt: skip
NAMES = ("Red mug", "WALL CLOCK", "oak tray", "Postage", "wet?", "Ceramic  bowl", "", "Gift wrap")
Row = list[str]


def make_rows(n_orders: int, seed: int) -> list[Row]:
    """Lines of so many orders; some lie far from the rest of theirs, some refunds before them."""
    rng = Random(seed)
    rows: list[Row] = []
    for number in range(n_orders):
        rows += _make_order(number, rng)
    for _ in range(len(rows) // 20):  # a few go anywhere
        rows.insert(rng.randrange(len(rows)), rows.pop(rng.randrange(len(rows))))
    for _ in range(len(rows) // 50):
        rows.append(list(rng.choice(rows)))
    return rows


def _make_order(number: int, rng: Random) -> Iterator[Row]:
    day = f"2025-{1 + number * 11 // 400 % 12:02}-{1 + number % 28:02} {number % 24:02}:00:00"
    customer = rng.choice([f"u{rng.randrange(300)}", f"u{rng.randrange(300)}", "", "guest"])
    email = f"Mail{rng.randrange(200)}@example.com" if rng.random() < 0.3 else ""
    status = rng.choice(["completed"] * 12 + ["refunded", "cancelled", "failed"])
    postage = rng.choice(["", "", "", "3.50"])
    for _ in range(rng.randrange(1, 6)):
        item = rng.randrange(60)
        code = f"SKU{item:03}" if rng.random() < 0.9 else f"sku{item:03}"
        row = [
            f"{10_000 + number}", day, status, customer, email, code, NAMES[item % 8],
            str(rng.randrange(1, 9)), f"{(item * 37 % 900 + 5) / 10:.2f}", postage,
            rng.choice(["GB", "DE", ""]), rng.choice(["GBP"] * 30 + ["", "XXX"]),
        ]  # fmt: skip
        chance = rng.random()
        if chance < 0.08:
            place = rng.choice([1, 3, 5, 6, 7, 8])
            row[place] = rng.choice(["", "soon", "0", "-1", "1e30", "2.5", " \u00e9  x "])
        yield row
        if chance > 0.85:  # comes back: by its number, by the customer alone, or as a negative line
            back = rng.choice([f"C{row[0]}", f"C{90_000 + number}", row[0]])
            units = str(-min(2, int(row[7]))) if row[7].isdecimal() else "-1"
            later = f"2025-12-{1 + number % 28:02} 08:30:00"
            yield [back, later, "completed", *row[3:7], units, *row[8:9], "", *row[10:]]
    if number % 17 == 0:
        yield [f"{10_000 + number}", day, status, f"u{number % 300}", "", "POST", "Postage", "1",
               "4.95", "", "GB", "GBP"]  # fmt: skip
    if number % 23 == 0:
        yield [f"F{number}", day, "", customer, "", "FEE", "Bank charges", "1", "9.90", "", "", ""]


def change_rows(rows: Sequence[Row]) -> list[Row]:
    """The same export later: some orders were refunded or called off since, some lines differ, and
    there are new ones."""
    rng = Random(5)
    fates = {row[0]: rng.random() for row in rows}
    changed = []
    for row in rows:
        fate, own = fates[row[0]], list(row)
        if fate < 0.05:
            own[2] = "refunded"
        elif fate < 0.08:
            own[2] = "cancelled"
        elif fate < 0.11:
            own[7] = "7"
        changed.append(own)
    return changed + [[f"2{row[0]}", *row[1:]] for row in make_rows(150, 9)]


def write_rows(rows: Sequence[Row]) -> str:
    """The rows as CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([HEADERS, *rows])
    return text.getvalue()


def sum_up(store: Store, report: ImportReport | None = None) -> str:
    """One number for the log, what it knows of documents, who is who, what waits in quarantine and
    what the report says."""
    parts: list[object] = []
    after = 0
    while events := store.log.read(after=after, limit=1_000):
        parts += [(e.position, msgspec.json.encode(e)) for e in events]
        after = events[-1].position
    with store.read() as tx:
        for table in (document, identifier, learnt_item):
            parts.append(sorted(map(repr, tx.execute(sa.select(table)).all())))
    for line in read_quarantine(store):
        parts.append((line.id, line.row, line.step, line.reason, sorted(line.raw.items())))
    if report is not None:
        parts.append(msgspec.json.encode(msgspec.structs.replace(report, seconds=0.0, file="")))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
