"""Users, items and feedback as Gorse's API has them, and what a body may say of each."""

from collections.abc import Sequence

import msgspec

from lingxi.errors import InvalidInput
from lingxi.gorse.moments import LONG_AGO
from lingxi.ingest.puts import tidy_id

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]
"""Any JSON."""


class User(msgspec.Struct, frozen=True, rename="pascal"):
    """A user: a customer of the shop, with labels of any form. ``Subscribe`` only where it was
    given: newer versions of Gorse no longer know it."""

    user_id: str
    labels: object = None
    comment: str = ""
    subscribe: object | msgspec.UnsetType = msgspec.UNSET


class Item(msgspec.Struct, frozen=True, rename="pascal"):
    """An item; no categories are ``null``, as no labels are, and no moment is the year 1."""

    item_id: str
    is_hidden: bool = False
    categories: Sequence[str] | None = None
    timestamp: str = LONG_AGO
    labels: object = None
    comment: str = ""


class Feedback(msgspec.Struct, frozen=True, rename="pascal"):
    """What a user did with an item, added up over every time it was told."""

    feedback_type: str
    user_id: str
    item_id: str
    value: float = 0.0
    timestamp: str = LONG_AGO
    updated: str = LONG_AGO
    labels: object = None
    comment: str = ""


class Score(msgspec.Struct, frozen=True, rename="pascal"):
    """An item or a user with a score, higher is better."""

    id: str
    score: float


class UserBody(msgspec.Struct, frozen=True, rename="pascal"):
    """A user to insert; every field that is left out is emptied."""

    user_id: str
    labels: object = None
    comment: str | None = None
    subscribe: object = None


class UserPatch(msgspec.Struct, frozen=True, rename="pascal"):
    """Fields of a user to change; null and what is left out stay as they are."""

    labels: object = None
    comment: str | None = None
    subscribe: object = None


class ItemBody(msgspec.Struct, frozen=True, rename="pascal"):
    """An item to insert; every field that is left out is emptied."""

    item_id: str
    is_hidden: bool | None = None
    categories: list[str] | None = None
    timestamp: str | None = None
    labels: object = None
    comment: str | None = None


class ItemPatch(msgspec.Struct, frozen=True, rename="pascal"):
    """Fields of an item to change; null and what is left out stay as they are."""

    is_hidden: bool | None = None
    categories: list[str] | None = None
    timestamp: str | None = None
    labels: object = None
    comment: str | None = None


class FeedbackBody(msgspec.Struct, frozen=True, rename="pascal"):
    """Feedback to insert; without a moment it happened now. That of a session may name no user."""

    feedback_type: str
    user_id: str = ""
    item_id: str = ""
    value: float | None = None
    timestamp: str | None = None
    labels: object = None
    comment: str | None = None


class UserPage(msgspec.Struct, frozen=True, rename="pascal"):
    """A page of users; ``Cursor`` opens the next one, empty at the end."""

    cursor: str
    users: Sequence[User]


class ItemPage(msgspec.Struct, frozen=True, rename="pascal"):
    """A page of items; ``Cursor`` opens the next one, empty at the end."""

    cursor: str
    items: Sequence[Item]


class FeedbackPage(msgspec.Struct, frozen=True, rename="pascal"):
    """A page of feedback; ``Cursor`` opens the next one, empty at the end."""

    cursor: str
    feedback: Sequence[Feedback]


def read_identifier(name: str, value: str) -> str:
    """An identifier in its one form.

    Raises
    ------
    InvalidInput
        If nothing is left of it.

    Examples
    --------
    >>> read_identifier("UserId", " 17850 ")
    '17850'
    """
    found = tidy_id(value)
    if found is None:
        raise InvalidInput(f"{name} is empty; name the thing by an id of your own.")
    return found


def check_labels(labels: object) -> object:
    """Labels as they came, if they are of a form that Gorse takes.

    Texts stand alone or in a list, as do objects of such; a list holds only texts or only numbers.

    Raises
    ------
    InvalidInput
        If a list mixes texts and numbers, or holds lists.

    Examples
    --------
    >>> check_labels({"genre": ["horror"], "embedding": [0.1, 0.2]})
    {'genre': ['horror'], 'embedding': [0.1, 0.2]}
    """
    match labels:
        case dict():
            for value in labels.values():
                check_labels(value)
        case list():
            kinds = {_kind(value) for value in labels}
            if len(kinds) > 1 or "other" in kinds:
                raise InvalidInput(
                    "Labels: a list holds only texts or only numbers, in an object or alone."
                )
    return labels


def _kind(value: object) -> str:
    if isinstance(value, str):
        return "text"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number"
    return "other"
