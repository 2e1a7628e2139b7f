"""What begins a journey, who may come in, its goal and its rules: fields by kind, and back.

A form is read leniently into the journey's plain form, so that what somebody typed stays; what is
wrong is said by the field (``journey_check``) or by ``read_journey``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from lingxi.errors import InvalidInput
from lingxi.ingest.consent import PURPOSES
from lingxi.journeys.durations import WEEKDAYS, read_duration
from lingxi.journeys.graph import Enter, Goal, Journey, Meanwhile, MessageClass, Reentry
from lingxi.journeys.reading import TRIGGER_KINDS, form_of
from lingxi.journeys.trigger import Change, Crossing, DateOf, Interest
from lingxi.server.pages.segment_form import understand as understand_rule
from lingxi.server.pages.segment_form import understand_where
from lingxi.server.pages.vocabulary import STAGES

Values = Mapping[str, str]
Raw = dict[str, Any]
PARTS = ("trigger", "entry", "goal", "rules")
AUDIENCE, ENTRY, EXIT = "r-audience", "r-entry", "r-exit"
"""The first parts of the names of the fields of rules."""


@dataclass(frozen=True)
class Setting:
    """One field, named by its place in the journey's form.

    ``kind``: text, words (a list), number, share (typed in percent), length, time, moment, flag,
    select or checks (of ``options``), or the name of a list of suggestions.
    """

    name: str
    kind: str = "text"
    options: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Its name without the part that it belongs to."""
        return self.name.rpartition(".")[2]


_KEYS = ("cart_id", "order_id", "item_id")
_MET = Setting("trigger.met", "checks", tuple(Interest))
_WITHIN = Setting("trigger.within", "length")
TRIGGERS: Mapping[str, tuple[Setting, ...]] = {
    "event": (Setting("trigger.events", "events"), Setting("trigger.key", "keys", _KEYS)),
    "segment": (
        Setting("trigger.segment", "segments"),
        Setting("trigger.change", "select", tuple(Change)),
    ),
    "stage": (
        Setting("trigger.to", "checks", STAGES),
        Setting("trigger.before", "checks", STAGES),
    ),
    "churn_alert": (Setting("trigger.least_risk", "share"),),
    "score": (
        Setting("trigger.score", "scores"),
        Setting("trigger.crosses", "select", tuple(Crossing)),
        Setting("trigger.level", "number"),
    ),
    "date": (
        Setting("trigger.of", "select", tuple(DateOf)),
        Setting("trigger.trait"),
        Setting("trigger.when", "select", ("on", "before", "after")),
        Setting("trigger.offset", "length"),
        Setting("trigger.at", "time"),
    ),
    "price_drop": (Setting("trigger.least_share", "share"), _MET, _WITHIN),
    "back_in_stock": (_MET, _WITHIN),
    "schedule": (
        Setting("trigger.repeats", "select", ("once", "again")),
        Setting("trigger.moment", "moment"),
        Setting("trigger.time", "time"),
        Setting("trigger.weekdays", "checks", WEEKDAYS),
        Setting("trigger.days", "numbers"),
        Setting("trigger.local", "flag"),
    ),
    "api": (),
}
"""The fields of each kind of trigger."""
_NEW: Mapping[str, Raw] = {
    "event": {"events": []},
    "segment": {"segment": ""},
    "stage": {"to": []},
    "score": {"score": "", "level": ""},
    "date": {"of": "birthday"},
    "schedule": {"time": "09:00"},
}
"""What a trigger of a kind is before anything is filled in."""
GOAL = (
    Setting("goal.event", "events"),
    Setting("goal.within", "length"),
    Setting("goal.same_key", "flag"),
)
RULES: Mapping[str, tuple[Setting, ...]] = {
    "called": (Setting("title.en"), Setting("title.zh")),
    "reentry": (
        Setting("reentry.mode", "select", tuple(Enter)),
        Setting("reentry.after", "length"),
        Setting("reentry.meanwhile", "select", tuple(Meanwhile)),
    ),
    "shares": (Setting("priority", "number"), Setting("holdout", "share")),
    "caps": (
        Setting("caps.day", "number"),
        Setting("caps.week", "number"),
        Setting("caps.run", "number"),
    ),
    "messages": (
        Setting("message_class", "select", tuple(MessageClass)),
        Setting("purpose", "select", ("", *PURPOSES)),
        Setting("category"),
    ),
}
"""The journey's rules, in groups."""


