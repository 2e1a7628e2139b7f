"""WooCommerce's webhooks. Source: WooCommerce REST API version 3, Orders, Customers, Products."""

from collections.abc import Mapping
from html import unescape

from lingxi.ingest.cleaning.values import read_number
from lingxi.ingest.webhooks.reading import (
    Body,
    Reading,
    as_list,
    as_object,
    as_text,
    drop_empty,
    find_lacking,
    name_item,
    spell_codes,
)

_SPACE = "woocommerce"
_PAID = frozenset({"processing", "completed"})
_ENDED = frozenset({"cancelled", "failed", "trash"})
_ID = (("id",),)
_BOUGHT = (*_ID, ("status",), ("total", "line_items"))
_REFUND = (*_ID, ("total",))


def read_woocommerce(topic: str, body: Body) -> Reading:
    """What a webhook of WooCommerce means; nothing for topics we have no use for."""
    resource, _, action = topic.partition(".")
    if resource not in ("order", "customer", "product") or topic == "customer.deleted":
        return Reading()
    bought = resource == "order" and action != "deleted"
    lacking = find_lacking(body, _BOUGHT if bought else _ID)
    if bought and not lacking:
        found = (find_lacking(each, _REFUND) for each in as_list(body.get("refunds")))
        lacking = next((f"refunds.{name}" for name in found if name), "")
    if lacking:
        return Reading(lacking=lacking)
    if resource == "order":
        return _order(action, body)
    if resource == "customer":
        return Reading(messages=_identify(body, as_text(body.get("id"))))
    return _product(action, body)


def _order(action: str, body: Body) -> Reading:
    order_id, status = as_text(body.get("id")), as_text(body.get("status"))
    billing = as_object(body.get("billing"))
    customer = as_text(body.get("customer_id"))
    customer = "" if customer == "0" else customer
    traits = drop_empty({"email": billing.get("email"), "phone": billing.get("phone")})
    country = as_object(body.get("shipping")).get("country") or billing.get("country")
    common: Body = {
        "userId": customer,
        "context": drop_empty({"traits": traits, "location": drop_empty({"country": country})}),
    }
    changed = as_text(body.get("date_modified_gmt"))
    name = _name_order(action, status)
    message = {
        "type": "track",
        "event": name,
        "messageId": f"{_SPACE}:order:{order_id}:{action}:{status}:{changed}",
        "timestamp": _moment(
            body.get("date_created_gmt") if action == "created" else body.get("date_modified_gmt")
        ),
        "properties": drop_empty(
            {
                "order_id": order_id,
                "order_name": as_text(body.get("number")),
                **_properties(body, name),
            }
        ),
        **common,
    }
    messages = [drop_empty(message)]
    if name in ("Order Completed", "Order Updated") and action != "deleted":
        messages += [
            _refund(order_id, each, body, common)
            for each in as_list(body.get("refunds"))
            if read_number(each.get("total"))  # one of nothing would be taken for one of everything
        ]
    if customer:
        messages = [*_identify({**billing, "date_modified_gmt": changed}, customer), *messages]
    return Reading(messages=messages)


def _name_order(action: str, status: str) -> str:
    """What the state of an order means: only a paid one is an order, a pending one is none yet."""
    if action == "deleted" or status in _ENDED:
        return "Order Cancelled"
    if status == "refunded":
        return "Order Refunded"
    if status in _PAID:
        return "Order Completed" if action == "created" else "Order Updated"
    return "Order Pending"


def _properties(body: Body, name: str) -> Body:
    if name in ("Order Cancelled", "Order Refunded"):
        return {}
    return drop_empty(
        {
            "total": body.get("total"),
            "tax": body.get("total_tax"),
            "shipping": body.get("shipping_total"),
            "discount": body.get("discount_total"),
            "currency": body.get("currency"),
            **spell_codes(as_list(body.get("coupon_lines")), "discount"),
            "products": [_line(line) for line in as_list(body.get("line_items"))],
        }
    )


def _line(line: Mapping[str, object]) -> Body:
    variation = as_text(line.get("variation_id"))
    quantity = read_number(line.get("quantity")) or 1.0
    whole, price = _worth(line), line.get("price")
    if whole is not None:
        price = whole / quantity
    product = {
        "product_id": name_item(
            line.get("sku"), "" if variation == "0" else variation, line.get("product_id")
        ),
        "name": line.get("name"),
        "quantity": quantity,
        "price": price,
    }
    return drop_empty(product)


