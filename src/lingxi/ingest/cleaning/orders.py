"""Products and money: lines, amounts in the shop's currency, what is impossible."""

from fractions import Fraction
from functools import lru_cache
from typing import Any

from lingxi.i18n import is_currency, minor_units
from lingxi.ingest.cleaning.draft import Draft, Halt
from lingxi.ingest.cleaning.money import name_currencies
from lingxi.ingest.cleaning.values import SHORT, read_text
from lingxi.ingest.drops import MOST_PRICE, MOST_UNITS
from lingxi.ingest.event_names import NEEDS_ITEM
from lingxi.ingest.puts import tidy_id
from lingxi.ingest.rates import convert
from lingxi.ingest.reasons import DropReason, PutReason
from lingxi.schema import Line
from lingxi.schema.ecommerce import (
    ORDER_NAMES,
    OrderMoney,
    ProductFields,
    ProductReviewed,
    Promotion,
    Properties,
    WithProducts,
)

_MOST_TOTAL = 1e10

Factor = float | Fraction
"""Minor units of the shop's currency for one unit of the event's; a fraction where converted."""


def put_columns(draft: Draft) -> None:
    """Fill the event's own columns from the typed properties."""
    typed = draft.typed
    if typed is None:
        return
    said: Any = typed
    has_category, has_query, has_order = _columns_of(type(typed))
    if has_category:
        draft.category = said.category
    if has_query:
        draft.query = _read_query(said.query)
    if has_order and said.order_id is not None:
        draft.order_id = tidy_id(said.order_id)
    if isinstance(typed, WithProducts):
        products: tuple[ProductFields, ...] = typed.products
    elif isinstance(typed, ProductFields):
        products = draft.products or (typed,)
    elif isinstance(typed, Promotion):
        draft.lines = _to_line(typed.promotion_id)  # an item of the catalogue; its id is the item's
        return
    elif isinstance(typed, ProductReviewed):
        draft.lines = _to_line(typed.product_id)
        return
    else:
        return
    moves_money = draft.name in ORDER_NAMES
    factor = _put_currency(draft, typed, needed=moves_money)
    draft.lines = tuple(_to_lines(draft, products, factor, moves_money=moves_money))
    if draft.category is None and products:
        draft.category = products[0].category
    if moves_money and isinstance(typed, OrderMoney):
        _put_order(draft, typed, factor)


@lru_cache
def has_currency(kind: type[Properties]) -> bool:
    """Whether a struct of the vocabulary says in which currency its amounts are."""
    return "currency" in kind.__struct_fields__


@lru_cache
def _columns_of(kind: type[Properties]) -> tuple[bool, bool, bool]:
    """Which of category, query and order id a struct of the vocabulary has; all of them texts."""
    fields = kind.__struct_fields__
    return "category" in fields, "query" in fields, "order_id" in fields


def _to_line(said: str | None) -> tuple[Line, ...]:
    """The line of an item of which an event says no more than its id."""
    item_id = None if said is None else tidy_id(said)
    return () if item_id is None else (Line(item_id),)


def drop_missing_item(draft: Draft) -> None:
    """A product event that names no product says nothing."""
    if draft.name in NEEDS_ITEM and not draft.lines:
        raise Halt(DropReason.ITEM_MISSING, "product_id, sku")


def _read_query(said: str | None) -> str | None:
    """What was searched for, in lower case; an address typed into the search box is nobody's
    business."""
    return None if said is None or "@" in said else said.lower()


def _put_currency(draft: Draft, typed: Properties, *, needed: bool) -> Factor | None:
    """The factor of the event's money; nothing where it is not known."""
    rules = draft.rules
    said: str | None = getattr(typed, "currency", None) if has_currency(type(typed)) else None
    own = rules.currency
    if said is None and draft.steps:
        said = _read_currency(draft, needed=needed)
    code = own if said is None or said == own else said.strip().upper()
    if code != own and not is_currency(code):
        if needed:
            raise Halt(DropReason.CURRENCY_UNKNOWN, code[:40])
        draft.note("put_currency", PutReason.VALUE_DROPPED, "currency", said)
        code = own
    draft.currency = own
    digits = 10.0**rules.digits
    if code == own:
        return digits
    rate = rules.rate(code, draft.occurred_at.date())
    if rate is None:
        if needed:
            raise Halt(DropReason.CURRENCY_RATE_MISSING, f"{code} {draft.occurred_at:%Y-%m-%d}")
        draft.note("put_currency", PutReason.VALUE_DROPPED, "price", code)
        return None
    draft.note(
        "put_currency", PutReason.CURRENCY_CONVERTED, "currency", code, f"{own} × {float(rate):g}"
    )
    draft.kept["original_currency"] = code
    return rate * int(digits)


def _read_currency(draft: Draft, *, needed: bool) -> str | None:
    """The currency that amounts written as texts name, where the event names none."""
    named = name_currencies(draft.steps)
    if len(named) > 1 and needed:
        raise Halt(DropReason.CURRENCY_UNKNOWN, ", ".join(sorted(named)))
    return named.pop() if len(named) == 1 else None


