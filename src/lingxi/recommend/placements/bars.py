"""What keeps an item out of a list: the filters and rules as conditions, and the history's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import cast

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.expressions import Expression, Facts, Moment, parse_expression
from lingxi.recommend.expressions.names import CUSTOM
from lingxi.recommend.expressions.nodes import Kind
from lingxi.recommend.expressions.vectorised import Mask, Numbers
from lingxi.recommend.histories import DAY, ORDER
from lingxi.recommend.interactions import to_micros
from lingxi.recommend.item_table import ItemTable
from lingxi.recommend.past import Past
from lingxi.recommend.placements.context import Context
from lingxi.recommend.placements.definition import Do, Filters, Rule, Strategy, Variant
from lingxi.recommend.placements.scored import Places

REPURCHASE = CUSTOM + "repurchase_days"
"""After how many days an item may be needed again."""


class Reason(StrEnum):
    """Why an item is not in a list."""

    UNLISTED = "unlisted"
    OFF_SALE = "off_sale"
    NOT_YET = "not_yet"
    NO_LONGER = "no_longer"
    KIND = "kind"
    OUT_OF_STOCK = "out_of_stock"
    WITHOUT_PRICE = "without_price"
    PRICE = "price"
    MARGIN = "margin"
    AGE = "age"
    COUNTRY = "country"
    BLOCKED = "blocked"
    OTHER_CATEGORY = "other_category"
    EXCLUDED = "excluded"
    NOT_INCLUDED = "not_included"
    LOOKED_AT = "looked_at"
    IN_CART = "in_cart"
    BOUGHT = "bought"
    IGNORED = "ignored"


FIRM = frozenset(
    {
        Reason.UNLISTED,
        Reason.OFF_SALE,
        Reason.NOT_YET,
        Reason.NO_LONGER,
        Reason.KIND,
        Reason.OUT_OF_STOCK,
        Reason.AGE,
        Reason.COUNTRY,
        Reason.BLOCKED,
    }
)
"""What keeps even a pinned item out."""


@dataclass(frozen=True)
class Bar:
    """Bars the items for which a condition holds, or those named; ``rule`` is a rule's name."""

    reason: Reason
    condition: Expression | None = None
    item_ids: frozenset[str] = frozenset()
    rule: str = ""

    def mask(self, table: ItemTable, moment: Moment) -> Mask:
        """Which items of the table it bars, shape (n_items,)."""
        if self.condition is not None:
            found = self.condition.mask(table, moment)
        else:
            found = np.zeros(len(table), dtype=np.bool_)
            found[[table.index[i] for i in self.item_ids if i in table.index]] = True
        return ~found if self.reason is Reason.NOT_INCLUDED else found

    def holds(self, facts: Facts, moment: Moment) -> bool:
        """Whether it bars one item."""
        named = facts.item_id in self.item_ids
        found = named if self.condition is None else self.condition.holds(facts, moment)
        return not found if self.reason is Reason.NOT_INCLUDED else found

    @property
    def asks_request(self) -> bool:
        """Whether its answer depends on more than the item and the day."""
        return self.condition is not None and self.condition.asks_request


_SALE = (
    (Reason.OFF_SALE, "not active"),
    (Reason.NOT_YET, "starts_in_days > 0"),
    (Reason.NO_LONGER, "ends_in_days <= 0"),
)


def list_bars(
    variant: Variant, rules: Sequence[Rule], context: Context, *, listed: bool = True
) -> list[Bar]:
    """Everything about an item itself that keeps it out, in the order in which it is named.

    ``rules`` are those of the shop and of the variant that are on now; ``listed``: only items that
    the catalogue has.
    """
    bars = [_bar(Reason.UNLISTED, "not listed")] if listed else []
    bars += [_bar(reason, text) for reason, text in _SALE]
    bars += _list_filters(variant.filters)
    age = 0 if context.age is None else context.age
    bars.append(_bar(Reason.AGE, f"{CUSTOM}min_age > {age}"))
    if context.country:
        country = quote(context.country)
        bars.append(
            _bar(
                Reason.COUNTRY,
                f"{CUSTOM}not_countries contains {country} or "
                f"{CUSTOM}countries is not unknown and not {CUSTOM}countries contains {country}",
            )
        )
    if context.category:
        bars.append(
            _bar(
                Reason.OTHER_CATEGORY,
                f"path is unknown or not path under {quote(context.category)}",
            )
        )
    for rule in rules:
        reason = {Do.EXCLUDE: Reason.EXCLUDED, Do.INCLUDE: Reason.NOT_INCLUDED}.get(rule.do)
        if reason is not None:
            bars.append(to_bar(rule, reason))
    return bars


