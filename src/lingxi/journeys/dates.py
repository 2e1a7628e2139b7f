"""Customers whose date is due: a birthday, another date they told, an order, a code's last day."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from lingxi.coupons.tables import coupon
from lingxi.ingest.sealed import read_traits
from lingxi.ingest.tables import trait
from lingxi.journeys.durations import read_duration
from lingxi.journeys.moments import at_local
from lingxi.journeys.run import Context
from lingxi.journeys.trigger import DateOf, DateTrigger
from lingxi.profiles.tables import customer_profile
from lingxi.store import Store
from lingxi.store.projection import find_customers

_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ].*)?")
_MONTH_DAY = re.compile(r"(?:--)?(\d{2})-(\d{2})")
_BIRTHDAY = "birthday"
_HELD = ("issued", "seen")
_PART = 500
_FEBRUARY = (2, 29)


@dataclass(frozen=True)
class Dated:
    """A customer whose date it is; ``key`` where several dates of a customer are told apart."""

    customer: int
    key: str = ""
    context: Context = field(default_factory=dict)


def list_dated(store: Store, trigger: DateTrigger, day: date) -> list[Dated]:
    """Those for whom ``day`` is the date of the trigger, its offset counted in."""
    target = day - read_duration(trigger.offset)
    match trigger.of:
        case DateOf.BIRTHDAY:
            return _by_trait(store, _BIRTHDAY, target, yearly=True)
        case DateOf.TRAIT:
            return _by_trait(store, trigger.trait, target, yearly=False)
        case DateOf.COUPON_EXPIRY:
            return list(_by_coupon(store, target))
        case DateOf.NEXT_ORDER:
            return list(_by_order(store, target))


def is_date(text: str, day: date, *, yearly: bool) -> bool:
    """Whether a trait's text names this day; with ``yearly`` its month and day only.

    Who was born on the 29th of February has the 28th in other years.

    >>> is_date("1990-03-02", date(2026, 3, 2), yearly=True)
    True
    >>> is_date("1990-03-02", date(2026, 3, 2), yearly=False)
    False
    """
    whole = _DATE.fullmatch(text.strip())
    if whole is not None:
        year, month, number = (int(part) for part in whole.groups())
    else:
        short = _MONTH_DAY.fullmatch(text.strip()) if yearly else None
        if short is None:
            return False
        year, month, number = day.year, int(short[1]), int(short[2])
    if not yearly:
        return (year, month, number) == (day.year, day.month, day.day)
    if (month, number) == _FEBRUARY and not _is_leap(day.year):
        number = 28
    return (month, number) == (day.month, day.day)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _by_trait(store: Store, name: str, target: date, *, yearly: bool) -> list[Dated]:
    """Traits lie sealed: they are opened some at a time, each in a short transaction."""
    found: set[int] = set()
    after = 0
    while True:
        with store.read() as tx:
            query = (
                sa.select(trait.c.subject)
                .where(trait.c.name == name, trait.c.subject > after, trait.c.value.is_not(None))
                .order_by(trait.c.subject)
                .limit(_PART)
            )
            subjects = list(tx.execute(query).scalars())
            if not subjects:
                return [Dated(customer) for customer in sorted(found)]
            after = subjects[-1]
            for customer in set(find_customers(tx, subjects).values()) - found:
                text = read_traits(store, tx, customer).get(name, "")
                if is_date(text, target, yearly=yearly):
                    found.add(customer)


def _by_coupon(store: Store, target: date) -> Iterator[Dated]:
    """Codes that are held and whose last day in the shop's time zone this is."""
    start, end = _span(target, store.settings.zone)
    c = coupon.c
    query = sa.select(c.coupon, c.customer, c.offer).where(
        c.state.in_(_HELD), c.expires_at >= start, c.expires_at < end, c.customer.is_not(None)
    )
    with store.read() as tx:
        rows = tx.execute(query).all()
        owners = find_customers(tx, {row.customer for row in rows})
    for row in rows:
        context = {"coupons": {"trigger": str(row.coupon)}, "offer": row.offer}
        yield Dated(owners[row.customer], str(row.coupon), context)


def _by_order(store: Store, target: date) -> Iterator[Dated]:
    """The last order and the mean gap between the customer's own orders, two of them at least."""
    start, end = _span(target, store.settings.zone)
    c = customer_profile.c
    query = sa.select(c.customer, c.orders, c.first_order_at, c.last_order_at).where(
        c.orders >= 2, c.last_order_at < end, c.first_order_at < c.last_order_at
    )
    with store.read() as tx:
        for row in tx.execute(query):
            gap: timedelta = (row.last_order_at - row.first_order_at) / (row.orders - 1)
            if start <= row.last_order_at + gap < end:
                yield Dated(row.customer)


def _span(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    return at_local(day, time(0), zone), at_local(day + timedelta(days=1), time(0), zone)
