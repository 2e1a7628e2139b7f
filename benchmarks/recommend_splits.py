"""The splits that recommenders are compared on: what is learnt, with times if known, and found."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse

DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class Split:
    """What is learnt and what is to be found, shape (n_customers, n_items) each; ``events``: rows,
    items and, where they are known, moments in microseconds of all that is learnt from."""

    train: sparse.csr_matrix
    test: sparse.csr_matrix
    events: tuple[np.ndarray, np.ndarray, np.ndarray | None]
    seconds: float = 60.0


def load(path: Path) -> sparse.csr_matrix:
    """A train or test matrix of ones."""
    matrix = sparse.csr_matrix(sparse.load_npz(path), dtype=np.float64)
    matrix.data[:] = 1.0
    return matrix


def split_retail(path: Path, days: int = 30) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Who had bought what, and what each known customer bought first in the last days."""
    import pandas as pd

    lines = pd.read_parquet(path)
    lines = lines[lines["CustomerID"].notna() & (lines["Quantity"] > 0)]
    firsts = lines.groupby(["CustomerID", "StockCode"])["InvoiceDate"].min().reset_index()
    items, _ = pd.factorize(firsts["StockCode"], sort=True)
    customers, _ = pd.factorize(firsts["CustomerID"], sort=True)
    moments = pd.to_datetime(firsts["InvoiceDate"]).to_numpy()
    late = moments >= moments.max() - days * DAY
    known = np.isin(customers, customers[~late])
    shape = (int(customers.max()) + 1, int(items.max()) + 1)
    return (
        build(customers[~late], items[~late], shape),
        build(customers[late & known], items[late & known], shape),
    )


def build(rows: np.ndarray, items: np.ndarray, shape: tuple[int, int]) -> sparse.csr_matrix:
    """A matrix of ones."""
    matrix = sparse.csr_matrix((np.ones(len(rows)), (rows, items)), shape=shape)
    matrix.data[:] = 1.0
    return matrix


def read_tables(chosen: argparse.Namespace) -> Split:
    """Parquet files: train and history are learnt from, with their times where all have them."""
    import pandas as pd

    known = [pd.read_parquet(path) for path in (chosen.train, chosen.history) if path]
    test = pd.read_parquet(chosen.test)
    everything = pd.concat([*known, test], ignore_index=True)
    customers, _ = pd.factorize(everything["customer_id"])
    items, _ = pd.factorize(everything["item_id"])
    n = sum(len(table) for table in known)
    shape = (int(customers.max()) + 1, int(items.max()) + 1)
    moments = None
    if all("timestamp" in table for table in known):
        times = pd.concat([table["timestamp"] for table in known])
        unit = "s" if times.dtype.kind in "iuf" else None
        plain = pd.to_datetime(times, unit=unit, utc=True).dt.tz_localize(None)
        moments = plain.to_numpy().astype("datetime64[us]").astype(np.int64)
    train = build(customers[:n], items[:n], shape)
    test_matrix = build(customers[n:], items[n:], shape)
    return Split(train, test_matrix, (customers[:n], items[:n], moments), chosen.seconds)


def read_split(chosen: argparse.Namespace) -> Split:
    """The split that the command names."""
    if not chosen.retail and chosen.train.suffix != ".npz":
        return read_tables(chosen)
    if chosen.retail:
        train, test = split_retail(chosen.retail)
    else:
        train, test = load(chosen.train), load(chosen.test)
        if chosen.history:
            train = (train + load(chosen.history)).tocsr()
            train.data[:] = 1.0
    cells = train.tocoo()
    events = cells.row.astype(np.int64), cells.col.astype(np.int64), None
    return Split(train, test, events, chosen.seconds)