def _list_filters(filters: Filters) -> list[Bar]:
    kinds = ", ".join(quote(kind) for kind in filters.kinds)
    bars = [_bar(Reason.KIND, f"kind is not unknown and kind not in [{kinds}]")]
    if "product" not in filters.kinds:
        bars[0] = _bar(Reason.KIND, f"kind is unknown or kind not in [{kinds}]")
    if filters.in_stock:
        bars.append(_bar(Reason.OUT_OF_STOCK, "stock <= 0"))
    if filters.with_price:
        bars.append(_bar(Reason.WITHOUT_PRICE, "price <= 0"))
    if filters.price_min > 0 or filters.price_max > 0:
        low, high = _write(filters.price_min), _write(filters.price_max)
        text = f"price is unknown or price < {low}"
        bars.append(_bar(Reason.PRICE, text + (f" or price > {high}" if filters.price_max else "")))
    if filters.margin_min > 0:
        least = _write(filters.margin_min)
        bars.append(_bar(Reason.MARGIN, f"margin_share is unknown or margin_share < {least}"))
    if filters.blocklist:
        bars.append(Bar(Reason.BLOCKED, item_ids=frozenset(filters.blocklist)))
    return bars


def to_bar(rule: Rule, reason: Reason) -> Bar:
    """A rule as a bar; a boost or a pin is one for asking what it is about."""
    condition = parse_expression(rule.where) if rule.where else None
    return Bar(reason, condition, frozenset(rule.items), rule.name)


def quote(text: str) -> str:
    """A text as a condition holds it.

    >>> parse_expression(f"brand == {quote(chr(39))}").text
    "brand == '\\\\''"
    """
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


@dataclass(frozen=True)
class Own:
    """Places that the customer's own doings keep out.

    ``here``: what is looked at or lies in the cart, ``bought``, rising, and ``ignored``; of several
    reasons the first of these counts.
    """

    here: Mapping[int, Reason]
    bought: Places
    ignored: Sequence[int] = ()

    @property
    def places(self) -> Places:
        """All of them, in no order."""
        if not self.here and not self.ignored:
            return self.bought
        return np.concatenate((self.bought, np.array([*self.here, *self.ignored], np.int64)))

    def find(self, place: int) -> Reason | None:
        """What keeps an item out, if anything does."""
        if place in self.here:
            return self.here[place]
        if (self.bought == place).any():
            return Reason.BOUGHT
        return Reason.IGNORED if place in self.ignored else None


def bar_own(variant: Variant, context: Context, table: ItemTable) -> Own:
    """Places that the customer's own doings keep out."""
    filters, index = variant.filters, table.index
    here: dict[int, Reason] = {}
    if context.item and context.item in index:
        here[index[context.item]] = Reason.LOOKED_AT
    if filters.hide_in_cart:
        for item_id in context.cart:
            if item_id in index:
                here.setdefault(index[item_id], Reason.IN_CART)
    bought = np.empty(0, np.int64)
    if filters.hide_bought:
        bought = _find_bought(variant, context, table)
    ignored: list[int] = []
    if filters.ignored_after:
        most = filters.ignored_after
        ignored = [index[i] for i, shown in context.ignored.items() if shown >= most and i in index]
    return Own(here, bought, ignored)


def _find_bought(variant: Variant, context: Context, table: ItemTable) -> Places:
    """Places of what was bought and may not be needed again yet, and of what was only sent back."""
    past = context.read_past(table)
    closed = past.moments == 0
    if variant.strategy is not Strategy.AGAIN:
        bought = past.counts[ORDER] > 0
        days = table.column(REPURCHASE, Kind.NUMBER)
        lasting = variant.filters.repurchase_days
        if lasting or days.known.any():
            bought &= _is_too_soon(past, lasting, cast(Numbers, days), context)
        closed |= bought
    found: Places = past.items[closed]
    return found


def _is_too_soon(past: Past, lasting: int, own: Numbers, context: Context) -> NDArray[np.bool_]:
    """Whether items were bought less long ago than they last; an item's own time goes first."""
    days = np.where(own.known[past.items], own.values[past.items], 0.0)
    days = np.where(days > 0, days, float(lasting))
    age = to_micros(context.now) - past.moments
    found: NDArray[np.bool_] = (days <= 0) | (age < np.rint(days * DAY))
    return found


@lru_cache(maxsize=1024)
def _bar(reason: Reason, text: str) -> Bar:
    return Bar(reason, parse_expression(text))


def _write(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".") or "0"
