"""Exchange rates of a shop: bring them in, list them, look one up."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import msgspec

from lingxi.app.shop import Shop
from lingxi.errors import InvalidInput
from lingxi.i18n import is_currency
from lingxi.ingest.quarantine import count_quarantine
from lingxi.ingest.rate_files import RatesReport
from lingxi.ingest.rate_files import import_rates as import_file
from lingxi.ingest.rates import Known, RateBook, is_value, list_known, put_quotes, quote_all
from lingxi.ingest.reasons import DropReason
from lingxi.ingest.waiting import count_waiting


class Found(msgspec.Struct, frozen=True):
    """One unit of ``currency`` in the shop's own on a day."""

    currency: str
    own: str
    day: date
    rate: Decimal


def import_rates(shop: Shop, path: Path, *, base: str) -> RatesReport:
    """Keep the rates of a file; see ``lingxi.ingest.rate_files``."""
    return import_file(shop.store, shop.clock, path, base=base)


def put_rates(shop: Shop, base: str, day: date, values: Mapping[str, Decimal]) -> int:
    """Keep the rates of one day. How many.

    Raises
    ------
    InvalidInput
        If a code is no currency, a rate is not above 0, or the day lies ahead.
    """
    for code in (base, *values):
        if not is_currency(code):
            raise InvalidInput(f"{code!r} is not a currency; write three capital letters.")
    for code, value in values.items():
        if not is_value(value):
            raise InvalidInput(
                f"The rate of {code} is {str(value)[:40]}; it must be a number above 0 of at most "
                "40 digits."
            )
    if day > shop.clock.now().date():
        raise InvalidInput(f"{day} lies ahead; rates are of days that have begun.")
    with shop.store.write() as tx:
        return put_quotes(tx, quote_all(base, day, values))


def list_rates(shop: Shop) -> Sequence[Known]:
    """The currencies that have rates."""
    with shop.store.read() as tx:
        return list_known(tx)


def find_rate(shop: Shop, currency: str, day: date | None = None) -> Found:
    """The rate of a currency into the shop's own.

    Raises
    ------
    InvalidInput
        If it is no currency, or there is no rate on the day or the ten days before.
    """
    if not is_currency(currency):
        raise InvalidInput(f"{currency!r} is not a currency; write three capital letters.")
    chosen = day or shop.clock.now().date()
    rate = RateBook(shop.store).rate(currency, chosen)
    if rate is None:
        raise InvalidInput(
            f"There is no rate of {currency} on {chosen} or the ten days before. "
            "Bring rates in with 'lingxi rates import FILE'."
        )
    value = Decimal(rate.numerator) / Decimal(rate.denominator)
    return Found(currency, shop.settings.shop.currency, chosen, value)


def count_waiting_for_rates(shop: Shop) -> int:
    """Messages and order lines in quarantine for want of a rate; items come again with a feed."""
    reason = DropReason.CURRENCY_RATE_MISSING.value
    with shop.store.read() as tx:
        lines = count_quarantine(tx, kind="orders").get(reason, 0)
        return count_waiting(tx).get(reason, 0) + lines
