"""What a journey does: one struct a kind of step, told apart by ``kind`` in the file.

``next`` and every other field that names a step may be empty: the run then ends there, which
``lint`` calls a dead end.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, NamedTuple

import msgspec

from lingxi.errors import InvalidInput
from lingxi.journeys.durations import check_durations, read_time
from lingxi.journeys.happening import Happening, Record
from lingxi.journeys.trigger import RuleForm, check_weekdays
from lingxi.schema import Scalar

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
StepId = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
Target = Annotated[str, msgspec.Meta(pattern=r"^([a-z][a-z0-9_-]{0,39})?$")]


class Edge(NamedTuple):
    """A way out of a step: which one, and where it leads (empty: the run ends)."""

    port: str
    target: str


class Fate(StrEnum):
    """What may have become of the message of an earlier step."""

    SENT = "sent"
    OPENED = "opened"
    CLICKED = "clicked"
    SKIPPED = "skipped"
    FAILED = "failed"
    ORDERED = "ordered"
    """The customer ordered after it."""


class MessageStep(Record, frozen=True, kw_only=True, tag_field="kind", tag="message"):
    """Send a template on a channel; where it cannot leave within ``send_within``, not at all."""

    template: Text
    channel: Text = "email"
    send_within: str = "24h"
    next: Target = ""

    def __post_init__(self) -> None:
        check_durations(self.send_within)


class WaitStep(Record, frozen=True, kw_only=True, tag_field="kind", tag="wait"):
    """Wait, in exactly one way.

    ``duration``; or ``time``: the next such time of the customer's day, on ``weekdays`` if named;
    or ``until``: a moment; or ``event`` with ``timeout``, after which the run goes to
    ``on_timeout``; or ``best_within``: the customer's best hour of that long.
    """

    duration: str = ""
    time: str = ""
    weekdays: tuple[str, ...] = ()
    until: datetime | None = None
    event: Happening | None = None
    timeout: str = ""
    on_timeout: Target = ""
    best_within: str = ""
    next: Target = ""

    def __post_init__(self) -> None:
        ways = (self.duration, self.time, self.until, self.event, self.best_within)
        if sum(bool(way) for way in ways) != 1:
            raise InvalidInput(
                "A wait needs exactly one of 'duration', 'time', 'until', 'event', 'best_within'."
            )
        if bool(self.event) != bool(self.timeout):
            raise InvalidInput("'timeout' belongs to a wait for an event, which needs one.")
        if self.on_timeout and self.event is None:
            raise InvalidInput("'on_timeout' belongs to a wait for an event.")
        if self.weekdays and not self.time:
            raise InvalidInput("'weekdays' belong to a wait until a time of day.")
        if self.until is not None and self.until.tzinfo is None:
            raise InvalidInput(f"Write a moment with its offset: {self.until.isoformat()}Z.")
        if self.time:
            read_time(self.time)
        check_weekdays(self.weekdays)
        check_durations(self.duration, self.timeout, self.best_within)


class Case(Record, frozen=True, kw_only=True):
    """One way out of a branch: a rule of the customer, or what became of an earlier message."""

    name: StepId
    rule: RuleForm | None = None
    step: Target = ""
    was: Fate | None = None
    next: Target = ""

    def __post_init__(self) -> None:
        if (self.rule is None) == (not self.step):
            raise InvalidInput(f"The case {self.name!r} needs either 'rule', or 'step' with 'was'.")
        if bool(self.step) != (self.was is not None):
            raise InvalidInput(f"The case {self.name!r}: 'step' and 'was' belong together.")


class BranchStep(Record, frozen=True, kw_only=True, tag_field="kind", tag="branch"):
    """The first case that holds; ``otherwise`` where none does."""

    cases: Annotated[tuple[Case, ...], msgspec.Meta(min_length=1, max_length=10)]
    otherwise: Target = ""

    def __post_init__(self) -> None:
        _check_names([case.name for case in self.cases], "cases", ("otherwise",))


class Arm(Record, frozen=True, kw_only=True):
    """One arm of a split; ``share`` is relative to the other arms' shares."""

    name: StepId
    share: Annotated[float, msgspec.Meta(gt=0.0, le=1000.0)]
    next: Target = ""


