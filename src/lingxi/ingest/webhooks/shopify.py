"""Shopify's webhooks. Source: Shopify's Admin REST API, Order, Refund, Customer, Product."""

from collections.abc import Callable, Mapping, Sequence

from lingxi.ingest.cleaning.values import read_number
from lingxi.ingest.webhooks.reading import (
    Body,
    PersonRequest,
    Reading,
    as_list,
    as_object,
    as_text,
    drop_empty,
    find_lacking,
    name_item,
    spell_codes,
)
from lingxi.ingest.webhooks.shopify_refunds import count_returned, read_refund, sum_refunds

_SPACE = "shopify"
_MOST_VARIANTS = 100
"""Variants that a webhook of a product tells of at most."""


def read_shopify(topic: str, body: Body) -> Reading:
    """What a webhook of Shopify (or SHOPLINE) means; nothing for topics we have no use for."""
    if topic not in _TOPICS:
        return Reading()
    read, needs = _TOPICS[topic]
    lacking = find_lacking(body, needs)
    return Reading(lacking=lacking) if lacking else read(topic, body)


def _order(topic: str, body: Body) -> Reading:
    if body.get("test") is True:  # placed by the merchant with the test gateway
        return Reading()
    order_id, action = as_text(body.get("id")), topic.partition("/")[2]
    cancelled = bool(body.get("cancelled_at")) or action == "delete"
    names = {"create": "Order Completed", "paid": "Order Completed", "fulfilled": "Order Fulfilled"}
    name = "Order Cancelled" if cancelled else names.get(action, "Order Updated")
    moment = body.get("cancelled_at") if cancelled else None
    moment = moment or body.get("created_at" if action == "create" else "updated_at")
    customer = as_object(body.get("customer"))
    properties = {} if action in ("fulfilled", "delete") else _order_properties(body)
    message = {
        "type": "track",
        "event": name,
        "messageId": f"{_SPACE}:order:{order_id}:{action}:{as_text(body.get('updated_at'))}",
        "timestamp": moment,
        "properties": drop_empty(
            {"order_id": order_id, "order_name": body.get("name"), **properties}
        ),
        **_who(customer, body),
    }
    told = [drop_empty(message)]
    found = (read_refund(each, order_id, _who(customer, body)) for each in _refunds_of(body))
    refunds = [each for each in found if each]
    # The refunds of a cancelled order say what came back; the cancellation takes what is left.
    told = [*refunds, *told] if cancelled else [*told, *refunds]
    return Reading(messages=[*_identify(customer), *told])


def _refunds_of(order: Body) -> list[Body]:
    """The refunds within an order: their webhooks may come after the order's, or never."""
    return [each for each in as_list(order.get("refunds")) if as_text(each.get("id"))]


def _order_properties(body: Body) -> Body:
    """Goods and money of an order as it stands without its refunds, which are told beside it."""
    shipping = sum(_number(line.get("price")) for line in as_list(body.get("shipping_lines")))
    total, returned = body.get("current_total_price"), count_returned(body)
    if total and (back := sum_refunds(body)):
        total = round(_number(total) + back, 4)
    return drop_empty(
        {
            "total": total or body.get("total_price"),
            "tax": body.get("current_total_tax") or body.get("total_tax"),
            "discount": body.get("current_total_discounts") or body.get("total_discounts"),
            "shipping": shipping or None,
            "currency": body.get("currency"),
            **spell_codes(as_list(body.get("discount_codes")), "amount"),
            "checkout_id": body.get("checkout_token"),
            "products": [_product(line, returned) for line in as_list(body.get("line_items"))],
        }
    )


def _product(line: Body, returned: Mapping[str, float]) -> Body:
    quantity = line.get("current_quantity")
    if quantity is None:
        quantity = line.get("quantity")
    elif back := returned.get(as_text(line.get("id"))):
        quantity = _number(quantity) + back
    return drop_empty(
        {
            "product_id": name_item(
                line.get("sku"), line.get("variant_id"), line.get("product_id")
            ),
            "name": line.get("title"),
            "brand": line.get("vendor"),
            "variant": line.get("variant_title"),
            "price": line.get("price"),
        }
    ) | {"quantity": 1 if quantity is None else quantity}


