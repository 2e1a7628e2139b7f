"""What a condition can ask for: the attributes of an item and the values of a request."""

from collections.abc import Mapping
from dataclasses import dataclass

from lingxi.recommend.expressions.nodes import Kind


@dataclass(frozen=True)
class Name:
    """One name of the language: the kind of its value and what it means."""

    kind: Kind
    help: str


ATTRIBUTES: Mapping[str, Name] = {
    "item_id": Name(Kind.TEXT, "the shop's own code"),
    "name": Name(Kind.TEXT, "the item's name"),
    "brand": Name(Kind.TEXT, "its brand"),
    "category": Name(Kind.TEXT, "the last part of its category path"),
    "path": Name(Kind.PATH, "all categories from the widest: path under 'Home > Lamps'"),
    "kind": Name(Kind.TEXT, "product, offer or promotion (attribute kind; else product)"),
    "group": Name(Kind.TEXT, "what its variants have in common"),
    "price": Name(Kind.NUMBER, "in whole units of the shop's currency"),
    "cost": Name(Kind.NUMBER, "in whole units of the shop's currency"),
    "margin": Name(Kind.NUMBER, "price less cost, in whole units"),
    "margin_share": Name(Kind.NUMBER, "margin by price, 0.4 for 40 %"),
    "discount": Name(Kind.NUMBER, "how far the price is below the regular one, 0.2 for 20 %"),
    "stock": Name(Kind.NUMBER, "units on hand"),
    "active": Name(Kind.TRUTH, "whether it is on sale at all"),
    "listed": Name(Kind.TRUTH, "whether the catalogue has it"),
    "age_days": Name(Kind.NUMBER, "days since it was first offered"),
    "starts_in_days": Name(Kind.NUMBER, "days until it is offered; below 0 once it is"),
    "ends_in_days": Name(Kind.NUMBER, "days until it is no longer offered"),
    "popularity": Name(Kind.NUMBER, "demand now, 1 for the most popular item"),
    "orders": Name(Kind.NUMBER, "orders that held it, all time"),
    "views": Name(Kind.NUMBER, "times it was looked at, all time"),
}
"""What is known of every item; any other attribute of an item is ``attributes.<its name>``."""

REQUEST: Mapping[str, Name] = {
    "request.country": Name(Kind.TEXT, "two letters of the country asked from"),
    "request.category": Name(Kind.TEXT, "the category page that is looked at"),
    "request.cart_value": Name(Kind.NUMBER, "prices in the cart added up, in whole units"),
    "request.cart_items": Name(Kind.NUMBER, "different items in the cart"),
}
"""What is known of a request."""

DAYS: Mapping[str, str] = {
    "age_days": "first_day",
    "starts_in_days": "from_day",
    "ends_in_days": "until_day",
}
"""Names that count days from or to now, and the day they are counted from or to."""

CUSTOM = "attributes."
CURRENT = "current."
"""``current.price`` is the price of the item that is looked at, and so for every attribute."""
