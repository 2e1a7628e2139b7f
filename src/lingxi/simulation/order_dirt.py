"""The dirt of a real shop's order export, put in on purpose and counted."""

from dataclasses import replace

import numpy as np

from lingxi.simulation.baskets import Market
from lingxi.simulation.ledger import (
    ADJUSTMENT,
    DEBT,
    NOBODY,
    REFUND,
    SALE,
    Ledger,
    make_documents,
    make_lines,
)
from lingxi.simulation.pool import Pool
from lingxi.simulation.population import DAY
from lingxi.simulation.settings import SimulationSettings

LOWER, PADDED = 1, 2
MISSING, SPACED, DAMAGED = 1, 2, 3

IMPOSSIBLE_DATES = (
    "",
    "1970-01-01 00:00:00",
    "2199-12-31 23:59:00",
    "0000-00-00 00:00:00",
    "2025-02-30 10:15:00",
)
"""What is written instead of the date, by ``Documents.dates_as``; the first is not used."""


def _misspell(ledger: Ledger, pool: Pool, market: Market, settings: SimulationSettings) -> Ledger:
    dirt, lines = settings.dirt, ledger.lines
    lettered = np.array([not code.isdigit() for code in market.assortment.item_ids])
    codes_as, descriptions_as = lines.codes_as.copy(), lines.descriptions_as.copy()
    coded = pool.take("mixed_case_code", dirt.mixed_case_code)
    codes_as[coded] = np.where(lettered[lines.codes[coded]], LOWER, PADDED)
    descriptions_as[pool.take("padded_description", dirt.padded_description)] = SPACED
    descriptions_as[pool.take("missing_description", dirt.missing_description)] = MISSING
    marked = replace(lines, codes_as=codes_as, descriptions_as=descriptions_as)
    return replace(ledger, lines=marked)


def _repeat(ledger: Ledger, pool: Pool, settings: SimulationSettings) -> Ledger:
    rows = pool.take("duplicate_line", settings.dirt.duplicate_line)
    copies = replace(ledger.lines.take(rows), copies=np.ones(len(rows), bool))
    return replace(ledger, lines=ledger.lines.join(copies))


def _give_away(
    ledger: Ledger, pool: Pool, settings: SimulationSettings, rng: np.random.Generator
) -> Ledger:
    rows = pool.take("zero_price", settings.dirt.zero_price)
    documents = np.unique(ledger.lines.documents[rows])
    n = pool.counts["zero_price"] = len(documents)
    ones = np.ones(n, np.int64)
    samples = make_lines(documents, rng.integers(0, settings.items, n), ones, 0 * ones)
    return replace(ledger, lines=ledger.lines.join(samples))


def _charge(
    ledger: Ledger, pool: Pool, settings: SimulationSettings, rng: np.random.Generator
) -> Ledger:
    """Manual entries and discounts within orders."""
    rows = pool.take("manual_charge", settings.dirt.manual_charge)
    documents = np.unique(ledger.lines.documents[rows])
    n = pool.counts["manual_charge"] = len(documents)
    manual = rng.random(n) < 0.6
    within = make_lines(
        documents,
        settings.items + np.where(manual, 1, 2),
        np.where(manual, 1, -1),
        rng.integers(2, 30, n) * 100,
    )
    return replace(ledger, lines=ledger.lines.join(within))


def _book(
    ledger: Ledger, pool: Pool, settings: SimulationSettings, rng: np.random.Generator
) -> Ledger:
    """What the accountant books: bank charges each month, bad debt once."""
    if settings.dirt.manual_charge == 0:
        return ledger
    months = settings.days // 30
    ones = np.ones(months, np.int64)
    banks = make_lines(np.arange(months), ones * (settings.items + 3), ones, ones * 1_500)
    moments = rng.integers(0, settings.seconds, months)
    ledger = ledger.add(make_documents(np.full(months, NOBODY), moments, SALE), banks)
    two, late = np.arange(2), settings.seconds - 3 * DAY
    loss = -10 * rng.integers(500, 9_000, 2)
    debt = make_lines(two, np.full(2, settings.items + 4), np.ones(2, np.int64), loss)
    pool.counts |= {"bank_charge": months, "bad_debt": 2}
    documents = make_documents(np.full(2, NOBODY), late + two * 60, DEBT)
    return ledger.add(documents, debt)


def _adjust(
    ledger: Ledger, pool: Pool, settings: SimulationSettings, rng: np.random.Generator
) -> Ledger:
    n = len(pool.take("stock_adjustment", settings.dirt.stock_adjustment))
    moments = rng.integers(0, settings.seconds, n)
    lines = make_lines(
        np.arange(n),
        rng.integers(0, settings.items, n),
        -rng.integers(1, 200, n),
        np.zeros(n, np.int64),
    )
    texts = np.where(rng.random(n) < 0.5, MISSING, DAMAGED)
    documents = make_documents(np.full(n, NOBODY), moments, ADJUSTMENT)
    return ledger.add(documents, replace(lines, descriptions_as=texts))


