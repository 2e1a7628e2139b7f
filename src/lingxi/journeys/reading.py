"""A journey from its file form and back; every error names the path and says what to do."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from lingxi.errors import InvalidInput, did_you_mean
from lingxi.forms import convert, parse_form, plain, render_form
from lingxi.journeys.campaign import from_campaign, is_campaign
from lingxi.journeys.graph import MOST_STEPS, Journey
from lingxi.journeys.step import BranchStep, Step
from lingxi.journeys.trigger import RuleForm, ScheduleTrigger, Trigger
from lingxi.segments import read_rule

STEP_KINDS: dict[str, type[msgspec.Struct]] = {
    str(kind.__struct_config__.tag): kind for kind in Step.__args__
}
TRIGGER_KINDS: dict[str, type[msgspec.Struct]] = {
    str(kind.__struct_config__.tag): kind for kind in Trigger.__args__
}


def read_journey(obj: object) -> Journey:
    """A journey from its JSON form, the short one of a campaign included.

    Raises
    ------
    InvalidInput
        Naming the path of what cannot be used, and what to write instead.

    Examples
    --------
    >>> read_journey({"name": "hi", "trigger": {"kind": "api"}, "steps": {"end": {"kind": "end"}}}
    ... ).start
    'end'
    """
    if not isinstance(obj, Mapping):
        raise InvalidInput("A journey is an object with name, trigger and steps.")
    raw = from_campaign(obj) if is_campaign(obj) else dict(obj)
    name = raw.get("name")
    where = f"journey {name!r}" if isinstance(name, str) and name else "journey"
    for part in ("title", "note"):
        if isinstance(raw.get(part), str):
            raw[part] = {"en": raw[part]}
    if "trigger" not in raw:
        raise InvalidInput(f"{where}: it needs a trigger, such as {{kind: event, events: [...]}}.")
    raw["trigger"] = read_part(f"{where}: trigger", raw["trigger"], TRIGGER_KINDS)
    raw["steps"] = _read_steps(where, raw.get("steps"))
    raw.setdefault("start", next(iter(raw["steps"])))
    journey = convert(where, raw, Journey, Journey.__struct_fields__)
    _check_targets(where, journey)
    _check_rules(where, journey)
    return journey


def parse_journey(text: str, name: str = "the journey") -> Journey:
    """A journey from a YAML or JSON text.

    Raises
    ------
    InvalidInput
        As ``read_journey``.
    """
    return read_journey(parse_form(text, name))


def form_of(journey: Journey) -> dict[str, Any]:
    """The shortest JSON form that reads back as the journey."""
    return plain(journey)


def render_journey(journey: Journey) -> str:
    """The journey as a YAML file."""
    return render_form(form_of(journey))


def read_part(where: str, raw: object, kinds: Mapping[str, type[msgspec.Struct]]) -> Any:
    """A trigger or a step, by its ``kind``.

    Raises
    ------
    InvalidInput
        Naming the path.
    """
    if isinstance(raw, msgspec.Struct):
        return raw
    if not isinstance(raw, Mapping):
        raise InvalidInput(f"{where} must be an object with a kind, but is {raw!r:.60}.")
    kind = raw.get("kind")
    if not isinstance(kind, str) or kind not in kinds:
        near = did_you_mean(str(kind), kinds)
        raise InvalidInput(
            f"{where}.kind: {kind!r:.60} is none{near}; kinds are {', '.join(kinds)}."
        )
    wanted = kinds[kind]
    return convert(where, dict(raw), wanted, wanted.__struct_fields__)


def list_rules(journey: Journey) -> Iterator[tuple[str, RuleForm]]:
    """Every segment rule in a journey, with its path."""
    if journey.entry is not None:
        yield "entry", journey.entry
    if isinstance(journey.trigger, ScheduleTrigger) and journey.trigger.audience is not None:
        yield "trigger.audience", journey.trigger.audience
    for number, way_out in enumerate(journey.exits):
        if way_out.rule is not None:
            yield f"exits[{number}].rule", way_out.rule
    for step_id, step in journey.steps.items():
        if isinstance(step, BranchStep):
            for case in step.cases:
                if case.rule is not None:
                    yield f"steps.{step_id}.cases.{case.name}.rule", case.rule


def _read_steps(where: str, raw: object) -> dict[str, Step]:
    if not isinstance(raw, Mapping) or not raw:
        raise InvalidInput(f"{where}: steps must be an object with at least one step by its id.")
    if len(raw) > MOST_STEPS:
        raise InvalidInput(f"{where}: {len(raw)} steps; {MOST_STEPS} at most.")
    found: dict[str, Step] = {}
    for step_id, form in raw.items():
        found[str(step_id)] = read_part(f"{where}: steps.{step_id}", form, STEP_KINDS)
    return found


def _check_targets(where: str, journey: Journey) -> None:
    if journey.start not in journey.steps:
        raise InvalidInput(
            f"{where}: start: there is no step {journey.start!r}"
            f"{did_you_mean(journey.start, journey.steps)}."
        )
    for step_id, step in journey.steps.items():
        named = [(edge.port, edge.target) for edge in journey.edges(step_id)]
        if isinstance(step, BranchStep):
            named += [(f"cases.{case.name}.step", case.step) for case in step.cases]
        for port, target in named:
            if target and target not in journey.steps:
                raise InvalidInput(
                    f"{where}: steps.{step_id}.{port}: there is no step {target!r}"
                    f"{did_you_mean(target, journey.steps)}."
                )


def _check_rules(where: str, journey: Journey) -> None:
    for path, rule in list_rules(journey):
        read_rule(rule, f"{where}: {path}")
