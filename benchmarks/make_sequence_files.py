"""Make train, history and test files of the shared sequence data sets for ``lingxi evaluate``.

    python benchmarks/make_sequence_files.py beauty ../shared/data/amazon_beauty FOLDER
    lingxi evaluate recommend --train FOLDER/train.parquet --history FOLDER/history.parquet \\
        --test FOLDER/test.parquet --at 10 --model auto --json

Amazon Beauty, leave-one-out: train holds all but the last two items of each customer, history the
last but one, test the last. Times are the place in the customer's list, in days: the file has none.
"""

import argparse
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

DAY_US = 86_400_000_000


def split_beauty(folder: Path) -> dict[str, pa.Table]:
    """The three files by name, each of customer_id, item_id, timestamp."""
    rows: dict[str, list[tuple[str, str, int]]] = {"train": [], "history": [], "test": []}
    for line in (folder / "Beauty.txt").read_text().splitlines():
        customer, *items = line.split()
        for place, item in enumerate(items):
            name = {1: "test", 2: "history"}.get(len(items) - place, "train")
            rows[name].append((customer, item, place * DAY_US))
    return {name: _build(events) for name, events in rows.items()}


def _build(events: list[tuple[str, str, int]]) -> pa.Table:
    customers, items, moments = zip(*events, strict=True)
    times = pa.array(moments, pa.timestamp("us", tz="UTC"))
    return pa.table({"customer_id": customers, "item_id": items, "timestamp": times})


def main() -> None:
    """Write the files into the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=["beauty"])
    parser.add_argument("data", type=Path)
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    for name, table in split_beauty(args.data).items():
        pq.write_table(table, args.folder / f"{name}.parquet")
        print(f"{name}: {table.num_rows} events")


if __name__ == "__main__":
    main()
