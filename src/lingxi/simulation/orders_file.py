"""The order export as the shop would write it: Arrow text from the ledger."""

from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lingxi.simulation.baskets import Market
from lingxi.simulation.ledger import (
    CHARGES,
    DEBT,
    NOBODY,
    REFUND,
    Documents,
    Ledger,
    Lines,
    shopper,
)
from lingxi.simulation.order_dirt import DAMAGED, IMPOSSIBLE_DATES, LOWER, MISSING, PADDED, SPACED
from lingxi.simulation.settings import SimulationSettings
from lingxi.simulation.text import Column, join_number, pick, render_moments
from lingxi.simulation.vocabulary import COUNTRIES, FIRST_NAMES, LAST_NAMES

FIRST_INVOICE = 500_001


def number_documents(ledger: Ledger) -> NDArray[np.int64]:
    """Invoice numbers, rising with time; shape (n_documents,)."""
    moments = ledger.documents.moments
    numbers = np.empty(len(moments), np.int64)
    numbers[np.argsort(moments, kind="stable")] = FIRST_INVOICE + np.arange(len(moments))
    return numbers


def name_documents(ledger: Ledger) -> Column:
    """Invoice numbers as written: C in front of refunds, A in front of bad debt."""
    kinds = ledger.documents.kinds
    numbers = number_documents(ledger)
    refunds, debts = pa.array(kinds == REFUND), pa.array(kinds == DEBT)
    other = pc.if_else(debts, join_number("A", numbers), join_number("", numbers))
    names: Column = pc.if_else(refunds, join_number("C", numbers), other)
    return names


def number_customers(market: Market) -> Column:
    """The shop's customer ids in order of registration, by index: U00001."""
    n = market.population.n_customers
    ranks = np.empty(n, np.int64)
    ranks[np.argsort(market.population.arrivals[:n], kind="stable")] = np.arange(1, n + 1)
    return join_number("U", ranks, width=max(5, len(str(n))))


def name_customers(market: Market) -> tuple[list[str], list[str]]:
    """Names and e-mail addresses of customers, by index."""
    n, people = market.population.n_customers, market.population
    first = [FIRST_NAMES[i] for i in people.first_names[:n]]
    last = [LAST_NAMES[i] for i in people.last_names[:n]]
    names = [f"{a} {b}" for a, b in zip(first, last, strict=True)]
    emails = [
        f"{a}.{b.replace(' ', '')}{i}@example.com".lower()
        for i, (a, b) in enumerate(zip(first, last, strict=True))
    ]
    return names, emails


def _write_codes(lines: Lines, market: Market) -> Column:
    plain = [*market.assortment.item_ids, *(code for code, _ in CHARGES)]
    ways = {
        0: plain,
        LOWER: [code.lower() for code in plain],
        PADDED: [f"{code} " for code in plain],
    }
    every = [code for way in sorted(ways) for code in ways[way]]
    return pick(every, lines.codes_as * len(plain) + lines.codes)


def _write_descriptions(lines: Lines, market: Market) -> Column:
    plain = [*market.assortment.names, *(text for _, text in CHARGES)]
    n = len(plain)
    ways: dict[int, list[str | None]] = {
        0: list(plain),
        MISSING: [None] * n,
        SPACED: [f"{text} " for text in plain],
        DAMAGED: ["damaged"] * n,
    }
    every = [text for way in sorted(ways) for text in ways[way]]
    return pick(every, lines.descriptions_as * n + lines.codes)


def _write_dates(documents: Documents, settings: SimulationSettings) -> Column:
    right = pa.array(documents.dates_as == 0)
    written = render_moments(documents.moments, settings.start, ZoneInfo(settings.timezone))
    dates: Column = pc.if_else(right, written, pick(IMPOSSIBLE_DATES, documents.dates_as))
    return dates


def write_orders(ledger: Ledger, market: Market, settings: SimulationSettings) -> pa.Table:
    """The raw order lines, in order of time, all columns as a shop's export has them."""
    numbers = number_documents(ledger)
    lines = ledger.lines.take(np.argsort(numbers[ledger.lines.documents], kind="stable"))
    of = lines.documents
    people = ledger.documents.people[of]
    behind = np.where(people == NOBODY, 0, shopper(people))
    countries = np.where(people == NOBODY, 0, market.population.countries[behind])
    names, emails = name_customers(market)
    return pa.table(
        {
            "invoice": pick(name_documents(ledger), of),
            "stock_code": _write_codes(lines, market),
            "description": _write_descriptions(lines, market),
            "quantity": pa.array(lines.quantities, pa.int64()),
            "invoice_date": pick(_write_dates(ledger.documents, settings), of),
            "unit_price": pa.array(lines.price_cents / 100, pa.float64()),
            "customer_id": pick(number_customers(market), people),
            "country": pick([name for name, _ in COUNTRIES], countries),
            "email": pick(emails, people),
            "name": pick(names, people),
        }
    )
