"""What a renewal of the recommender takes, and what taking neighbours over saves.

``python benchmarks/renewal.py --retail FILE`` learns from Online Retail up to some hours before its
end, then puts what came since in: processor seconds of the marks, of item-based neighbours compared
anew and taken over, of popularity and of pairs bought together; the numbers are compared too.
"""

import argparse
import platform
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa

from lingxi.recommend.baskets import count_baskets
from lingxi.recommend.earlier import Earlier, mark_items
from lingxi.recommend.families import make_recipe
from lingxi.recommend.interactions import Interactions, from_table
from lingxi.recommend.model import fit_model
from lingxi.recommend.operators import ItemKnn
from lingxi.recommend.stored import write_models
from lingxi.store import Artefact, ArtefactWriter, Manifest
from lingxi.store.files import hash_file

KNN = make_recipe("item_cosine", {"k": 200})
T = TypeVar("T")


def read_retail(path: Path) -> pd.DataFrame:
    """Order lines as the columns that interactions are made of."""
    lines = pd.read_parquet(path)
    lines = lines[lines["Quantity"] > 0]
    known = lines["CustomerID"].notna()
    orders = lines["InvoiceNo"].astype(str)
    return pd.DataFrame(
        {
            "customer": lines["CustomerID"].astype("Int64"),
            "basket": orders.where(~known),
            "item_id": lines["StockCode"].astype(str),
            "name": "Order Completed",
            "occurred_at": pd.to_datetime(lines["InvoiceDate"], utc=True),
            "order_id": orders,
        }
    ).drop_duplicates(["order_id", "item_id"])


def gather(frame: pd.DataFrame) -> Interactions:
    """The interactions of these lines."""
    frame = frame.assign(position=np.arange(len(frame)))
    return from_table(pa.Table.from_pandas(frame, preserve_index=False))


def store(folder: Path, interactions: Interactions) -> Artefact:
    """A version as training writes it."""
    folder.mkdir()
    write_models(ArtefactWriter(folder), interactions, (KNN, KNN))
    return Artefact(folder, Manifest(files={p.name: hash_file(p) for p in folder.iterdir()}))


def clock(name: str, work: Callable[[], T]) -> T:
    """Do it, and print the processor seconds."""
    start = time.process_time()
    found = work()
    print(f"  {name:34}{time.process_time() - start:7.2f} s", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--retail", type=Path, required=True)
    parser.add_argument("--hours", type=int, nargs="*", default=[1, 24, 168], help="hours since")
    chosen = parser.parse_args()
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    print(f"{platform.machine()}, commit {commit}, processor seconds of one thread")
    lines = read_retail(chosen.retail)
    everything = gather(lines)
    for hours in chosen.hours:
        compare(lines, everything, hours)


def compare(lines: pd.DataFrame, everything: Interactions, hours: int) -> None:
    """A renewal after some hours beside a fit of everything."""
    end = lines["occurred_at"].max()
    before = gather(lines[lines["occurred_at"] <= end - timedelta(hours=hours)])
    print(f"{hours} hours: {len(everything.items) - len(before.items)} new order lines")
    taught = everything.histories()
    with tempfile.TemporaryDirectory() as folder:
        artefact = store(Path(folder) / "before", before)
        marks = clock("marks", partial(mark_items, everything))
        earlier = Earlier.read(artefact, before.item_ids, everything.item_ids, marks)
        assert earlier is not None
        changed, n = int(earlier.changed.sum()), len(everything.item_ids)
        print(f"  {changed} of {n} items have other events")
        full = clock("neighbours, all compared", partial(fit_model, KNN, taught)).scorer
        work = partial(fit_model, KNN, taught, earlier, "chosen")
        kept = clock("neighbours, taken over", work).scorer
        assert isinstance(full, ItemKnn)
        assert isinstance(kept, ItemKnn)
        print(f"  largest difference {abs(full.operator - kept.operator).max():.1e}")
    clock("popularity", partial(taught.popularity, KNN.taught_weighting))
    clock("pairs bought together", partial(count_baskets, everything))


if __name__ == "__main__":
    main()
