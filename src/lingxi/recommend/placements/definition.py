"""What a placement is: where a list stands, what fills it, and what it must keep to."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from lingxi.errors import InvalidInput, UnknownPlacement, did_you_mean
from lingxi.recommend.expressions import parse_expression
from lingxi.recommend.rerank import Method

LONGEST_LIST = 100
MOST_RULES = 100
MOST_IDS = 1000

Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Amount = Annotated[float, msgspec.Meta(ge=0.0)]
Cap = Annotated[int, msgspec.Meta(ge=0, le=LONGEST_LIST)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
Country = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}$")]
ItemIds = Annotated[tuple[str, ...], msgspec.Meta(max_length=MOST_IDS)]


class Strategy(StrEnum):
    """What fills a list, given the customer, the item looked at, the cart or a query's items."""

    PERSONAL = "personal"
    SIMILAR = "similar"
    TOGETHER = "bought_together"
    COMPLEMENTARY = "complementary"
    TASTE = "taste"
    POPULAR = "popular"
    POPULAR_HERE = "popular_in_category"
    TRENDING = "trending"
    NEW = "new_arrivals"
    RECENT = "recently_viewed"
    AGAIN = "buy_again"
    PROMOTED = "promoted"
    QUERY = "search"


class Do(StrEnum):
    """What a rule does with the items it is about."""

    INCLUDE = "include"
    EXCLUDE = "exclude"
    BOOST = "boost"
    PIN = "pin"


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a definition: a name that is not known is an error."""


class Rule(Record, frozen=True, kw_only=True):
    """One rule of the shop; it is about the items for which ``where`` holds, or those named.

    ``include`` bars all other items, ``exclude`` these, ``boost`` multiplies their scores by
    ``by``, ``pin`` puts the best of them at ``position`` (from 1). It holds from ``since`` until
    ``until`` and, where ``countries`` are named, only for requests from there.
    """

    name: Name
    do: Do
    where: str = ""
    items: ItemIds = ()
    by: Annotated[float, msgspec.Meta(gt=0.0, le=100.0)] | None = None
    position: Annotated[int, msgspec.Meta(ge=1, le=LONGEST_LIST)] | None = None
    countries: tuple[Country, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    on: bool = True

    def __post_init__(self) -> None:
        where = f"The rule {self.name!r}"
        if bool(self.where.strip()) == bool(self.items):
            raise InvalidInput(f"{where} needs either 'where' or 'items'.")
        if self.where:
            parse_expression(self.where)
        if (self.do is Do.BOOST) != (self.by is not None):
            raise InvalidInput(f"{where}: 'by' belongs to a boost, and a boost needs it.")
        if (self.do is Do.PIN) != (self.position is not None):
            raise InvalidInput(f"{where}: 'position' belongs to a pin, and a pin needs it.")
        for moment in (self.since, self.until):
            if moment is not None and moment.tzinfo is None:
                raise InvalidInput(f"{where}: write a moment with its offset: {moment}Z.")
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise InvalidInput(f"{where} ends before it begins.")

    def is_on(self, now: datetime, country: str | None) -> bool:
        """Whether it holds at this moment for a request from this country."""
        return (
            self.on
            and (self.since is None or self.since <= now)
            and (self.until is None or now < self.until)
            and (not self.countries or country in self.countries)
        )


class Filters(Record, frozen=True, kw_only=True):
    """What every list of a placement keeps to; amounts in whole units of the shop's currency.

    0 switches a limit off. ``kinds``: product, offer, promotion (an item's attribute ``kind``).
    ``hide_bought``: leave out what the customer has bought, with ``repurchase_days`` only for that
    long, an item's own attribute ``repurchase_days`` going first. ``ignored_after``: leave out what
    was shown this often since it was last looked at. An item with the attribute ``min_age`` is
    shown only to those said to be old enough; one with ``countries`` or ``not_countries``
    ("GB, IE") only where it may be sold.
    """

    kinds: tuple[str, ...] = ("product",)
    in_stock: bool = True
    with_price: bool = True
    price_min: Amount = 0.0
    price_max: Amount = 0.0
    margin_min: Share = 0.0
    hide_bought: bool = True
    repurchase_days: Annotated[int, msgspec.Meta(ge=0, le=3650)] = 0
    hide_in_cart: bool = True
    ignored_after: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0
    blocklist: ItemIds = ()

    def __post_init__(self) -> None:
        if 0 < self.price_max < self.price_min:
            raise InvalidInput(f"No price is from {self.price_min} to {self.price_max}.").says(
                "placement.problem.prices", low=self.price_min, high=self.price_max
            )
        if not self.kinds:
            raise InvalidInput(
                "'kinds' must name at least one kind of item, such as 'product'."
            ).says("placement.problem.kinds")


class Diversity(Record, frozen=True, kw_only=True):
    """How different the items of a list are to be; ``strength`` 0 is the order of relevance.

    A cap of 0 is none; ``category`` is the narrowest one of an item.
    """

    method: Method = Method.MMR
    strength: Share = 0.0
    most_per_brand: Cap = 0
    most_per_category: Cap = 0


class Exploration(Record, frozen=True, kw_only=True):
    """Places given to items drawn at random from the next best ``pool``, with logged propensity."""

    share: Share = 0.0
    first_position: Annotated[int, msgspec.Meta(ge=1, le=LONGEST_LIST)] = 1
    pool: Annotated[int, msgspec.Meta(ge=1, le=500)] = 50


class Weights(Record, frozen=True, kw_only=True):
    """What an event of each kind is worth in the history; where left out, what training chose."""

    view: Amount | None = None
    cart: Amount | None = None
    order: Amount | None = None


class Variant(Record, frozen=True, kw_only=True):
    """What fills a list and how; the part of a placement that an experiment compares.

    ``aim``: 0 clicks, 0.5 orders, 1 margin. ``personal_share``: how much the customer's own taste
    changes the order of a search, 0 leaves it as it came.
    """

    strategy: Strategy = Strategy.PERSONAL
    fallbacks: tuple[Strategy, ...] = (Strategy.POPULAR,)
    n: Annotated[int, msgspec.Meta(ge=1, le=LONGEST_LIST)] = 10
    aim: Share = 0.0
    personal_share: Share = 0.5
    weights: Weights = Weights()
    filters: Filters = Filters()
    diversity: Diversity = Diversity()
    exploration: Exploration = Exploration()
    rules: Annotated[tuple[Rule, ...], msgspec.Meta(max_length=MOST_RULES)] = ()

    def __post_init__(self) -> None:
        names = [rule.name for rule in self.rules]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InvalidInput(f"Two rules are called {twice[0]!r}; each needs a name of its own.")
        places = [rule.position for rule in self.rules if rule.do is Do.PIN and rule.on]
        late = [place for place in places if place is not None and place > self.n]
        if late:
            raise InvalidInput(f"A pin stands at position {late[0]} of a list of {self.n}.")

    @property
    def strategies(self) -> tuple[Strategy, ...]:
        """The strategy and its fallbacks, each once."""
        return tuple(dict.fromkeys((self.strategy, *self.fallbacks)))


class Experiment(Record, frozen=True, kw_only=True):
    """A second variant, shown to a share of customers chosen by a hash of who they are."""

    name: Name
    share: Annotated[float, msgspec.Meta(gt=0.0, lt=1.0)] = 0.5
    variant: Variant = Variant()


class Placement(Variant, frozen=True, kw_only=True):
    """A place in the shop where a list stands."""

    title: str = ""
    experiment: Experiment | None = None


Placements = dict[str, Placement]
"""Placements by name."""


class Definitions(Record, frozen=True, kw_only=True):
    """All placements of a shop, and the rules that hold in each of them."""

    placements: Placements
    rules: Annotated[tuple[Rule, ...], msgspec.Meta(max_length=MOST_RULES)] = ()

    def get(self, name: str) -> Placement:
        """A placement by name.

        Raises
        ------
        UnknownPlacement
            If there is none of this name.
        """
        found = self.placements.get(name)
        if found is None:
            raise UnknownPlacement(
                f"There is no placement {name[:80]!r}{did_you_mean(name, self.placements)}. "
                f"There are: {', '.join(self.placements)}."
            )
        return found
