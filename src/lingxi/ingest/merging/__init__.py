"""Identity: which identifiers are one person, by rules that can be told and undone."""

from lingxi.ingest.merging.identify import identify_people
from lingxi.ingest.merging.merges import (
    Known,
    Merge,
    forget_merges,
    list_identifiers,
    list_merges,
    undo_merge,
)
from lingxi.ingest.merging.refusals import (
    Refusal,
    count_refusals,
    expire_refusals,
    list_refusals,
)

__all__ = [
    "Known",
    "Merge",
    "Refusal",
    "count_refusals",
    "expire_refusals",
    "forget_merges",
    "identify_people",
    "list_identifiers",
    "list_merges",
    "list_refusals",
    "undo_merge",
]
