"""Addresses of the dashboard: every filter stands in the query, so a link can be sent on."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode


def link(path: str, **query: str | None) -> str:
    """A path with those query values that are not empty.

    >>> link("/customers", stage="at_risk", search="", sort=None)
    '/customers?stage=at_risk'
    """
    filled = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(filled)}" if filled else path


@dataclass(frozen=True)
class Address:
    """The address of a list with its filters; called with changes, the address of another view.

    >>> Address("/plan", {"action": "win_back", "cursor": "abc"})(stage="lost")
    '/plan?action=win_back&stage=lost'
    """

    path: str
    query: Mapping[str, str]

    def __call__(self, **changes: str) -> str:
        """The same list with other filters, from its first page unless a cursor is given."""
        return link(self.path, **{**self.query, "cursor": "", **changes})

    @property
    def here(self) -> str:
        """The address of exactly this view."""
        return link(self.path, **self.query)


def customer_link(customer_id: str) -> str:
    """The page of a customer.

    >>> customer_link("a/b c")
    '/customers/a%2Fb%20c'
    """
    return "/customers/" + quote(customer_id, safe="")


def item_link(item_id: str) -> str:
    """The page of an item."""
    return "/items/" + quote(item_id, safe="")


def local_path(wanted: str | None) -> str:
    """``wanted`` when it is a path on this server, else the first page: no open redirects.

    >>> local_path("/plan?action=win_back"), local_path("//evil.example"), local_path("/\\\\evil")
    ('/plan?action=win_back', '/', '/')
    """
    if not wanted or not wanted.startswith("/") or wanted[1:2] in ("/", "\\"):
        return "/"
    return wanted if wanted.isprintable() else "/"


def flip_sort(current: str, column: str) -> str:
    """What a click on a column's head sorts by: largest first, then the other way round.

    >>> flip_sort("-revenue", "revenue"), flip_sort("-revenue", "orders")
    ('revenue', '-orders')
    """
    return column if current == f"-{column}" else f"-{column}"


def aria_sort(current: str, column: str) -> str:
    """The value of ``aria-sort`` for a column's head.

    >>> aria_sort("-revenue", "revenue"), aria_sort("-revenue", "orders")
    ('descending', 'none')
    """
    if current == column:
        return "ascending"
    return "descending" if current == f"-{column}" else "none"