def _to_cents(amount: float, factor: Factor, quantity: float = 1.0) -> int:
    """Minor units; converted money exactly, half to even."""
    if isinstance(factor, float):
        return round(amount * quantity * factor)
    return convert(amount, factor, quantity)


def _to_lines(
    draft: Draft, products: tuple[ProductFields, ...], factor: Factor | None, *, moves_money: bool
) -> list[Line]:
    lines = []
    for place, product in enumerate(products):
        item_id = product.product_id
        if item_id is None and product.sku is not None:
            item_id = product.sku
            draft.note("put_columns", PutReason.ITEM_FROM_SKU, f"products[{place}]", None, item_id)
        if item_id is not None and len(item_id) > SHORT:  # a short text is tidy already
            item_id = tidy_id(item_id)
        if item_id is None:
            if len(products) > 1 or moves_money:
                draft.note("put_columns", PutReason.LINE_DROPPED, f"products[{place}]")
            continue
        if moves_money and product.quantity is None:
            _drop_unread(draft, f"products[{place}].quantity")
        quantity = _read_quantity(draft, product.quantity)
        if quantity == 0:
            draft.note("put_columns", PutReason.LINE_DROPPED, f"products[{place}].quantity", 0)
            continue
        cents = amount = None
        if product.price is not None and factor is not None:
            _check_price(product.price)
            cents = _to_cents(product.price, factor)
            units = product.quantity or 1.0
            amount = cents if units == 1.0 else _to_cents(product.price, factor, units)
        lines.append(Line(item_id, quantity, cents, amount))
    return lines


def _drop_unread(draft: Draft, *fields: str) -> None:
    """Set the message aside where a number that its money hangs on was said and not understood."""
    for step in draft.steps:
        if step.reason is PutReason.VALUE_DROPPED and step.field in fields:
            raise Halt(DropReason.NUMBER_UNREADABLE, f"{step.field} {step.before}")


def _read_quantity(draft: Draft, quantity: float | None) -> int:
    if quantity is None:
        return 1
    if quantity < 0:
        raise Halt(DropReason.QUANTITY_NEGATIVE, read_text(quantity) or "")
    if quantity > MOST_UNITS:
        raise Halt(DropReason.NUMBER_ABSURD, f"quantity {quantity:g}")
    whole = int(quantity)
    if whole != quantity:
        whole += 1
        draft.note("put_columns", PutReason.QUANTITY_FRACTION, "quantity", quantity, whole)
    return whole


def _check_price(price: float) -> None:
    if price < 0:
        raise Halt(DropReason.PRICE_NEGATIVE, f"{price:g}")
    if price > MOST_PRICE:
        raise Halt(DropReason.NUMBER_ABSURD, f"price {price:g}")


def _put_order(draft: Draft, order: OrderMoney, factor: Factor | None) -> None:
    """Goods value and costs: ``total`` = goods + costs; ``revenue`` leaves costs out."""
    if factor is None:
        return
    for name in ("total", "revenue", "subtotal", "shipping", "tax", "discount"):
        value = getattr(order, name)
        if value is not None and abs(value) > _MOST_TOTAL:
            raise Halt(DropReason.NUMBER_ABSURD, f"{name} {value:g}")
    for name in ("total", "revenue"):
        value = getattr(order, name)
        if value is not None and value < 0 and draft.name != "Order Refunded":
            raise Halt(DropReason.PRICE_NEGATIVE, f"{name} {value:g}")
    if draft.order_id is None and draft.name == "Order Completed":
        draft.order_id = "made-" + draft.event_id.removeprefix("web").lstrip(":-")
        draft.note("put_columns", PutReason.ORDER_ID_MADE, "order_id", None, draft.order_id)
    costs = (order.shipping or 0.0) + (order.tax or 0.0)
    amounts = [line.amount_cents for line in draft.lines]
    said = next((v for v in (order.subtotal, order.revenue) if v is not None), None)
    if amounts and None not in amounts:
        goods = sum(amount for amount in amounts if amount is not None)
    elif said is not None:
        goods = _to_cents(abs(said), factor)
    elif order.total is not None:
        goods = max(0, _to_cents(abs(order.total) - costs, factor))
    else:
        _drop_unread(draft, "total", "revenue", "subtotal")
        _drop_unread(draft, *(f"products[{place}].price" for place in range(len(order.products))))
        goods = sum(amount for amount in amounts if amount is not None)
    draft.amount_cents = goods
    if order.total is not None:
        draft.cost_cents = _to_cents(abs(order.total), factor) - goods
    else:
        draft.cost_cents = _to_cents(costs - (order.discount or 0.0), factor)
    if draft.currency is not None and "original_currency" in draft.kept and order.total is not None:
        digits = 10 ** minor_units(str(draft.kept["original_currency"]))
        draft.kept["original_total_cents"] = round(order.total * digits)
