"""Options that say whom a placement's list is for, and in view of what."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

_BESIDES = (
    click.option("--browser", default=None, help="A browser's anonymous id."),
    click.option("--item", default=None, help="The item that is looked at."),
    click.option("--cart", default="", help="Item ids in the cart, separated by commas."),
    click.option("--bought", default="", help="Item ids ordered just now, separated by commas."),
    click.option("--category", default=None, help="Keep to this category: 'Home > Lamps'."),
    click.option("--candidates", default="", help="Item ids that a search found, best first."),
    click.option("--country", default=None, help="Two letters of the visitor's country."),
    click.option("--age", type=int, default=None, help="The visitor is at least so old."),
)
_WHO = (
    click.option("--customer", default=None, help="The shop's id of a customer."),
    click.option("--history", default="", help="Item ids viewed just now, separated by commas."),
)

Run = Callable[..., Any]


def ask_options(function: Run) -> Run:
    """Options of a whole request, given to the command as ``ask``."""
    return _collect(function, (*_WHO, *_BESIDES))


def ask_besides(function: Run) -> Run:
    """As ``ask_options``, for a command with ``customer`` and ``history`` of its own."""
    return _collect(function, _BESIDES)


def _collect(function: Run, options: tuple[Callable[[Run], Run], ...]) -> Run:
    @wraps(function)
    def run(
        *args: Any,
        browser: str | None,
        item: str | None,
        cart: str,
        bought: str,
        category: str | None,
        candidates: str,
        country: str | None,
        age: int | None,
        **others: Any,
    ) -> Any:
        from lingxi.app.placements.request import Ask

        whole = options is not _BESIDES
        ask = Ask(
            customer_id=others.pop("customer") if whole else None,
            history=split(others.pop("history")) if whole else (),
            anonymous_id=browser,
            item_id=item,
            cart=split(cart),
            bought=split(bought),
            category=category,
            candidates=split(candidates),
            country=country,
            age=age,
        )
        return function(*args, ask=ask, **others)

    found: Run = run
    for option in reversed(options):
        found = option(found)
    return found


def split(text: str) -> tuple[str, ...]:
    """Ids separated by commas.

    >>> split("a, b,")
    ('a', 'b')
    """
    return tuple(part.strip() for part in text.split(",") if part.strip())
