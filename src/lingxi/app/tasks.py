"""Every kind of standing work of a shop, gathered; a room's task is imported when it first runs."""

from collections.abc import Sequence

from lingxi.app.work import Task

TASKS: Sequence[Task] = ()
"""In the order of the road: what changes whom comes before what sends."""
