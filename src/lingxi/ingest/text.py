"""A column of text kept as codes into its distinct values.

A shop's file repeats itself: half a million lines hold a few thousand distinct item codes, dates
and prices. Every rule on text therefore looks at each distinct value once.
"""

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Codes = NDArray[np.signedinteger]
"""Of the narrowest kind that is at hand; widen them before they are reckoned with."""


@dataclass(frozen=True, eq=False)
class Text:
    """One column: ``codes`` (shape (n_lines,)) point into ``values``; -1 means missing.

    >>> column = Text.of(["a", None, "a"])
    >>> column.apply(str.upper).decode()
    ['A', None, 'A']
    """

    codes: Codes
    values: tuple[str, ...]

    @classmethod
    def of(cls, cells: Iterable[str | None]) -> "Text":
        """Encode a sequence of cells."""
        seen: dict[str, int] = {}
        codes = [-1 if cell is None else seen.setdefault(cell, len(seen)) for cell in cells]
        return cls(np.array(codes, dtype=np.int32), tuple(seen))

    @classmethod
    def empty(cls, n_lines: int) -> "Text":
        """A column in which everything is missing."""
        return cls(np.full(n_lines, -1, dtype=np.int8), ())

    @classmethod
    def from_arrow(cls, column: "pa.ChunkedArray[pa.Scalar[pa.DataType]]") -> "Text":
        """Encode an Arrow column of any type that can be written as text."""
        kind = column.type
        if pa.types.is_dictionary(kind):
            if not pa.types.is_string(kind.value_type):
                return cls.from_arrow(column.cast(kind.value_type))
        else:
            column = column.cast(pa.string()).dictionary_encode()
        if column.num_chunks == 0:
            return cls.empty(0)
        chunks = [
            chunk
            for chunk in column.unify_dictionaries().chunks
            if isinstance(chunk, pa.DictionaryArray)
        ]
        values = chunks[0].dictionary.to_pylist()
        codes = [_read_codes(chunk.indices) for chunk in chunks]
        return cls(np.concatenate(codes), tuple(str(value) for value in values))

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def missing(self) -> Mask:
        """Where there is no value."""
        return self.codes < 0

    def get(self, line: int) -> str | None:
        """The cell of one line."""
        code = int(self.codes[line])
        return None if code < 0 else self.values[code]

    def decode(self) -> list[str | None]:
        """All cells."""
        if len(self.codes) < len(self.values):
            return [None if code < 0 else self.values[code] for code in self.codes.tolist()]
        values: list[str | None] = [*self.values, None]
        return [values[code] for code in self.codes.tolist()]

    def filter(self, mask: Mask) -> "Text":
        """The lines where ``mask`` holds; the distinct values stay as they are."""
        return Text(self.codes[mask], self.values)

    def take(self, lines: NDArray[np.int64]) -> "Text":
        """The lines in the given order."""
        return Text(self.codes[lines], self.values)

    def apply(self, change: Callable[[str], str | None]) -> "Text":
        """Change each distinct value; ``None`` makes it missing and equal results become one."""
        changed = [change(value) for value in self.values]
        if changed == list(self.values):
            return self
        seen: dict[str, int] = {}
        new = np.full(len(self.values) + 1, -1, dtype=np.int32)
        for old, value in enumerate(changed):
            if value is not None:
                new[old] = seen.setdefault(value, len(seen))
        return Text(_narrow(new, len(seen))[self.codes], tuple(seen))

    def spread(self, distinct: Sequence[bool] | Mask, missing: bool = False) -> Mask:
        """A truth per distinct value, laid out over the lines."""
        return np.append(np.asarray(distinct, dtype=np.bool_), missing)[self.codes]

    def spread_numbers(self, distinct: NDArray[np.float64]) -> NDArray[np.float64]:
        """A number per distinct value, laid out over the lines; NaN where missing."""
        return np.append(distinct, np.nan)[self.codes]

    def where(self, test: Callable[[str], bool]) -> Mask:
        """The lines whose value passes a test; a missing value never does."""
        return self.spread([test(value) for value in self.values])

    def fill(self, other: "Text", mask: Mask) -> "Text":
        """Take the cells of ``other`` where ``mask`` holds."""
        place = {value: code for code, value in enumerate(self.values)}
        values = list(self.values)
        moved = np.full(len(other.values) + 1, -1, dtype=np.int32)
        for code, value in enumerate(other.values):
            if value not in place:
                place[value] = len(values)
                values.append(value)
            moved[code] = place[value]
        return Text(np.where(mask, moved[other.codes], self.codes).astype(np.int32), tuple(values))

    def usual(self, by: "Text", use: Mask) -> "Text":
        """For each distinct value of ``by``, the value met most often on the lines ``use``.

        The answer has one cell per distinct value of ``by``; a tie goes to the value that sorts
        first, so that the answer does not depend on the order of the lines.
        """
        both = use & ~self.missing & ~by.missing
        width = max(len(self.values), 1)
        keys, counts = np.unique(
            by.codes[both].astype(np.int64) * width + self.codes[both], return_counts=True
        )
        best: dict[int, tuple[int, str, int]] = {}
        for key, count in zip(keys.tolist(), counts.tolist(), strict=True):
            owner, code = divmod(key, width)
            rank = (-count, self.values[code], code)
            if owner not in best or rank < best[owner]:
                best[owner] = rank
        codes = np.full(len(by.values), -1, dtype=np.int32)
        for owner, rank in best.items():
            codes[owner] = rank[2]
        return Text(codes, self.values)


