"""Names that people give to segments and lists."""

import re

from lingxi.errors import InvalidInput

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def check_name(name: object, what: str) -> str:
    """The name, if it can be one.

    Raises
    ------
    InvalidInput
        If it is empty, too long, or has other signs than a to z, 0 to 9, ``-`` and ``_``.

    Examples
    --------
    >>> check_name("vip_2026", "segment")
    'vip_2026'
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidInput(
            f"{str(name)[:80]!r} cannot name a {what}: use 1 to 64 of a-z, 0-9, - and _, "
            "a letter or digit first."
        )
    return name


def check_title(title: object, name: str) -> str:
    """The title for people, the name where there is none."""
    if title is None or title == "":
        return name
    if not isinstance(title, str) or len(title) > 200:
        raise InvalidInput(f"title: the title of {name!r} is a text of at most 200 characters.")
    return title.strip() or name
