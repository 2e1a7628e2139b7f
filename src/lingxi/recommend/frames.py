"""Data as a user of the plain Python API has it: a matrix or a frame in, ids and histories back."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol, TypeGuard, cast

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from lingxi.errors import InvalidInput
from lingxi.ingest.text import Text
from lingxi.recommend.event_files import Events, number_ids, read_event_table
from lingxi.recommend.histories import NOBODY, ORDER, Histories
from lingxi.recommend.ratings import Ratings, read_ratings
from lingxi.store import Artefact, ArtefactWriter

Id = str | int | float


class ArrowStream(Protocol):
    """Any other frame that Arrow can read: of polars, a record batch, a relation of DuckDB."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Arrow's stream of columns."""
        ...


Frame = pd.DataFrame | pa.Table | ArrowStream
_WHERE = Path("the data frame")
_IDS = ("customer_id", "item_id")
_ARRAYS = ("indptr", "items", "moments", "weights")


def read_data(data: Ratings | Frame) -> Events:
    """Events of a table of customers by items, or of a frame with a row an event.

    Raises
    ------
    InvalidInput, UnknownColumn
        If the data cannot be used.

    Examples
    --------
    >>> frame = pd.DataFrame({"customer_id": ["ada", "ada"], "item_id": [7, 8]})
    >>> read_data(frame).items.values, read_data([[0, 2], [1, 0]]).shape
    (('7', '8'), (2, 2))
    """
    table = to_arrow(data)
    if table is not None:
        return read_event_table(_WHERE, table)
    matrix = read_ratings(cast("Ratings", data))  # no frame: to_arrow knows them all
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    shape = (int(matrix.shape[0]), int(matrix.shape[1]))
    who, what = number_ids(rows, shape[0]), number_ids(matrix.indices, shape[1])
    return Events(_WHERE, who, what, None, matrix.data, shape)


def to_arrow(data: object) -> pa.Table | None:
    """A frame as an Arrow table; nothing for what is no frame.

    Raises
    ------
    InvalidInput
        If its columns cannot be read, such as weights of texts and numbers.
    """
    try:
        if isinstance(data, pd.DataFrame):
            return pa.Table.from_pandas(_write_ids(data), preserve_index=False)
        if isinstance(data, pa.RecordBatch):
            return pa.Table.from_batches([data])
        if isinstance(data, pa.Table):
            return data
        if hasattr(data, "__arrow_c_stream__"):
            convert = getattr(data, "to_arrow", None)  # polars': its stream has views of texts
            return pa.table(convert() if callable(convert) else data)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise InvalidInput(f"The data frame cannot be read: {error}") from error
    return None


def _write_ids(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with ids of several kinds, as spreadsheets give them, all as texts."""
    mixed = [
        name
        for name in _IDS
        if name in frame.columns
        and frame[name].dtype == object
        and pd.api.types.infer_dtype(frame[name], skipna=True).startswith("mixed")
    ]
    return frame.assign(**{name: frame[name].map(_write_id, na_action="ignore") for name in mixed})


def _write_id(one: object) -> str:
    if isinstance(one, float | np.floating) and float(one).is_integer():
        return str(int(one))
    return str(one)


def are_whole(data: Ratings | Frame) -> tuple[bool, bool]:
    """Whether customers, and items, are named by whole numbers: they are given back as such.

    >>> are_whole(pd.DataFrame({"customer_id": ["ada"], "item_id": [7]})), are_whole([[1]])
    ((False, True), (True, True))
    """
    if isinstance(data, pd.DataFrame):
        kinds = [data[name].dtype for name in _IDS]
        customers, items = map(pd.api.types.is_integer_dtype, kinds)
        return customers, items
    table = to_arrow(data)
    if table is not None:
        fields = [table.schema.field(name).type for name in _IDS]
        customers, items = map(pa.types.is_integer, fields)
        return customers, items
    return True, True


def is_one(ids: Iterable[Id] | Id) -> TypeGuard[Id]:
    """Whether this is one identifier rather than several: a text is never a list of letters."""
    return isinstance(ids, str) or not isinstance(ids, Iterable)


def name_ids(ids: Iterable[Id] | Id) -> list[str]:
    """One or several identifiers as ``read_data`` names them.

    >>> name_ids("ada"), name_ids([17, 17.0, "17"])
    (['ada'], ['17', '17', '17'])
    """

    if isinstance(ids, str) or not isinstance(ids, Iterable):
        return [_write_id(ids).strip()]
    return [_write_id(one).strip() for one in ids]


def find_ids(column: Text, known: Mapping[str, int]) -> NDArray[np.int64]:
    """The number of each id of a column, -1 where it is not known."""
    table = np.array([known.get(v.strip(), -1) for v in column.values] or [-1], dtype=np.int64)
    return table[column.codes]


def restore_ids(names: Iterable[str], *, whole: bool) -> list[Id]:
    """Identifiers as they were given: numbers where all were whole numbers.

    >>> restore_ids(["7", "8"], whole=True), restore_ids(["7", "new"], whole=True)
    ([7, 8], ['7', 'new'])
    """
    listed = list(names)
    if whole and all(name.removeprefix("-").isdecimal() for name in listed):
        return [int(name) for name in listed]
    return list(listed)


def check_size(n: int) -> None:
    """Refuse a length that no list has.

    Raises
    ------
    InvalidInput
        If ``n`` is no whole number from 1 up.
    """
    if not isinstance(n, int | np.integer) or n < 1:
        raise InvalidInput(f"n must be a whole number of at least 1, but is {n}.")


def check_seconds(seconds: float) -> None:
    """Refuse a time in which nothing can be chosen.

    Raises
    ------
    InvalidInput
        If ``seconds`` is not above 0.
    """
    if not seconds > 0:
        raise InvalidInput(f"seconds must be above 0, but is {seconds}.")


def make_history(places: list[int], n_items: int, *, timed: bool) -> Histories:
    """One history of somebody new, the newest item last."""
    items = np.array(places, dtype=np.int64)
    made = Histories.of_events(
        np.zeros(len(items), dtype=np.int64),
        items,
        (1, n_items),
        moments=np.arange(len(items)) if timed else None,
    )
    return replace(made, rows=np.array([NOBODY]))


def write_histories(writer: ArtefactWriter, taught: Histories) -> None:
    """Keep histories whose events are all orders."""
    for name in _ARRAYS:
        writer.save_array(f"taught_{name}", np.asarray(getattr(taught, name)))


def read_histories(artefact: Artefact, shape: tuple[int, int], *, timed: bool) -> Histories:
    """What ``write_histories`` wrote."""

    def whole(name: str) -> NDArray[np.int64]:
        return artefact.load_array(f"taught_{name}", np.int64)

    items = whole("items")
    return Histories(
        indptr=whole("indptr"),
        items=items,
        moments=whole("moments"),
        kinds=np.broadcast_to(np.int8(ORDER), len(items)),
        weights=artefact.load_array("taught_weights", np.float32),
        baskets=np.broadcast_to(np.int64(NOBODY), len(items)),
        rows=np.arange(shape[0]),
        n_items=shape[1],
        timed=timed,
    )
