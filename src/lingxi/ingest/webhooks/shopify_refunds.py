"""Refunds of Shopify, as webhooks of their own and within an order. Source: Shopify's Admin REST
API, Refund and Transaction: amounts of transactions are in the currency in which was paid, all
others in the shop's."""

from collections.abc import Mapping

from lingxi.ingest.cleaning.values import read_number
from lingxi.ingest.webhooks.reading import (
    Body,
    as_list,
    as_object,
    as_text,
    drop_empty,
    name_item,
)


def read_refund(refund: Body, order_id: str, who: Body) -> Body:
    """The message of one refund; an empty one for what names neither goods nor money, which would
    be taken for a refund of everything."""
    products = [_returned(line) for line in as_list(refund.get("refund_line_items"))]
    currency, total = _money_back(refund)
    shipping = _shipping_back(refund)
    if not total and not shipping and not any(each.get("product_id") for each in products):
        return {}
    refund_id = as_text(refund.get("id"))
    properties = {
        "order_id": order_id,
        "refund_id": refund_id,
        "total": total or None,
        "shipping": shipping or None,
        "tax": _tax_back(refund) or None,
        "currency": currency,
        "products": products,
    }
    message = {
        "type": "track",
        "event": "Order Refunded",
        "messageId": f"shopify:refund:{refund_id}",
        "timestamp": refund.get("created_at"),
        "properties": drop_empty(properties),
        **who,
    }
    return drop_empty(message)


def count_returned(order: Body) -> Mapping[str, float]:
    """Units that the refunds within an order brought back, by the number of the order's line."""
    units: dict[str, float] = {}
    for refund in as_list(order.get("refunds")):
        for line in as_list(refund.get("refund_line_items")):
            number = as_text(line.get("line_item_id"))
            units[number] = units.get(number, 0.0) + _number(line.get("quantity"))
    return units


def sum_refunds(order: Body) -> float:
    """What the refunds within an order gave back, in the shop's currency."""
    back = 0.0
    for refund in as_list(order.get("refunds")):
        currency, total = _money_back(refund)
        if currency in ("", as_text(order.get("currency"))):
            back += total or _of_lines(refund) + _shipping_back(refund)
    return back


def _money_back(refund: Body) -> tuple[str, float]:
    """The currency of a refund's amounts, and its total: what was paid back, or, where that was in
    another currency than the goods are told in, what they and their taxes come to."""
    paid = [
        each
        for each in as_list(refund.get("transactions"))
        if each.get("kind") == "refund" and each.get("status") in (None, "success")
    ]
    total = sum(_number(each.get("amount")) for each in paid)
    currency = as_text(paid[0].get("currency")) if paid else ""
    own = _shop_currency(refund)
    if own and own != currency:
        return own, (_of_lines(refund) + _shipping_back(refund)) if paid else 0.0
    return currency, total


def _shop_currency(refund: Body) -> str:
    """The shop's currency, as a refund's goods or shipping name it."""
    for line in as_list(refund.get("refund_line_items")):
        money = as_object(as_object(line.get("subtotal_set")).get("shop_money"))
        if as_text(money.get("currency_code")):
            return as_text(money.get("currency_code"))
    for each in as_list(refund.get("order_adjustments")):
        money = as_object(as_object(each.get("amount_set")).get("shop_money"))
        if as_text(money.get("currency_code")):
            return as_text(money.get("currency_code"))
    return ""


def _of_lines(refund: Body) -> float:
    lines = as_list(refund.get("refund_line_items"))
    goods = sum(_number(line.get("subtotal")) + _number(line.get("total_tax")) for line in lines)
    return goods - sum(
        _number(each.get("amount")) + _number(each.get("tax_amount"))
        for each in as_list(refund.get("order_adjustments"))
        if each.get("kind") != "shipping_refund"
    )


def _shipping_back(refund: Body) -> float:
    """Shipping that was paid back, its tax included; adjustments are told as negative amounts."""
    told = sum(
        _number(
            as_object(as_object(each.get("subtotal_amount_set")).get("shop_money")).get("amount")
        )
        for each in as_list(refund.get("refund_shipping_lines"))
    )
    adjusted = sum(
        _number(each.get("amount")) + _number(each.get("tax_amount"))
        for each in as_list(refund.get("order_adjustments"))
        if each.get("kind") == "shipping_refund"
    )
    return max(told, -adjusted, 0.0)


def _tax_back(refund: Body) -> float:
    """Tax of what was paid back beside shipping."""
    lines = as_list(refund.get("refund_line_items"))
    adjusted = sum(
        _number(each.get("tax_amount"))
        for each in as_list(refund.get("order_adjustments"))
        if each.get("kind") != "shipping_refund"
    )
    return max(0.0, sum(_number(line.get("total_tax")) for line in lines) - adjusted)


def _returned(line: Body) -> Body:
    """Goods that came back, at the price at which the order told of them: what a discount had taken
    off is a cost of the order, and of its refund."""
    item = as_object(line.get("line_item"))
    units = _number(line.get("quantity")) or 1.0
    price = item.get("price")
    if price is None and line.get("subtotal") is not None:
        price = _number(line.get("subtotal")) / units
    product = {
        "product_id": name_item(item.get("sku"), item.get("variant_id"), item.get("product_id")),
        "name": item.get("title"),
        "brand": item.get("vendor"),
        "variant": item.get("variant_title"),
        "price": price,
    }
    return drop_empty(product) | {"quantity": units}


def _number(value: object) -> float:
    return read_number(value) or 0.0
