"""Exchange rates by day: what the shop imported, and the rate of a currency on a day.

A rate is written as central banks write it: units of a currency for one unit of the base. On a day
without one (a weekend, a holiday) the last rate of the ten days before holds. Rates are exact
fractions of the decimal numbers that were imported.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from threading import Lock

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.ingest.tables import rate as table
from lingxi.store import Store
from lingxi.store.counters import allocate, peek
from lingxi.store.keyed import upsert

LONGEST_GAP_DAYS = 10
_CHANGED = "rates"
_FRESH = timedelta(seconds=2)
_BATCH = 5_000
_MOST_FOUND = 100_000
_MOST_DIGITS = 40
_NOISE_DIGITS = 9
MOST_VALUE = Decimal(10) ** 9
"""More units of a currency than one unit of another has ever come to."""

Rate = Callable[[str, date], Fraction | None]
"""Units of the shop's currency for one unit of another on a day; nothing where it is not known."""
Series = tuple[Sequence[int], Sequence[Decimal]]
"""Days as ordinals, ascending, and the units for one unit of the base on each."""


def no_rates(_currency: str, _day: date) -> Fraction | None:
    """Without a table of rates there is none."""
    return None


def convert(amount: float, factor: Fraction, quantity: float = 1.0) -> int:
    """``amount`` times ``quantity`` times ``factor``, exactly, rounded half to even.

    The floats stand for the decimal numbers that they were written as.

    >>> [convert(amount, Fraction(1, 2)) for amount in (0.1 + 0.2, 1.0, 3.0, 5.0, -1.0)]
    [0, 0, 2, 2, 0]
    """
    above, below = _read_decimal(amount)
    if quantity != 1.0:
        times, of = _read_decimal(quantity)
        above, below = above * times, below * of
    below *= factor.denominator
    whole, rest = divmod(above * factor.numerator, below)
    up = 2 * rest > below or (2 * rest == below and whole % 2 == 1)
    return whole + up


def _read_decimal(value: float) -> tuple[int, int]:
    return Decimal(repr(round(value, _NOISE_DIGITS))).as_integer_ratio()


class Quote(msgspec.Struct, frozen=True):
    """Units of ``currency`` for one unit of ``base`` on a day."""

    base: str
    currency: str
    day: date
    value: Decimal


class Known(msgspec.Struct, frozen=True):
    """What is known of one currency: how many days, from when to when, and the last value."""

    base: str
    currency: str
    days: int
    first: date
    last: date
    value: Decimal


def is_value(value: Decimal) -> bool:
    """Whether a number can be a rate.

    >>> [is_value(Decimal(text)) for text in ("1.08", "0", "-1", "NaN", "1e30")]
    [True, False, False, False, False]
    """
    if not value.is_finite() or len(value.as_tuple().digits) > _MOST_DIGITS:
        return False
    return 1 / MOST_VALUE < value < MOST_VALUE


def put_quotes(tx: Connection, quotes: Sequence[Quote]) -> int:
    """Keep rates; one that is there for the day is replaced. How many."""
    unique = {(q.base, q.currency, q.day): q for q in quotes if q.base != q.currency}
    rows = [
        {"base": q.base, "currency": q.currency, "day": q.day.isoformat(), "value": str(q.value)}
        for q in unique.values()
    ]
    for start in range(0, len(rows), _BATCH):
        upsert(tx, table, rows[start : start + _BATCH])
    if rows:
        allocate(tx, _CHANGED, 1)
    return len(rows)


def list_known(tx: Connection) -> list[Known]:
    """Every currency that has rates, by base and code."""
    c = table.c
    ends = (
        sa.select(
            c.base,
            c.currency,
            sa.func.count().label("days"),
            sa.func.min(c.day).label("first"),
            sa.func.max(c.day).label("last"),
        )
        .group_by(c.base, c.currency)
        .subquery()
    )
    same = (c.base == ends.c.base) & (c.currency == ends.c.currency) & (c.day == ends.c.last)
    query = sa.select(ends, c.value).join_from(ends, table, same)
    return [
        Known(
            row.base,
            row.currency,
            row.days,
            date.fromisoformat(row.first),
            date.fromisoformat(row.last),
            Decimal(row.value),
        )
        for row in tx.execute(query.order_by(ends.c.base, ends.c.currency))
    ]


class RateBook:
    """The shop's rates into its own currency, read when they are first asked for.

    ``refresh`` notices what another process imported, within two seconds. Safe between threads.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._own = store.settings.shop.currency
        self._bases: tuple[str, ...] | None = None
        self._series: dict[tuple[str, str], Series] = {}
        self._found: dict[tuple[str, int], Fraction | None] = {}
        self._checked: datetime | None = None
        self._version = -1
        self._lock = Lock()

    def refresh(self, now: datetime, *, at_once: bool = False) -> None:
        """Forget what was read if the rates have changed since; asked at most every 2 s."""
        if not at_once and self._checked is not None and abs(now - self._checked) < _FRESH:
            return
        with self._store.read() as tx:
            version = peek(tx, _CHANGED)
        with self._lock:
            self._checked = now
            if version != self._version:
                self._version = version
                self._bases, self._series, self._found = None, {}, {}

    def rate(self, currency: str, day: date) -> Fraction | None:
        """Units of the shop's currency for one unit of another; see ``Rate``."""
        if currency == self._own:
            return Fraction(1)
        key = (currency, day.toordinal())
        with self._lock:
            if key not in self._found:
                if len(self._found) >= _MOST_FOUND:
                    self._found.clear()
                self._found[key] = self._look_up(currency, key[1])
            return self._found[key]

    def knows(self, currency: str) -> bool:
        """Whether any rate leads from a currency to the shop's own."""
        c = table.c
        with self._store.read() as tx:
            for code in (currency, self._own):
                query = sa.select(c.day).where((c.currency == code) | (c.base == code)).limit(1)
                if tx.execute(query).first() is None:
                    return False
        return True

    def _look_up(self, currency: str, day: int) -> Fraction | None:
        if self._bases is None:
            with self._store.read() as tx:
                bases = tx.execute(sa.select(table.c.base).distinct()).scalars().all()
            self._bases = tuple(sorted(bases, key=lambda base: (base != self._own, base)))
        for base in self._bases:
            own, other = self._on(base, self._own, day), self._on(base, currency, day)
            if own is not None and other is not None:
                return Fraction(own) / Fraction(other)
        return None

    def _on(self, base: str, currency: str, day: int) -> Decimal | None:
        """Units of a currency for one of the base, on the day or the last within reach."""
        if base == currency:
            return Decimal(1)
        if (base, currency) not in self._series:
            self._series[base, currency] = self._read(base, currency)
        days, values = self._series[base, currency]
        place = bisect_right(days, day) - 1
        if place < 0 or day - days[place] > LONGEST_GAP_DAYS:
            return None
        return values[place]

    def _read(self, base: str, currency: str) -> Series:
        c = table.c
        query = sa.select(c.day, c.value).where(c.base == base, c.currency == currency)
        with self._store.read() as tx:
            rows = tx.execute(query.order_by(c.day)).all()
        return (
            [date.fromisoformat(row.day).toordinal() for row in rows],
            [Decimal(row.value) for row in rows],
        )


def quote_all(base: str, day: date, values: Mapping[str, Decimal]) -> list[Quote]:
    """The rates of one day."""
    return [Quote(base, currency, day, value) for currency, value in values.items()]
