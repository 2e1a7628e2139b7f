"""How alike items are by what they are: category, brand and price; what diversity measures."""

from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.expressions.nodes import Kind
from lingxi.recommend.expressions.vectorised import Words
from lingxi.recommend.item_table import ItemTable

LEVELS = 3
"""Levels of the category path that count, from the widest."""

_LEVEL_WEIGHTS = (0.25, 0.25, 0.2)
_BRAND_WEIGHT = 0.2
_PRICE_WEIGHT = 0.1


@dataclass(frozen=True)
class Among:
    """How alike some items are to each other; ``weights`` are those of known features, 0 else.

    ``codes`` and ``weights``: shape (n_features, k); ``lengths``: shape (k,), above 0.
    """

    codes: NDArray[np.int64]
    weights: NDArray[np.float64]
    lengths: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, at: int) -> NDArray[np.float64]:
        """How alike one of them is to each, shape (k,)."""
        same = self.codes == self.codes[:, at, None]
        row: NDArray[np.float64] = self.weights[:, at] @ same
        row /= self.lengths * self.lengths[at]
        row[at] = 1.0
        return row


@dataclass(frozen=True)
class Likeness:
    """Each item's features as codes, -1 where unknown: shape (n_features, n_items), and weights.

    Two items are alike by the share of weighted features that they have in common, which is the
    cosine of their weighted indicator vectors: 1 with themselves, between 0 and 1 with others, and
    positive semi-definite over any set of items.
    """

    codes: NDArray[np.int64]
    weights: NDArray[np.float64]

    def among(self, places: NDArray[np.int64]) -> "Among":
        """How alike these items are: a row for each, made when it is asked for."""
        codes = self.codes[:, places]
        lengths = self._lengths[places]
        lengths[lengths == 0] = 1.0
        return Among(codes, self.weights[:, None] * (codes >= 0), lengths)

    def between(self, place: int, others: NDArray[np.int64]) -> NDArray[np.float64]:
        """How alike one item is to each of some others, shape (n_others,)."""
        own, theirs = self.codes[:, place, None], self.codes[:, others]
        common = (self.weights[:, None] * ((own == theirs) & (own >= 0))).sum(axis=0)
        lengths = self._lengths[place] * self._lengths[others]
        return _divide(common, lengths)

    def add_up(
        self, places: NDArray[np.int64], weights: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """For every item the sum of its likeness to some, each with a weight, shape (n_items,)."""
        lengths = self._lengths[places]
        scaled = _divide(weights, lengths)
        sums = np.zeros(self.codes.shape[1])
        for codes, weight in zip(self.codes, self.weights, strict=True):
            mine = codes[places]
            known = mine >= 0
            by_code = np.bincount(
                mine[known], weights=scaled[known], minlength=int(codes.max(initial=-1)) + 1
            )
            sums += weight * np.append(by_code, 0.0)[codes]
        return _divide(sums, self._lengths)

    @cached_property
    def _lengths(self) -> NDArray[np.float64]:
        """Length of each item's vector of weighted features, 0 where nothing is known of it."""
        lengths: NDArray[np.float64] = np.sqrt(self.weights @ (self.codes >= 0))
        return lengths


def _divide(parts: NDArray[np.float64], lengths: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.divide(
        parts, lengths, out=np.zeros(len(parts)), where=lengths > 0
    )
    return found


def find_likeness(table: ItemTable) -> Likeness:
    """The features of a table's items: path by level, brand, price by doubling.

    Examples
    --------
    >>> from lingxi.recommend.item_table import build_table
    >>> from lingxi.schema import Item
    >>> lamps = [Item(item_id=i, category_path=("Home", "Lamps"), brand=i) for i in "ab"]
    >>> alike = find_likeness(build_table("ab", lamps, n_known=2)).among(np.array([0, 1]))
    >>> alike[0].round(3).tolist()
    [1.0, 0.714]
    """
    paths = cast(Words, table.column("path", Kind.PATH))
    codes = [_cut_paths(paths, level) for level in range(1, LEVELS + 1)]
    codes.append(cast(Words, table.column("brand", Kind.TEXT)).codes)
    price = table.numbers("price", 0.0)
    bands = np.floor(np.log2(np.maximum(price, 1e-9)))
    codes.append(np.where(price > 0, bands.astype(np.int64) + 64, -1))
    return Likeness(np.stack(codes), np.array([*_LEVEL_WEIGHTS, _BRAND_WEIGHT, _PRICE_WEIGHT]))


def _cut_paths(paths: Words, level: int) -> NDArray[np.int64]:
    """A code for the first ``level`` parts of each path, -1 where it is shorter."""
    known: dict[object, int] = {}
    cut = [
        known.setdefault(path[:level], len(known))
        if isinstance(path, tuple) and len(path) >= level
        else -1
        for path in paths.words
    ]
    return np.array([*cut, -1], dtype=np.int64)[paths.codes]
