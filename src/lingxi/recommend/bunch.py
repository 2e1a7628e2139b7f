"""What is held back where times are unknown: for some customers, items that belong together.

What a customer does next comes in bunches: a trip, a project, a new taste. An item held back at
random leaves its closest companions in the history, which flatters models that look only next door.
"""

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.histories import Histories
from lingxi.recommend.kernels import list_once
from lingxi.recommend.matrix import densify_scores, row_lengths, scale, transpose

_BLOCK = 256
_OFTEN = 0.1
"""The share of all customers from which on what an item has in common with others is much of it
chance."""


def hold_bunches(
    taught: Histories,
    held: NDArray[np.bool_],
    rows: NDArray[np.int64],
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """Of these customers hold back as many items as before, but a random one and the nearest to it.

    Parameters
    ----------
    held
        Which events are held back, shape (n_events,); those of other customers stay as they are.
    rows
        Customers, each with something held back.

    Nearness is the cosine of the items' customers, and for items that a tenth of all or more have,
    which by the cosine would be near to everything, their correlation (Pearson's, zero-filled). Of
    equally near ones the lower index goes first.
    """
    seen = taught.seen()
    popularity = np.bincount(seen.indices, minlength=taught.n_items)
    near = scale(seen, 1.0 / np.sqrt(popularity[seen.indices]))
    back = transpose(near)
    common = _find_chance(popularity, taught.n_rows)
    apart = np.sqrt(np.maximum(1.0 - common**2, 1.0 / max(taught.n_rows, 1)))
    kept_back = list_once(taught.owners[held] * taught.n_items + taught.items[held])
    counts = np.bincount(kept_back // max(taught.n_items, 1), minlength=taught.n_rows)
    lengths = row_lengths(seen)
    seeds = seen.indptr[rows] + (rng.random(len(rows)) * lengths[rows]).astype(np.int64)
    chosen = [np.empty(0, dtype=np.int64)]
    for start in range(0, len(rows), _BLOCK):
        block = slice(start, start + _BLOCK)
        seed_items = seen.indices[seeds[block]]
        alike = densify_scores(back[seed_items] @ near)
        for place, row in enumerate(rows[block].tolist()):
            had = seen.indices[seen.indptr[row] : seen.indptr[row + 1]].astype(np.int64)
            closeness = (alike[place, had] - common[seed_items[place]] * common[had]) / apart[had]
            closeness[seeds[start + place] - seen.indptr[row]] = np.inf
            first = np.argsort(-closeness, kind="stable")[: counts[row]]
            chosen.append(row * taught.n_items + had[first])
    bunched = np.zeros(taught.n_rows, dtype=np.bool_)
    bunched[rows] = True
    cells = taught.owners * taught.n_items + taught.items
    together: NDArray[np.bool_] = np.isin(cells, np.concatenate(chosen))
    return np.where(bunched[taught.owners], together, held)


def _find_chance(popularity: NDArray[np.int64], n_rows: int) -> NDArray[np.float64]:
    """The root of each item's share of the customers: two items' product is their cosine by chance;
    0 for what few have, where it is little beside any other."""
    share = popularity / max(n_rows, 1)
    return np.where(share >= _OFTEN, np.sqrt(share), 0.0)
