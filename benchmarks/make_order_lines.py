"""Make a file of order lines as large as asked, dirty as shops' exports are.

    python benchmarks/make_order_lines.py FILE [--lines N] [--form csv|jsonl|parquet|xlsx]

About five lines an order, in the order of time; a few lines lie thousands of orders further down.
One line in eighty is called off later (``C...``), some under a number that names no order of the
file; lines are doubled, lack their date or item, name no number, were never paid, or are postage.
The same arguments make the same file.
"""

import argparse
import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

HEADERS = (
    "order_id", "order_date", "status", "customer_id", "sku", "product", "quantity", "price",
    "country",
)  # fmt: skip
ITEMS, COUNTRIES = 5_000, ("United Kingdom", "Germany", "France", "Ireland")
COLOURS = ("Red", "Blue", "Green", "White", "Black", "Walnut")
THINGS = ("ceramic mug", "wall clock", "desk lamp", "wool blanket", "tea towel", "oak tray")
START = datetime(2023, 1, 1, tzinfo=UTC)
Row = tuple[str, ...]


def make_rows(n_lines: int) -> Iterator[Row]:
    """The rows of the file, without its header."""
    rng = np.random.default_rng(7)
    made, number = 0, 0
    late: list[tuple[int, Row]] = []
    while made < n_lines:
        number += 1
        for row in _make_order(number, rng, late):
            yield row
            made += 1
        while late and late[0][0] <= number:
            yield late.pop(0)[1]
            made += 1


def _make_order(
    number: int, rng: np.random.Generator, late: list[tuple[int, Row]]
) -> Iterator[Row]:
    """The lines of one order; what comes later is put aside by the number it comes before."""
    at = START + timedelta(seconds=97 * number)
    customer = "" if rng.random() < 0.05 else f"c{int(40_000 * rng.random() ** 2):06d}"
    country = COUNTRIES[int(4 * rng.random() ** 3)]
    for _ in range(rng.poisson(4) + 1):
        item = int(ITEMS * rng.random() ** 3)
        price = f"{(item * 37 % 9_000 + 99) / 100:.2f}"
        name = f"{COLOURS[item % 6]} {THINGS[item // 6 % 6]} No {item}"
        quantity = str(rng.integers(1, 5))
        row = (
            str(1_000_000 + number), f"{at:%Y-%m-%d %H:%M:%S}", "completed", customer,
            f"SKU-{item:05d}", name, quantity, price, country,
        )  # fmt: skip
        chance = rng.random()
        if chance < 0.004:
            late.append((number + 5_000, row))
            continue
        if chance < 0.012:
            row = _spoil(row, int(rng.integers(6)))
        yield row
        if 0.012 <= chance < 0.017:
            yield row
        elif chance < 0.03 and chance >= 0.017:
            back = str(1_000_000 + number if chance < 0.026 else 9_000_000 + number)
            when = f"{at + timedelta(days=9):%Y-%m-%d %H:%M:%S}"
            late.append((number + 8_000, (f"C{back}", when, *row[2:6], f"-{quantity}", *row[7:])))
            late.sort(key=lambda pair: pair[0])
    if number % 20 == 0:
        yield (
            str(1_000_000 + number), f"{at:%Y-%m-%d %H:%M:%S}", "completed", customer, "POST",
            "Postage", "1", f"{rng.integers(300, 900) / 100:.2f}", country,
        )  # fmt: skip


def _spoil(row: Row, how: int) -> Row:
    changes = {
        0: (1, ""),
        1: (7, "0"),
        2: (6, "many"),
        3: (1, "soon"),
        4: (4, ""),
        5: (2, "failed"),
    }
    place, cell = changes[how]
    return (*row[:place], cell, *row[place + 1 :])


def write_file(path: Path, form: str, rows: Iterator[Row]) -> None:
    """Write the rows in one of the four forms."""
    if form == "csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file, lineterminator="\n")
            out.writerow(HEADERS)
            out.writerows(rows)
    elif form == "jsonl":
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(dict(zip(HEADERS, row, strict=True))) + "\n" for row in rows)
    elif form == "parquet":
        schema = pa.schema([(name, pa.string()) for name in HEADERS])
        with pq.ParquetWriter(path, schema) as writer:
            while part := list(islice(rows, 100_000)):
                columns = [pa.array(column) for column in zip(*part, strict=True)]
                writer.write_table(pa.table(columns, schema=schema))
    else:
        from openpyxl import Workbook

        book = Workbook(write_only=True)
        sheet = book.create_sheet("orders")
        sheet.append(HEADERS)
        for row in rows:
            sheet.append(row)
        book.save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--form", choices=("csv", "jsonl", "parquet", "xlsx"), default="csv")
    args = parser.parse_args()
    write_file(args.file, args.form, islice(make_rows(args.lines), args.lines))
    print(f"{args.file}: {args.lines:,} lines, {args.file.stat().st_size / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
