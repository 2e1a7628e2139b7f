"""Identity: which identifiers are one person, by rules that can be told and undone."""

from lingxi.ingest.merging.identify import identify_people
from lingxi.ingest.merging.merges import (
    Known,
    Merge,
    count_refusals,
    forget_merges,
    list_identifiers,
    list_merges,
    undo_merge,
)

__all__ = [
    "Known",
    "Merge",
    "count_refusals",
    "forget_merges",
    "identify_people",
    "list_identifiers",
    "list_merges",
    "undo_merge",
]
