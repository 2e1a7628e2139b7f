"""Leads a run from step to step until it waits or ends; asks, and changes nothing by itself."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec

from lingxi.experiments import assign
from lingxi.journeys import step as steps
from lingxi.journeys.change import AddToList, Change, IssueCoupon, NoteArm, SetTrait
from lingxi.journeys.durations import read_duration, read_time
from lingxi.journeys.graph import Journey
from lingxi.journeys.moments import best_moment, next_local, start_of_day
from lingxi.journeys.run import Outcome, Run, RunState
from lingxi.journeys.sending import make_hook, make_message
from lingxi.journeys.trigger import RuleForm
from lingxi.schema import Scalar
from lingxi.store.tables import from_micros, to_micros

MOST_STEPS_AT_ONCE = 50
"""A run that passed so many steps without a wait goes on in its next turn: others wait too."""


class Facts(Protocol):
    """What a step may ask about a customer."""

    def zone(self, customer: int) -> ZoneInfo:
        """The customer's time zone."""

    def holds(self, customer: int, rule: RuleForm) -> bool:
        """Whether a rule holds for the customer now."""

    def fates(self, run: Run, step: str) -> frozenset[steps.Fate]:
        """What has become of the message that the run sent at a step."""

    def signs(self, customer: int) -> list[datetime]:
        """When the customer visited and opened messages, machines left out."""

    def offer(self, customer: int) -> str | None:
        """What the policy's plan offers the customer; nothing: to leave them alone, or no plan."""

    def is_capped(self, run: Run, journey: Journey) -> str:
        """Which of the journey's own caps is reached: ``day``, ``week``, ``run`` or none."""

    def yields(self, run: Run, journey: Journey) -> str:
        """The journey of higher priority that has had the customer's day, or none."""

    def note_sent(self, run: Run, journey: Journey) -> None:
        """A message was prepared: caps and priorities of the same batch are to see it."""


