"""What a look at a run comes to, prepared before anything is locked, and what it asks for."""

from dataclasses import dataclass, field

from lingxi.journeys.run import Context, Outcome, Passed, Run, RunState, extend_path, write_context
from lingxi.messaging import Message
from lingxi.schema import Scalar


@dataclass(frozen=True)
class SetTrait:
    """A trait to be written; no value takes it away."""

    name: str
    value: Scalar


@dataclass(frozen=True)
class AddToList:
    """A manual list that the customer comes onto."""

    name: str


@dataclass(frozen=True)
class NoteArm:
    """The arm of an experiment that the customer is in, for the log."""

    experiment: str
    arm: str


@dataclass(frozen=True)
class IssueCoupon:
    """A code to be issued; whether there is one decides the way out of the step ``node``."""

    node: str
    offer: str
    key: str


Act = SetTrait | AddToList | NoteArm | IssueCoupon


@dataclass
class Change:
    """A run, and where it will be. ``run`` is the row that was read: its epoch is the fence."""

    run: Run
    node: str
    epoch: int
    state: RunState
    due_at: int | None
    entered_at: int
    context: Context
    ended_at: int | None = None
    outcome: str | None = None
    passed: list[Passed] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)

    @classmethod
    def of(cls, run: Run) -> "Change":
        """No change yet."""
        return cls(
            run=run,
            node=run.node,
            epoch=run.epoch,
            state=run.state,
            due_at=run.due_at,
            entered_at=run.entered_at,
            context=run.context,
        )

    def remember(self, name: str, value: object) -> None:
        """Put something into the context; the row that was read keeps its own."""
        self.context = {**self.context, name: value}

    def remember_in(self, name: str, key: str, value: object) -> None:
        """Put something into a table of the context."""
        self.remember(name, {**self.context.get(name, {}), key: value})

    def drop(self, *names: str) -> None:
        """Take things out of the context."""
        if any(name in self.context for name in names):
            self.context = {k: v for k, v in self.context.items() if k not in names}

    def note(self, port: str, at: int, code: str, **params: Scalar) -> None:
        """Note why the run did what it did at its present step."""
        self.passed.append(Passed(self.node, port, at, code, params))

    def move(self, target: str, at: int) -> None:
        """Go on to a step; to none: the run is completed."""
        self.epoch += 1
        if target:
            self.node, self.entered_at = target, at
            self.state, self.due_at = RunState.READY, at
        else:
            self.end(Outcome.COMPLETED, at)

    def wait(self, until: int, *, state: RunState = RunState.WAITING) -> None:
        """Stay at the step until a moment."""
        self.epoch += 1
        self.state, self.due_at = state, until

    def end(self, outcome: Outcome, at: int) -> None:
        """The run is over."""
        self.epoch += 1
        self.state, self.due_at = RunState.ENDED, None
        self.ended_at, self.outcome = at, outcome.value

    @property
    def row(self) -> dict[str, object]:
        """The columns that change, for an update of the row whose epoch is still the one read."""
        return {
            "b_id": self.run.id,
            "b_epoch": self.run.epoch,
            "node": self.node,
            "epoch": self.epoch,
            "state": int(self.state),
            "due_at": self.due_at,
            "entered_at": self.entered_at,
            "ended_at": self.ended_at,
            "outcome": self.outcome,
            "context": write_context(self.context),
            "path": extend_path(self.run.path, self.passed),
        }
