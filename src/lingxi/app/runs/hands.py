"""What journeys are handed by the rooms beside them."""

from datetime import datetime
from functools import partial

import sqlalchemy as sa

from lingxi.app.shop import Shop
from lingxi.errors import OfferClosed
from lingxi.journeys.hands import Hands
from lingxi.segments import Rule, add_to_list, read_rule
from lingxi.segments.definitions import resolve_rule


def make_hands(shop: Shop) -> Hands:
    """The hands of one shop's journeys."""
    return Hands(
        judge=shop.judge,
        read_rule=read_rule,
        issue=partial(_issue, shop),
        join=partial(_join, shop),
        members=partial(_list_members, shop),
    )


def _issue(
    shop: Shop, tx: sa.Connection, offer: str, customer: int, key: str, now: datetime
) -> str | None:
    try:
        return str(shop.coupons.issue(tx, offer, customer, key, now).coupon)
    except OfferClosed:
        return None


def _join(shop: Shop, tx: sa.Connection, name: str, customer: int, now: datetime) -> bool:
    return add_to_list(tx, name, customer, now, log=shop.store.log)


def _list_members(shop: Shop, rule: Rule | None, now: datetime) -> list[int]:
    from lingxi.segments.bulk import Crowd, compile_rule  # and with it Ibis, not needed elsewhere

    with shop.store.analytics() as analytics:
        crowd = Crowd(shop.store, shop.judge.scores, analytics, now)
        if rule is None:
            return [int(customer) for customer in crowd.customers]
        found = compile_rule(crowd, resolve_rule(analytics.transaction, rule))
        customers = analytics.to_arrow(found).column("customer").to_numpy()
    return [int(customer) for customer in sorted(customers)]
