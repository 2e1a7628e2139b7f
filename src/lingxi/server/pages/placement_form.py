"""A placement as a form: its fields in groups, what a reader typed, and the definition it means."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from lingxi.errors import UserError
from lingxi.recommend.placements.definition import MOST_RULES, Do, Placement, Strategy
from lingxi.recommend.placements.file import read_fragment, render_fragment, to_section
from lingxi.recommend.rerank import Method
from lingxi.server.pages.words import Problem, Words

FALLBACKS = 4
Values = Mapping[str, str]


@dataclass(frozen=True)
class Field:
    """One field of the form; its name is the path in the definition, with dots.

    ``kind``: select, whole, number, knob (0 to 1), check, text, or list (separated by commas).
    """

    path: str
    kind: str
    options: tuple[str, ...] = ()
    vocabulary: str = ""

    @property
    def code(self) -> str:
        """The last part of the path, by which the words are found."""
        return self.path.rpartition(".")[2]


@dataclass(frozen=True)
class Group:
    """Fields that stand together under a heading."""

    code: str
    fields: tuple[Field, ...]


_STRATEGIES = tuple(Strategy)
_NO_STRATEGY = ("", *_STRATEGIES)

GROUPS = (
    Group(
        "fill",
        (
            Field("strategy", "select", _STRATEGIES, "placement.strategy"),
            *(
                Field(f"fallback_{at}", "select", _NO_STRATEGY, "placement.strategy")
                for at in range(1, FALLBACKS + 1)
            ),
            Field("n", "whole"),
            Field("title", "text"),
        ),
    ),
    Group("goal", (Field("aim", "knob"), Field("personal_share", "knob"))),
    Group(
        "filters",
        (
            Field("filters.in_stock", "check"),
            Field("filters.with_price", "check"),
            Field("filters.hide_bought", "check"),
            Field("filters.hide_in_cart", "check"),
            Field("filters.repurchase_days", "whole"),
            Field("filters.ignored_after", "whole"),
            Field("filters.price_min", "number"),
            Field("filters.price_max", "number"),
            Field("filters.margin_min", "number"),
            Field("filters.kinds", "list"),
            Field("filters.blocklist", "list"),
        ),
    ),
    Group(
        "diversity",
        (
            Field("diversity.method", "select", tuple(Method), "placement.method"),
            Field("diversity.strength", "knob"),
            Field("diversity.most_per_category", "whole"),
            Field("diversity.most_per_brand", "whole"),
        ),
    ),
    Group(
        "exploration",
        (
            Field("exploration.share", "knob"),
            Field("exploration.first_position", "whole"),
            Field("exploration.pool", "whole"),
        ),
    ),
    Group(
        "weights",
        (
            Field("weights.view", "number"),
            Field("weights.cart", "number"),
            Field("weights.order", "number"),
        ),
    ),
    Group(
        "experiment",
        (
            Field("experiment.name", "text"),
            Field("experiment.share", "number"),
            Field("experiment.variant", "toml"),
        ),
    ),
)
"""The form, but for the rules."""

RULE_FIELDS = (
    Field("name", "text"),
    Field("do", "select", tuple(Do), "placement.do"),
    Field("where", "condition"),
    Field("items", "list"),
    Field("by", "number"),
    Field("position", "whole"),
    Field("countries", "list"),
    Field("since", "text"),
    Field("until", "text"),
    Field("on", "check"),
)
"""The fields of one rule; they are named ``rule.<number>.<field>``."""

_OPTIONAL = frozenset({"weights.view", "weights.cart", "weights.order", "by", "position"})


def spell(name: str, placement: Placement) -> dict[str, str]:
    """What stands in the form for a placement."""
    raw = msgspec.json.decode(msgspec.json.encode(placement))
    for at, fallback in enumerate(raw["fallbacks"][:FALLBACKS], 1):
        raw[f"fallback_{at}"] = fallback
    experiment = to_section(name, placement).get("experiment")
    raw["experiment"] = {"share": 0.5} if placement.experiment is None else raw["experiment"]
    raw["experiment"]["variant"] = render_fragment((experiment or {}).get("variant", {}))
    values = {}
    for group in GROUPS:
        for field in group.fields:
            values[field.path] = _spell(_dig(raw, field.path))
    for at, rule in enumerate(raw["rules"]):
        values |= {f"rule.{at}.{f.path}": _spell(rule.get(f.path)) for f in RULE_FIELDS}
    return values


def count_rules(values: Values) -> int:
    """How many rules the form holds, empty ones included."""
    parts = [key.split(".")[1] for key in values if key.startswith("rule.")]
    numbers = [int(part) for part in parts if part.isdecimal() and len(part) < 4]
    return max(numbers, default=-1) + 1


def understand(values: Values) -> dict[str, Any]:
    """The definition that the form means, to be read by ``read_placement``.

    Raises
    ------
    InvalidInput
        If the variant's text is no TOML.
    """
    raw: dict[str, Any] = {}
    for group in GROUPS:
        for field in group.fields:
            _put(raw, field.path, _read(field, values.get(field.path, "").strip()))
    fallbacks = [raw.pop(f"fallback_{at}") for at in range(1, FALLBACKS + 1)]
    raw["fallbacks"] = [each for each in fallbacks if each]
    if not raw["experiment"]["name"]:
        del raw["experiment"]
    raw["rules"] = []
    for at in range(min(count_rules(values), 200)):
        rule = {
            f.path: _read(f, values.get(f"rule.{at}.{f.path}", "").strip()) for f in RULE_FIELDS
        }
        if rule["name"] or rule["where"] or rule["items"]:
            kept = {key: value for key, value in rule.items() if value not in (None, "")}
            raw["rules"].append(kept)
    return raw


def _read(field: Field, text: str) -> Any:
    match field.kind:
        case "check":
            return bool(text)
        case "list":
            return list(split_ids(text))
        case "toml":
            return read_fragment(text)
        case "whole" | "number" | "knob":
            if not text:
                return None if field.path in _OPTIONAL else 0
            return _to_number(text, whole=field.kind == "whole")
    return text


def _to_number(text: str, *, whole: bool) -> float | int | str:
    """The number, or the text itself where it is none: the definition then says what is wrong."""
    try:
        return int(text) if whole else float(text)
    except ValueError:
        return text


def _spell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "on" if value else ""
        case list():
            return ", ".join(str(each) for each in value)
        case float():
            return f"{value:g}"
    return str(value)


def _dig(raw: Mapping[str, Any], path: str) -> object:
    found: Any = raw
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _put(raw: dict[str, Any], path: str, value: object) -> None:
    *parents, last = path.split(".")
    for part in parents:
        raw = raw.setdefault(part, {})
    raw[last] = value


def tidy(values: Values) -> dict[str, str]:
    """What was typed without rules that are empty; the others are numbered anew."""
    found = {key: value for key, value in values.items() if not key.startswith("rule.")}
    kept = 0
    for at in range(min(count_rules(values), MOST_RULES)):
        rule = {f.path: values.get(f"rule.{at}.{f.path}", "") for f in RULE_FIELDS}
        if any(rule[key].strip() for key in ("name", "where", "items")):
            found |= {f"rule.{kept}.{key}": value for key, value in rule.items()}
            kept += 1
    return found


def list_rules(values: Values, spare: int = 1) -> Sequence[int]:
    """Numbers of the rules that the form shows: those there are, and some empty ones."""
    return range(count_rules(values) + spare)


def split_ids(text: str) -> tuple[str, ...]:
    """Item ids with commas or line ends between them.

    >>> split_ids("A, B c,,")
    ('A', 'B c')
    """
    return tuple(part.strip() for part in re.split(r"[,，、\n]", text) if part.strip())


def explain(words: Words, name: str, error: UserError) -> Problem:
    """What is wrong with a form, by the field's own label where the error names one."""
    found = _OF_A_FIELD.match(str(error).removeprefix(f"placements.{name}."))
    if error.said is not None or found is None:
        return words.problem(error)
    path, wanted, bound = found["path"], found["kind"], found["bound"] or ""
    place = re.match(r"rules\[(\d+)\]", path)
    field = words.word("placement.field", path.rpartition(".")[2])
    if place:
        field = words.text("placement.problem.of_rule", number=int(place[1]) + 1, field=field)
    for code, mark in (("least", ">="), ("most", "<=")):
        if bound.startswith(mark):
            limit = bound.removeprefix(mark).strip()
            return Problem(words.text(f"placement.problem.{code}", field=field, limit=limit))
    if bound.startswith("matching"):
        return Problem(words.text("placement.problem.name", field=field))
    code = "whole" if wanted == "a whole number" else "number"
    return Problem(words.text(f"placement.problem.{code}", field=field))


_OF_A_FIELD = re.compile(
    r"(?P<path>[\w.\[\]]+): must be (?P<kind>a whole number|a number|text)"
    r" ?(?P<bound>(?:>=|<=) [^,]*|matching .*)?(?P<other>, not .*)?\.$"
)
