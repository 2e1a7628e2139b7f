"""A journey: what begins it, what it does, whom it spares and when it has reached its goal.

The file form is the same in YAML and JSON; ``reading`` reads it. Steps stand by their id; the run
begins at ``start`` and each step names what follows, so that the steps are a graph with one entry.
"""

from enum import StrEnum
from functools import cached_property
from typing import Annotated

import msgspec

from lingxi.errors import InvalidInput
from lingxi.journeys.durations import check_durations
from lingxi.journeys.happening import Condition, EventName, Happening, Record
from lingxi.journeys.step import Edge, MessageStep, Step, StepId, list_edges
from lingxi.journeys.trigger import RuleForm, Share, Trigger

MOST_STEPS = 200
JourneyName = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_-]{0,59}$")]
Cap = Annotated[int, msgspec.Meta(ge=1, le=1000)]


class MessageClass(StrEnum):
    """What a message is in law: only transactional ones need no consent."""

    MARKETING = "marketing"
    TRANSACTIONAL = "transactional"


class Enter(StrEnum):
    """Whether a customer (or a key of theirs) may be in a journey again."""

    ONCE = "once"
    AFTER = "after"
    ALWAYS = "always"


class Meanwhile(StrEnum):
    """What a trigger does while a run of the same key is on its way."""

    IGNORE = "ignore"
    RESTART = "restart"


class Reentry(Record, frozen=True, kw_only=True):
    """When it may begin again: never, ``after`` so long from the last beginning, or always."""

    mode: Enter = Enter.ONCE
    after: str = ""
    meanwhile: Meanwhile = Meanwhile.IGNORE

    def __post_init__(self) -> None:
        if (self.mode is Enter.AFTER) != bool(self.after):
            raise InvalidInput("'after' is a length of time where 'mode' is 'after', only there.")
        check_durations(self.after)


class Caps(Record, frozen=True, kw_only=True):
    """The most messages of this journey to one customer, in the customer's own days and weeks;
    ``run``: in one run. Left out: only the shop's own caps hold."""

    day: Cap | None = None
    week: Cap | None = None
    run: Cap | None = None


class Goal(Record, frozen=True, kw_only=True):
    """The event that the journey is for; it ends the run. Reports count it for ``within``."""

    event: EventName
    where: tuple[Condition, ...] = ()
    same_key: bool = False
    within: str = "7d"

    def __post_init__(self) -> None:
        check_durations(self.within)


class Exit(Record, frozen=True, kw_only=True):
    """What ends a run without its goal: an event, or a rule that holds when a step begins."""

    happening: Happening | None = None
    rule: RuleForm | None = None

    def __post_init__(self) -> None:
        if (self.happening is None) == (self.rule is None):
            raise InvalidInput("An exit needs either 'happening' or 'rule'.")


class Journey(Record, frozen=True, kw_only=True, dict=True):
    """A journey as it is published; ``steps`` by id, ``start`` the id of the first.

    ``title``: by language. ``entry``: a rule that the customer must meet to begin. ``priority``:
    of journeys that want the same customer on the same day, the higher goes first. ``holdout``:
    the share of those who qualify and get nothing, for comparison. ``purpose``: the consent that
    its marketing messages need. ``category``: what customers unsubscribe from and the shop caps.
    """

    name: JourneyName
    trigger: Trigger
    steps: dict[StepId, Step]
    start: StepId
    title: dict[str, str] = msgspec.field(default_factory=dict)
    note: dict[str, str] = msgspec.field(default_factory=dict)
    entry: RuleForm | None = None
    reentry: Reentry = Reentry()
    priority: Annotated[int, msgspec.Meta(ge=0, le=100)] = 50
    goal: Goal | None = None
    exits: Annotated[tuple[Exit, ...], msgspec.Meta(max_length=10)] = ()
    holdout: Share = 0.1
    caps: Caps = Caps()
    category: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_-]{0,39}$")] = "news"
    message_class: MessageClass = MessageClass.MARKETING
    purpose: str = ""

    def edges(self, step_id: str) -> tuple[Edge, ...]:
        """The ways out of a step."""
        return list_edges(self.steps[step_id])

    @cached_property
    def targets(self) -> dict[str, dict[str, str]]:
        """Where each way of each step leads, worked out once a version."""
        return {step_id: dict(self.edges(step_id)) for step_id in self.steps}

    @cached_property
    def exit_rules(self) -> tuple[RuleForm, ...]:
        """The rules that end a run when a step begins."""
        return tuple(each.rule for each in self.exits if each.rule is not None)

    @property
    def key(self) -> str:
        """The event property that a run is of; empty: the customer."""
        return getattr(self.trigger, "key", "")

    @property
    def messages(self) -> dict[str, MessageStep]:
        """The steps that send something, by id."""
        return {k: step for k, step in self.steps.items() if isinstance(step, MessageStep)}


def title_of(journey: Journey, language: str) -> str:
    """What a journey is called in a language, or in English, or its name.

    >>> from lingxi.journeys.step import EndStep
    >>> from lingxi.journeys.trigger import ApiTrigger
    >>> one = Journey(name="hi", trigger=ApiTrigger(), steps={"end": EndStep()}, start="end")
    >>> title_of(one, "zh")
    'hi'
    """
    return journey.title.get(language) or journey.title.get("en") or journey.name
