"""What the fields of a journey's forms can say; a wrong value is named by its field."""

from datetime import datetime, timedelta

from lingxi.errors import InvalidInput
from lingxi.journeys.durations import read_duration, read_time
from lingxi.journeys.graph import Enter
from lingxi.server.pages.journey_settings import (
    GOAL,
    RULES,
    TRIGGERS,
    Setting,
    Values,
    read_number,
)


class WrongField(InvalidInput):
    """A value that its field cannot take; ``field`` is the field's name."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def check(part: str, values: Values) -> None:
    """Refuse a value that its field cannot take, before the journey is read.

    Raises
    ------
    WrongField
        For the first one.
    """
    for setting in _list_fields(part, values):
        text = values.get(setting.name, "").strip()
        if not text or _is_unused(setting, values):
            continue
        try:
            _check_value(setting, text)
        except InvalidInput as error:
            raise WrongField(setting.name, str(error)) from error


def _list_fields(part: str, values: Values) -> tuple[Setting, ...]:
    if part == "trigger":
        return TRIGGERS.get(values.get("kind", ""), ())
    if part == "rules":
        return tuple(setting for fields in RULES.values() for setting in fields)
    return GOAL if part == "goal" else ()


def _is_unused(setting: Setting, values: Values) -> bool:
    """Whether another field says that this one does not count."""
    if setting.name == "reentry.after":
        return values.get("reentry.mode") != Enter.AFTER
    if setting.name == "trigger.offset":
        return values.get("trigger.when") == "on"
    if values.get("kind") != "schedule":
        return False
    once = values.get("trigger.repeats") == "once"
    return once != (setting.name == "trigger.moment")


def _check_value(setting: Setting, text: str) -> None:
    if setting.kind == "length" and read_duration(text) <= timedelta(0):
        raise InvalidInput(f"{text[:40]!r} must be longer than nothing.")
    if setting.kind == "time":
        read_time(text)
    if setting.kind in ("number", "share", "numbers"):
        for part in text.replace("，", ",").split(",") if setting.kind == "numbers" else [text]:
            number = read_number(part.strip().rstrip("%％ "))
            if isinstance(number, str):
                raise InvalidInput(f"{part.strip()[:40]!r} is no number.")
            if setting.kind == "share" and not 0 <= number <= 100:
                raise InvalidInput(f"{text[:40]!r} is no share between 0 and 100 %.")
    if setting.kind == "moment":
        try:
            datetime.fromisoformat(text)
        except ValueError:
            raise InvalidInput(f"{text[:40]!r} is no day and time.") from None
