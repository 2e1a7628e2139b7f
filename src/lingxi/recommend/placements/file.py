"""Placements as a file: ``placements.toml`` in the shop's folder, read with clear errors.

A section overrides what it names and leaves the rest as built in; the variant of an experiment
overrides its placement in the same way.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from lingxi.errors import InvalidInput, UserError, did_you_mean
from lingxi.recommend.placements.defaults import DEFAULTS
from lingxi.recommend.placements.definition import (
    Definitions,
    Placement,
    Placements,
    Rule,
    Variant,
)
from lingxi.recommend.placements.mistakes import explain, name_line

FILE = "placements.toml"
LARGEST = 1_000_000
_NAME = re.compile(r"^[a-z][a-z0-9_-]{0,39}$")
_NOT_OF_A_VARIANT = ("title", "experiment")

Raw = dict[str, Any]
"""A table of the file as it was written."""


def read_definitions(text: str) -> Definitions:
    """The placements that a file defines, over the built-in ones.

    Raises
    ------
    InvalidInput
        If the text is not TOML, or something in it is unknown or cannot be used; says where.

    Examples
    --------
    >>> read_definitions("[placements.home]\\nn = 5").get("home").n
    5
    """
    if len(text) > LARGEST:
        raise InvalidInput(f"{FILE} may have {LARGEST} characters.")
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"{FILE} is not valid TOML: {error}.") from error
    try:
        return _read_parts(raw)
    except InvalidInput as error:
        raise InvalidInput(name_line(text, str(error))) from error


def _read_parts(raw: Raw) -> Definitions:
    for key in raw:
        if key not in ("placements", "rules"):
            raise InvalidInput(
                f"{FILE}: unknown part {key!r}{did_you_mean(key, ['placements', 'rules'])}."
            )
    sections = raw.get("placements", {})
    if not isinstance(sections, dict):
        raise InvalidInput(f"{FILE}: placements must be tables such as [placements.home].")
    made: Placements = dict(DEFAULTS)
    for name, section in sections.items():
        made[name] = read_placement(name, section)
    rules = _convert(f"{FILE}: rules", raw.get("rules", []), tuple[Rule, ...])
    return Definitions(placements=made, rules=rules)


def read_placement(name: str, raw: object) -> Placement:
    """One placement from its table, over the built-in one of its name.

    Raises
    ------
    InvalidInput
        As ``read_definitions``.
    """
    where = f"placements.{name}"
    if not _NAME.match(name):
        raise InvalidInput(
            f"{where}: a name is 1 to 40 small letters, digits, - and _, beginning with a letter."
        ).says("placements.problem.name")
    if not isinstance(raw, Mapping):
        raise InvalidInput(f"{where} must be a table, but is {raw!r}.")
    whole = merge(_to_raw(DEFAULTS.get(name, Placement())), raw)
    experiment = whole.get("experiment")
    if isinstance(experiment, dict):
        base = {key: value for key, value in whole.items() if key not in _NOT_OF_A_VARIANT}
        given = experiment.get("variant", {})
        if not isinstance(given, Mapping):
            raise InvalidInput(f"{where}.experiment.variant must be a table, but is {given!r}.")
        whole["experiment"] = {**experiment, "variant": merge(base, given)}
    made: Placement = _convert(where, whole, Placement)
    return made


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> Raw:
    """``base`` with what ``over`` names; tables within are merged, lists replaced.

    >>> merge({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"c": 4}})
    {'a': 1, 'b': {'c': 4, 'd': 3}}
    """
    found = dict(base)
    for key, value in over.items():
        mine = found.get(key)
        both = isinstance(mine, Mapping) and isinstance(value, Mapping)
        found[key] = merge(mine, value) if both and mine is not None else value
    return found


def subtract(whole: Mapping[str, Any], base: Mapping[str, Any]) -> Raw:
    """What ``merge`` must be given to make ``whole`` of ``base``.

    >>> subtract({"a": 1, "b": {"c": 4, "d": 3}}, {"a": 1, "b": {"c": 2, "d": 3}})
    {'b': {'c': 4}}
    """
    found: Raw = {}
    for key, value in whole.items():
        mine = base.get(key)
        if isinstance(value, Mapping) and isinstance(mine, Mapping):
            if inner := subtract(value, mine):
                found[key] = inner
        elif value != mine:
            found[key] = value
    return found


def to_section(name: str, placement: Placement) -> Raw:
    """The shortest table that ``read_placement`` makes this placement of."""
    whole = _to_raw(placement)
    if placement.experiment is not None:
        base = {key: value for key, value in whole.items() if key not in _NOT_OF_A_VARIANT}
        variant = subtract(whole["experiment"]["variant"], base)
        whole["experiment"] = {**whole["experiment"], "variant": variant}
        if not variant:
            del whole["experiment"]["variant"]
    return _tidy(subtract(whole, _to_raw(DEFAULTS.get(name, Placement()))))


def render_section(name: str, placement: Placement) -> str:
    """A placement as TOML.

    >>> print(render_section("home", Placement(n=3, fallbacks=("popular",))), end="")
    [placements.home]
    fallbacks = ["popular"]
    n = 3
    <BLANKLINE>
    [placements.home.diversity]
    strength = 0.0
    most_per_category = 0
    """
    return "\n".join(_render_table(["placements", name], to_section(name, placement), True))


def read_fragment(text: str) -> Raw:
    """A part of a definition from TOML.

    Raises
    ------
    InvalidInput
        If it is none.

    Examples
    --------
    >>> read_fragment("n = 3")
    {'n': 3}
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"{text[:60]!r} is not valid TOML: {error}.") from error


