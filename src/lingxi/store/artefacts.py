"""Artefacts: models as files, a version a folder, with a manifest, switched in one step."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version as package_version
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, overload
from uuid import uuid4

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lingxi.clock import Clock
from lingxi.errors import CorruptArtefact, InvalidInput, UnknownModel
from lingxi.store.files import explained, hash_file, sync_file, sync_folder, write_whole
from lingxi.store.forgotten import remove_persons
from lingxi.store.manifest import Manifest
from lingxi.store.trusted import TRUSTED

if TYPE_CHECKING:  # seconds to import: paid for by those who keep or load such a model
    import lightgbm
    from scipy.sparse import csr_array
    from sklearn.base import BaseEstimator

MANIFEST = "manifest.json"
_CURRENT = "current"
_KIND = re.compile(r"[a-z][a-z0-9_]*")
_CSR = ("data", "indices", "indptr", "shape")
S = TypeVar("S", bound=np.generic)
T = TypeVar("T")


class ArtefactWriter:
    """Collects the files of one version. Set ``manifest`` before the end of the ``with`` block."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest = Manifest()

    def save_array(self, name: str, values: NDArray[S]) -> None:
        """Keep an array as ``<name>.npy``.

        Raises
        ------
        InvalidInput
            If it holds Python objects: numbers, or text as ``<U``, can be kept.
        """
        if values.dtype.hasobject:
            raise InvalidInput(f"{name!r} is an array of objects; keep numbers, or text as '<U'.")
        np.save(self._place(name, "npy"), np.ascontiguousarray(values), allow_pickle=False)

    def save_csr(self, name: str, matrix: csr_array) -> None:
        """Keep a sparse matrix as four arrays: data, indices, indptr and shape."""
        self.save_array(f"{name}.data", matrix.data)
        self.save_array(f"{name}.indices", matrix.indices)
        self.save_array(f"{name}.indptr", matrix.indptr)
        self.save_array(f"{name}.shape", np.asarray(matrix.shape, dtype=np.int64))

    def save_lightgbm(self, name: str, booster: lightgbm.Booster) -> None:
        """Keep a booster as LightGBM's own text."""
        booster.save_model(str(self._place(name, "lgb.txt")))

    def save_skops(self, name: str, estimator: BaseEstimator) -> None:
        """Keep a scikit-learn estimator.

        Raises
        ------
        InvalidInput
            If it holds a type that ``load_skops`` would refuse.
        """
        import skops.io

        place = self._place(name, "skops")
        skops.io.dump(estimator, place)
        if strange := sorted(set(skops.io.get_untrusted_types(file=place)) - TRUSTED):
            raise InvalidInput(
                f"{name!r} holds types that are not trusted: {', '.join(strange)}; "
                "leave them out, or add them to lingxi.store.trusted."
            )

    def save_onnx(self, name: str, network: bytes) -> None:
        """Keep a network as ONNX, whole in one file."""
        self._place(name, "onnx").write_bytes(network)

    def save_json(self, name: str, value: object) -> None:
        """Keep a value as JSON: mappings, lists, scalars and msgspec structs."""
        self._place(name, "json").write_bytes(msgspec.json.encode(value))

    def save_table(self, name: str, table: pa.Table) -> None:
        """Keep an Arrow table as Parquet."""
        pq.write_table(table, self._place(name, "parquet"), compression="zstd")

    def _place(self, name: str, suffix: str) -> Path:
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", name) or name.startswith("."):
            raise InvalidInput(f"{name!r} cannot name a file of an artefact; use letters and '_'.")
        return self.path / f"{name}.{suffix}"


