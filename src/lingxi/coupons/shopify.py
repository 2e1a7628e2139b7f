"""Offers and their outstanding codes as Shopify's price rules with their discount codes.

Source: Shopify, "PriceRule" and "DiscountCode" of the REST Admin API 2025-07: a rule is posted
to ``price_rules.json``, then its codes, at most a hundred at a time, to
``price_rules/{id}/batch.json``. Codes that end at different moments need a price rule each.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from lingxi.coupons.book import get_offer
from lingxi.coupons.issuing import Code, read_code
from lingxi.coupons.ledger import OUTSTANDING
from lingxi.coupons.offer import Amount, FreeShipping, Offer, Percent, SharedCode
from lingxi.coupons.rows import COUPONS, to_coupon
from lingxi.coupons.tables import coupon
from lingxi.coupons.vault import Vault
from lingxi.errors import InvalidInput
from lingxi.i18n.translator import minor_units

_BATCH = 100
_Group = tuple[int, datetime | None, datetime | None]


def export_offer(
    tx: sa.Connection, vault: Vault, name: str, currency: str, now: datetime
) -> list[dict[str, Any]]:
    """``{"price_rule": ..., "batches": [{"discount_codes": [...]}]}`` for each group of codes.

    The answer holds codes: whoever reads it can use them.

    Raises
    ------
    UnknownOffer
        If there is no such offer.
    InvalidInput
        If Shopify has no price rule for what the offer gives or asks for.
    """
    kept = get_offer(tx, name)
    offer = kept.offer
    check_exportable(offer)
    if isinstance(offer.code, SharedCode):
        rule = make_price_rule(
            offer, currency, offer.validity.starts_at or now, offer.validity.ends_at
        )
        return [{"price_rule": rule, "batches": _batch([offer.code.text])}]
    groups: dict[_Group, list[str]] = {}
    for code, version in _list_outstanding(tx, vault, name):
        groups.setdefault((version, code.starts_at, code.expires_at), []).append(code.text)
    found = []
    for (version, starts_at, ends_at), texts in groups.items():
        terms = get_offer(tx, name, version).offer
        check_exportable(terms)
        rule = make_price_rule(terms, currency, starts_at or now, ends_at)
        found.append({"price_rule": rule, "batches": _batch(texts)})
    return found


def check_exportable(offer: Offer) -> None:
    """Refuse what a price rule cannot say.

    Raises
    ------
    InvalidInput
        Naming what it is.
    """
    conditions = offer.conditions
    benefit = offer.benefit
    priced = isinstance(benefit, Percent | Amount | FreeShipping)
    capped = isinstance(benefit, Percent | FreeShipping) and benefit.at_most_cents is not None
    problems: Mapping[str, bool] = {
        "gives a gift, points or a privilege": not priced,
        "has a most that is taken off (at_most_cents)": capped,
        "names categories; name items": bool(conditions.categories),
        "leaves items out (without_items)": bool(conditions.without_items),
        "is for first orders": conditions.first_order,
        "is for a segment": bool(conditions.segment),
        "is personal": offer.personal,
        "may be used several times, but not any number, by a customer": (
            offer.limits.per_customer not in (None, 1)
        ),
    }
    for words, holds in problems.items():
        if holds:
            raise InvalidInput(f"Shopify has no price rule for {offer.name!r}: it {words}.")


def make_price_rule(
    offer: Offer, currency: str, starts_at: datetime, ends_at: datetime | None
) -> dict[str, Any]:
    """The price rule of an offer that can be exported, as Shopify takes it."""
    benefit, conditions = offer.benefit, offer.conditions
    shipping = isinstance(benefit, FreeShipping)
    chosen = bool(conditions.items) and not shipping
    fixed = isinstance(benefit, Amount)
    shared = isinstance(offer.code, SharedCode)
    rule: dict[str, Any] = {
        "title": offer.name,
        "target_type": "shipping_line" if shipping else "line_item",
        "target_selection": "entitled" if chosen else "all",
        "allocation_method": "each" if shipping or not fixed else "across",
        "value_type": "fixed_amount" if fixed else "percentage",
        "value": _value_of(offer, currency),
        "customer_selection": "all",
        "once_per_customer": offer.limits.per_customer == 1,
        "usage_limit": offer.limits.redemptions if shared else 1,
        "starts_at": starts_at.isoformat(),
        "ends_at": None if ends_at is None else ends_at.isoformat(),
    }
    if chosen:
        rule["entitled_product_ids"] = [_to_number(offer.name, item) for item in conditions.items]
    if conditions.minimum_cents:
        amount = _spell(conditions.minimum_cents, currency)
        rule["prerequisite_subtotal_range"] = {"greater_than_or_equal_to": amount}
    return rule


def _value_of(offer: Offer, currency: str) -> str:
    if isinstance(offer.benefit, Amount):
        return f"-{_spell(offer.benefit.cents, currency)}"
    percent = offer.benefit.percent if isinstance(offer.benefit, Percent) else 100.0
    return f"-{percent:.1f}" if round(percent, 1) == percent else f"-{percent:g}"


def _spell(cents: int, currency: str) -> str:
    digits = minor_units(currency)
    return f"{cents / 10**digits:.{digits}f}"


def _to_number(offer: str, item_id: str) -> int:
    if item_id.isascii() and item_id.isdigit():
        return int(item_id)
    raise InvalidInput(
        f"Shopify knows products by number, but {offer!r} names the item {item_id!r}."
    )


def _batch(texts: list[str]) -> list[dict[str, Any]]:
    return [
        {"discount_codes": [{"code": text} for text in texts[start : start + _BATCH]]}
        for start in range(0, len(texts), _BATCH)
    ]


def _list_outstanding(tx: sa.Connection, vault: Vault, offer: str) -> Iterable[tuple[Code, int]]:
    c = coupon.c
    query = COUPONS.where(c.offer == offer, c.state.in_([str(each) for each in OUTSTANDING]))
    for row in map(to_coupon, tx.execute(query.order_by(c.coupon)).all()):
        yield read_code(tx, vault, row), row.version
