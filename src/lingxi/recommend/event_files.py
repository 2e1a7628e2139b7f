"""Files of events for an evaluation: Parquet or delimited text with columns, or a CSR matrix."""

import gzip
import re
import shutil
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy import sparse

from lingxi.errors import FileUnreadable, InvalidInput, UnknownColumn, did_you_mean
from lingxi.ingest.dates import NO_TIME, read_moments
from lingxi.ingest.delimited import read_delimited
from lingxi.ingest.reading import detect_form
from lingxi.ingest.text import Text
from lingxi.recommend.compact_dates import read_compact

NEEDED = ("customer_id", "item_id")
OPTIONAL = ("timestamp", "weight")
_FARTHEST = datetime(2200, 1, 1, tzinfo=UTC)
_UNITS = ((1e17, 1e-3), (1e14, 1.0), (1e11, 1e3), (0.0, 1e6))
"""From this size on, a number of a time is nano-, micro-, milli- or plain seconds."""
_MOST_SECONDS = 9e12  # microseconds of it still fit into 63 bits
_MOST_WHOLE = 2.0**63  # from here on a double is no 64-bit number
_GZIP, _BLOCK = b"\x1f\x8b", 1 << 20
_WHOLE = re.compile(r"-?\d+\.0+")  # as data frames write a column of whole numbers with gaps
Column: TypeAlias = "pa.ChunkedArray[pa.Scalar[pa.DataType]]"

_load_npz: Callable[[Path], object] = sparse.load_npz
_is_sparse: Callable[[object], bool] = sparse.issparse
_to_csr: Callable[..., sparse.csr_array] = sparse.csr_array
_check_format: Callable[..., None] = sparse.csr_array.check_format


@dataclass(frozen=True)
class Events:
    """One entry per event as the file has them: who, what, when, how much.

    ``customers`` and ``items`` are text; a matrix names its rows and columns by number.
    ``shape`` is a matrix's own, nothing for a table.
    """

    path: Path
    customers: Text
    items: Text
    moments: NDArray[np.int64] | None
    weights: NDArray[np.float64] | None
    shape: tuple[int, int] | None = None

    def __len__(self) -> int:
        return len(self.customers)

    def keep(self, which: NDArray[np.bool_]) -> "Events":
        """Some of the events, in the same order."""
        return replace(
            self,
            customers=Text(self.customers.codes[which], self.customers.values),
            items=Text(self.items.codes[which], self.items.values),
            moments=None if self.moments is None else self.moments[which],
            weights=None if self.weights is None else self.weights[which],
        )


def read_events(path: Path) -> Events:
    """Events of a file: ``.npz`` a SciPy matrix, ``.parquet`` a table, else text, also gzipped.

    Raises
    ------
    FileUnreadable
        If the file is absent, damaged or empty.
    UnknownColumn
        If customer_id or item_id is not there.
    InvalidInput
        If an id is missing, a weight is no number of at least 0, or a time cannot be read.
    """
    if not path.is_file():
        raise FileUnreadable(f"There is no file {path}.")
    if path.suffix.lower() == ".npz":
        return _read_matrix(path)
    if path.suffix.lower() in (".parquet", ".pq"):
        return _read_parquet(path)
    with path.open("rb") as file:
        packed = file.read(len(_GZIP)) == _GZIP
    if packed:
        return _unpack_text(path)
    form = detect_form(path)
    if form not in ("text", "parquet"):
        raise FileUnreadable(f"{path} is read as Parquet, CSV or .npz; it holds {form}.")
    return _read_text(path) if form == "text" else _read_parquet(path)


def _unpack_text(path: Path) -> Events:
    """Gzipped text, unpacked beside other temporary files for as long as it is read."""
    with TemporaryDirectory() as folder:
        plain = Path(folder) / path.name.removesuffix(".gz")
        try:
            with gzip.open(path) as packed, plain.open("wb") as file:
                shutil.copyfileobj(packed, file, _BLOCK)
        except (OSError, EOFError, zlib.error) as error:
            raise FileUnreadable(f"{path} cannot be unpacked: {error}.") from error
        return replace(_read_text(plain), path=path)


