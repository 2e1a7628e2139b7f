"""A run: one customer on their way through one version of a journey."""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import Any

import msgspec

from lingxi.i18n import Sentence
from lingxi.schema import Event, Scalar

LANES = 16
"""Runs are dealt out to so many lanes; a lane belongs to one worker at a time."""
STARTED, HELD_OUT = "started", "held_out"
"""Ways of the beginning, which is counted as the step without a name."""
Context = dict[str, Any]
"""What later steps of a run need: ids only, nothing that identifies a person."""


class RunState(IntEnum):
    """Where a run is. Those that have ended, or got nothing for comparison, are not moved."""

    READY = 0
    WAITING = 1
    ENDED = 2
    HELD_OUT = 3


class Outcome(StrEnum):
    """How a run ended."""

    COMPLETED = "completed"
    GOAL = "goal"
    EXIT = "exit"
    HELD_OUT = "held_out"
    MERGED = "merged"
    RESTARTED = "restarted"
    STOPPED = "stopped"
    FAILED = "failed"


class Passed(msgspec.Struct, frozen=True, array_like=True):
    """A step that a run has passed: by which way, when (microseconds), and why."""

    node: str
    port: str
    at: int
    code: str
    params: dict[str, Scalar] = {}

    @property
    def sentence(self) -> Sentence:
        """Why, as a sentence in no language."""
        return Sentence(self.code, {k: v for k, v in self.params.items() if v is not None})


class Run(msgspec.Struct, frozen=True):
    """The row of a run, its context read; moments are microseconds since 1970."""

    id: int
    journey: str
    version: int
    customer: int
    subject: int
    key: str
    state: RunState
    node: str
    epoch: int
    lane: int
    due_at: int | None
    started_at: int
    entered_at: int
    ended_at: int | None
    outcome: str | None
    context: Context
    path: str

    @property
    def steps(self) -> list[Passed]:
        """What it has passed, oldest first."""
        return msgspec.json.decode(self.path, type=list[Passed])

    @property
    def active(self) -> bool:
        """Whether it is on its way."""
        return self.state in (RunState.READY, RunState.WAITING)


FIELDS = Run.__struct_fields__
_STATE, _CONTEXT = FIELDS.index("state"), FIELDS.index("context")
_encode = msgspec.json.encode
_decode = msgspec.json.Decoder(Context).decode


def read_run(row: "tuple[Any, ...]") -> Run:
    """The run of a row whose values are in the order of ``FIELDS``."""
    values = list(row)
    values[_STATE] = RunState(values[_STATE])
    values[_CONTEXT] = _decode(values[_CONTEXT])
    return Run(*values)


def write_context(context: Mapping[str, Any]) -> str:
    """The context as it is stored."""
    return _encode(context).decode()


def extend_path(path: str, passed: list[Passed]) -> str:
    """The stored path with further steps, without reading it.

    >>> extend_path("[]", [Passed("a", "next", 1, "x")])
    '[["a","next",1,"x",{}]]'
    """
    if not passed:
        return path
    added = _encode(passed).decode()
    return added if path == "[]" else f"{path[:-1]},{added[1:]}"


def describe_cause(event: Event) -> Context:
    """What later steps may need of the event that began a run: ids, no words of a person."""
    found: Context = {"event": event.event_id, "event_name": event.name}
    items = list(dict.fromkeys(line.item_id for line in event.lines))[:20]
    if items:
        found["items"] = items
    if event.order_id:
        found["order_id"] = event.order_id
    return found
