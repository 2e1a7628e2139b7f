"""The calendar of a shop, for all edges."""

from datetime import date, timedelta
from functools import partial

from lingxi.app.shop import Shop
from lingxi.errors import UserError
from lingxi.journeys.calendar import check_days, make_calendar
from lingxi.journeys.planned import Calendar
from lingxi.journeys.trigger import RuleForm
from lingxi.segments import read_rule

DAYS = 31
MOST_CUSTOMERS = 200_000
"""Customers up to which an audience's rule is evaluated for a calendar; kept memberships are read
in a shop of any size."""


def show_calendar(shop: Shop, first: date | None = None, last: date | None = None) -> Calendar:
    """From ``first`` (today in the shop's time zone) to ``last`` (30 days later).

    Raises
    ------
    InvalidInput
        If ``last`` is before ``first``, or too far away.
    """
    now = shop.clock.now()
    begin = first or now.astimezone(shop.settings.zone).date()
    check_days(begin, last or begin)
    end = last or begin + timedelta(days=DAYS - 1)
    return make_calendar(shop.store, now, begin, end, audience=partial(_count_audience, shop))


def _count_audience(shop: Shop, rule: RuleForm | None) -> int | None:
    kept = shop.segments.list()
    if rule is None:
        return kept.customers
    if set(rule) == {"segment"}:
        for each in kept.segments:
            if each.name == rule["segment"] and each.current:
                return each.members
    if kept.customers > MOST_CUSTOMERS:
        return None
    try:
        return shop.segments.count(read_rule(rule)).count
    except UserError:
        return None  # it names a segment or list that is gone: lint says so on the journey's page
