"""Parameters that several routes take, each with its limits and its words for the reference."""

from datetime import date
from typing import Annotated, Literal

from litestar.params import PathParameter, QueryParameter

from lingxi.errors import InvalidInput
from lingxi.recommend.rules import MOST_HISTORY

LONGEST_ID = 200
LONGEST_TEXT = 200
LONGEST_CURSOR = 1000
MOST_ROWS = 500
MOST_RECOMMENDED = 100
LARGEST_NUMBER = 2**63 - 1
"""The largest row number that a store can hold."""

CustomerId = Annotated[str, PathParameter(description="The shop's own id of the customer.")]
ItemId = Annotated[str, PathParameter(description="The shop's own id of the item.")]
RowNumber = Annotated[
    int,
    PathParameter(ge=1, le=LARGEST_NUMBER, description="The number that a list gives for it."),
]
Rows = Annotated[
    int, QueryParameter(ge=1, le=MOST_ROWS, description=f"Rows in a page, at most {MOST_ROWS}.")
]
Length = Annotated[
    int,
    QueryParameter(
        ge=1, le=MOST_RECOMMENDED, description=f"Items in the list, at most {MOST_RECOMMENDED}."
    ),
]
Days = Annotated[int, QueryParameter(ge=1, le=90, description="How many days to look back.")]
Cursor = Annotated[
    str | None,
    QueryParameter(
        max_length=LONGEST_CURSOR, description="``next_cursor`` of the page before this one."
    ),
]
Search = Annotated[
    str, QueryParameter(max_length=LONGEST_TEXT, description="Words to look for; empty for all.")
]
Filter = Annotated[
    str, QueryParameter(max_length=LONGEST_TEXT, description="Only this one; empty for all.")
]
Sort = Annotated[
    str,
    QueryParameter(max_length=40, description="Column to sort by; ``-`` in front: descending."),
]
History = Annotated[
    list[str] | None,
    QueryParameter(
        max_items=MOST_HISTORY,
        description="Item ids to start from instead of the customer's own history, newest last; "
        "repeat the parameter.",
    ),
]
Log = Annotated[
    bool,
    QueryParameter(
        description="Note the list as shown. False is for looking only: nothing is explored."
    ),
]
Like = Annotated[
    list[str] | None,
    QueryParameter(
        max_items=MOST_HISTORY,
        description="What somebody without a history said they like: brand:Acme, "
        "category:lamps/floor, word:red; repeat the parameter.",
    ),
]
Form = Annotated[
    Literal["csv", "json", "parquet"], QueryParameter(description="The file's format.")
]


def read_id(name: str, path: str) -> str:
    """The identifier at the end of a path, slashes within it included.

    Raises
    ------
    InvalidInput
        As ``check_id``.

    Examples
    --------
    >>> read_id("item_id", "/MUG/BLUE")
    'MUG/BLUE'
    """
    return check_id(name, path.removeprefix("/"))


def check_id(name: str, value: str) -> str:
    """The identifier, if it can be one at all.

    Raises
    ------
    InvalidInput
        If it is empty, longer than 200 characters or holds characters that cannot be printed.

    Examples
    --------
    >>> check_id("item_id", "85123A")
    '85123A'
    """
    if 1 <= len(value) <= LONGEST_ID and value.isprintable():
        return value
    raise InvalidInput(
        f"Parameter {name!r} must be 1 to {LONGEST_ID} printable characters; this one is not."
    )


def check_text(name: str, value: str) -> str:
    """Free text without characters that cannot be printed.

    Raises
    ------
    InvalidInput
        If it holds control characters or halves of characters.
    """
    if value.isprintable():
        return value
    raise InvalidInput(f"Parameter {name!r} holds characters that cannot be printed.")


def read_day(name: str, value: str) -> date:
    """A day from its ISO form.

    Raises
    ------
    InvalidInput
        If it is none.

    Examples
    --------
    >>> read_day("day", "2026-03-29")
    datetime.date(2026, 3, 29)
    """
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise InvalidInput(f"{name} is a day such as 2026-03-29, not {value[:40]!r}.") from None


def check_cursor(name: str, value: str | None) -> str | None:
    """A cursor as it came, or none for the first page.

    Raises
    ------
    InvalidInput
        If it holds characters that cannot be printed.
    """
    return check_text(name, value) if value else None
