"""What the last fit left behind, and which items' histories have changed since it.

A version of the recommender holds no customers' rows. Instead it holds a *mark* of each item: a sum
over all that was done with it, of numbers drawn by a hash from who, what and when. Where the sum of
today's events is the same, the item's column of the weights is the one that was learnt from,
whatever came in or went (an erasure, a refusal, an identity put right, a corrected order); two
different columns have the same mark once in 2^64.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.matrix import Csr, row_lengths, sum_pairs
from lingxi.store import Artefact

if TYPE_CHECKING:
    from lingxi.recommend.interactions import Interactions

Marks = NDArray[np.uint64]
_PARTS = ("data", "indices", "indptr", "shape")


@dataclass(frozen=True)
class Earlier:
    """The artefact of the last fit over the items of today.

    ``places``: each of its items' index today, -1 for one that is gone. ``changed``: shape
    (n_items,), the items that are new or whose events are others.
    """

    artefact: Artefact
    places: NDArray[np.int64]
    changed: NDArray[np.bool_]

    @staticmethod
    def read(
        artefact: Artefact, old_ids: Sequence[str], item_ids: Sequence[str], marks: Marks
    ) -> "Earlier | None":
        """What can be taken over; nothing from a version that kept no marks."""
        if "marks.npy" not in artefact.manifest.files:
            return None
        index = {item_id: at for at, item_id in enumerate(item_ids)}
        places = np.array([index.get(item_id, -1) for item_id in old_ids], dtype=np.int64)
        there = places >= 0
        old = artefact.load_array("marks", np.uint64)
        changed = np.ones(len(item_ids), dtype=np.bool_)
        changed[places[there]] = old[there] != marks[places[there]]
        return Earlier(artefact, places, changed)

    def load(self, name: str) -> Csr | None:
        """A matrix of items by items in the order of today; nothing where it was not kept."""
        if any(f"{name}.{part}.npy" not in self.artefact.manifest.files for part in _PARTS):
            return None
        matrix = self.artefact.load_csr(name)
        if matrix.shape != (len(self.places), len(self.places)):
            return None
        rows = self.places[np.repeat(np.arange(matrix.shape[0]), row_lengths(matrix))]
        columns = self.places[matrix.indices]
        kept = (rows >= 0) & (columns >= 0)
        n = len(self.changed)
        return sum_pairs(rows[kept], columns[kept], matrix.data[kept].astype(np.float64), (n, n))


@runtime_checkable
class Remembering(Protocol):
    """A scorer that takes over what its last fit came to, where nothing has changed."""

    def remember(self, earlier: Earlier, prefix: str) -> None:
        """Before ``fit``: what was saved under ``prefix``. The fit comes to the same without."""


def remind(scorer: object, earlier: Earlier | None, prefix: str) -> None:
    """Show a scorer what was saved, if it is one that remembers."""
    if earlier is not None and isinstance(scorer, Remembering):
        scorer.remember(earlier, prefix)


def mark_items(interactions: "Interactions") -> Marks:
    """The mark of each item, shape (n_items,); see the module.

    Who did it is the customer's number. A basket of nobody has none, so what was in it stands for
    it: where one of its lines is another, all its items are marked anew.
    """
    items = np.array([_hash_text(item_id) for item_id in interactions.item_ids], dtype=np.uint64)
    what = _stir(interactions.moments.astype(np.uint64) + _stir(interactions.kinds.view(np.uint64)))
    rows, people = interactions.rows, interactions.customers
    who = np.zeros(len(people), dtype=np.uint64)
    np.add.at(who, rows, _stir(what + items[interactions.items]))
    who = np.where(people >= 0, people.view(np.uint64), who)
    marks = np.zeros(len(items), dtype=np.uint64)
    np.add.at(marks, interactions.items, _stir(what + _stir(who)[rows]))
    return marks


def _hash_text(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def _stir(values: NDArray[np.uint64]) -> Marks:
    """Each number's bits mixed through, so that sums of such numbers tell little else.

    Source
    ------
    Steele, Lea & Flood (2014), OOPSLA, "Fast Splittable Pseudorandom Number Generators", fig. 17.
    """
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    found: Marks = mixed ^ (mixed >> np.uint64(31))
    return found