class SplitStep(Record, frozen=True, kw_only=True, tag_field="kind", tag="split"):
    """Customers are dealt out to arms, each always to the same one of an experiment."""

    experiment: Text
    arms: Annotated[tuple[Arm, ...], msgspec.Meta(min_length=2, max_length=10)]

    def __post_init__(self) -> None:
        _check_names([arm.name for arm in self.arms], "arms", ())


class CouponStep(Record, frozen=True, kw_only=True, tag_field="kind", tag="coupon"):
    """Issue a code of an offer; later messages show it. Without budget or codes: ``otherwise``."""

    offer: Text
    next: Target = ""
    otherwise: Target = ""


class TraitStep(Record, frozen=True, kw_only=True, tag_field="kind", tag="set_trait"):
    """Write a trait of the customer."""

    trait: Text
    value: Scalar
    next: Target = ""


class ListStep(Record, frozen=True, kw_only=True, tag_field="kind", tag="add_to_list"):
    """Put the customer on a manual list."""

    list: Text
    next: Target = ""


class WebhookStep(Record, frozen=True, kw_only=True, tag_field="kind", tag="webhook"):
    """Call an address of the shop's, signed, with the customer's id and the run's."""

    url: Annotated[str, msgspec.Meta(pattern=r"^https?://\S{1,1000}$")]
    event: Text = "journey.step"
    next: Target = ""


class Action(Record, frozen=True, kw_only=True):
    """An offer that the policy may choose, and where the run then goes."""

    offer: Text
    next: Target = ""


class NextBestStep(Record, frozen=True, kw_only=True, tag_field="kind", tag="next_best_action"):
    """The policy chooses one of the actions for the customer, or none of them: ``otherwise``."""

    actions: Annotated[tuple[Action, ...], msgspec.Meta(min_length=1, max_length=20)]
    otherwise: Target = ""

    def __post_init__(self) -> None:
        _check_names([action.offer for action in self.actions], "actions", ("otherwise",))


class EndStep(Record, frozen=True, kw_only=True, tag_field="kind", tag="end"):
    """The run is over."""

    reason: str = ""


Step = (
    MessageStep
    | WaitStep
    | BranchStep
    | SplitStep
    | CouponStep
    | TraitStep
    | ListStep
    | WebhookStep
    | NextBestStep
    | EndStep
)


def list_edges(step: Step) -> tuple[Edge, ...]:
    """The ways out of a step, in the order in which the file names them.

    >>> list_edges(CouponStep(offer="ten", next="mail"))
    (Edge(port='next', target='mail'), Edge(port='otherwise', target=''))
    """
    if isinstance(step, EndStep):
        return ()
    if isinstance(step, BranchStep):
        cases = tuple(Edge(case.name, case.next) for case in step.cases)
        return (*cases, Edge("otherwise", step.otherwise))
    if isinstance(step, SplitStep):
        return tuple(Edge(arm.name, arm.next) for arm in step.arms)
    if isinstance(step, NextBestStep):
        actions = tuple(Edge(action.offer, action.next) for action in step.actions)
        return (*actions, Edge("otherwise", step.otherwise))
    if isinstance(step, CouponStep):
        return (Edge("next", step.next), Edge("otherwise", step.otherwise))
    if isinstance(step, WaitStep) and step.event is not None:
        return (Edge("next", step.next), Edge("timeout", step.on_timeout))
    return (Edge("next", step.next),)


def lead_to(step: Step, port: str, target: str) -> Step:
    """The step with one of its ways out leading elsewhere.

    >>> lead_to(CouponStep(offer="ten"), "otherwise", "plain").otherwise
    'plain'
    """
    replace = msgspec.structs.replace
    if isinstance(step, BranchStep) and port != "otherwise":
        cases = (replace(c, next=target) if c.name == port else c for c in step.cases)
        return replace(step, cases=tuple(cases))
    if isinstance(step, SplitStep):
        arms = (replace(a, next=target) if a.name == port else a for a in step.arms)
        return replace(step, arms=tuple(arms))
    if isinstance(step, NextBestStep) and port != "otherwise":
        actions = (replace(a, next=target) if a.offer == port else a for a in step.actions)
        return replace(step, actions=tuple(actions))
    return replace(step, **{"on_timeout" if port == "timeout" else port: target})


def _check_names(names: list[str], what: str, taken: tuple[str, ...]) -> None:
    twice = [name for name in names if names.count(name) > 1 or name in taken]
    if twice:
        raise InvalidInput(f"The {what} need names of their own; {twice[0]!r} is taken.")
