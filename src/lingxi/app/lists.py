"""Lists for every known customer, as a Parquet file, by as many processes as help."""

import multiprocessing
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from lingxi.app.shop import Shop
from lingxi.errors import InvalidInput
from lingxi.ingest import customer_ids
from lingxi.ingest.consent import read_permissions
from lingxi.recommend import Recommender
from lingxi.recommend.batch import LISTS, STEP, recommend_in_blocks
from lingxi.recommend.standing import USUAL_RULES
from lingxi.store import Progress, silent
from lingxi.store.tables import identity

_CHUNK = 4_096
_FEW = 20_000
"""With fewer customers, starting processes takes longer than they save."""
_REASONS = 3
MOST_LISTED = 100


@dataclass(frozen=True)
class ExportedLists:
    """What was written: customers with a list, rows, and the version of the recommender."""

    path: Path
    customers: int
    rows: int
    version: str


def export_lists(
    shop: Shop,
    path: Path,
    *,
    n: int = 10,
    processes: int = 0,
    progress: Progress = silent,
) -> ExportedLists:
    """Write the ``n`` best items of every known customer, with reasons, to a Parquet file.

    Columns: customer_id, rank (from 1), item_id, score, model, because (item_id and share). The
    file appears when it is whole. Memory does not grow with the number of customers but for their
    numbers.

    Parameters
    ----------
    processes
        How many work at it; 0 chooses: one for each of up to two processors, or this one alone for
        few customers.

    Raises
    ------
    InvalidInput
        If ``n`` will not do or the file cannot be written.
    NotTrained
        Before the first training.
    """
    if not 1 <= n <= MOST_LISTED:
        raise InvalidInput(f"n must be between 1 and {MOST_LISTED}, not {n}.")
    recommender = Recommender.load(shop.store)
    with shop.store.read() as tx:
        query = sa.select(identity.c.customer).where(identity.c.known).distinct()
        everyone = sorted(tx.execute(query).scalars())
    chosen = processes or (min(2, os.cpu_count() or 1) if len(everyone) >= _FEW else 1)
    chunks = [everyone[at : at + _CHUNK] for at in range(0, len(everyone), _CHUNK)]
    if chosen == 1:
        tables: Iterator[pa.Table] = (_list(shop, recommender, chunk, n) for chunk in chunks)
    else:
        tables = _list_apart(shop.settings.folder, recommender.version, chunks, n, chosen)
    schema = _schema(recommender.version)
    draft = path.with_name(f".{path.name}.part")
    rows = done = 0
    progress(STEP, 0, len(everyone))
    try:
        with pq.ParquetWriter(draft, schema, compression="zstd") as writer:
            for chunk, table in zip(chunks, tables, strict=True):
                writer.write_table(table.cast(schema))
                rows, done = rows + table.num_rows, done + len(chunk)
                progress(STEP, done, len(everyone))
        os.replace(draft, path)
    except OSError as error:
        raise InvalidInput(f"Cannot write {path}: {error.strerror or error}.") from error
    finally:
        draft.unlink(missing_ok=True)
    return ExportedLists(path, len(everyone), rows, recommender.version)


def _schema(version: str) -> pa.Schema:
    fields = [pa.field("customer_id", pa.string(), nullable=False)]
    fields += [field for field in LISTS if field.name != "customer"]
    return pa.schema(fields, metadata={"recommender": version})


def _list(shop: Shop, recommender: Recommender, customers: Sequence[int], n: int) -> pa.Table:
    """The lists of some customers, under the shop's own ids."""
    with shop.store.read() as tx:
        names = customer_ids(tx, customers)
        permissions = read_permissions(tx, shop.settings.consent, "personalisation")
    strangers = [customer for customer in customers if not permissions.allows(customer)]
    blocks = recommend_in_blocks(
        recommender,
        shop.store,
        customers,
        n=n,
        rules=USUAL_RULES,
        reasons=_REASONS,
        progress=silent,
        strangers=strangers,
    )
    table = pa.concat_tables([LISTS.empty_table(), *blocks]).combine_chunks()
    known = pa.array([names[customer] for customer in customers], pa.string())
    owners = np.searchsorted(np.array(customers), table["customer"].to_numpy())
    return table.set_column(0, "customer_id", known.take(pa.array(owners, pa.int64())))


_worker: tuple[Shop, Recommender] | None = None


def _start(folder: Path, version: str) -> None:
    global _worker
    shop = Shop.open(folder)
    _worker = shop, Recommender.load(shop.store, version)


def _work(customers: Sequence[int], n: int) -> bytes:
    assert _worker is not None
    table = _list(*_worker, customers, n)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _list_apart(
    folder: Path, version: str, chunks: Sequence[Sequence[int]], n: int, processes: int
) -> Iterator[pa.Table]:
    """The same from other processes, in order, with few chunks under way at a time."""
    context = multiprocessing.get_context("spawn")  # a fork would inherit locks of threads
    with ProcessPoolExecutor(
        processes, mp_context=context, initializer=_start, initargs=(folder, version)
    ) as pool:
        waiting: deque[Future[bytes]] = deque()
        for chunk in chunks:
            waiting.append(pool.submit(_work, chunk, n))
            if len(waiting) > 2 * processes:
                yield pa.ipc.open_stream(waiting.popleft().result()).read_all()
        while waiting:
            yield pa.ipc.open_stream(waiting.popleft().result()).read_all()
