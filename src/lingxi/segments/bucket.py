"""A number in [0, 1) for each customer that never changes, one for every salt.

SplitMix64, its finaliser as a hash: Steele, Lea and Flood (2014), "Fast splittable pseudorandom
number generators", OOPSLA, figure 14. The salt's seed is BLAKE2b, so that salts are independent.
"""

from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

_MASK = (1 << 64) - 1
_GAMMA, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_SCALE = 1 / (1 << 53)


@lru_cache(maxsize=1_024)
def _seed(salt: str) -> int:
    return int.from_bytes(blake2b(salt.encode(), digest_size=8).digest(), "big")


def bucket_of(salt: str, customer: int) -> float:
    """The customer's number.

    >>> 0 <= bucket_of("welcome", 7) < 1, bucket_of("welcome", 7) == bucket_of("welcome", 8)
    (True, False)
    """
    z = (_seed(salt) + (customer + 1) * _GAMMA) & _MASK
    z = ((z ^ (z >> 30)) * _FIRST) & _MASK
    z = ((z ^ (z >> 27)) * _SECOND) & _MASK
    return ((z ^ (z >> 31)) >> 11) * _SCALE


def buckets_of(salt: str, customers: NDArray[np.int64]) -> NDArray[np.float64]:
    """The same for many customers at once, shape (n_customers,)."""
    with np.errstate(over="ignore"):
        z = np.uint64(_seed(salt)) + (customers.astype(np.uint64) + np.uint64(1)) * np.uint64(
            _GAMMA
        )
        z = (z ^ (z >> np.uint64(30))) * np.uint64(_FIRST)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(_SECOND)
        z = (z ^ (z >> np.uint64(31))) >> np.uint64(11)
    return z.astype(np.float64) * _SCALE
