"""What one webhook means: messages, changes of the catalogue, requests about persons."""

from collections.abc import Mapping, Sequence

import msgspec

Body = dict[str, object]


class PersonRequest(msgspec.Struct, frozen=True):
    """What a platform asks about a person: ``export``, ``erase``, or ``erase_shop``; ``ids`` are
    the ways in which it names them."""

    kind: str
    ids: Sequence[str] = ()


class Reading(msgspec.Struct, frozen=True):
    """The bodies of messages in Segment's terms; items as for the catalogue's API, by id; items to
    remove; stock by the platform's own inventory id."""

    messages: Sequence[Body] = ()
    items: Mapping[str, Body] = {}
    removed_groups: Sequence[str] = ()
    stock: Mapping[str, int] = {}
    requests: Sequence[PersonRequest] = ()
    uninstalled: bool = False


def as_object(value: object) -> Body:
    """An object of JSON, or an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[Body]:
    """The objects of a list of JSON."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def as_text(value: object) -> str:
    """An id or a text; empty for everything else."""
    if isinstance(value, bool) or value is None:
        return ""
    return str(value).strip() if isinstance(value, str | int | float) else ""


def drop_empty(body: Mapping[str, object]) -> Body:
    """A body without what says nothing."""
    return {name: value for name, value in body.items() if value not in (None, "", [], {})}