def exit_fields(number: int) -> tuple[Setting, ...]:
    """The fields of an event that ends a run without its goal."""
    return (Setting(f"exit{number}.event", "events"), Setting(f"exit{number}.same_key", "flag"))


def new_trigger(kind: str) -> Raw:
    """The form of a trigger of a kind, to be filled in.

    Raises
    ------
    InvalidInput
        If there is no such kind.
    """
    if kind not in TRIGGER_KINDS:
        raise InvalidInput(f"{kind!r:.40} is no kind of trigger.")
    return {**_usual(TRIGGER_KINDS[kind]), "kind": kind, **_NEW.get(kind, {})}


def raw_of(journey: Journey) -> Raw:
    """The form of a journey with what is as usual written out."""
    form = form_of(journey)
    raw: Raw = {**_usual(Journey), **form}
    raw["trigger"] = {**_usual(type(journey.trigger)), **form["trigger"]}
    raw["reentry"] = {**_usual(Reentry), **form.get("reentry", {})}
    if "goal" in form:
        raw["goal"] = {**_usual(Goal), **form["goal"]}
    return raw


def _usual(kind: type[msgspec.Struct]) -> Raw:
    return {
        field.name: msgspec.to_builtins(field.default)
        for field in msgspec.structs.fields(kind)
        if field.default is not msgspec.NODEFAULT
    }


# -- from the journey to the form


def spell(setting: Setting, raw: Mapping[str, Any], zone: ZoneInfo) -> str:
    """What stands in a field; of ``checks`` the options that are chosen, separated by commas."""
    key = setting.key
    if key in ("when", "offset"):
        return _spell_offset(str(raw.get("offset", "0d")), key)
    if key == "repeats":
        return "once" if raw.get("at") else "again"
    if key == "moment":
        return _spell_moment(raw.get("at"), zone)
    held = raw.get(key)
    if held is None or held is False:
        return ""
    if setting.kind == "flag":
        return "on"
    if setting.kind == "share" and isinstance(held, int | float):
        return f"{held * 100:g}"
    if isinstance(held, list | tuple):
        return ", ".join(str(each) for each in held)
    return f"{held:g}" if isinstance(held, float) else str(held)


def _spell_offset(text: str, key: str) -> str:
    try:
        length = read_duration(text)
    except InvalidInput:
        return "after" if key == "when" else text
    if key == "offset":
        return text.lstrip("- ") if length else ""
    return "on" if not length else "before" if length < timedelta(0) else "after"


def _spell_moment(held: object, zone: ZoneInfo) -> str:
    if not isinstance(held, str) or not held:
        return ""
    try:
        moment = datetime.fromisoformat(held)
    except ValueError:
        return held
    return moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M") if moment.tzinfo else held


# -- from the form to the journey


def understand(part: str, values: Values, zone: ZoneInfo) -> Raw:
    """The parts of the journey's form that a form says; nothing is judged."""
    if part == "trigger":
        return {"trigger": _understand_trigger(values, zone)}
    if part == "entry":
        return {"entry": _understand_rule(values, ENTRY)}
    if part == "goal":
        return _understand_goal(values)
    raw: Raw = {}
    for fields in RULES.values():
        for setting in fields:
            _put(raw, setting.name, _read(setting, values))
    if raw["reentry"].get("mode") != Enter.AFTER:
        raw["reentry"].pop("after", None)
    return {name: raw.get(name) for name in _RULE_NAMES}


_RULE_NAMES = (
    "title", "reentry", "priority", "holdout", "caps", "message_class", "purpose", "category",
)  # fmt: skip