def _who(customer: Body, body: Body) -> Body:
    """The customer of an order or checkout: the platform's id, else the address."""
    email = as_text(customer.get("email")) or as_text(body.get("email"))
    phone = as_text(customer.get("phone")) or as_text(body.get("phone"))
    address = as_object(body.get("shipping_address")) or as_object(body.get("billing_address"))
    context = drop_empty(
        {
            "traits": drop_empty({"email": email, "phone": phone}),
            "location": drop_empty({"country": address.get("country_code")}),
        }
    )
    return {"userId": as_text(customer.get("id")), "context": context}


def _identify(customer: Body) -> list[Body]:
    number = as_text(customer.get("id"))
    if not number:
        return []
    address = as_object(customer.get("default_address"))
    traits = drop_empty(
        {
            "email": customer.get("email"),
            "phone": customer.get("phone"),
            "first_name": customer.get("first_name"),
            "last_name": customer.get("last_name"),
            "tags": customer.get("tags"),
            "created_at": customer.get("created_at"),
            "city": address.get("city"),
            "country": address.get("country_code"),
            "email_marketing_consent": customer.get("email_marketing_consent"),
            "sms_marketing_consent": customer.get("sms_marketing_consent"),
        }
    )
    moment = as_text(customer.get("updated_at")) or as_text(customer.get("created_at"))
    said = {
        "type": "identify",
        "messageId": f"{_SPACE}:customer:{number}:{moment}",
        "timestamp": moment,
        "userId": number,
        "traits": traits,
        "context": {"externalIds": [{"id": number, "type": _SPACE}]},
    }
    return [drop_empty(said)] if traits else []


def _customer(topic: str, body: Body) -> Reading:
    messages = _identify(body)
    if topic == "customers/create" and messages:
        number = as_text(body.get("id"))
        messages.append(
            drop_empty(
                {
                    "type": "track",
                    "event": "Signed Up",
                    "messageId": f"{_SPACE}:signup:{number}",
                    "timestamp": body.get("created_at"),
                    "userId": number,
                }
            )
        )
    return Reading(messages=messages)


def _refund(_topic: str, body: Body) -> Reading:
    message = read_refund(body, as_text(body.get("order_id")), {})
    return Reading(messages=[message]) if message else Reading(lacking=" or ".join(_CAME_BACK))


def _consent(_topic: str, body: Body) -> Reading:
    """A topic of consent alone: the customer's id, address or number, and what was said when."""
    number = as_text(body.get("customer_id")) or as_text(body.get("id"))
    names = ("email_marketing_consent", "sms_marketing_consent")
    said = {name: as_object(body.get(name)) for name in names if as_object(body.get(name))}
    times = [as_text(each.get("consent_updated_at")) for each in said.values()]
    moment = max(times, default="")
    traits = drop_empty(
        {
            "email": body.get("email_address") or body.get("email"),
            "phone": body.get("phone"),
            **said,
        }
    )
    message = {
        "type": "identify",
        "messageId": f"{_SPACE}:consent:{number}:{'+'.join(said)}:{moment}",
        "timestamp": moment,
        "userId": number,
        "traits": traits,
        "context": {"externalIds": [{"id": number, "type": _SPACE}]},
    }
    return Reading(messages=[drop_empty(message)] if number and said else [])


def _checkout(topic: str, body: Body) -> Reading:
    token = as_text(body.get("token")) or as_text(body.get("id"))
    customer = as_object(body.get("customer"))
    created = topic.endswith("create")
    message = {
        "type": "track",
        "event": "Checkout Started" if created else "Checkout Updated",
        "messageId": f"{_SPACE}:checkout:{token}:{as_text(body.get('updated_at'))}",
        "timestamp": body.get("created_at" if created else "updated_at"),
        "properties": {"checkout_id": token, **_order_properties(body)},
        "anonymousId": as_text(body.get("cart_token")) or token,
        **_who(customer, body),
    }
    return Reading(messages=[*_identify(customer), drop_empty(message)])


def _cart(_topic: str, body: Body) -> Reading:
    token = as_text(body.get("token")) or as_text(body.get("id"))
    message = {
        "type": "track",
        "event": "Cart Viewed",
        "messageId": f"{_SPACE}:cart:{token}:{as_text(body.get('updated_at'))}",
        "timestamp": body.get("updated_at"),
        "anonymousId": token,
        "properties": {
            "cart_id": token,
            "products": [_product(line, {}) for line in as_list(body.get("line_items"))],
        },
    }
    return Reading(messages=[drop_empty(message)])


