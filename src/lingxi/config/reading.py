"""A table of the file, and what the environment says, become a frozen dataclass."""

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_origin, get_type_hints

from lingxi.errors import InvalidSetting, did_you_mean

_TABLE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


def read_section(
    path: Path, name: str, kind: type, raw: object, env: Mapping[str, str]
) -> Any:  # the caller's mapping gives each section its own type
    """The settings of one table, of the class ``kind``; what is not said has its default.

    Raises
    ------
    InvalidSetting
        If it is no table, a name is unknown or a value is of the wrong kind.
    """
    if not isinstance(raw, dict):
        raise InvalidSetting(f"{path}: [{name}] must be a table, not {type(raw).__name__}.")
    hints = get_type_hints(kind)
    known = {f.name for f in fields(kind)}
    values: dict[str, object] = {}
    for key, value in raw.items():
        if key not in known:
            raise InvalidSetting(f"{path}: unknown setting {name}.{key}{did_you_mean(key, known)}.")
        values[key] = _convert(f"{path}: {name}.{key}", hints[key], value)
    for key in known:
        variable = f"LINGXI_{name}_{key}".upper()
        if variable in env:
            values[key] = _convert(variable, hints[key], env[variable])
    return kind(**values)


def read_named(
    path: Path, section: str, example: str, kind: type, raw: object, env: Mapping[str, str]
) -> dict[str, Any]:  # the caller says which kind it is
    """The tables ``[section.NAME]``; what is no field of ``kind`` is an option.

    Raises
    ------
    InvalidSetting
        If a table's name or a value cannot be used.
    """
    if not isinstance(raw, dict) or not all(isinstance(table, dict) for table in raw.values()):
        raise InvalidSetting(f"{path}: [{section}] holds tables of their own: [{example}].")
    own = {each.name for each in fields(kind)} - {"options"}
    found = {}
    for name, table in raw.items():
        if not _TABLE_NAME.fullmatch(name):
            raise InvalidSetting(
                f"{path}: [{section}.{name}]: write a name of small letters, digits, _ and - ."
            )
        prefix = f"LINGXI_{section}_{name}_".upper().replace("-", "_")
        said = {k.removeprefix(prefix).lower(): v for k, v in env.items() if k.startswith(prefix)}
        values = {**table, **said}
        options = {key: str(value) for key, value in values.items() if key not in own}
        fields_ = {key: value for key, value in values.items() if key in own}
        read = read_section(path, f"{section}.{name}", kind, fields_, {})
        found[name] = replace(read, options=options)
    return found


def _convert(where: str, kind: type, value: object) -> object:
    if kind is bool:
        if isinstance(value, bool):
            return value
        if str(value).lower() in ("1", "true", "yes", "on"):
            return True
        if str(value).lower() in ("0", "false", "no", "off"):
            return False
    elif get_origin(kind) is tuple:
        texts = value.split(",") if isinstance(value, str) else value
        if isinstance(texts, list) and all(isinstance(text, str) for text in texts):
            return tuple(text.strip() for text in texts if text.strip())
        raise InvalidSetting(f"{where} must be a list of texts, but is {value!r}.")
    elif not isinstance(value, bool):
        try:
            if kind is str and isinstance(value, str):
                return value
            if kind in (int, float) and isinstance(value, int | float | str):
                return kind(value)
        except ValueError:
            pass
    raise InvalidSetting(f"{where} must be {kind.__name__}, but is {value!r}.")
