"""A request for a list, as it comes from outside, and what it means."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
import sqlalchemy as sa

from lingxi.errors import InvalidInput
from lingxi.ingest import seek_browser, seek_customer
from lingxi.ingest.consent import is_allowed
from lingxi.profiles.read import NO_COUNTS, CountColumns, Counts, read_country
from lingxi.recommend.placements.context import Context, LazyPast, Met
from lingxi.recommend.rules import MOST_HISTORY
from lingxi.schema import Name
from lingxi.store.tables import to_micros

if TYPE_CHECKING:
    from lingxi.app.shop import Shop
    from lingxi.recommend import Recommender
    from lingxi.recommend.placements.knowledge import Knowledge

MOST_CANDIDATES = 1000
_LISTS = 100
"""Lists that are looked through for what was shown and not looked at."""


class Ask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom a list is for, and in view of what; everything may be left out.

    ``customer_id``: the shop's id. ``anonymous_id``: the browser's, as its events carry it.
    ``history``: item ids looked at in this session, newest last. ``item_id``: the item looked at.
    ``cart``: item ids in the cart. ``bought``: item ids of an order placed just now, whose event
    may not have come in yet. ``category``: keep to this category, by name or path
    "Home > Lamps". ``candidates``: keep to these, best first, as a search found them. ``country``:
    two letters. ``age``: the visitor is known to be at least so old. ``n``: another length.
    """

    customer_id: str | None = None
    anonymous_id: str | None = None
    history: tuple[str, ...] = ()
    item_id: str | None = None
    cart: tuple[str, ...] = ()
    bought: tuple[str, ...] = ()
    category: str | None = None
    candidates: tuple[str, ...] = ()
    country: str | None = None
    age: int | None = None
    n: int | None = None

    def check(self) -> None:
        """Refuse what cannot be asked.

        Raises
        ------
        InvalidInput
            Naming what is wrong.
        """
        for name, most in (
            ("history", MOST_HISTORY),
            ("cart", MOST_HISTORY),
            ("bought", MOST_HISTORY),
            ("candidates", MOST_CANDIDATES),
        ):
            if len(getattr(self, name)) > most:
                raise InvalidInput(
                    f"{name} holds {len(getattr(self, name))} items; {most} at most."
                ).says("placement.ask.many", n=len(getattr(self, name)), most=most)
        if self.n is not None and not 1 <= self.n <= MOST_HISTORY:
            raise InvalidInput(f"n must be between 1 and {MOST_HISTORY}, not {self.n}.")
        if self.country is not None and (len(self.country) != 2 or not self.country.isalpha()):
            raise InvalidInput(
                f"country must be two letters such as GB, not {self.country[:20]!r}."
            ).says("placement.ask.country", country=self.country[:20])
        if self.age is not None and not 0 <= self.age <= 130:
            raise InvalidInput(f"age must be between 0 and 130, not {self.age}.")
        named = (*self.history, *self.cart, *self.bought, *self.candidates, self.item_id or "x")
        for each in named:
            if not 1 <= len(each) <= 200 or not each.isprintable():
                raise InvalidInput("An item id is 1 to 200 printable characters; one is not.").says(
                    "placement.ask.item_id"
                )
        if self.category is not None and (len(self.category) > 200 or self.category.strip() == ">"):
            raise InvalidInput("category must be a name or a path such as 'Home > Lamps'.")


class Found(msgspec.Struct, frozen=True):
    """Who asked: canonical subject if known, and whether their own history may be used."""

    customer: int | None
    personalised: bool


def find_asker(shop: "Shop", tx: sa.Connection, ask: Ask) -> Found:
    """The customer or browser, where there is one; a stranger otherwise."""
    customer = None
    if ask.customer_id:
        customer = seek_customer(tx, ask.customer_id, store=shop.store)
    if customer is None and ask.anonymous_id:
        customer = seek_browser(tx, ask.anonymous_id)
    allowed = customer is None or is_allowed(tx, shop.settings.consent, customer, "personalisation")
    return Found(customer, allowed)


def read_context(
    shop: "Shop",
    tx: sa.Connection,
    ask: Ask,
    found: Found,
    now: datetime,
    *,
    recommender: "Recommender",
    known: "Knowledge",
    ignored: bool,
) -> Context:
    """Everything that a list is made in view of; ``ignored``: what was shown in vain too."""
    customer = found.customer if found.personalised else None
    told = None if customer is None else recommender.tell(tx, customer)
    if ask.bought:
        columns = add_order(told.columns if told else NO_COUNTS, ask.bought, now)
        told = known.tell(columns)
    past = {} if told is None else LazyPast(told.columns)
    country = ask.country.upper() if ask.country else _find_country(tx, customer)
    unit = ask.anonymous_id or ""
    if customer is not None:
        unit = str(customer)
    elif ask.customer_id and found.personalised:
        unit = ask.customer_id
    return Context(
        now=now,
        customer=customer,
        past=past,
        told=told,
        history=ask.history,
        item=ask.item_id,
        cart=ask.cart,
        category=ask.category or None,
        candidates=ask.candidates,
        country=country,
        age=ask.age,
        ignored=count_ignored(shop, customer, past) if ignored and customer is not None else {},
        unit=unit,
    )


def _find_country(tx: sa.Connection, customer: int | None) -> str | None:
    """The two letters of a customer's country, where their events told them."""
    said = None if customer is None else read_country(tx, customer)
    return said if said is not None and len(said) == 2 else None


def add_order(columns: CountColumns, item_ids: Sequence[str], now: datetime) -> CountColumns:
    """What a profile tells as one more order, placed now, would leave it.

    >>> from datetime import UTC
    >>> told = CountColumns.of([("a", 3, 0, 0, 5)])
    >>> more = add_order(told, ["a", "b"], datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    >>> more.item_ids, more.numbers.tolist()
    (('a', 'b'), [[3, 0], [0, 0], [1, 1], [1000000, 1000000]])
    """
    at = to_micros(now)
    rows = zip(columns.item_ids, *columns.numbers.tolist(), strict=True)
    counts: dict[str, Counts] = {row[0]: row for row in rows}
    for item_id in dict.fromkeys(item_ids):
        _, views, carts, orders, last_at = counts.get(item_id, (item_id, 0, 0, 0, at))
        counts[item_id] = (item_id, views, carts, orders + 1, max(at, last_at))
    return CountColumns.of(list(counts.values()))


def count_ignored(shop: "Shop", customer: int, past: Mapping[str, Met]) -> dict[str, int]:
    """How often each item was in the customer's last hundred lists since it was last looked at."""
    events = shop.store.log.read_customer(
        customer, limit=_LISTS, names=(Name.RECOMMENDATIONS_SERVED.value,)
    )
    counts: dict[str, int] = {}
    for event in events:
        for line in event.lines:
            met = past.get(line.item_id)
            if met is None or met.last_at < event.occurred_at:
                counts[line.item_id] = counts.get(line.item_id, 0) + 1
    return counts
