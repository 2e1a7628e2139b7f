"""The order book: orders, postage and refunds as they truly happened."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lingxi.simulation.baskets import Looks, Market
from lingxi.simulation.columns import Columns
from lingxi.simulation.population import DAY
from lingxi.simulation.settings import SimulationSettings
from lingxi.simulation.visits import Visits

CHARGES = (
    ("POST", "POSTAGE"),
    ("M", "Manual"),
    ("D", "Discount"),
    ("BANK CHARGES", "Bank Charges"),
    ("B", "Adjust bad debt"),
)
"""Codes that are no product, with their descriptions; in ``Lines.codes`` they follow the items."""

SALE, REFUND, ADJUSTMENT, DEBT = range(4)
NOBODY = -(2**40)
FREE_POSTAGE_CENTS = 3_000
CANCELLED_SHARE = 0.012


@dataclass(frozen=True)
class Documents(Columns):
    """Invoices: ``kinds`` is one of SALE, REFUND, ADJUSTMENT, DEBT; ``people`` is an index,
    -1 - index for a guest or NOBODY;
    ``cancels`` is the document a refund undoes, or -1; ``dates_as`` is 0 for the true date, else
    which impossible one is written."""

    people: NDArray[np.int64]
    moments: NDArray[np.int64]
    kinds: NDArray[np.int64]
    cancels: NDArray[np.int64]
    dates_as: NDArray[np.int64]


@dataclass(frozen=True)
class Lines(Columns):
    """Invoice lines: ``codes`` below the number of items are items, above it CHARGES;
    ``codes_as`` and ``descriptions_as`` say how they are written (see ``orders_file``);
    ``copies`` marks duplicates."""

    documents: NDArray[np.int64]
    codes: NDArray[np.int64]
    quantities: NDArray[np.int64]
    price_cents: NDArray[np.int64]
    codes_as: NDArray[np.int64]
    descriptions_as: NDArray[np.int64]
    copies: NDArray[np.bool_]


@dataclass(frozen=True)
class Ledger:
    """Documents and their lines."""

    documents: Documents
    lines: Lines

    def add(self, documents: Documents, lines: Lines) -> "Ledger":
        """Append documents with their lines, whose ``documents`` count from 0 within the new."""
        shifted = replace(lines, documents=lines.documents + len(self.documents.kinds))
        return Ledger(self.documents.join(documents), self.lines.join(shifted))


def make_documents(
    people: NDArray[np.int64],
    moments: NDArray[np.int64],
    kind: int,
    cancels: NDArray[np.int64] | None = None,
) -> Documents:
    """Documents of one kind, dated as they are."""
    n = len(people)
    return Documents(
        people=people,
        moments=moments,
        kinds=np.full(n, kind),
        cancels=np.full(n, -1) if cancels is None else cancels,
        dates_as=np.zeros(n, np.int64),
    )


def make_lines(
    documents: NDArray[np.int64],
    codes: NDArray[np.int64],
    quantities: NDArray[np.int64],
    price_cents: NDArray[np.int64],
) -> Lines:
    """Lines written as they should be."""
    n = len(documents)
    return Lines(
        documents=documents,
        codes=codes,
        quantities=quantities,
        price_cents=price_cents,
        codes_as=np.zeros(n, np.int64),
        descriptions_as=np.zeros(n, np.int64),
        copies=np.zeros(n, bool),
    )


def _sell(visits: Visits, looks: Looks, market: Market, end: int) -> Ledger:
    """Orders and their lines, each order one and a half minutes after the visit's last look."""
    last = np.zeros(visits.size, np.int64)
    np.maximum.at(last, looks.visits, looks.moments)
    moments = last + 90
    sold = np.flatnonzero(visits.ordered & (moments < end))
    number = np.full(visits.size, -1)
    number[sold] = np.arange(len(sold))
    lines = np.flatnonzero(looks.bought & (number[looks.visits] >= 0))
    of = looks.visits[lines]
    people = visits.people[sold]
    return Ledger(
        make_documents(
            np.where(people < market.population.n_customers, people, -1 - people),
            moments[sold],
            SALE,
        ),
        make_lines(
            number[of],
            looks.items[lines],
            looks.quantities[lines],
            market.assortment.price_cents(looks.items[lines], visits.days[of]),
        ),
    )


def _post(ledger: Ledger, market: Market) -> Ledger:
    """Add postage to small orders and to those from abroad."""
    lines, documents = ledger.lines, ledger.documents
    goods = np.bincount(
        lines.documents,
        weights=lines.quantities * lines.price_cents,
        minlength=len(documents.kinds),
    )
    abroad = market.population.countries[shopper(documents.people)] > 0
    paying = np.flatnonzero((goods < FREE_POSTAGE_CENTS) | abroad)
    fee = np.where(abroad[paying], 1_295, 395)
    codes = np.full(len(paying), market.assortment.n_items)
    return replace(
        ledger, lines=lines.join(make_lines(paying, codes, np.ones(len(paying), np.int64), fee))
    )


def shopper(people: NDArray[np.int64]) -> NDArray[np.int64]:
    """Index of the person behind a document; guests are written as -1 - index.

    >>> shopper(np.array([4, -1, -8])).tolist()
    [4, 0, 7]
    """
    return np.where(people < 0, -1 - people, people)


def _refund(
    ledger: Ledger, settings: SimulationSettings, rng: np.random.Generator, end: int
) -> Ledger:
    """Take back single lines after days, and whole orders within two days."""
    documents, lines = ledger.documents, ledger.lines
    n = len(documents.kinds)
    cancelled = rng.random(n) < CANCELLED_SHARE
    quick = rng.integers(3_600, 2 * DAY, n)
    slow = rng.integers(3 * DAY, 30 * DAY, n)
    moments = documents.moments + np.where(cancelled, quick, slow)
    items = lines.codes < settings.items
    some = (rng.random(len(items)) < settings.refund_share) & items
    back = np.where(cancelled[lines.documents], True, some) & (moments[lines.documents] < end)
    rows = np.flatnonzero(back)
    sources, index = np.unique(lines.documents[rows], return_inverse=True)
    most = lines.quantities[rows]
    part = rng.integers(1, most + 1)
    whole = cancelled[lines.documents[rows]] | (rng.random(len(rows)) < 0.6)
    return ledger.add(
        make_documents(documents.people[sources], moments[sources], REFUND, cancels=sources),
        make_lines(index, lines.codes[rows], -np.where(whole, most, part), lines.price_cents[rows]),
    )


def keep_ledger(
    visits: Visits,
    looks: Looks,
    market: Market,
    settings: SimulationSettings,
    rng: np.random.Generator,
) -> Ledger:
    """The clean order book of the period: orders, their postage, what came back."""
    end = settings.seconds
    return _refund(_post(_sell(visits, looks, market, end), market), settings, rng, end)
