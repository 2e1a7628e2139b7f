"""What applying a folder of files would do to a shop: create, change and delete, with the lines."""

from collections.abc import Mapping
from difflib import unified_diff
from enum import StrEnum

import msgspec

from lingxi.app.definitions.kind import Files

Held = Mapping[str, Mapping[str, Files]]
"""Definitions by kind and name."""


class Deed(StrEnum):
    """What is done to a definition."""

    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"


class Change(msgspec.Struct, frozen=True):
    """One definition that would change; ``diff`` in the unified form, over all of its files."""

    kind: str
    name: str
    deed: Deed
    diff: str


class Plan(msgspec.Struct, frozen=True):
    """All changes in the order in which they are made.

    ``same`` counts what is already as the files have it, ``left`` what the shop has and the files
    do not, and which stays.
    """

    changes: tuple[Change, ...]
    same: int
    left: tuple[str, ...]


def make_plan(held: Held, wanted: Held, *, delete: bool) -> Plan:
    """The plan that makes what is held into what is wanted.

    What the shop has and the files do not is deleted only with ``delete``, and then only of kinds
    that the files have at all.

    >>> plan = make_plan({"segments": {"a": {"a": "1"}}}, {"segments": {"b": {"b": "2"}}},
    ...                  delete=True)
    >>> [(change.deed.value, change.name) for change in plan.changes]
    [('create', 'b'), ('delete', 'a')]
    """
    changes: list[Change] = []
    deletions: list[Change] = []
    left: list[str] = []
    same = 0
    for kind, definitions in wanted.items():
        before = held.get(kind, {})
        for name, files in definitions.items():
            if name not in before:
                changes.append(Change(kind, name, Deed.CREATE, _tell_diff({}, files)))
            elif before[name] != files:
                changes.append(Change(kind, name, Deed.CHANGE, _tell_diff(before[name], files)))
            else:
                same += 1
    for kind in reversed(tuple(held)):
        missing = [name for name in held[kind] if name not in wanted.get(kind, {})]
        if delete and wanted.get(kind):
            deletions += [
                Change(kind, name, Deed.DELETE, _tell_diff(held[kind][name], {}))
                for name in missing
            ]
        else:
            left += [f"{kind}/{name}" for name in missing]
    return Plan((*changes, *deletions), same, tuple(sorted(left)))


def _tell_diff(before: Files, after: Files) -> str:
    lines: list[str] = []
    for path in sorted({*before, *after}):
        old, new = before.get(path), after.get(path)
        lines += unified_diff(
            [] if old is None else old.splitlines(keepends=True),
            [] if new is None else new.splitlines(keepends=True),
            "/dev/null" if old is None else path,
            "/dev/null" if new is None else path,
        )
    return "".join(line if line.endswith("\n") else line + "\n" for line in lines)