def _worth(line: Mapping[str, object]) -> float | None:
    """What a line's goods cost before discounts, which are a cost of the order: ``subtotal`` is
    that, and ``price`` and ``total`` are less the line's part of them."""
    for name in ("subtotal", "total") if line.get("price") is None else ("subtotal",):
        value = read_number(line.get(name))
        if value is not None:
            return value
    return None


def _find_goods(body: Body, paid: float) -> float | None:
    """The goods that money paid back is for, where a discount made them cheaper: they come back at
    the price at which the order told of them."""
    worth = [_worth(line) for line in as_list(body.get("line_items"))]
    goods = sum(each or 0.0 for each in worth)
    off = read_number(body.get("discount_total")) or 0.0
    return round(paid * goods / (goods - off), 4) if 0 < off < goods else None


def _refund(order_id: str, refund: Body, body: Body, common: Body) -> Body:
    number = as_text(refund.get("id"))
    total = abs(read_number(refund.get("total")) or 0.0)
    paid, tax = read_number(body.get("total")), read_number(body.get("total_tax"))
    taxed = round(total * tax / paid, 4) if tax and paid else None
    message = {
        "type": "track",
        "event": "Order Refunded",
        "messageId": f"{_SPACE}:refund:{number}",
        "timestamp": _moment(body.get("date_modified_gmt")),
        "properties": {
            "order_id": order_id,
            "refund_id": number,
            "total": total,
            "tax": taxed,
            "subtotal": _find_goods(body, total - (taxed or 0.0)),
            "currency": body.get("currency"),
        },
        **common,
    }
    return drop_empty(message)


def _identify(body: Body, number: str) -> list[Body]:
    billing = as_object(body.get("billing")) or body
    traits = drop_empty(
        {
            "email": body.get("email") or billing.get("email"),
            "phone": billing.get("phone"),
            "first_name": body.get("first_name"),
            "last_name": body.get("last_name"),
            "city": billing.get("city"),
            "country": billing.get("country"),
            "created_at": body.get("date_created_gmt"),
        }
    )
    moment = as_text(body.get("date_modified_gmt"))
    said = {
        "type": "identify",
        "messageId": f"{_SPACE}:customer:{number}:{moment}",
        "timestamp": _moment(moment),
        "userId": number,
        "traits": traits,
        "context": {"externalIds": [{"id": number, "type": _SPACE}]},
    }
    return [drop_empty(said)] if number and traits else []


def _product(action: str, body: Body) -> Reading:
    number = as_text(body.get("id"))
    if action == "deleted":
        return Reading(removed_groups=[number], product=number)
    parent = as_text(body.get("parent_id"))
    images, categories = as_list(body.get("images")), as_list(body.get("categories"))
    stock = body.get("stock_quantity")
    status = body.get("stock_status")
    if status == "outofstock" and stock is None:
        stock = 0
    elif status == "onbackorder":  # sold whatever is left
        stock = None
    item = drop_empty(
        {
            "name": unescape(as_text(body.get("name"))),
            "price": read_number(body.get("price")),
            "category": unescape(as_text(categories[0].get("name"))) if categories else None,
            "group_id": number if parent in ("", "0") else parent,
            "attributes": {} if parent in ("", "0") else {"variation_id": number},
            "image": images[0].get("src") if images else None,
            "url": body.get("permalink"),
        }
    ) | {"active": body.get("status", "publish") == "publish"}
    if isinstance(stock, int):
        item["stock"] = max(0, stock)
    elif status is not None:  # no longer counted: not known, and not what it was
        item["stock"] = None
    changed = _moment(body.get("date_modified_gmt"))
    items = {name_item(body.get("sku"), None, number): item}
    return Reading(items=items, product=number, changed_at=changed)


def _moment(value: object) -> str:
    """WooCommerce's ``..._gmt`` moments have no zone; they are in UTC."""
    text = as_text(value)
    return f"{text}+00:00" if text and not text.endswith("Z") and "+" not in text else text
