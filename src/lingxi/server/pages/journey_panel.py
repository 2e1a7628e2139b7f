"""The panel beside a journey's graph: what begins it, who comes in, its goal, its rules."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from lingxi.app.shop import Shop
from lingxi.journeys.reading import TRIGGER_KINDS
from lingxi.schema.ecommerce import VOCABULARY
from lingxi.server.pages.journey_settings import (
    AUDIENCE,
    ENTRY,
    EXIT,
    GOAL,
    PARTS,
    RULES,
    TRIGGERS,
    Raw,
    Setting,
    exit_fields,
    new_trigger,
    spell,
)
from lingxi.server.pages.segment_form import (
    KINDS,
    LABELLED,
    TESTS,
    Node,
    Tested,
    as_group,
    spell_where,
)
from lingxi.server.pages.segment_form import spell as spell_rule
from lingxi.server.pages.segments import list_options

_EVENT_TESTS = (
    "equals", "not_equals", "one_of", "contains", "starts_with", "more_than", "at_least",
    "less_than", "at_most", "known",
)  # fmt: skip
"""What a condition on an event's property may ask."""


@dataclass(frozen=True)
class Shown:
    """A field with what stands in it; ``label`` is the end of its word's code."""

    setting: Setting
    label: str
    value: str
    chosen: tuple[str, ...] = ()
    wrong: bool = False


@dataclass(frozen=True)
class Section:
    """Fields that stand together, with conditions on an event, or with a rule.

    ``number`` counts exits, from 0; -1 is none.
    """

    code: str
    fields: tuple[Shown, ...] = ()
    where: tuple[Tested, ...] = ()
    node: Node | None = None
    number: int = -1
    wrong: bool = False


@dataclass(frozen=True)
class Panel:
    """One part of a journey as a form."""

    part: str
    kind: str
    sections: tuple[Section, ...]
    exits: int
    problem: str
    suggestions: Mapping[str, Sequence[str]]
    options: Mapping[str, tuple[str, ...]]
    parts: tuple[str, ...] = PARTS
    trigger_kinds: tuple[str, ...] = tuple(TRIGGER_KINDS)
    kinds: tuple[str, ...] = (*KINDS, "any", "not")
    tests: tuple[str, ...] = TESTS
    event_tests: tuple[str, ...] = _EVENT_TESTS
    known_fields: frozenset[str] = LABELLED

    @property
    def asks_rule(self) -> bool:
        """Whether customers can be counted who fulfil its rule."""
        return self.part == "entry" or self.kind == "schedule"


def make_panel(
    shop: Shop,
    raw: Mapping[str, Any],
    part: str,
    *,
    kind: str = "",
    problem: str = "",
    wrong: str = "",
) -> Panel:
    """The panel of a part of a journey's form; ``kind``: with a trigger of another kind.

    ``wrong`` names the field, or the exit, that ``problem`` is about.
    """
    zone = shop.settings.zone
    trigger = dict(raw["trigger"])
    if kind in TRIGGER_KINDS and kind != trigger.get("kind"):
        trigger = new_trigger(kind)
    sections = {
        "trigger": lambda: _of_trigger(trigger, zone, wrong),
        "entry": lambda: iter([Section("entry", node=_draw(raw.get("entry"), ENTRY))]),
        "goal": lambda: _of_goal(raw, zone, wrong),
        "rules": lambda: _of_rules(raw, zone, wrong),
    }[part]()
    return Panel(
        part=part,
        kind=str(trigger.get("kind", "")) if part == "trigger" else "",
        sections=tuple(sections),
        exits=len(raw.get("exits") or ()) if part == "goal" else 0,
        problem=problem,
        suggestions={
            "events": sorted(VOCABULARY),
            "segments": [each.name for each in shop.segments.list().segments],
            "scores": sorted(shop.judge.scores),
        },
        options=list_options(shop),
    )


def find_wrong(message: str, panel: Panel) -> str:
    """The field that a refusal is about: the one whose place in the journey it names."""
    names = [shown.setting.name for section in panel.sections for shown in section.fields]
    named = [name for name in names if f"{name}:" in message or f"{name}[" in message]
    if named:
        return max(named, key=len)
    found = [n for n in range(panel.exits) if f"exits[{n}]" in message]
    return f"exit{found[0]}" if found else ""


def _of_trigger(trigger: Raw, zone: ZoneInfo, wrong: str) -> Iterator[Section]:
    kind = str(trigger.get("kind", ""))
    fields = _show(TRIGGERS.get(kind, ()), trigger, zone, wrong)
    where = spell_where("trigger", trigger.get("where")) if kind == "event" else ()
    yield Section("trigger", fields, where)
    if kind == "schedule":
        yield Section("audience", node=_draw(trigger.get("audience"), AUDIENCE))


def _of_goal(raw: Mapping[str, Any], zone: ZoneInfo, wrong: str) -> Iterator[Section]:
    goal = raw.get("goal") or {"within": "7d"}
    yield Section("goal", _show(GOAL, goal, zone, wrong), spell_where("goal", goal.get("where")))
    for number, each in enumerate(raw.get("exits") or ()):
        is_wrong = wrong.startswith(f"exit{number}")
        happening = each.get("happening")
        if happening is None:
            node = _draw(each.get("rule"), f"{EXIT}{number}")
            yield Section("exit_rule", node=node, number=number, wrong=is_wrong)
            continue
        fields = _show(exit_fields(number), happening, zone, wrong)
        where = spell_where(f"exit{number}", happening.get("where"))
        yield Section("exit", fields, where, number=number, wrong=is_wrong)


def _of_rules(raw: Mapping[str, Any], zone: ZoneInfo, wrong: str) -> Iterator[Section]:
    for code, fields in RULES.items():
        groups = {setting.name.partition(".")[0] for setting in fields if "." in setting.name}
        held = raw.get(groups.pop()) or {} if groups else raw
        yield Section(code, _show(fields, held, zone, wrong))


def _show(
    fields: Sequence[Setting], held: Mapping[str, Any], zone: ZoneInfo, wrong: str
) -> tuple[Shown, ...]:
    shown = []
    for setting in fields:
        value = spell(setting, held, zone)
        label = "exit." + setting.key if setting.name.startswith("exit") else setting.name
        chosen = tuple(value.split(", ")) if setting.kind == "checks" else ()
        shown.append(Shown(setting, label, value, chosen, setting.name == wrong))
    return tuple(shown)


def _draw(rule: Mapping[str, Any] | None, root: str) -> Node:
    return spell_rule(as_group(rule or {"all": []}), root)
