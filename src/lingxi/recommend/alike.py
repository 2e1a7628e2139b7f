"""What is held back where times are unknown: an item from some who had it and are alike.

What customers do next they do together: a season, a fashion, a circle of friends. Where single
events are held back at random, those who are most like a customer keep the very item, which
flatters models that ask them.
"""

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.matrix import Csr, row_lengths, scale
from lingxi.recommend.spectrum import Block, find_right_vectors

_TASTES = 128
_MOST_LOST = 0.5
_CELLS = 500_000


def hold_alike(seen: Csr, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which cells of ``seen`` are held back, shape (n_cells,): of each item a part of its holders.

    A random one and those most like them, about ``share`` of all; nobody loses more than half.

    Parameters
    ----------
    seen
        Who met what, shape (n_customers, n_items), columns sorted.

    Likeness is the cosine of customers' parts in the largest singular vectors; of equally
    like ones the lower row goes first.

    Source
    ------
    Roberts et al. (2017), Ecography 40(8): what is near each other is held back together, or a
    test on what is far flatters.
    """
    owners = np.repeat(np.arange(seen.shape[0]), row_lengths(seen))
    holders = np.bincount(seen.indices, minlength=seen.shape[1])
    counts = (share * holders + rng.random(len(holders))).astype(np.int64)
    order = np.lexsort((rng.random(len(owners)), seen.indices))
    ends = np.cumsum(holders)
    seeds = np.zeros(len(holders), dtype=np.int64)
    seeds[holders > 0] = owners[order[(ends - holders)[holders > 0]]]
    likeness = _compare(_find_tastes(seen), owners, seeds[seen.indices])
    likeness[owners == seeds[seen.indices]] = np.inf
    order = np.lexsort((owners, -likeness, seen.indices))
    rank = np.empty(len(owners), dtype=np.int64)
    rank[order] = np.arange(len(owners)) - (ends - holders)[seen.indices[order]]
    held: NDArray[np.bool_] = rank < counts[seen.indices]
    order = np.lexsort((rng.random(len(owners)), ~held, owners))  # those held back come first
    place = np.empty(len(owners), dtype=np.int64)
    place[order] = np.arange(len(owners)) - seen.indptr[owners[order]]
    most = (_MOST_LOST * row_lengths(seen)).astype(np.int64)
    stays: NDArray[np.bool_] = held & (place < most[owners])
    return stays


def _find_tastes(seen: Csr) -> Block:
    """Each customer's part in the largest singular vectors, of length 1, shape (n_customers, n)."""
    lengths, holders = row_lengths(seen), np.bincount(seen.indices, minlength=seen.shape[1])
    owners = np.repeat(1.0 / np.sqrt(np.maximum(lengths, 1)), lengths)
    even = scale(seen, (owners / np.sqrt(holders[seen.indices])).astype(np.float32))
    vectors, _ = find_right_vectors(even, _TASTES)
    tastes = np.asarray(even @ vectors, dtype=np.float32)
    sizes = np.linalg.norm(tastes, axis=1, keepdims=True)
    return np.asarray(tastes / np.where(sizes > 0, sizes, 1.0), dtype=np.float32)


def _compare(
    tastes: Block, mine: NDArray[np.integer], theirs: NDArray[np.integer]
) -> NDArray[np.float32]:
    """The likeness of pairs of customers, shape (n_pairs,)."""
    likeness = np.empty(len(mine), dtype=np.float32)
    for start in range(0, len(mine), _CELLS):
        part = slice(start, start + _CELLS)
        likeness[part] = np.einsum("nk,nk->n", tastes[mine[part]], tastes[theirs[part]])
    return likeness