def _understand_trigger(values: Values, zone: ZoneInfo) -> Raw:
    kind = values.get("kind", "")
    raw: Raw = {"kind": kind}
    for setting in TRIGGERS.get(kind, ()):
        value = _read(setting, values)
        if value is not None:
            raw[setting.key] = value
    if kind == "event":
        where = understand_where(_below(values, "trigger"))
        raw |= {"where": where} if where else {}
    elif kind == "date":
        raw["offset"] = _read_offset(raw.pop("when", "on"), str(raw.get("offset", "")))
    elif kind == "schedule":
        _understand_schedule(raw, values, zone)
    return raw


def _read_offset(when: object, length: str) -> str:
    if when == "on":
        return "0d"
    return f"-{length}" if when == "before" else length


def _understand_schedule(raw: Raw, values: Values, zone: ZoneInfo) -> None:
    moment = str(raw.pop("moment", ""))
    if raw.pop("repeats", "again") == "once":
        for name in ("time", "weekdays", "days", "local"):
            raw.pop(name, None)
        try:
            raw["at"] = datetime.fromisoformat(moment).replace(tzinfo=zone).isoformat()
        except ValueError:
            raw["at"] = moment
    audience = _understand_rule(values, AUDIENCE)
    if audience is not None:
        raw["audience"] = audience


def _understand_goal(values: Values) -> Raw:
    goal: Raw = {setting.key: _read(setting, values) for setting in GOAL}
    where = understand_where(_below(values, "goal"))
    goal |= {"where": where} if where else {}
    kept = {key: value for key, value in goal.items() if value is not None}
    exits = [_understand_exit(values, n) for n in range(_count_exits(values))]
    return {"goal": kept if "event" in kept else None, "exits": exits}


def _count_exits(values: Values) -> int:
    text = values.get("exits", "")
    return min(int(text), 20) if text.isdecimal() and len(text) < 3 else 0


def _understand_exit(values: Values, number: int) -> Raw:
    if f"exit{number}.event" not in values:
        return {"rule": _understand_rule(values, f"{EXIT}{number}") or {"all": []}}
    found = {each.key: _read(each, values) for each in exit_fields(number)}
    happening = {key: value for key, value in found.items() if value is not None}
    where = understand_where(_below(values, f"exit{number}"))
    return {"happening": {"event": "", **happening, **({"where": where} if where else {})}}


def _understand_rule(values: Values, root: str) -> Raw | None:
    """A rule; nothing where it has no condition."""
    rule = understand_rule(values, root)
    return None if rule in ({"all": []}, {"any": []}) else rule


def _below(values: Values, name: str) -> dict[str, str]:
    """The fields of the conditions on an event's properties."""
    start = f"{name}/"
    return {key.removeprefix(start): v for key, v in values.items() if key.startswith(start)}


def _read(setting: Setting, values: Values) -> Any:
    """The value of a field, or its text where it is none; nothing where it is empty."""
    if setting.kind == "checks":
        chosen = [each for each in setting.options if values.get(f"{setting.name}.{each}")]
        return chosen or None
    text = values.get(setting.name, "").strip()
    if not text:
        return None
    if setting.kind == "flag":
        return True
    if setting.kind == "number":
        return read_number(text)
    if setting.kind == "share":
        number = read_number(text.rstrip("%％ "))
        return number / 100 if isinstance(number, int | float) else text
    parts = [part.strip() for part in text.replace("，", ",").split(",") if part.strip()]
    if setting.name == "trigger.events":
        return parts
    if setting.kind == "numbers":
        return [read_number(part) for part in parts]
    return text


def read_number(text: str) -> int | float | str:
    try:
        number = float(text)
    except ValueError:
        return text
    if number != number or abs(number) > 1e15:
        return text
    return int(number) if number.is_integer() else number


def _put(raw: Raw, path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for part in parents:
        raw = raw.setdefault(part, {})
    if value is not None:
        raw[last] = value
