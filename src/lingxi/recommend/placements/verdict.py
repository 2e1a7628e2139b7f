"""What is said of an item that somebody misses in a list."""

from enum import StrEnum


class Verdict(StrEnum):
    """What can be said of an item.

    ``VARIED``: its score would do, but others like it are in the list. ``UNSCORED``: no strategy
    has anything to say for it.
    """

    SHOWN = "shown"
    BARRED = "barred"
    CAPPED = "capped"
    VARIED = "varied"
    OUTRANKED = "outranked"
    UNSCORED = "unscored"
    UNKNOWN = "unknown"
