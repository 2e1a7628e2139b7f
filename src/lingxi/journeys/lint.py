"""What is wrong or doubtful about a journey, before anybody is in it."""

from collections.abc import Iterator

from lingxi.ingest.consent import PURPOSES
from lingxi.journeys.finding import Finding, Known, Level, find
from lingxi.journeys.graph import Enter, Journey, MessageClass
from lingxi.journeys.lint_graph import check_graph
from lingxi.journeys.reading import list_rules
from lingxi.journeys.step import CouponStep, NextBestStep, WaitStep
from lingxi.journeys.trigger import (
    EventTrigger,
    ScheduleTrigger,
    ScoreTrigger,
    SegmentTrigger,
    StageTrigger,
)

_ORDER = {Level.ERROR: 0, Level.WARNING: 1, Level.HINT: 2}


def lint(journey: Journey, known: Known | None = None) -> tuple[Finding, ...]:
    """Everything found, the gravest first, then in the order of the file.

    >>> from lingxi.journeys.reading import read_journey
    >>> mail = {"kind": "message", "template": "hi"}
    >>> form = {"name": "hi", "trigger": {"kind": "api"}, "steps": {"mail": mail}}
    >>> [finding.code for finding in lint(read_journey(form))]
    ['no_purpose', 'dead_end', 'uncapped', 'no_goal']
    """
    facts = known or Known()
    found = [
        *check_graph(journey),
        *_check_consent(journey),
        *_check_choice(journey, facts),
        *_check_caps(journey),
        *_check_past(journey, facts),
        *_check_names(journey, facts),
        *_check_templates(journey, facts),
        *_check_rules(journey, facts),
        *_check_proof(journey),
    ]
    return tuple(sorted(found, key=lambda finding: _ORDER[finding.level]))


def is_publishable(findings: tuple[Finding, ...]) -> bool:
    """Whether no finding is an error."""
    return all(finding.level is not Level.ERROR for finding in findings)


def _check_consent(journey: Journey) -> Iterator[Finding]:
    if not journey.messages:
        return
    if journey.message_class is MessageClass.MARKETING and not journey.purpose:
        yield find("no_purpose", Level.ERROR, "purpose")
    elif journey.purpose and journey.purpose not in PURPOSES:
        purposes = ", ".join(PURPOSES)
        yield find(
            "unknown_purpose", Level.ERROR, "purpose", purpose=journey.purpose, purposes=purposes
        )


def _check_choice(journey: Journey, known: Known) -> Iterator[Finding]:
    """Whether customers can refuse these messages without refusing all."""
    if journey.message_class is not MessageClass.MARKETING or not journey.messages:
        return
    name, choices = journey.category, known.categories
    if name and choices is not None and name not in choices:
        listed = ", ".join(sorted(choices))
        yield find("no_category", Level.HINT, "category", name=name, choices=listed)


def _check_caps(journey: Journey) -> Iterator[Finding]:
    if journey.message_class is not MessageClass.MARKETING or not journey.messages:
        return
    caps = journey.caps
    if caps.day is None and caps.week is None and caps.run is None:
        yield find("uncapped", Level.WARNING, "caps")
    unkeyed = isinstance(journey.trigger, EventTrigger) and not journey.key
    if unkeyed and journey.reentry.mode is Enter.ALWAYS and caps.day is None and caps.week is None:
        yield find("endless_reentry", Level.WARNING, "reentry")


def _check_past(journey: Journey, known: Known) -> Iterator[Finding]:
    if known.now is None:
        return
    for step_id, step in journey.steps.items():
        if isinstance(step, WaitStep) and step.until is not None and step.until <= known.now:
            moment = step.until.isoformat()
            yield find("past", Level.ERROR, f"steps.{step_id}.until", step=step_id, until_at=moment)
    trigger = journey.trigger
    if isinstance(trigger, ScheduleTrigger) and trigger.at is not None and trigger.at <= known.now:
        yield find("past_schedule", Level.ERROR, "trigger.at", until_at=trigger.at.isoformat())


def _check_names(journey: Journey, known: Known) -> Iterator[Finding]:
    trigger = journey.trigger
    if isinstance(trigger, SegmentTrigger):
        yield from _seek("no_segment", "trigger.segment", trigger.segment, known.segments)
    if isinstance(trigger, ScoreTrigger):
        yield from _seek("no_score", "trigger.score", trigger.score, known.scores)
    if isinstance(trigger, StageTrigger):
        for stage in (*trigger.to, *trigger.before):
            yield from _seek("no_stage", "trigger.to", stage, known.stages)
    for step_id, step in journey.steps.items():
        if isinstance(step, CouponStep):
            yield from _seek("no_offer", f"steps.{step_id}.offer", step.offer, known.offers)
        if isinstance(step, NextBestStep):
            for action in step.actions:
                place = f"steps.{step_id}.actions.{action.offer}"
                yield from _seek("no_offer", place, action.offer, known.offers)
    for step_id, message in journey.messages.items():
        place = f"steps.{step_id}.channel"
        yield from _seek("no_channel", place, message.channel, known.channels)


def _seek(code: str, place: str, name: str, names: frozenset[str] | None) -> Iterator[Finding]:
    if names is not None and name not in names:
        yield find(code, Level.ERROR, place, name=name)


def _check_templates(journey: Journey, known: Known) -> Iterator[Finding]:
    if known.templates is None:
        return
    for step_id, message in journey.messages.items():
        place = f"steps.{step_id}.template"
        written = known.templates.get(message.template)
        if written is None:
            yield find("no_template", Level.ERROR, place, name=message.template)
            continue
        for language in known.languages:
            if language not in written:
                yield find(
                    "no_language",
                    Level.WARNING,
                    place,
                    name=message.template,
                    language=language,
                )


def _check_rules(journey: Journey, known: Known) -> Iterator[Finding]:
    for place, form in list_rules(journey):
        problem = known.rule_problem(form) if known.rule_problem else ""
        if problem:
            yield find("rule", Level.ERROR, place, problem=problem)


def _check_proof(journey: Journey) -> Iterator[Finding]:
    if not journey.messages or journey.message_class is not MessageClass.MARKETING:
        return
    if journey.goal is None:
        yield find("no_goal", Level.HINT, "goal")
    if not journey.holdout:
        yield find("no_holdout", Level.HINT, "holdout")
