"""A rule as a form of nested fieldsets, and back: each field is named by its place in the rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

GROUPS = ("all", "any", "not")
NUMBERS = frozenset(
    {"at_least", "at_most", "times", "within_days", "older_than_days", "from", "to"}
)
LISTS = frozenset({"items", "categories", "stage"})
TESTS = (
    "equals",
    "not_equals",
    "one_of",
    "contains",
    "starts_with",
    "more_than",
    "at_least",
    "less_than",
    "at_most",
    "within_days",
    "older_than_days",
    "in_next_days",
    "before",
    "after",
    "known",
)
_TEXT_TESTS = frozenset({"contains", "starts_with", "before", "after"})
_COUNT = ("at_least", "at_most", "within_days", "older_than_days")
KINDS: Mapping[str, Sequence[str]] = {
    "did": ("did", *_COUNT, "which"),
    "did_not": ("did_not", "within_days", "older_than_days"),
    "bought": ("items", "categories", *_COUNT),
    "viewed": ("items", "categories", *_COUNT),
    "aggregate": ("aggregate", "of", "event", "within_days"),
    "trait": ("trait",),
    "score": ("score",),
    "stage": ("stage",),
    "consent": ("consent", "channel", "granted"),
    "segment": ("segment",),
    "list": ("list",),
    "random": ("random", "from", "to"),
    "everyone": (),
}
"""The kinds of condition, each with the fields that it may have, in the order of the page."""
LABELLED = frozenset({"times", *(key for keys in KINDS.values() for key in keys)})
"""The fields that have words of their own; any other is shown as it is written."""
_TESTED = ("aggregate", "trait", "score")
NEW: Mapping[str, dict[str, object]] = {
    "did": {"did": "Product Viewed", "within_days": 30},
    "did_not": {"did_not": "Order Completed", "within_days": 90},
    "bought": {"bought": {"categories": []}},
    "viewed": {"viewed": {"categories": []}, "within_days": 30},
    "aggregate": {
        "aggregate": "sum",
        "of": "amount_cents",
        "event": "Order Completed",
        "at_least": 10_000,
    },
    "trait": {"trait": "", "equals": ""},
    "score": {"score": "orders", "at_least": 1},
    "stage": {"stage": ["loyal"]},
    "consent": {"consent": "marketing", "channel": "email"},
    "segment": {"segment": ""},
    "list": {"list": ""},
    "random": {"random": "test", "from": 0, "to": 0.1},
    "everyone": {"everyone": True},
    "any": {"any": [{"did": "Product Viewed"}]},
    "not": {"not": {"did": "Order Completed"}},
}
"""What a condition is when it is added."""
_CHOICES = frozenset({"which", "granted", "channel"})


@dataclass(frozen=True)
class Entry:
    """One field of a condition; ``key`` says what it is, ``name`` where it stands."""

    key: str
    name: str
    value: str


@dataclass(frozen=True)
class Tested:
    """One part of a test: of the condition itself, or of a property of its events."""

    name: str
    op: str
    value: str
    property: str | None = None


@dataclass(frozen=True)
class Node:
    """A condition to be drawn: a group has ``parts``, any other fields and tests."""

    kind: str
    path: str
    parts: tuple["Node", ...] = ()
    entries: tuple[Entry, ...] = ()
    tests: tuple[Tested, ...] = ()
    where: tuple[Tested, ...] = ()
    may_go: bool = field(default=True)


def spell(rule: Mapping[str, Any], path: str = "r", *, may_go: bool = False) -> Node:
    """The form of a rule."""
    kind = next((key for key in rule if key in KINDS or key in GROUPS), "everyone")
    if kind in GROUPS:
        inner = rule[kind]
        parts = inner if isinstance(inner, list) else [inner]
        drawn = tuple(
            spell(part, f"{path}.{kind}.{number}", may_go=kind != "not")
            for number, part in enumerate(parts)
            if isinstance(part, Mapping)
        )
        return Node(kind, path, drawn, may_go=may_go)
    return _spell_leaf(kind, rule, path, may_go)


def _spell_leaf(kind: str, rule: Mapping[str, Any], path: str, may_go: bool) -> Node:
    flat = {**rule, **rule[kind]} if isinstance(rule.get(kind), Mapping) else dict(rule)
    wheres = flat.pop("where", ())
    keys = list(KINDS[kind])
    tested = kind in _TESTED
    entries = [Entry(key, f"{path}.{kind}/{key}", _show(flat.get(key))) for key in keys]
    rest = [key for key in flat if key not in keys and key != kind]
    tests = [key for key in rest if tested and key in TESTS]
    entries += [Entry(k, f"{path}.{kind}/{k}", _show(flat[k])) for k in rest if k not in tests]
    rows = [
        Tested(f"{path}.{kind}/test/{number}", op, _show(flat[op]))
        for number, op in enumerate(tests)
    ]
    if tested:
        rows.append(Tested(f"{path}.{kind}/test/{len(rows)}", "", ""))
    return Node(
        kind, path, (), tuple(entries), tuple(rows), _spell_where(kind, path, wheres), may_go
    )


def _spell_where(kind: str, path: str, wheres: object) -> tuple[Tested, ...]:
    if kind not in ("did", "did_not", "bought", "viewed", "aggregate"):
        return ()
    return spell_where(f"{path}.{kind}", wheres)


def spell_where(name: str, wheres: object) -> tuple[Tested, ...]:
    """Conditions on an event's properties, and an empty one to be filled in."""
    found: list[Tested] = []
    for each in wheres if isinstance(wheres, list | tuple) else ():
        for op, value in each.items():
            if op != "property":
                at = f"{name}/where/{len(found)}"
                found.append(Tested(at, op, _show(value), str(each.get("property", ""))))
    return (*found, Tested(f"{name}/where/{len(found)}", "", "", ""))


