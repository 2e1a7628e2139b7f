"""What keeps an item out of a list: the filters and rules as conditions, and the history's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache

import numpy as np

from lingxi.profiles.read import is_sent_back
from lingxi.recommend.expressions import Expression, Facts, Moment, parse_expression
from lingxi.recommend.expressions.names import CUSTOM
from lingxi.recommend.expressions.nodes import Kind
from lingxi.recommend.expressions.vectorised import Mask
from lingxi.recommend.item_table import ItemTable
from lingxi.recommend.placements.context import Context
from lingxi.recommend.placements.definition import Do, Filters, Rule, Strategy, Variant


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


def bar_own(variant: Variant, context: Context, table: ItemTable) -> dict[int, Reason]:
    """Places that the customer's own doings keep out, each with the first reason."""
    filters, found = variant.filters, dict[int, Reason]()

    def bar(item_id: str, reason: Reason) -> None:
        place = table.index.get(item_id)
        if place is not None:
            found.setdefault(place, reason)

    if context.item:
        bar(context.item, Reason.LOOKED_AT)
    if filters.hide_in_cart:
        for item_id in context.cart:
            bar(item_id, Reason.IN_CART)
    if filters.hide_bought and variant.strategy is not Strategy.AGAIN:
        for item_id, met in context.past.items():
            if met.orders and _is_too_soon(item_id, met.last_at, filters, context, table):
                bar(item_id, Reason.BOUGHT)
    if filters.hide_bought:
        for row in context.rows:
            if is_sent_back(row):
                bar(row[0], Reason.BOUGHT)
    if filters.ignored_after:
        for item_id, shown in context.ignored.items():
            if shown >= filters.ignored_after:
                bar(item_id, Reason.IGNORED)
    return found


def _is_too_soon(
    item_id: str, last_at: datetime, filters: Filters, context: Context, table: ItemTable
) -> bool:
    place = table.index.get(item_id)
    own = (
        None if place is None else table.facts[place].read(CUSTOM + "repurchase_days", Kind.NUMBER)
    )
    days = own if isinstance(own, float) and own > 0 else float(filters.repurchase_days)
    return days <= 0 or context.now - last_at < timedelta(days=days)


@lru_cache(maxsize=1024)
def _bar(reason: Reason, text: str) -> Bar:
    return Bar(reason, parse_expression(text))


def _write(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".") or "0"
