"""Events over HTTP: addresses, the door, the queue before the disk."""

from lingxi.server.collect.counts import Counts
from lingxi.server.collect.door import Door
from lingxi.server.collect.front import Front
from lingxi.server.collect.queue import Queue
from lingxi.server.collect.routes import ROUTES
from lingxi.server.collect.topic_queue import TopicQueue

__all__ = ["ROUTES", "Counts", "Door", "Front", "Queue", "TopicQueue"]