class TextBuilder:
    """Puts a column together cell by cell or part by part: what it holds is codes and each distinct
    value once.

    >>> column = TextBuilder()
    >>> column.append("a")
    >>> column.extend(Text.of(["b", None, "a"]))
    >>> column.build().decode()
    ['a', 'b', None, 'a']
    """

    def __init__(self, n_missing: int = 0) -> None:
        self._places: dict[str, int] = {}
        self._codes = array("i", [-1]) * n_missing

    def __len__(self) -> int:
        return len(self._codes)

    def append(self, cell: str | None) -> None:
        """Add one cell."""
        places = self._places
        self._codes.append(-1 if cell is None else places.setdefault(cell, len(places)))

    def extend(self, part: Text) -> None:
        """Add many cells."""
        places = self._places
        moved = [places.setdefault(value, len(places)) for value in part.values]
        codes = np.array([*moved, -1], dtype=np.int32)[part.codes]
        self._codes.frombytes(codes.tobytes())

    def leave_out(self, n_lines: int) -> None:
        """Add cells without a value."""
        self._codes.extend(array("i", [-1]) * n_lines)

    def build(self) -> Text:
        """The column; the builder is not to be used again."""
        codes = np.frombuffer(self._codes, dtype=np.int32)
        return Text(_narrow(codes, len(self._places)), tuple(self._places))


def _narrow(codes: Codes, n_values: int) -> Codes:
    """The same codes in as few bytes as so many values need."""
    kinds = (np.int8, np.int16, np.int32)
    return codes.astype(next(k for k in kinds if n_values <= np.iinfo(k).max), copy=False)


def _read_codes(indices: "pa.Array[pa.Scalar[pa.DataType]]") -> Codes:
    """The indices of a dictionary, -1 for null; Arrow's own conversion imports pandas for it."""
    there, numbers = indices.buffers()
    part = slice(indices.offset, indices.offset + len(indices))
    kept = b"" if numbers is None else numbers.to_pybytes()
    codes = np.frombuffer(kept, np.dtype(str(indices.type)))[part].astype(np.int32)
    if indices.null_count and there is not None:
        bits = np.unpackbits(np.frombuffer(there.to_pybytes(), np.uint8), bitorder="little")
        codes[bits[part] == 0] = -1
    return codes


def word_set(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


def group_lines(columns: Sequence[NDArray[np.int64] | Codes]) -> NDArray[np.int64]:
    """Number the distinct rows of several integer columns, exactly: equal rows, equal number.

    The numbers are not negative, and may leave gaps.
    """
    group = np.zeros(len(columns[0]), dtype=np.int64)
    size = 1
    for column in columns:
        shifted = column.astype(np.int64) - (int(column.min()) if len(column) else 0)
        width = int(shifted.max()) + 1 if len(shifted) else 1
        if width > 2**31:
            _, shifted = np.unique(shifted, return_inverse=True)
            width = int(shifted.max()) + 1
        if size * width > 2**62:
            _, group = np.unique(group, return_inverse=True)
            size = int(group.max()) + 1
        group = group * width + shifted
        size *= width
    return group
