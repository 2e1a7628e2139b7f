"""The form of one step: its fields by kind, from the step and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lingxi.errors import InvalidInput
from lingxi.forms import parse_form, plain, render_form
from lingxi.journeys.graph import Journey
from lingxi.journeys.reading import STEP_KINDS, read_part
from lingxi.journeys.step import Step, lead_to, list_edges

Values = dict[str, str]


@dataclass(frozen=True)
class Field:
    """One field; ``kind``: text, words (a list), form (YAML), or the name of a list of choices."""

    name: str
    kind: str = "text"


FIELDS: Mapping[str, tuple[Field, ...]] = {
    "message": (
        Field("template", "templates"),
        Field("channel", "channels"),
        Field("send_within"),
    ),
    "wait": (
        Field("duration"),
        Field("time"),
        Field("weekdays", "words"),
        Field("until"),
        Field("event", "form"),
        Field("timeout"),
        Field("best_within"),
    ),
    "branch": (Field("cases", "form"),),
    "split": (Field("experiment"), Field("arms", "form")),
    "coupon": (Field("offer", "offers"),),
    "set_trait": (Field("trait"), Field("value", "form")),
    "add_to_list": (Field("list"),),
    "webhook": (Field("url"), Field("event")),
    "next_best_action": (Field("actions", "form"),),
    "end": (Field("reason"),),
}
_LISTS = {"cases": "name", "arms": "name", "actions": "offer"}
"""Fields that hold ways out, and what those are called by; where they lead stands apart."""


def spell_step(step: Step) -> Values:
    """The values of a step's form."""
    form = plain(step)
    values: Values = {}
    for field in FIELDS[form["kind"]]:
        value = form.get(field.name)
        if value is None:
            values[field.name] = ""
        elif field.name in _LISTS:
            parts = [{k: v for k, v in each.items() if k != "next"} for each in value]
            values[field.name] = render_form(parts)
        elif field.kind == "form":
            values[field.name] = render_form(value).removesuffix("...\n").strip()
        elif field.kind == "words":
            values[field.name] = ", ".join(value)
        else:
            values[field.name] = str(value)
    for edge in list_edges(step):
        values[f"to.{edge.port}"] = edge.target
    return values


def read_step(journey: Journey, step_id: str, values: Mapping[str, str]) -> Step:
    """The step that a form says.

    Raises
    ------
    InvalidInput
        Saying which field is wrong and how.
    """
    old = journey.steps[step_id]
    kind = str(old.__struct_config__.tag)
    form: dict[str, Any] = {"kind": kind}
    targets = {edge.port: edge.target for edge in list_edges(old)}
    targets |= {k.removeprefix("to."): v for k, v in values.items() if k.startswith("to.")}
    for field in FIELDS[kind]:
        text = values.get(field.name, "").strip()
        if text:
            form[field.name] = _read_value(field, text)
    for name, called in _LISTS.items():
        for each in form.get(name, ()):
            if isinstance(each, dict):
                fallback = targets.get("otherwise") or next(iter(targets.values()), "")
                each["next"] = targets.get(str(each.get(called)), fallback)
    step: Step = read_part(f"steps.{step_id}", form, STEP_KINDS)
    for edge in list_edges(step):
        step = lead_to(step, edge.port, targets.get(edge.port, edge.target))
    return step


def _read_value(field: Field, text: str) -> object:
    if field.kind == "words":
        return [part.strip() for part in text.split(",") if part.strip()]
    if field.kind != "form":
        return text
    value = parse_form(text, field.name)
    if field.name in _LISTS and not isinstance(value, list):
        raise InvalidInput(f"{field.name} must be a list: one entry a line, beginning with '- '.")
    return value