class _Passing:
    """One look at a run."""

    def __init__(self, run: Run, journey: Journey, facts: Facts, now: datetime) -> None:
        self.run, self.journey, self.facts, self.now = run, journey, facts, now
        self.at = to_micros(now)
        self.change = Change.of(run)
        self.stopped = False

    def go(self) -> Change:
        change = self.change
        if change.state is RunState.WAITING:
            self._wake()
        for _ in range(MOST_STEPS_AT_ONCE):
            if self.stopped or change.state is RunState.ENDED:
                return change
            if self._leaves():
                return change
            self._pass()
        change.due_at = self.at
        return change

    def _leaves(self) -> bool:
        for rule in self.journey.exit_rules:
            if self.facts.holds(self.run.customer, rule):
                self.change.note("exit", self.at, "journeys.did.exit_rule")
                self.change.end(Outcome.EXIT, self.at)
                return True
        return False

    def _pass(self) -> None:
        """Do the present step."""
        step = self.journey.steps[self.change.node]
        if isinstance(step, steps.EndStep):
            self.change.note("completed", self.at, "journeys.did.end")
            self.change.end(Outcome.COMPLETED, self.at)
            return
        _DO[type(step)](self, step)

    def leave(self, port: str, code: str, **params: Scalar) -> None:
        """Leave the present step by one of its ways."""
        target = self.journey.targets[self.change.node][port]
        self.change.note(port, self.at, code, **params)
        self.change.move(target, self.at)

    # -- waiting

    def _wake(self) -> None:
        step = self.journey.steps[self.change.node]
        assert isinstance(step, steps.WaitStep)
        if step.time:
            moved = self._until(step, from_micros(self.change.entered_at))
            if moved > self.now:  # the customer's time zone is another one by now
                self.stay(moved)
                return
        if step.event is not None:
            self.leave("timeout", "journeys.did.timed_out", event=step.event.event)
        else:
            self.leave("next", "journeys.did.waited")

    def stay(self, until: datetime) -> None:
        """Wait at the present step."""
        self.change.wait(to_micros(until))
        self.stopped = True

    def _until(self, step: steps.WaitStep, since: datetime) -> datetime:
        if step.duration:
            return since + read_duration(step.duration)
        if step.until is not None:
            return step.until
        if step.event is not None:
            return since + read_duration(step.timeout)
        zone = self.facts.zone(self.run.customer)
        if step.time:
            return next_local(since, read_time(step.time), zone, weekdays=step.weekdays)
        signs = self.facts.signs(self.run.customer)
        return best_moment(signs, since, read_duration(step.best_within), zone)

    def wait(self, step: steps.WaitStep) -> None:
        until = self._until(step, self.now)
        if until <= self.now and step.event is None:
            self.leave("next", "journeys.did.waited")
            return
        self.change.note("", self.at, "journeys.did.waits", moment=_name_moment(until))
        self.stay(until)

    # -- sending

    def send(self, step: steps.MessageStep) -> None:
        run, journey, change = self.run, self.journey, self.change
        capped = self.facts.is_capped(run, journey)
        if capped:
            self.leave("next", f"journeys.did.capped_{capped}", template=step.template)
            return
        higher = self.facts.yields(run, journey)
        deadline = from_micros(change.entered_at) + read_duration(step.send_within)
        if higher:
            zone = self.facts.zone(run.customer)
            tomorrow = start_of_day(start_of_day(self.now, zone) + timedelta(hours=30), zone)
            if tomorrow >= deadline:
                self.leave("next", "journeys.did.yielded", journey=higher, template=step.template)
            else:
                change.note("", self.at, "journeys.did.yields", journey=higher)
                change.wait(to_micros(tomorrow), state=RunState.READY)
                self.stopped = True
            return
        message = make_message(change, journey, step, self.now, deadline)
        change.messages.append(message)
        self.facts.note_sent(run, journey)
        change.remember_in("messages", change.node, message.id)
        change.remember("sent", int(change.context.get("sent", 0)) + 1)
        self.leave("next", "journeys.did.queued", template=step.template, channel=step.channel)

    def call(self, step: steps.WebhookStep) -> None:
        self.change.messages.append(make_hook(self.change, self.journey, step, self.now))
        self.leave("next", "journeys.did.called", event=step.event)

    # -- choosing

    def branch(self, step: steps.BranchStep) -> None:
        for case in step.cases:
            if case.rule is not None:
                if self.facts.holds(self.run.customer, case.rule):
                    self.leave(case.name, "journeys.did.rule_held", case=case.name)
                    return
            elif case.was in self.facts.fates(self.run_now, case.step):
                said = {"step": case.step, "was": str(case.was), "case": case.name}
                self.leave(case.name, "journeys.did.fate", **said)
                return
        self.leave("otherwise", "journeys.did.no_case")

    @property
    def run_now(self) -> Run:
        """The run with what this look has added to its context."""
        return msgspec.structs.replace(self.run, context=self.change.context)

    def split(self, step: steps.SplitStep) -> None:
        total = sum(arm.share for arm in step.arms)
        shares = {arm.name: arm.share / total for arm in step.arms}
        arm = assign(step.experiment, self.run.customer, shares)
        self.change.acts.append(NoteArm(step.experiment, arm))
        self.change.remember_in("arms", step.experiment, arm)
        self.leave(arm, "journeys.did.arm", experiment=step.experiment, arm=arm)

    def choose(self, step: steps.NextBestStep) -> None:
        offer = self.facts.offer(self.run.customer)
        if offer is not None and offer in {action.offer for action in step.actions}:
            self.change.remember("offer", offer)
            self.leave(offer, "journeys.did.chosen", offer=offer)
        else:
            self.leave("otherwise", "journeys.did.none_chosen")

    # -- doing

    def issue(self, step: steps.CouponStep) -> None:
        change = self.change
        key = f"journey:{self.run.id}:{change.epoch}"
        change.acts.append(IssueCoupon(change.node, step.offer, key))
        self.stopped = True  # which way it goes on is known only when the code is issued

    def set_trait(self, step: steps.TraitStep) -> None:
        self.change.acts.append(SetTrait(step.trait, step.value))
        self.leave("next", "journeys.did.set_trait", trait=step.trait)

    def add_to_list(self, step: steps.ListStep) -> None:
        self.change.acts.append(AddToList(step.list))
        self.leave("next", "journeys.did.listed", list=step.list)


def _name_moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC).isoformat(' ', 'minutes')[:16]} UTC"


_DO: dict[type, Callable[..., None]] = {
    steps.MessageStep: _Passing.send,
    steps.WaitStep: _Passing.wait,
    steps.BranchStep: _Passing.branch,
    steps.SplitStep: _Passing.split,
    steps.CouponStep: _Passing.issue,
    steps.TraitStep: _Passing.set_trait,
    steps.ListStep: _Passing.add_to_list,
    steps.WebhookStep: _Passing.call,
    steps.NextBestStep: _Passing.choose,
}


def lead(run: Run, journey: Journey, facts: Facts, now: datetime) -> Change:
    """Where a due run goes now, and what that asks for.

    A run that waited is due because its wait is over: it leaves the step. Every step that is passed
    counts up the epoch, and so does beginning to wait.
    """
    return _Passing(run, journey, facts, now).go()


def settle_coupon(change: Change, journey: Journey, code: str | None, at: int) -> None:
    """Leave the coupon step that ``change`` stopped at, now that a code was issued or not.

    ``code`` is the code's id, never the code itself.
    """
    step = journey.steps[change.node]
    assert isinstance(step, steps.CouponStep)
    if code is None:
        change.note("otherwise", at, "journeys.did.no_coupon", offer=step.offer)
        change.move(step.otherwise, at)
        return
    change.remember_in("coupons", change.node, code)
    change.note("next", at, "journeys.did.issued", offer=step.offer)
    change.move(step.next, at)