def _read_matrix(path: Path) -> Events:
    try:
        matrix = _load_npz(path)
    except (ValueError, OSError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise FileUnreadable(
            f"{path} is not a SciPy sparse matrix ({error}). Write one with scipy.sparse.save_npz."
        ) from error
    if not _is_sparse(matrix):
        raise FileUnreadable(f"{path} holds no sparse matrix.")
    try:
        csr = _to_csr(matrix)
        _check_format(csr, full_check=True)
    except (ValueError, TypeError) as error:
        raise FileUnreadable(f"{path} holds a damaged matrix: {error}.") from error
    if csr.data.dtype.kind not in "iufb":
        raise InvalidInput(f"The weights in {path} are no numbers but {csr.data.dtype}.")
    rows = np.repeat(np.arange(csr.shape[0]), np.diff(csr.indptr))
    weights = csr.data.astype(np.float64)
    _check_weights(path, weights)
    kept = weights > 0  # a stored zero is no event
    return Events(
        path,
        number_ids(rows[kept], csr.shape[0]),
        number_ids(csr.indices[kept], csr.shape[1]),
        None,
        weights[kept],
        (int(csr.shape[0]), int(csr.shape[1])),
    )


def number_ids(codes: NDArray[np.integer], count: int) -> Text:
    """Row or column numbers as identifiers; numbers that no entry has are known too."""
    return Text(codes.astype(np.int32), tuple(str(number) for number in range(count)))


def _read_parquet(path: Path) -> Events:
    try:
        headers = _name_headers(pq.read_schema(path).names)
        _check_columns(path, list(headers))
        wanted = [name for name in (*NEEDED, *OPTIONAL) if name in headers]
        table = pq.read_table(path, columns=[headers[name] for name in wanted]).select(
            [headers[name] for name in wanted]
        )
        table = table.rename_columns(wanted)
    except (pa.ArrowException, OSError) as error:
        told = str(error).rstrip(".")
        raise FileUnreadable(f"{path} cannot be read as Parquet: {told}.") from error
    events = read_event_table(path, table)
    del table
    pa.default_memory_pool().release_unused()  # gigabytes of a large file, which others will need
    return events


def read_event_table(path: Path, table: pa.Table) -> Events:
    """Events of a table with the columns of a file; ``path`` names it in messages.

    Raises
    ------
    UnknownColumn
        If customer_id or item_id is not there.
    InvalidInput
        If an id is missing, a weight is no number of at least 0, or a time cannot be read.
    """
    names = table.column_names
    _check_columns(path, names)
    who, what = (_name_ids(path, name, table.column(name)) for name in NEEDED)
    times = table.column("timestamp") if "timestamp" in names else None
    weights = table.column("weight") if "weight" in names else None
    return Events(
        path,
        who,
        what,
        None if times is None else _read_times(path, times),
        None if weights is None else _read_weights(path, weights),
    )


def _name_headers(headers: Sequence[str]) -> dict[str, str]:
    """Headers by their names, whatever the case and the spaces around them; an exact one wins."""
    tidy = {header.strip().lower(): header for header in headers}
    return tidy | {header: header for header in headers if header in tidy}


def _read_text(path: Path) -> Events:
    raw = read_delimited(path)
    names = _name_headers(raw.headers)
    _check_columns(path, list(names))
    if raw.malformed:
        raise InvalidInput(
            f"{len(raw.malformed)} rows of {path} have too many or too few cells, "
            f"the first is row {raw.malformed[0].row}."
        )
    wanted = [name for name in (*NEEDED, *OPTIONAL) if name in names]
    columns = [_to_arrow(raw.columns[names[name]]) for name in wanted]
    return read_event_table(path, pa.Table.from_arrays(columns, names=wanted))


def _to_arrow(text: Text) -> Column:
    codes = pa.array(np.where(text.codes < 0, 0, text.codes), pa.int32(), mask=text.codes < 0)
    values = pa.array([value.strip() for value in text.values], pa.string())
    return pa.chunked_array([pa.DictionaryArray.from_arrays(codes, values).cast(pa.string())])


def _check_columns(path: Path, names: list[str]) -> None:
    for name in NEEDED:
        if name not in names:
            shown = ", ".join(repr(n) for n in names[:10])
            raise UnknownColumn(
                f"{path} has no column {name!r}{did_you_mean(name, names)}; it has {shown}. "
                f"Needed are {' and '.join(NEEDED)}, optional {' and '.join(OPTIONAL)}."
            )


def _name_ids(path: Path, name: str, column: Column) -> Text:
    """Identifiers as text: 17, 17.0 and "17" are the same one, and so is a column of "17.0"."""
    if pa.types.is_dictionary(column.type):
        try:
            column = column.cast(column.type.value_type)
        except pa.ArrowException as error:
            raise InvalidInput(f"The column {name!r} of {path} cannot be read: {error}") from error
    kind = column.type
    if pa.types.is_floating(kind):
        whole = pc.equal(pc.round(column), column)
        largest = np.nanmax(np.abs(column.to_numpy()), initial=0.0)
        if pc.all(whole, skip_nulls=True).as_py() is not False and largest < _MOST_WHOLE:
            column = column.cast(pa.int64(), safe=False) if len(column) else column
    if pa.types.is_nested(kind) or pa.types.is_null(kind):
        raise InvalidInput(f"The column {name!r} of {path} holds {kind}, which is no identifier.")
    try:
        text = Text.from_arrow(column.cast(pa.string()))
    except (pa.ArrowException, ValueError) as error:
        raise InvalidInput(
            f"The column {name!r} of {path} cannot be read as identifiers: {error}."
        ) from error
    if text.values and all(_WHOLE.fullmatch(value.strip()) for value in text.values):
        text = text.apply(lambda value: value.strip().partition(".")[0])
    empty = np.array([not value.strip() for value in text.values] or [False], dtype=np.bool_)
    missing = np.flatnonzero(text.missing | empty[np.maximum(text.codes, 0)])
    if len(missing):
        raise InvalidInput(
            f"{len(missing)} rows of {path} have no {name}, the first is row {missing[0] + 1}. "
            "Leave such rows out."
        )
    return text


def _read_weights(path: Path, column: Column) -> NDArray[np.float64]:
    try:
        weights = column.cast(pa.float64()).to_numpy()
    except (pa.ArrowException, ValueError) as error:
        raise InvalidInput(f"The column 'weight' of {path} must hold numbers: {error}.") from error
    numbers = np.asarray(weights, dtype=np.float64)
    _check_weights(path, numbers)
    return numbers


def _check_weights(path: Path, weights: NDArray[np.float64]) -> None:
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0) & (weights < 1e9)))
    if len(wrong):
        raise InvalidInput(
            f"{len(wrong)} weights in {path} are missing, negative or too large, the first "
            f"({weights[wrong[0]]:g}) at row {wrong[0] + 1}. Weights are numbers of at least 0."
        )


