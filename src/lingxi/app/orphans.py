"""Processes that a server started beside itself end with it, also when it is killed."""

import os

PARENT_VARIABLE = "LINGXI_PARENT"
"""Holds the number of the process that started us, where we are to end with it."""


def is_orphan() -> bool:
    """Whether the server that started this process is gone; never where none did."""
    parent = os.environ.get(PARENT_VARIABLE)
    return parent is not None and parent != str(os.getppid())
