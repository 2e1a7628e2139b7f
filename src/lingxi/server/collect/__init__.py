"""Events over HTTP: addresses, the door, the queue before the disk."""

from typing import TYPE_CHECKING

from lingxi.doors import open_door

if TYPE_CHECKING:
    from lingxi.server.collect.counts import Counts
    from lingxi.server.collect.door import Door
    from lingxi.server.collect.front import Front
    from lingxi.server.collect.queue import Queue
    from lingxi.server.collect.routes import ROUTES
    from lingxi.server.collect.topic_queue import TopicQueue
else:
    __getattr__ = open_door(__name__, __file__)

__all__ = ["ROUTES", "Counts", "Door", "Front", "Queue", "TopicQueue"]
