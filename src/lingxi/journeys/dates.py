"""Customers whose date is due: a birthday, another date they told, an order, a code's last day."""

import re
from collections import Counter
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
MOST_OPENED = 2000
"""Sealed traits that are opened to count dates beforehand."""
_FEBRUARY = (2, 29)
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Dated:
    """A customer whose date it is; ``key`` where several dates of a customer are told apart."""

    customer: int
    key: str = ""
    context: Context = field(default_factory=dict)


def list_dated(store: Store, trigger: DateTrigger, day: date) -> list[Dated]:
    """Those for whom ``day`` is the date of the trigger, its offset counted in."""
    target = day - read_duration(trigger.offset)
    name = _name_trait(trigger)
    if name:
        return _by_trait(store, name, target, yearly=trigger.of is DateOf.BIRTHDAY)
    return [dated for _, dated in _list_known(store, trigger, target, target)]


def count_dated(
    store: Store, trigger: DateTrigger, first: date, last: date
) -> Counter[date] | None:
    """For how many each day from ``first`` to ``last`` is the date of the trigger.

    Nothing where it is a trait that more than ``MOST_OPENED`` customers have: traits lie sealed,
    and opening all of them takes too long to be waited for.
    """
    offset = timedelta(days=read_duration(trigger.offset).days)
    name = _name_trait(trigger)
    if not name:
        known = _list_known(store, trigger, first - offset, last - offset)
        return Counter(day + offset for day, _ in known)
    texts = _read_texts(store, name)
    if texts is None:
        return None
    yearly = trigger.of is DateOf.BIRTHDAY
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return Counter(
        day for day in days for text in texts if is_date(text, day - offset, yearly=yearly)
    )


def _name_trait(trigger: DateTrigger) -> str:
    return _BIRTHDAY if trigger.of is DateOf.BIRTHDAY else trigger.trait


def _list_known(
    store: Store, trigger: DateTrigger, first: date, last: date
) -> Iterator[tuple[date, Dated]]:
    """Dates that the shop knows by itself, from ``first`` to ``last``."""
    if trigger.of is DateOf.COUPON_EXPIRY:
        return _by_coupon(store, first, last)
    return _by_order(store, first, last)


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


def _read_texts(store: Store, name: str) -> list[str] | None:
    """What customers have in a trait, each once; nothing where too many have one."""
    query = (
        sa.select(trait.c.subject)
        .where(trait.c.name == name, trait.c.value.is_not(None))
        .limit(MOST_OPENED + 1)
    )
    with store.read() as tx:
        subjects = list(tx.execute(query).scalars())
        if len(subjects) > MOST_OPENED:
            return None
        customers = set(find_customers(tx, subjects).values())
        return [read_traits(store, tx, customer).get(name, "") for customer in customers]


def _by_coupon(store: Store, first: date, last: date) -> Iterator[tuple[date, Dated]]:
    """Codes that are held, and whose last day in the shop's time zone is one of these; of one that
    ends at midnight it is the day before."""
    start, end = _span(first, last, store.settings.zone)
    c = coupon.c
    query = sa.select(c.coupon, c.customer, c.offer, c.expires_at).where(
        c.state.in_(_HELD), c.expires_at > start, c.expires_at <= end, c.customer.is_not(None)
    )
    with store.read() as tx:
        rows = tx.execute(query).all()
        owners = find_customers(tx, {row.customer for row in rows})
    for row in rows:
        context = {"coupons": {"trigger": str(row.coupon)}, "offer": row.offer}
        dated = Dated(owners[row.customer], str(row.coupon), context)
        ends = row.expires_at - _MOMENT
        yield ends.astimezone(store.settings.zone).date(), dated


def _by_order(store: Store, first: date, last: date) -> Iterator[tuple[date, Dated]]:
    """The last order and the mean gap between the customer's own orders, two of them at least."""
    zone = store.settings.zone
    start, end = _span(first, last, zone)
    c = customer_profile.c
    query = sa.select(c.customer, c.orders, c.first_order_at, c.last_order_at).where(
        c.orders >= 2, c.last_order_at < end, c.first_order_at < c.last_order_at
    )
    with store.read() as tx:
        for row in tx.execute(query):
            gap: timedelta = (row.last_order_at - row.first_order_at) / (row.orders - 1)
            due = row.last_order_at + gap
            if start <= due < end:
                yield due.astimezone(zone).date(), Dated(row.customer)


def _span(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    return at_local(first, time(0), zone), at_local(last + timedelta(days=1), time(0), zone)