def _return_early(
    ledger: Ledger,
    pool: Pool,
    market: Market,
    settings: SimulationSettings,
    rng: np.random.Generator,
) -> Ledger:
    """Refunds in the first weeks to established customers who have not ordered in the file yet."""
    wanted = len(pool.take("untied_refund", settings.dirt.untied_refund))
    established = np.flatnonzero(market.population.arrivals[: settings.customers] < 0)
    people = rng.permutation(established)[:wanted]
    moments = rng.integers(0, 25 * DAY, len(people))
    first = np.full(market.population.size, settings.seconds)
    documents = ledger.documents
    buyers = documents.people >= 0
    np.minimum.at(first, documents.people[buyers], documents.moments[buyers])
    kept = moments < first[people]
    people, moments = people[kept], moments[kept]
    n = pool.counts["untied_refund"] = len(people)
    items = rng.integers(0, settings.items, n)
    lines = make_lines(
        np.arange(n), items, -rng.integers(1, 4, n), market.assortment.base_price_cents[items]
    )
    return ledger.add(make_documents(people, moments, REFUND), lines)


def _mistype(
    ledger: Ledger,
    pool: Pool,
    market: Market,
    settings: SimulationSettings,
    rng: np.random.Generator,
) -> Ledger:
    """Absurd quantities, each cancelled twelve minutes later."""
    rows = pool.take("keying_error", settings.dirt.keying_error)
    documents = ledger.documents.take(ledger.lines.documents[rows])
    items, n = ledger.lines.codes[rows], len(rows)
    moments = np.minimum(documents.moments + 3_600, settings.seconds - 1_000)
    quantities = rng.integers(7_000, 80_000, n)
    prices = market.assortment.base_price_cents[items]
    start = len(ledger.documents.kinds)
    ledger = ledger.add(
        make_documents(documents.people, moments, SALE),
        make_lines(np.arange(n), items, quantities, prices),
    )
    return ledger.add(
        make_documents(documents.people, moments + 720, REFUND, cancels=start + np.arange(n)),
        make_lines(np.arange(n), items, -quantities, prices),
    )


def _misdate(
    ledger: Ledger, pool: Pool, settings: SimulationSettings, rng: np.random.Generator
) -> Ledger:
    """Give orders that are otherwise clean and were not refunded a date that cannot be."""
    lines, documents = ledger.lines, ledger.documents
    size = np.bincount(lines.documents, minlength=len(documents.kinds))
    clean = np.bincount(lines.documents[pool.untouched], minlength=len(size))
    posted = np.bincount(lines.documents[lines.codes == settings.items], minlength=len(size))
    able = (documents.kinds == SALE) & (clean > 0) & (clean + posted == size)
    able[documents.cancels[documents.cancels >= 0]] = False
    orders = rng.permutation(np.flatnonzero(able))
    goal = settings.dirt.impossible_date * pool.total
    n = int(np.searchsorted(np.cumsum(size[orders]), goal)) + 1 if goal > 0 else 0
    dates_as = documents.dates_as.copy()
    dates_as[orders[:n]] = rng.integers(1, len(IMPOSSIBLE_DATES), len(orders[:n]))
    dirty = replace(ledger, documents=replace(documents, dates_as=dates_as))
    pool.counts["impossible_date"] = int(size[orders[:n]].sum())
    return dirty


def soil_orders(
    ledger: Ledger, market: Market, settings: SimulationSettings, rng: np.random.Generator
) -> tuple[Ledger, dict[str, int]]:
    """Put in every kind of dirt and count the rows of each.

    A row is dirtied at most once, so the counts can be found again in the raw file. An untied
    refund, a keying error or a stock adjustment counts the documents put in.
    """
    sold = ledger.documents.kinds[ledger.lines.documents] == SALE
    rows = np.flatnonzero(sold & (ledger.lines.codes < settings.items))
    pool = Pool(rows, len(rows), rng)
    ledger = _misspell(ledger, pool, market, settings)
    ledger = _repeat(ledger, pool, settings)
    ledger = _give_away(ledger, pool, settings, rng)
    ledger = _charge(ledger, pool, settings, rng)
    ledger = _mistype(ledger, pool, market, settings, rng)
    ledger = _misdate(ledger, pool, settings, rng)
    ledger = _return_early(ledger, pool, market, settings, rng)
    ledger = _adjust(ledger, pool, settings, rng)
    ledger = _book(ledger, pool, settings, rng)
    return ledger, pool.counts
