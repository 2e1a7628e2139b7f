"""What items are like by what the catalogue says of them: for items and customers with no history.

An item is a vector of hashed terms: its categories, brand, price band, attributes and the words of
its name. Rare terms count more, and every vector has length 1.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import InvalidInput, NotEnoughData, did_you_mean
from lingxi.recommend.histories import Histories
from lingxi.recommend.history import USUAL, Weighting
from lingxi.recommend.likest import Likest
from lingxi.recommend.matrix import (
    Csr,
    keep_best,
    row_lengths,
    row_sums,
    scale,
    sum_pairs,
)
from lingxi.recommend.operators import ListedOperator
from lingxi.recommend.pairs import drop_self
from lingxi.schema import Item
from lingxi.store import Artefact, ArtefactWriter

WIDTH = 2**18
"""Numbers that terms are hashed to."""
_WEIGHTS = {"category": 1.0, "brand": 1.0, "price": 0.5, "attribute": 0.5, "word": 0.7}
_WORD = re.compile(r"[^\W\d_]+|\d+")
_HAN = re.compile(r"[\u3400-\u9fff]+")
_BANDS_A_DOUBLING = 2.0


def list_terms(item: Item) -> Iterator[str]:
    """All that is said of an item, as ``field:value``; Chinese by pairs of characters.

    >>> list(list_terms(Item(item_id="a", name="Red lamp", category="Lamps", price_cents=1600)))
    ['category:lamps', 'price:8', 'word:red', 'word:lamp']
    """
    for depth in range(len(item.path)):
        yield "category:" + "/".join(item.path[: depth + 1]).casefold()
    if item.brand:
        yield "brand:" + item.brand.casefold()
    if item.price_cents is not None and item.price_cents > 0:
        yield f"price:{round(_BANDS_A_DOUBLING * np.log2(item.price_cents / 100))}"
    for name, value in sorted(item.attributes.items()):
        yield f"attribute:{name}={value}".casefold()
    for word in _WORD.findall(item.name.casefold()):
        if _HAN.fullmatch(word) and len(word) > 1:
            yield from (f"word:{word[at : at + 2]}" for at in range(len(word) - 1))
        else:
            yield f"word:{word}"


@dataclass(frozen=True)
class Descriptions:
    """Items by what is said of them.

    ``vectors``: shape (n_items, ``WIDTH``), of length 1, those of unknown items empty; ``rarity``:
    shape (``WIDTH``,), ``log(1 + n / items that have it)`` of each term.
    """

    vectors: Csr
    rarity: NDArray[np.float64]

    @staticmethod
    def of(items: Sequence[Item | None]) -> "Descriptions":
        """Describe items; ``None`` is one that nobody described.

        A term's weight is that of its field times its rarity among these items.
        """
        plain = _count_terms(items)
        found = np.bincount(plain.indices, minlength=WIDTH)
        rarity = np.log1p(len(items) / np.maximum(found, 1.0))
        return Descriptions(_unit(scale(plain, plain.data * rarity[plain.indices])), rarity)

    def describe(self, items: Sequence[Item | None]) -> Csr:
        """Vectors of other items, terms as rare as among the first."""
        plain = _count_terms(items)
        return _unit(scale(plain, plain.data * self.rarity[plain.indices]))

    def score_taste(
        self, liked: Mapping[str, float], more: Sequence[Item | None] = ()
    ) -> NDArray[np.float64]:
        """How well each item, then each of ``more``, fits a taste that a new customer told.

        ``liked``: weights of terms such as ``brand:acme`` and ``category:lamps/floor`` as
        ``list_terms`` writes them; below 0 for what they do not want.

        Raises
        ------
        InvalidInput
            If a term names no field.
        """
        taste = np.zeros(self.vectors.shape[1])
        for term, weight in liked.items():
            field, found, _ = term.partition(":")
            if not found or field not in _WEIGHTS:
                raise InvalidInput(
                    f"{term[:80]!r} says of no field what is liked{did_you_mean(field, _WEIGHTS)}. "
                    f"Write field:value; fields are {', '.join(_WEIGHTS)}."
                )
            taste[_hash(term.casefold()) % len(taste)] += weight
        scores: NDArray[np.float64] = self.vectors @ taste
        if more:
            scores = np.concatenate((scores, self.describe(more) @ taste))
        return scores

    def save(self, writer: ArtefactWriter) -> None:
        """Write them."""
        writer.save_csr("about", scale(self.vectors, self.vectors.data.astype(np.float32)))
        writer.save_array("about_rarity", self.rarity)

    @staticmethod
    def load(artefact: Artefact) -> "Descriptions | None":
        """Read what ``save`` wrote; nothing where it did not."""
        if "about_rarity.npy" not in artefact.manifest.files:
            return None
        return Descriptions(
            artefact.load_csr("about"), artefact.load_array("about_rarity", np.float64)
        )


def group_items(items: Sequence[Item | None]) -> NDArray[np.int64] | None:
    """The narrowest category of each item as a number, -1 for none; nothing where none has one."""
    paths = [item.path if item is not None else () for item in items]
    numbers = {path: number for number, path in enumerate(sorted({p for p in paths if p}))}
    if not numbers:
        return None
    return np.array([numbers.get(path, -1) for path in paths], dtype=np.int64)


def describe(items: Sequence[Item | None]) -> Csr:
    """The items' vectors, shape (n_items, ``WIDTH``); see ``Descriptions``."""
    return Descriptions.of(items).vectors


def _count_terms(items: Sequence[Item | None]) -> Csr:
    """The terms of each item with the weights of their fields."""
    rows, columns, weights = [], [], []
    for row, item in enumerate(items):
        for term in dict.fromkeys(list_terms(item)) if item is not None else ():
            rows.append(row)
            columns.append(_hash(term))
            weights.append(_WEIGHTS[term.partition(":")[0]])
    shape = (len(items), WIDTH)
    return sum_pairs(np.array(rows, int), np.array(columns, int), np.array(weights, float), shape)


class Content(ListedOperator):
    """``W(j, i)`` is how like items j and i are by the catalogue: the cosine of their vectors.

    Nothing is learnt from histories, so an item is recommended from the moment it is described, and
    an item nobody described is not. The ``length`` likest of each item are kept.

    What is compared is ``about`` of the histories that it is fitted on.

    Source
    ------
    Salton & Buckley (1988), IPM 24(5); Weinberger et al. (2009), ICML, for hashed features.
    """

    def __init__(self, name: str, *, length: int = 200, heard: Weighting = USUAL) -> None:
        super().__init__(name, heard=heard)
        self.length = length

    def fit(self, taught: Histories) -> None:
        """Compare all items.

        Raises
        ------
        NotEnoughData
            If nothing is known of the items but what was done with them.
        """
        if taught.about is None:
            raise NotEnoughData(
                f"{self.name} compares items by what the catalogue says, and it says nothing here."
            )
        vectors = _unit(taught.about)
        near = Likest(vectors).find(vectors, self.length + 1)
        self._keep(keep_best(drop_self(near, 0), self.length))


def _hash(term: str) -> int:
    return crc32(term.encode()) % WIDTH


def _unit(vectors: Csr) -> Csr:
    lengths = np.sqrt(row_sums(scale(vectors, vectors.data**2)))
    owners = np.repeat(np.arange(vectors.shape[0]), row_lengths(vectors))
    return scale(vectors, vectors.data / np.where(lengths > 0, lengths, 1.0)[owners])
