"""Taking a person's rows out of stored models."""

from collections.abc import Iterable
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lingxi.store.files import explained, hash_file, sync_file
from lingxi.store.manifest import Manifest

NOBODY = -1
"""Stands in an array of customers where one was erased."""
Arrays = dict[str, NDArray[np.generic]]


def remove_persons(
    path: Path, manifest: Manifest, customers: frozenset[int], tag: str
) -> Manifest | None:
    """Write the files of a version without these customers; the manifest that names them.

    A table loses their rows. An array keeps its shape, for others point into it: their rows become
    zero and the customer ``NOBODY``. Nothing when nobody of them is in it. The old files stay until
    the manifest is in place.
    """
    wanted = np.array(sorted(customers), dtype=np.int64)
    changed: dict[str, Path] = {}
    for name, column in manifest.personal.items():
        if f"{name}.parquet" in manifest.files:
            changed |= _change_table(path, manifest, f"{name}.parquet", column, wanted, tag)
        else:
            changed |= _change_arrays(path, manifest, name, column, wanted, tag)
    if not changed:
        return None
    files = {name: hash_file(place) for name, place in changed.items()}
    moved = {name: place.name for name, place in changed.items()}
    return msgspec.structs.replace(
        manifest, files={**manifest.files, **files}, moved={**manifest.moved, **moved}
    )


def _change_table(
    path: Path,
    manifest: Manifest,
    file: str,
    column: str,
    wanted: NDArray[np.int64],
    tag: str,
) -> dict[str, Path]:
    table = pq.read_table(path / manifest.moved.get(file, file))
    own = pc.is_in(table[column].cast(pa.int64()), value_set=pa.array(wanted))
    if not pc.any(own).as_py():
        return {}
    place = path / f"{tag}.{file}"
    with explained(place):
        pq.write_table(table.filter(pc.invert(own)), place, compression="zstd")
        sync_file(place)
    return {file: place}


def _change_arrays(
    path: Path, manifest: Manifest, name: str, owner: str, wanted: NDArray[np.int64], tag: str
) -> dict[str, Path]:
    def load(part: str) -> NDArray[np.generic]:
        file = f"{part}.npy"
        values: NDArray[np.generic] = np.load(
            path / manifest.moved.get(file, file), allow_pickle=False
        )
        return values

    owners = load(owner).astype(np.int64)
    own = np.isin(owners, wanted)
    if not own.any():
        return {}
    new: Arrays = {owner: np.where(own, NOBODY, owners)}
    if f"{name}.npy" in manifest.files:
        new[name] = load(name)
        new[name][own] = np.zeros((), new[name].dtype)
    else:
        new |= _empty_rows({part: load(part) for part in _csr_parts(name)}, name, own)
    return {f"{part}.npy": _save(path, f"{tag}.{part}.npy", values) for part, values in new.items()}


def _csr_parts(name: str) -> Iterable[str]:
    return (f"{name}.data", f"{name}.indices", f"{name}.indptr")


def _empty_rows(parts: Arrays, name: str, own: NDArray[np.bool_]) -> Arrays:
    """A sparse matrix without what stands in some rows."""
    indptr = parts[f"{name}.indptr"].astype(np.int64)
    lengths = np.diff(indptr)
    kept = np.repeat(~own, lengths)
    ends = np.concatenate([[0], np.cumsum(np.where(own, 0, lengths))])
    return {
        f"{name}.data": parts[f"{name}.data"][kept],
        f"{name}.indices": parts[f"{name}.indices"][kept],
        f"{name}.indptr": ends.astype(parts[f"{name}.indptr"].dtype),
    }


def _save(path: Path, file: str, values: NDArray[np.generic]) -> Path:
    place = path / file
    with explained(place):
        np.save(place, values, allow_pickle=False)
        sync_file(place)
    return place