def render_fragment(table: Mapping[str, Any]) -> str:
    """A part of a definition as TOML.

    >>> render_fragment({"n": 3, "diversity": {"strength": 0.5}})
    'n = 3\\n\\n[diversity]\\nstrength = 0.5\\n'
    """
    plain = [f"{k} = {_render_value(v)}" for k, v in table.items() if not _is_nested(v)]
    nested = {k: v for k, v in table.items() if _is_nested(v)}
    blocks = list(_render_table([], nested))
    return "\n".join([*plain, "", *blocks] if blocks else [*plain, ""]).lstrip("\n")


def replace_section(text: str, name: str, section: str) -> str:
    """The file with one placement's tables replaced (or added at its end); the rest is untouched.

    >>> new = "[placements.home]\\nn = 4\\n"
    >>> replace_section("# ours\\n[placements.home]\\nn = 3\\n", "home", new)
    '# ours\\n[placements.home]\\nn = 4\\n'
    """
    kept: list[str] = []
    place: int | None = None
    inside = False
    for line in text.replace("\r\n", "\n").split("\n"):
        header = re.match(r"^\s*\[\[?\s*([^\]]+?)\s*\]?\]", line)
        if header:
            parts = [part.strip().strip("\"'") for part in header[1].split(".")]
            inside = parts[:2] == ["placements", name]
            if inside and place is None:
                place = len(kept)
        if not inside:
            kept.append(line)
    block = section.strip("\n").split("\n") if section.strip() else []
    if place is None:
        place = len(kept)
        block = ["", *block] if kept and kept[-1].strip() and block else block
    if block and place < len(kept) and kept[place].strip():
        block.append("")
    whole = [*kept[:place], *block, *kept[place:]]
    return "\n".join(whole).strip("\n") + "\n" if any(line.strip() for line in whole) else ""


def _to_raw(value: Variant) -> Raw:
    raw: Raw = msgspec.json.decode(msgspec.json.encode(value))
    return raw


def _tidy(raw: Mapping[str, Any]) -> Raw:
    """Without what is unset, and rules without what every rule has unless it says otherwise."""
    found: Raw = {}
    for key, value in raw.items():
        if isinstance(value, Mapping):
            found[key] = _tidy(value)
        elif key == "rules" and value:
            found[key] = [_tidy(subtract(rule, _PLAIN_RULE)) for rule in value]
        elif value is not None:
            found[key] = value
    return found


_PLAIN_RULE: Raw = {"where": "", "items": [], "countries": [], "on": True}


def _convert(where: str, raw: object, kind: Any) -> Any:
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{where}{explain(str(error))}") from error
    except UserError as error:
        found = InvalidInput(f"{where}: {error}")
        found.said = error.said
        raise found from error


def _render_table(path: list[str], table: Mapping[str, Any], top: bool = False) -> Iterable[str]:
    plain = {k: v for k, v in table.items() if not _is_nested(v)}
    if plain or top:
        yield f"[{'.'.join(path)}]"
        for key, value in plain.items():
            yield f"{key} = {_render_value(value)}"
        yield ""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _render_table([*path, key], value)
        elif _is_nested(value):
            for each in value:
                yield f"[[{'.'.join([*path, key])}]]"
                for name, inner in each.items():
                    yield f"{name} = {_render_value(inner)}"
                yield ""


def _is_nested(value: object) -> bool:
    return isinstance(value, Mapping) or (
        isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)
    )


def _render_value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(_render_value(each) for each in value) + "]"
    if isinstance(value, str):
        return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
    return repr(value)