def _read_times(path: Path, column: Column) -> NDArray[np.int64]:
    """Microseconds since 1970 in UTC of dates, numbers, or text of either."""
    kind = column.type
    if column.null_count:
        raise InvalidInput(
            f"{column.null_count} rows of {path} have no timestamp. Give one to all or to none."
        )
    if pa.types.is_temporal(kind) and not pa.types.is_time(kind):
        try:
            moments = column.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
            return np.asarray(moments.to_numpy(), dtype=np.int64)
        except pa.ArrowException as error:
            raise InvalidInput(f"The timestamps of {path} cannot be read: {error}.") from error
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        # nanoseconds of today are beyond 2^53: rounded to a double they are exact to 0.3 µs
        return _scale_times(path, np.asarray(column.cast(pa.float64(), safe=False).to_numpy()))
    try:
        return _scale_times(path, np.asarray(column.cast(pa.float64()).to_numpy()))
    except (pa.ArrowException, ValueError):
        return _read_dates(path, column)


def _read_dates(path: Path, column: Column) -> NDArray[np.int64]:
    try:
        text = Text.from_arrow(column.cast(pa.string()))
    except (pa.ArrowException, ValueError) as error:
        raise InvalidInput(f"The timestamps of {path} cannot be read: {error}.") from error
    moments = read_moments(text, UTC, _FARTHEST).micros[text.codes]
    wrong = np.flatnonzero(moments == NO_TIME)
    if len(wrong):
        raise InvalidInput(
            f"{len(wrong)} timestamps of {path} cannot be read, the first is "
            f"{text.get(int(wrong[0]))!r} at row {wrong[0] + 1}. Give seconds since 1970 or "
            "dates such as 2026-03-01T12:30:00Z."
        )
    return moments


def _scale_times(path: Path, numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    if not np.isfinite(numbers).all():
        raise InvalidInput(f"Some timestamps of {path} are missing or infinite.")
    dates = read_compact(numbers)
    if dates is not None:
        return dates
    largest = float(np.abs(numbers).max(initial=0.0))
    factor = next(factor for size, factor in _UNITS if largest >= size)
    if largest * factor > _MOST_SECONDS * 1e6:
        raise InvalidInput(f"The timestamps of {path} reach {largest:g}, which is no time.")
    return np.round(numbers * factor).astype(np.int64)