def _show(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f'"{value}"' if _is_scalar(value) else value
    if isinstance(value, list | tuple):
        return ", ".join(_show(each) for each in value)
    return msgspec.json.encode(value).decode()


def understand(values: Mapping[str, str], root: str = "r") -> dict[str, object]:
    """The rule that the fields of a form say, for ``read_rule`` to judge; ``root`` is the first
    part of their names.

    >>> understand({"r.all.0.did/did": "Quiz", "r.all.0.did/at_least": "2"})
    {'all': [{'did': 'Quiz', 'at_least': 2}]}
    """
    leaves: dict[str, dict[str, str]] = {}
    for name, value in values.items():
        if name == root or name.startswith(f"{root}."):
            place, _, key = name.partition("/")
            leaves.setdefault(place, {})[key] = value.strip()
    tree: dict[str, Any] = {}
    for place, fields in leaves.items():
        *groups, kind = place.split(".")[1:] or [""]
        _put(tree, groups, _read_leaf(kind, fields) if kind not in GROUPS else {kind: {}})
    return _close(tree) or {"all": []}


def _put(tree: dict[str, Any], groups: Sequence[str], leaf: dict[str, object]) -> None:
    at = tree
    for step in groups:
        at = at.setdefault(step, {})
    for key, value in leaf.items():
        at.setdefault(key, value)


def _close(tree: Mapping[str, Any]) -> dict[str, object]:
    """Groups with their parts in order of number; what is empty is left out."""
    kind = next((key for key in tree if key in GROUPS), None)
    if kind is None or not isinstance(tree[kind], dict):
        return dict(tree)
    numbered = sorted(tree[kind].items(), key=lambda pair: int(pair[0]))
    parts = [_close(part) for _, part in numbered]
    if kind == "not":
        return {"not": parts[0]} if parts else {}
    return {kind: parts}


def _read_leaf(kind: str, fields: Mapping[str, str]) -> dict[str, object]:
    found: dict[str, object] = {}
    if kind == "everyone":
        return {"everyone": True}
    for key, text in fields.items():
        if text and "/" not in key and not (key == "channel" and text == "*"):
            found[key] = _read_value(key, text)
    for row, each in _list_rows(fields):
        if not row.startswith("where/"):
            found[each["op"]] = _read_test(each["op"], each.get("value", ""))
    where = understand_where(fields)
    if where:
        found["where"] = where
    if kind in ("bought", "viewed"):
        inner = {key: found.pop(key) for key in ("items", "categories") if key in found}
        return {kind: inner, **found}
    return {kind: found.pop(kind, ""), **found}


def understand_where(fields: Mapping[str, str]) -> list[dict[str, object]]:
    """The conditions on an event's properties that fields named ``where/N/...`` say.

    >>> understand_where({"where/0/property": "plan", "where/0/op": "equals", "where/0/value": "7"})
    [{'property': 'plan', 'equals': 7}]
    """
    return [
        {
            "property": each.get("property", "").strip(),
            each["op"]: _read_test(each["op"], each.get("value", "").strip()),
        }
        for row, each in _list_rows(fields)
        if row.startswith("where/")
    ]


def _list_rows(fields: Mapping[str, str]) -> list[tuple[str, dict[str, str]]]:
    """The tests of a form that say something, each by the name of its row."""
    tests: dict[str, dict[str, str]] = {}
    for key, text in fields.items():
        if "/" in key:
            row, _, part = key.rpartition("/")
            tests.setdefault(row, {})[part] = text
    return [(row, each) for row, each in tests.items() if each.get("op")]


def _read_value(key: str, text: str) -> object:
    if key in LISTS:
        return [part.strip() for part in text.split(",") if part.strip()]
    if key in NUMBERS or key == "granted" or key.startswith(("within_", "older_than_")):
        return _read_scalar(text)
    return text.strip('"') if _is_scalar(text.strip('"')) else text


def _read_test(op: str, text: str) -> object:
    if op == "one_of":
        return [_read_scalar(part.strip()) for part in text.split(",") if part.strip()]
    return text if op in _TEXT_TESTS else _read_scalar(text)


def _is_scalar(text: str) -> bool:
    return not isinstance(_decode(text), str)


def _read_scalar(text: str) -> object:
    """A number, true or false as such; anything else, or what stands in quotes, is a text."""
    return _decode(text)


def _decode(text: str) -> object:
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
    return value if isinstance(value, str | int | float | bool) else text


def change(rule: dict[str, object], action: str) -> dict[str, object]:
    """The rule after a condition was added (``add:PATH:KIND``), taken out (``remove:PATH``), or a
    group turned (``turn:PATH``: all of these, one of these)."""
    verb, _, rest = action.partition(":")
    path, _, kind = rest.partition(":")
    steps = path.split(".")[1:]
    tree: Any = msgspec.json.decode(msgspec.json.encode(rule))
    if verb == "remove" and len(steps) >= 2:
        group = _follow(tree, steps[:-1])
        if isinstance(group, list) and steps[-1].isdecimal() and int(steps[-1]) < len(group):
            del group[int(steps[-1])]
    elif verb == "add" and kind in NEW:
        node = _follow(tree, steps)
        group = node.get("all", node.get("any")) if isinstance(node, dict) else None
        if isinstance(group, list):
            group.append(dict(NEW[kind]))
    elif verb == "turn":
        node = _follow(tree, steps)
        if isinstance(node, dict) and ("all" in node or "any" in node):
            old = "all" if "all" in node else "any"
            node["any" if old == "all" else "all"] = node.pop(old)
    return tree if isinstance(tree, dict) else rule


def _follow(tree: Any, steps: Sequence[str]) -> Any:
    at = tree
    for step in steps:
        if isinstance(at, list) and step.isdecimal() and int(step) < len(at):
            at = at[int(step)]
        elif isinstance(at, dict) and step in at:
            at = at[step]
        elif not (isinstance(at, dict) and step == "0"):  # the only part of ``not``
            return None
    return at


def as_group(rule: Mapping[str, object]) -> dict[str, object]:
    """The rule with a group at its top, to which conditions can be added."""
    return dict(rule) if "all" in rule or "any" in rule else {"all": [dict(rule)]}
