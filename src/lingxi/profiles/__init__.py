"""Profiles: who a customer is and what they did, current with every event of the log."""

from typing import TYPE_CHECKING

from lingxi.doors import open_door
from lingxi.profiles.tables import metadata

if TYPE_CHECKING:
    from lingxi.profiles.erasure import forget
    from lingxi.profiles.project import PROJECTIONS
    from lingxi.profiles.read import (
        HistoryItem,
        Profile,
        Timeline,
        get_profile,
        get_timeline,
        read_counts,
        read_history,
        read_revision,
    )
    from lingxi.profiles.traits import get_traits, put_traits
else:
    __getattr__ = open_door(__name__, __file__)

__all__ = [
    "PROJECTIONS",
    "HistoryItem",
    "Profile",
    "Timeline",
    "forget",
    "get_profile",
    "get_timeline",
    "get_traits",
    "metadata",
    "put_traits",
    "read_counts",
    "read_history",
    "read_revision",
]
