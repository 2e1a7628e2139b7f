"""Segments as they are defined: name, title, rule, version."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.errors import Conflict, InvalidInput, UnknownSegment, did_you_mean
from lingxi.segments.names import check_name, check_title
from lingxi.segments.needs import Find, list_references, resolve
from lingxi.segments.reading import read_rule, write_rule
from lingxi.segments.rule import Rule
from lingxi.segments.tables import segment, segment_day, segment_mark, segment_member, segment_timer


class Segment(msgspec.Struct, frozen=True):
    """A segment: who is in it is said by ``rule``."""

    name: str
    title: str
    rule: Rule
    version: int = 0


class StoredSegment(msgspec.Struct, frozen=True):
    """A segment as it is kept; ``evaluated`` is the version that the memberships are of."""

    segment: Segment
    members: int
    created_at: datetime
    updated_at: datetime
    evaluated: int
    evaluated_at: datetime | None


def read_segment(given: object, path: str = "segment") -> Segment:
    """The segment that a file or request says: name, title and rule.

    Raises
    ------
    InvalidInput
        With the path of what cannot be understood.
    """
    if not isinstance(given, Mapping):
        raise InvalidInput(f"{path}: a segment is an object with name, title and rule.")
    strange = [str(key) for key in given if key not in ("name", "title", "rule")]
    if strange:
        near = did_you_mean(strange[0], ("name", "title", "rule"))
        raise InvalidInput(f"{path}: there is no {strange[0]!r} in a segment{near}.")
    if "rule" not in given:
        raise InvalidInput(f"{path}: 'rule' is missing.")
    name = check_name(given.get("name"), "segment")
    return Segment(name, check_title(given.get("title"), name), read_rule(given["rule"]))


def write_segment(each: Segment) -> dict[str, object]:
    """The segment as a file says it."""
    return {"name": each.name, "title": each.title, "rule": write_rule(each.rule)}


def put_segment(tx: Connection, given: Segment, now: datetime) -> Segment:
    """Keep a segment; a changed rule makes a new version. What it names is not checked here.

    Raises
    ------
    InvalidInput
        If it would be a part of itself, or names a segment that there is not.
    """
    rules = {name: each.segment.rule for name, each in _read(tx).items()}
    rules[given.name] = given.rule
    resolve(given.rule, _finder(rules), (given.name,))
    before = _read(tx).get(given.name)
    text = msgspec.json.encode(write_rule(given.rule)).decode()
    if before is None:
        row = {
            "name": given.name,
            "title": given.title,
            "rule": text,
            "version": 1,
            "created_at": now,
            "updated_at": now,
            "evaluated": 0,
            "members": 0,
        }
        tx.execute(sa.insert(segment), row)
        return msgspec.structs.replace(given, version=1)
    same = before.segment.rule == given.rule
    version = before.segment.version + (not same)
    if same and before.segment.title == given.title:
        return before.segment
    values = {"title": given.title, "rule": text, "version": version, "updated_at": now}
    tx.execute(sa.update(segment).where(segment.c.name == given.name).values(values))
    return msgspec.structs.replace(given, version=version)


def delete_segment(tx: Connection, name: str) -> None:
    """Remove a segment with its memberships.

    Raises
    ------
    UnknownSegment
        If there is none.
    Conflict
        If another segment names it.
    """
    get_segment(tx, name)
    for other in _read(tx).values():
        if other.segment.name != name and name in list_references(other.segment.rule):
            raise Conflict(
                f"The segment {name!r} is part of {other.segment.name!r}; change that one first."
            )
    for table in (segment_member, segment_timer, segment_day):
        tx.execute(sa.delete(table).where(table.c.segment == name))
    tx.execute(
        sa.delete(segment_mark).where(segment_mark.c.name.startswith(f"{name}:", autoescape=True))
    )
    tx.execute(sa.delete(segment).where(segment.c.name == name))


def get_segment(tx: Connection, name: str) -> StoredSegment:
    """The segment of a name.

    Raises
    ------
    UnknownSegment
        If there is none.
    """
    found = _read(tx)
    if name not in found:
        near = did_you_mean(name, found)
        raise UnknownSegment(f"There is no segment {name!r}{near}. 'lingxi segment' shows them.")
    return found[name]


def list_segments(tx: Connection) -> list[StoredSegment]:
    """All segments, by name."""
    return list(_read(tx).values())


def list_written(tx: Connection) -> tuple[tuple[str, str], ...]:
    """The name and rule of every segment as it is written, by name: versions begin anew where a
    segment is removed and made again, rules tell."""
    query = sa.select(segment.c.name, segment.c.rule).order_by(segment.c.name)
    return tuple((row[0], row[1]) for row in tx.execute(query).all())


def is_still(tx: Connection, each: StoredSegment) -> bool:
    """Whether a segment that was read is there as it was: its rule, version and making."""
    found = tx.execute(sa.select(segment).where(segment.c.name == each.segment.name)).mappings()
    now = next((_to_stored(row) for row in found), None)
    return now is not None and (now.segment.rule, now.segment.version, now.created_at) == (
        each.segment.rule,
        each.segment.version,
        each.created_at,
    )


def read_rules(tx: Connection) -> dict[str, Rule]:
    """The rule of every segment, with those of the segments it names in their place."""
    rules = {name: each.segment.rule for name, each in _read(tx).items()}
    return {name: resolve(rule, _finder(rules), (name,)) for name, rule in rules.items()}


def resolve_rule(tx: Connection, rule: Rule) -> Rule:
    """A rule with those of the segments that it names in their place.

    Raises
    ------
    InvalidInput
        If there is no segment of a name.
    """
    if not list_references(rule):
        return rule
    rules = {name: each.segment.rule for name, each in _read(tx).items()}
    return resolve(rule, _finder(rules))


def _finder(rules: Mapping[str, Rule]) -> Find:
    def find(name: str) -> Rule:
        if name not in rules:
            raise InvalidInput(f"There is no segment {name!r}{did_you_mean(name, rules)}.")
        return rules[name]

    return find


@lru_cache(maxsize=4_096)
def _parse(text: str) -> Rule:
    """The rule of a stored text, which is asked for again and again."""
    return read_rule(msgspec.json.decode(text))


def _read(tx: Connection) -> dict[str, StoredSegment]:
    rows = tx.execute(sa.select(segment).order_by(segment.c.name)).mappings()
    return {row["name"]: _to_stored(row) for row in rows}


def _to_stored(row: "sa.RowMapping") -> StoredSegment:
    return StoredSegment(
        Segment(row["name"], row["title"], _parse(row["rule"]), row["version"]),
        row["members"],
        row["created_at"],
        row["updated_at"],
        row["evaluated"],
        row["evaluated_at"],
    )
