"""The events that journeys are about, by name."""

from collections.abc import Iterable

from lingxi.journeys.step import WaitStep
from lingxi.journeys.trigger import EventTrigger, SegmentTrigger, StageTrigger
from lingxi.journeys.versions import Live
from lingxi.schema import Name

PEOPLE = (Name.CUSTOMERS_MERGED.value, Name.MERGE_UNDONE.value)
CROSSINGS = {"entered": "Segment Entered", "left": "Segment Left"}


def list_names(every: Iterable[Live]) -> set[str]:
    """The names of all events that some journey begins with, waits for or ends at."""
    names = set(PEOPLE)
    for each in every:
        journey, trigger = each.journey, each.journey.trigger
        if isinstance(trigger, EventTrigger):
            names.update(trigger.events)
        elif isinstance(trigger, SegmentTrigger):
            names.add(CROSSINGS[trigger.change.value])
        elif isinstance(trigger, StageTrigger):
            names.add(Name.STAGE_CHANGED.value)
        if journey.goal is not None:
            names.add(journey.goal.event)
        names.update(e.happening.event for e in journey.exits if e.happening is not None)
        names.update(
            step.event.event
            for step in journey.steps.values()
            if isinstance(step, WaitStep) and step.event is not None
        )
    return names
