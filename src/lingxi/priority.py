"""Who goes first where a process or a thread must share the processor."""

import os
from contextlib import suppress

_NICE = 5
"""A worker that catches up takes a third of a core that the server needs, not half."""


def stand_back(number: int, *, nice: int = _NICE) -> None:
    """Let others go first where both want the processor: their clients wait for an answer.

    Parameters
    ----------
    number
        A process's, or a thread's own (``threading.get_native_id``).
    nice
        How far it stands back from where this process stands, as Unix counts it.
    """
    with suppress(OSError, AttributeError):  # gone already, or not a Unix
        os.setpriority(os.PRIO_PROCESS, number, os.getpriority(os.PRIO_PROCESS, 0) + nice)
