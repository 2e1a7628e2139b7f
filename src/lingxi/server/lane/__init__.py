"""The lane: lists asked for with a key, past Litestar, on the event loop."""

from lingxi.server.lane.lane import Lane

__all__ = ["Lane"]
