"""The dirt of a real shop's order export, put in on purpose and counted."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

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

Counts = dict[str, int]


class Pool:
    """Sold lines not yet dirtied, handed out in random order, each once."""

    def __init__(self, ledger: Ledger, n_items: int, rng: np.random.Generator) -> None:
        sold = ledger.documents.kinds[ledger.lines.documents] == SALE
        self._rows = rng.permutation(np.flatnonzero(sold & (ledger.lines.codes < n_items)))
        self._at = 0

    @property
    def size(self) -> int:
        """Sold lines in all."""
        return len(self._rows)

    def take(self, share: float) -> NDArray[np.int64]:
        """Rows making up a share of all sold lines, at least one unless the share is 0."""
        n = max(1, round(share * self.size)) if share > 0 else 0
        rows = self._rows[self._at : self._at + n]
        self._at += len(rows)
        return rows

    @property
    def untouched(self) -> NDArray[np.int64]:
        """Rows nobody has taken."""
        return self._rows[self._at :]


def _misspell(
    ledger: Ledger, pool: Pool, market: Market, settings: SimulationSettings
) -> tuple[Ledger, Counts]:
    dirt, lines = settings.dirt, ledger.lines
    lettered = np.array([not code.isdigit() for code in market.assortment.item_ids])
    codes_as, descriptions_as = lines.codes_as.copy(), lines.descriptions_as.copy()
    coded = pool.take(dirt.mixed_case_code)
    codes_as[coded] = np.where(lettered[lines.codes[coded]], LOWER, PADDED)
    spaced, missing = pool.take(dirt.padded_description), pool.take(dirt.missing_description)
    descriptions_as[spaced] = SPACED
    descriptions_as[missing] = MISSING
    counts = {
        "mixed_case_code": len(coded),
        "padded_description": len(spaced),
        "missing_description": len(missing),
    }
    marked = replace(lines, codes_as=codes_as, descriptions_as=descriptions_as)
    return replace(ledger, lines=marked), counts


def _repeat(ledger: Ledger, pool: Pool, settings: SimulationSettings) -> tuple[Ledger, Counts]:
    rows = pool.take(settings.dirt.duplicate_line)
    copies = replace(ledger.lines.take(rows), copies=np.ones(len(rows), bool))
    return replace(ledger, lines=ledger.lines.join(copies)), {"duplicate_line": len(rows)}


def _give_away(
    ledger: Ledger, pool: Pool, settings: SimulationSettings, rng: np.random.Generator
) -> tuple[Ledger, Counts]:
    rows = pool.take(settings.dirt.zero_price)
    documents = np.unique(ledger.lines.documents[rows])
    n = len(documents)
    ones = np.ones(n, np.int64)
    samples = make_lines(documents, rng.integers(0, settings.items, n), ones, 0 * ones)
    return replace(ledger, lines=ledger.lines.join(samples)), {"zero_price": n}


def _charge(
    ledger: Ledger, pool: Pool, settings: SimulationSettings, rng: np.random.Generator
) -> tuple[Ledger, Counts]:
    """Manual entries and discounts within orders; bank charges and bad debt on their own."""
    rows = pool.take(settings.dirt.manual_charge)
    documents = np.unique(ledger.lines.documents[rows])
    n = len(documents)
    manual = rng.random(n) < 0.6
    within = make_lines(
        documents,
        settings.items + np.where(manual, 1, 2),
        np.where(manual, 1, -1),
        rng.integers(2, 30, n) * 100,
    )
    return replace(ledger, lines=ledger.lines.join(within)), {"manual_charge": n}


def _book(
    ledger: Ledger, settings: SimulationSettings, rng: np.random.Generator
) -> tuple[Ledger, Counts]:
    """What the accountant books: bank charges each month, bad debt once."""
    months = settings.days // 30
    ones = np.ones(months, np.int64)
    banks = make_lines(np.arange(months), ones * (settings.items + 3), ones, ones * 1_500)
    moments = rng.integers(0, settings.seconds, months)
    ledger = ledger.add(make_documents(np.full(months, NOBODY), moments, SALE), banks)
    two, late = np.arange(2), settings.seconds - 3 * DAY
    loss = -10 * rng.integers(500, 9_000, 2)
    debt = make_lines(two, np.full(2, settings.items + 4), np.ones(2, np.int64), loss)
    documents = make_documents(np.full(2, NOBODY), late + two * 60, DEBT)
    return ledger.add(documents, debt), {"bank_charge": months, "bad_debt": 2}


def _adjust(
    ledger: Ledger, pool: Pool, settings: SimulationSettings, rng: np.random.Generator
) -> tuple[Ledger, Counts]:
    n = len(pool.take(settings.dirt.stock_adjustment))
    moments = rng.integers(0, settings.seconds, n)
    lines = make_lines(
        np.arange(n),
        rng.integers(0, settings.items, n),
        -rng.integers(1, 200, n),
        np.zeros(n, np.int64),
    )
    texts = np.where(rng.random(n) < 0.5, MISSING, DAMAGED)
    documents = make_documents(np.full(n, NOBODY), moments, ADJUSTMENT)
    return ledger.add(documents, replace(lines, descriptions_as=texts)), {"stock_adjustment": n}


def _return_early(
    ledger: Ledger,
    pool: Pool,
    market: Market,
    settings: SimulationSettings,
    rng: np.random.Generator,
) -> tuple[Ledger, Counts]:
    """Refunds in the first weeks to established customers who have not ordered in the file yet."""
    wanted = len(pool.take(settings.dirt.untied_refund))
    established = np.flatnonzero(market.population.arrivals[: settings.customers] < 0)
    people = rng.permutation(established)[:wanted]
    moments = rng.integers(0, 25 * DAY, len(people))
    first = np.full(market.population.size, settings.seconds)
    documents = ledger.documents
    buyers = documents.people >= 0
    np.minimum.at(first, documents.people[buyers], documents.moments[buyers])
    kept = moments < first[people]
    people, moments = people[kept], moments[kept]
    n = len(people)
    items = rng.integers(0, settings.items, n)
    lines = make_lines(
        np.arange(n), items, -rng.integers(1, 4, n), market.assortment.base_price_cents[items]
    )
    return ledger.add(make_documents(people, moments, REFUND), lines), {"untied_refund": n}


def _mistype(
    ledger: Ledger,
    pool: Pool,
    market: Market,
    settings: SimulationSettings,
    rng: np.random.Generator,
) -> tuple[Ledger, Counts]:
    """Absurd quantities, each cancelled twelve minutes later."""
    rows = pool.take(settings.dirt.keying_error)
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
    ledger = ledger.add(
        make_documents(documents.people, moments + 720, REFUND, cancels=start + np.arange(n)),
        make_lines(np.arange(n), items, -quantities, prices),
    )
    return ledger, {"keying_error": n}


def _misdate(
    ledger: Ledger, pool: Pool, settings: SimulationSettings, rng: np.random.Generator
) -> tuple[Ledger, Counts]:
    """Give orders that are otherwise clean and were not refunded a date that cannot be."""
    lines, documents = ledger.lines, ledger.documents
    size = np.bincount(lines.documents, minlength=len(documents.kinds))
    clean = np.bincount(lines.documents[pool.untouched], minlength=len(size))
    posted = np.bincount(lines.documents[lines.codes == settings.items], minlength=len(size))
    able = (documents.kinds == SALE) & (clean > 0) & (clean + posted == size)
    able[documents.cancels[documents.cancels >= 0]] = False
    orders = rng.permutation(np.flatnonzero(able))
    goal = settings.dirt.impossible_date * pool.size
    n = int(np.searchsorted(np.cumsum(size[orders]), goal)) + 1 if goal > 0 else 0
    dates_as = documents.dates_as.copy()
    dates_as[orders[:n]] = rng.integers(1, len(IMPOSSIBLE_DATES), len(orders[:n]))
    dirty = replace(ledger, documents=replace(documents, dates_as=dates_as))
    return dirty, {"impossible_date": int(size[orders[:n]].sum())}


def soil_orders(
    ledger: Ledger, market: Market, settings: SimulationSettings, rng: np.random.Generator
) -> tuple[Ledger, Counts]:
    """Put in every kind of dirt and count the rows of each.

    A row is dirtied at most once, so the counts can be found again in the raw file. An untied
    refund, a keying error or a stock adjustment counts the documents put in.
    """
    pool = Pool(ledger, settings.items, rng)
    steps: list[Callable[[Ledger], tuple[Ledger, Counts]]] = [
        lambda book: _misspell(book, pool, market, settings),
        lambda book: _repeat(book, pool, settings),
        lambda book: _give_away(book, pool, settings, rng),
        lambda book: _charge(book, pool, settings, rng),
        lambda book: _mistype(book, pool, market, settings, rng),
        lambda book: _misdate(book, pool, settings, rng),
        lambda book: _return_early(book, pool, market, settings, rng),
        lambda book: _adjust(book, pool, settings, rng),
        lambda book: _book(book, settings, rng),
    ]
    counts: Counts = {}
    for step in steps:
        ledger, found = step(ledger)
        counts |= found
    return ledger, counts
