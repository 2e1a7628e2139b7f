"""How a route of Gorse's API is declared, and what several of them read alike."""

import re
from datetime import timedelta
from typing import Annotated, TypeVar

import msgspec
from litestar import delete, get, patch, post, put
from litestar.params import PathParameter, QueryParameter

from lingxi.access.roles import Scope
from lingxi.app.cursors import Key, decode_cursor, encode_cursor
from lingxi.errors import InvalidInput
from lingxi.server.api.parameters import LARGEST_NUMBER
from lingxi.server.api.route import KEY_SCHEME

Verb = TypeVar("Verb", get, post, put, patch, delete)

LARGEST_BODY = 32 * 1024 * 1024
MOST_ROWS = 10_000
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST_DELAY = timedelta(days=3650)

UserId = Annotated[str, PathParameter(description="The shop's own id of the customer.")]
ItemId = Annotated[str, PathParameter(description="The shop's own id of the item.")]
FeedbackType = Annotated[str, PathParameter(description="Such as ``read``, ``like``, ``star``.")]
Category = Annotated[str, PathParameter(description="A category that all items are in.")]
ListName = Annotated[str, PathParameter(description="The list's name in Gorse's configuration.")]
Number = Annotated[
    int, QueryParameter(ge=0, le=MOST_ROWS, description=f"Rows, at most {MOST_ROWS}.")
]
Offset = Annotated[
    int, QueryParameter(ge=0, le=LARGEST_NUMBER, description="Places to leave out at the start.")
]
Cursor = Annotated[
    str, QueryParameter(max_length=1000, description="``Cursor`` of the page before this one.")
]
Categories = Annotated[
    list[str] | None,
    QueryParameter(
        name="category",
        max_items=20,
        description="Categories that each item is in; repeat it.",
    ),
]
ForUser = Annotated[
    str,
    QueryParameter(
        name="user-id", max_length=1000, description="Leave out what this user gave feedback on."
    ),
]


class Success(msgspec.Struct, frozen=True, rename="pascal"):
    """How many rows a change came to."""

    row_affected: int


def route(verb: type[Verb], path: str, scope: Scope, summary: str) -> Verb:
    """A route on a thread for whoever holds ``scope``; success is always 200."""
    return verb(
        path,
        opt={"scope": scope, "unmetered": True},
        security=[{KEY_SCHEME: [scope.value]}],
        tags=["Gorse"],
        summary=summary,
        operation_id=f"gorse {verb.__name__} {path}",
        status_code=200,
        sync_to_thread=True,
    )


def read_duration(text: str) -> timedelta:
    """A length of time as Go writes it.

    Raises
    ------
    InvalidInput
        If it is none, or longer than ten years.

    Examples
    --------
    >>> read_duration("1h30m"), read_duration("")
    (datetime.timedelta(seconds=5400), datetime.timedelta(0))
    """
    if text in ("", "0"):
        return timedelta()
    parts = _DURATION.findall(text)
    if "".join(number + unit for number, unit in parts) != text:
        raise InvalidInput(f"write-back-delay {text[:40]!r} is no length of time such as 10m.")
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if seconds > _LONGEST_DELAY.total_seconds():
        raise InvalidInput("write-back-delay is longer than ten years.")
    return timedelta(seconds=seconds)


def open_cursor(cursor: str, size: int) -> Key | None:
    """Where a page begins; nothing for the first.

    Raises
    ------
    InvalidInput
        If it is not a cursor of this list.
    """
    return decode_cursor(cursor, size) if cursor else None


def close_cursor(key: Key | None) -> str:
    """The cursor that opens the next page, empty at the end."""
    return "" if key is None else encode_cursor(key)
