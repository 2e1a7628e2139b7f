"""Topics of Kafka: written to, read page by page, read by a group; how far stands in the database.

Kafka is never the log of record: it stands in front of the log, or is one of the sources that are
pulled from. It needs the extra ``lingxi[kafka]``, which is imported when a topic is first used.
"""

from lingxi.store.topics.group import TopicGroup
from lingxi.store.topics.offsets import Moved, find_offsets, move_offsets, read_lag
from lingxi.store.topics.reader import Part, TopicReader
from lingxi.store.topics.record import Record
from lingxi.store.topics.state import TopicState, describe_topic
from lingxi.store.topics.writer import TopicWriter

__all__ = [
    "Moved",
    "Part",
    "Record",
    "TopicGroup",
    "TopicReader",
    "TopicState",
    "TopicWriter",
    "describe_topic",
    "find_offsets",
    "move_offsets",
    "read_lag",
]
