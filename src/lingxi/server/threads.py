"""Threads of linear algebra in a process that answers: none but the one that asks.

What OpenBLAS' threads share out for one answer is so little that they spend several times as much
on waiting for the next, by spinning, which takes the processor from the requests of others.
"""

import os
from collections.abc import Callable

_VARIABLE = "OPENBLAS_NUM_THREADS"


def spare_threads() -> None:
    """Let this process compute each answer on one thread, also in libraries loaded from here on."""
    from threadpoolctl import threadpool_limits

    os.environ[_VARIABLE] = "1"  # SciPy has an OpenBLAS of its own, and loads it later
    limit: Callable[..., object] = threadpool_limits
    limit(1, "blas")
