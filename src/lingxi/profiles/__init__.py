"""Profiles: who a customer is and what they did, current with every event of the log."""

from lingxi.profiles.forget import forget
from lingxi.profiles.project import PROJECTIONS
from lingxi.profiles.read import (
    HistoryItem,
    Profile,
    Timeline,
    get_profile,
    get_timeline,
    read_history,
)
from lingxi.profiles.tables import metadata
from lingxi.profiles.traits import get_traits, put_traits

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
    "read_history",
]
