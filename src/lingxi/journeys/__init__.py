"""Journeys: a graph of steps that a customer is led through, and the runner that leads them."""

from typing import TYPE_CHECKING

from lingxi.doors import open_door

if TYPE_CHECKING:
    from lingxi.journeys.consume import consume_log
    from lingxi.journeys.erasure import forget
    from lingxi.journeys.graph import Journey
    from lingxi.journeys.reading import parse_journey, read_journey, render_journey
    from lingxi.journeys.runner import Runner
else:
    __getattr__ = open_door(__name__, __file__)

__all__ = [
    "Journey",
    "Runner",
    "consume_log",
    "forget",
    "parse_journey",
    "read_journey",
    "render_journey",
]