class Artefact:
    """One stored version. Each file is checked against the manifest before its first use."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest
        self._checked: set[str] = set()

    @overload
    def load_array(self, name: str, *, mmap: bool = True) -> NDArray[np.generic]: ...
    @overload
    def load_array(self, name: str, kind: type[S], *, mmap: bool = True) -> NDArray[S]: ...
    def load_array(
        self, name: str, kind: type[np.generic] = np.generic, *, mmap: bool = True
    ) -> NDArray[np.generic]:
        """An array, read-only and mapped into memory unless ``mmap`` is false.

        With ``kind`` (such as ``np.float32``) it must be of this type.
        """
        place = self._check(f"{name}.npy")
        try:
            values: NDArray[np.generic] = np.load(
                place, mmap_mode="r" if mmap else None, allow_pickle=False
            )
        except (ValueError, EOFError) as error:
            raise CorruptArtefact(f"{place} is not an array: {error}.") from error
        if not issubclass(values.dtype.type, kind):
            raise CorruptArtefact(f"{place} holds {values.dtype}, not {kind.__name__}.")
        return values

    def load_csr(self, name: str, *, mmap: bool = True) -> csr_array:
        """A sparse matrix; its arrays are read-only and mapped unless ``mmap`` is false."""
        from scipy.sparse import csr_array

        data, indices, indptr = (self.load_array(f"{name}.{p}", mmap=mmap) for p in _CSR[:3])
        rows, columns = self.load_array(f"{name}.shape", np.int64, mmap=False)
        build: Callable[..., csr_array] = csr_array
        return build((data, indices, indptr), shape=(int(rows), int(columns)), copy=False)

    def load_lightgbm(self, name: str) -> lightgbm.Booster:
        """A LightGBM booster."""
        import lightgbm

        place = self._check(f"{name}.lgb.txt")
        try:
            return lightgbm.Booster(model_file=str(place))
        except lightgbm.basic.LightGBMError as error:
            raise CorruptArtefact(f"{place} is not a LightGBM model: {error}.") from error

    def load_skops(self, name: str) -> BaseEstimator:
        """A scikit-learn estimator made of trusted types only."""
        import skops.io

        place = self._check(f"{name}.skops")
        try:
            estimator: BaseEstimator = skops.io.load(place, trusted=sorted(TRUSTED))
        except (skops.io.exceptions.UntrustedTypesFoundException, ValueError) as error:
            raise CorruptArtefact(f"{place} cannot be trusted: {error}.") from error
        return estimator

    @overload
    def load_json(self, name: str) -> object: ...
    @overload
    def load_json(self, name: str, kind: type[T]) -> T: ...
    def load_json(self, name: str, kind: type[object] = object) -> object:
        """A JSON value, as ``kind`` where one is given (``dict[str, int]``, a struct)."""
        place = self._check(f"{name}.json")
        try:
            if kind is object:
                return msgspec.json.decode(place.read_bytes())
            return msgspec.json.decode(place.read_bytes(), type=kind)
        except msgspec.MsgspecError as error:
            raise CorruptArtefact(f"{place} has not the form expected: {error}.") from error

    def load_onnx(self, name: str) -> bytes:
        """An ONNX network as bytes: so opened it can name no other file to read."""
        return self._check(f"{name}.onnx").read_bytes()

    def load_table(self, name: str) -> pa.Table:
        """An Arrow table."""
        return pq.read_table(self._check(f"{name}.parquet"))

    @property
    def mapped_bytes(self) -> int:
        """Bytes of its arrays: mapped from their files, shared by all processes that use it."""
        return measure_arrays(self.path, self.manifest)

    def verify(self) -> None:
        """Check every file against the manifest; CorruptArtefact names the first that differs."""
        for name in self.manifest.files:
            self._check(name)

    def _check(self, name: str) -> Path:
        place = self.path / self.manifest.moved.get(name, name)
        if name not in self.manifest.files:
            raise CorruptArtefact(f"{place} is not in the manifest of {self.path}.")
        if name not in self._checked:
            if not place.is_file() or hash_file(place) != self.manifest.files[name]:
                raise CorruptArtefact(
                    f"{place} is missing or is not what its manifest says; "
                    "train again, or go back to another version with 'lingxi models rollback'."
                )
            self._checked.add(name)
        return place


class Artefacts:
    """All stored models of a shop: ``<folder>/<kind>/<version>/`` and ``<kind>/current``."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder, self._root = folder, str(folder)
        self._clock = clock

    @contextmanager
    def write(self, kind: str) -> Iterator[ArtefactWriter]:
        """Write a version; it is seen, and made current, when the block ends without an error."""
        if not _KIND.fullmatch(kind):
            raise InvalidInput(f"{kind!r} cannot name a kind of artefact; use letters and '_'.")
        home = self.folder / kind
        draft = home / f".draft-{uuid4().hex}"
        with explained(draft):
            draft.mkdir(parents=True)
        try:
            writer = ArtefactWriter(draft)
            yield writer
            with explained(draft):
                self._finish(home, writer)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _finish(self, home: Path, writer: ArtefactWriter) -> None:
        names = sorted(p.name for p in writer.path.iterdir())
        files = {name: hash_file(writer.path / name) for name in names}
        while True:
            version = f"{max((int(v) for v in _versions(home)), default=0) + 1:06d}"
            manifest = msgspec.structs.replace(
                writer.manifest,
                kind=home.name,
                version=version,
                created_at=self._clock.now(),
                code_version=package_version("lingxi"),
                files=files,
                active=False,
            )
            write_manifest(writer.path, manifest)
            for name in names:
                sync_file(writer.path / name)
            try:
                os.rename(writer.path, home / version)
            except OSError:
                if (home / version).exists():
                    continue  # another process took the number
                raise
            sync_folder(home)
            write_whole(home / _CURRENT, version.encode())
            return

    def current(self, kind: str) -> Artefact | None:
        """The version in use, or nothing before the first."""
        version = self.current_version(kind)
        return None if version is None else self.open(kind, version)

    def current_version(self, kind: str) -> str | None:
        """The number of the version in use, or nothing before the first."""
        marker = self.folder / kind / _CURRENT
        try:
            return marker.read_text().strip()
        except FileNotFoundError:
            return None

    def current_mark(self, kind: str) -> object:
        """Something that is equal as long as no other version is put in use; cheap to ask."""
        try:
            found = os.stat(f"{self._root}/{kind}/{_CURRENT}")
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns

    def open(self, kind: str, version: str) -> Artefact:
        """One stored version.

        Raises
        ------
        UnknownModel
            If there is no such version.
        CorruptArtefact
            If its manifest cannot be read.
        """
        path = self.folder / kind / version
        if version not in _versions(self.folder / kind):
            raise UnknownModel(
                f"There is no version {version!r} of {kind!r}; "
                "'lingxi models list' shows what there is."
            )
        return Artefact(path, read_manifest(path))

    def list(self, kind: str | None = None) -> tuple[Manifest, ...]:
        """Manifests of all kept versions (of one kind), newest first within each kind."""
        kinds = [kind] if kind else sorted(p.parent.name for p in self.folder.glob("*/current"))
        found = []
        for each in kinds:
            marker = self.folder / each / _CURRENT
            active = marker.read_text().strip() if marker.is_file() else ""
            for version in sorted(_versions(self.folder / each), reverse=True):
                manifest = read_manifest(self.folder / each / version)
                found.append(msgspec.structs.replace(manifest, active=version == active))
        return tuple(found)

    def measure(self, manifest: Manifest) -> int:
        """Bytes that the arrays of a version take where they are mapped into memory."""
        return measure_arrays(self.folder / manifest.kind / manifest.version, manifest)

    def activate(self, kind: str, version: str) -> Manifest:
        """Put a kept version into use."""
        artefact = self.open(kind, version)
        with explained(artefact.path):
            write_whole(self.folder / kind / _CURRENT, version.encode())
        return msgspec.structs.replace(artefact.manifest, active=True)

    def rollback(self, kind: str) -> Manifest:
        """Put the version before the current one into use.

        Raises
        ------
        UnknownModel
            If there is none.
        """
        current = self.current(kind)
        before = [
            v for v in _versions(self.folder / kind) if current and v < current.manifest.version
        ]
        if not before:
            raise UnknownModel(f"There is no earlier version of {kind!r} to go back to.")
        return self.activate(kind, max(before))

    def prune(self, kind: str, keep: int) -> tuple[str, ...]:
        """Remove all but the newest ``keep`` versions and the one in use; the versions removed."""
        marker = self.folder / kind / _CURRENT
        active = marker.read_text().strip() if marker.is_file() else ""
        old = sorted(_versions(self.folder / kind), reverse=True)[max(keep, 1) :]
        return self.remove(kind, [version for version in old if version != active])

    def remove(self, kind: str, versions: Sequence[str]) -> tuple[str, ...]:
        """Remove some versions, none of them in use; the versions removed."""
        for version in versions:
            with explained(self.folder / kind / version):
                shutil.rmtree(self.folder / kind / version)
        return tuple(versions)

    def forget(self, customers: frozenset[int], number: int) -> int:
        """Take these customers' rows out of every kept version; the versions changed.

        ``number`` is the erasure's own, for the names of the rewritten files.
        """
        changed = 0
        for path in sorted(p.parent for p in self.folder.glob(f"*/[0-9]*/{MANIFEST}")):
            before = read_manifest(path)
            after = remove_persons(path, before, customers, f"erasure{number}")
            if after is not None:
                write_manifest(path, after)
                changed += 1
            kept = {(after or before).moved.get(name, name) for name in before.files}
            for stray in path.iterdir():
                if stray.name not in kept | {MANIFEST}:
                    stray.unlink()
            sync_folder(path)
        return changed


def _versions(home: Path) -> set[str]:
    return {p.parent.name for p in home.glob(f"[0-9]*/{MANIFEST}")}


def measure_arrays(path: Path, manifest: Manifest) -> int:
    """Bytes of the arrays of a version in this folder; a file that is missing counts nothing."""
    places = [path / manifest.moved.get(name, name) for name in manifest.files]
    return sum(p.stat().st_size for p in places if p.suffix == ".npy" and p.is_file())


def read_manifest(path: Path) -> Manifest:
    """The manifest of a version's folder."""
    try:
        return msgspec.json.decode((path / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise CorruptArtefact(f"{path / MANIFEST} cannot be read: {error}.") from error


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Put a manifest into a version's folder, whole."""
    write_whole(path / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1))
