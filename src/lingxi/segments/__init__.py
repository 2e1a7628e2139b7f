"""Segments: a rule says who is in one; asked of one customer at any moment, or of all at once."""

from typing import TYPE_CHECKING

from lingxi.doors import open_door
from lingxi.segments.tables import metadata

if TYPE_CHECKING:
    from lingxi.segments.definitions import Segment, put_segment, read_segment, write_segment
    from lingxi.segments.erasure import forget
    from lingxi.segments.judge import Judge
    from lingxi.segments.lists import add_to_list, remove_from_list
    from lingxi.segments.reading import read_rule, write_rule
    from lingxi.segments.rule import Rule
else:
    __getattr__ = open_door(__name__, __file__)

__all__ = [
    "Judge",
    "Rule",
    "Segment",
    "add_to_list",
    "forget",
    "metadata",
    "put_segment",
    "read_rule",
    "read_segment",
    "remove_from_list",
    "write_rule",
    "write_segment",
]