def _item(topic: str, body: Body) -> Reading:
    product_id = as_text(body.get("id"))
    if topic.endswith("delete"):
        return Reading(removed_groups=[product_id], product=product_id)
    images = as_list(body.get("images"))
    image = as_object(body.get("image")) or (images[0] if images else {})
    items = {
        name_item(each.get("sku"), each.get("id"), product_id): _variant(each, body, image)
        for each in as_list(body.get("variants"))
    }
    # A longer list is cut, and does not say what is gone.
    whole = {product_id: tuple(items)} if 0 < len(items) < _MOST_VARIANTS else {}
    changed = as_text(body.get("updated_at"))
    return Reading(items=items, whole_groups=whole, product=product_id, changed_at=changed)


def _variant(variant: Body, body: Body, image: Body) -> Body:
    named, title = as_text(variant.get("title")), as_text(body.get("title"))
    price = variant.get("price")
    number = as_text(variant.get("inventory_item_id"))
    item = drop_empty(
        {
            "name": title if named in ("", "Default Title") else f"{title} – {named}",
            "price": None if price is None else _number(price),
            "category": body.get("product_type"),
            "brand": body.get("vendor"),
            "group_id": as_text(body.get("id")),
            "image": image.get("src"),
            "attributes": drop_empty({"inventory_item_id": number}),
        }
    ) | {"active": body.get("status", "active") == "active"}
    stock = variant.get("inventory_quantity")
    if not variant.get("inventory_management"):
        if "inventory_management" in variant:  # no longer counted: not known, and not what it was
            item["stock"] = None
    elif isinstance(stock, int):
        sells_on = variant.get("inventory_policy") == "continue"
        item["stock"] = None if sells_on and stock <= 0 else max(0, stock)
    return item


def _stock(_topic: str, body: Body) -> Reading:
    available = body.get("available")
    number = as_text(body.get("inventory_item_id"))
    if not isinstance(available, int):
        return Reading()
    # each location has a count of its own, and a moment at which it changed
    product = f"inventory {number} {as_text(body.get('location_id'))}"
    changed = as_text(body.get("updated_at"))
    return Reading(stock={number: max(0, available)}, product=product, changed_at=changed)


def _privacy(topic: str, body: Body) -> Reading:
    kinds = {
        "customers/data_request": "export",
        "customers/redact": "erase",
        "shop/redact": "erase_shop",
    }
    customer = as_object(body.get("customer"))
    ids = [as_text(customer.get(name)) for name in ("id", "email", "phone")]
    return Reading(requests=[PersonRequest(kinds[topic], [each for each in ids if each])])


def _uninstalled(_topic: str, _body: Body) -> Reading:
    return Reading(uninstalled=True)


def _number(value: object) -> float:
    return read_number(value) or 0.0


_ID = (("id",),)
_TOKEN = (("token", "id"),)
_BOUGHT = (*_ID, ("current_total_price", "total_price", "line_items"))
_CAME_BACK = ("refund_line_items", "transactions")
_TOPICS: dict[str, tuple[Callable[[str, Body], Reading], Sequence[Sequence[str]]]] = {
    "orders/create": (_order, _BOUGHT),
    "orders/updated": (_order, _BOUGHT),
    "orders/paid": (_order, _BOUGHT),
    "orders/cancelled": (_order, _ID),
    "orders/fulfilled": (_order, _ID),
    "orders/delete": (_order, _ID),
    "refunds/create": (_refund, (*_ID, ("order_id",), _CAME_BACK)),
    "customers/create": (_customer, _ID),
    "customers/update": (_customer, _ID),
    "customers_email_marketing_consent/update": (_consent, (("customer_id", "id"),)),
    "customers_marketing_consent/update": (_consent, (("customer_id", "id"),)),
    "checkouts/create": (_checkout, _TOKEN),
    "checkouts/update": (_checkout, _TOKEN),
    "carts/create": (_cart, _TOKEN),
    "carts/update": (_cart, _TOKEN),
    "products/create": (_item, (*_ID, ("variants",))),
    "products/update": (_item, (*_ID, ("variants",))),
    "products/delete": (_item, _ID),
    "inventory_levels/update": (_stock, (("inventory_item_id",),)),
    "app/uninstalled": (_uninstalled, ()),
    "customers/data_request": (_privacy, ()),
    "customers/redact": (_privacy, ()),
    "shop/redact": (_privacy, ()),
}
"""How each topic is read, and what Shopify documents that we cannot do without."""
