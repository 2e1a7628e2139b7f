"""Every known customer's orders and refunds as arrays, and what of them counted at any moment."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lingxi.errors import NotEnoughData
from lingxi.ingest.consent import keep_permitted
from lingxi.schema import SYSTEM_EVENTS, Name
from lingxi.store import Analytics
from lingxi.store.tables import EPOCH

DAY_US = 86_400_000_000
NEVER_US = int(np.iinfo(np.int64).max)

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class History:
    """What is needed of the log to place every customer in their life with the shop.

    ``customers``: shape (n_customers,), ascending; ``seen_us``: the first event of each. The
    ``order_*`` arrays have one entry per order, by customer, then by time; ``order_customer`` is an
    index into ``customers``; ``cancelled_us`` the moment when refunds had taken back the whole
    order (``NEVER_US`` where they have not). ``refund_*`` likewise, one entry per refund. Moments
    are whole microseconds since 1970, amounts are cents.
    """

    customers: Ints
    seen_us: Ints
    order_customer: Ints
    order_us: Ints
    order_cents: Ints
    cancelled_us: Ints
    refund_customer: Ints
    refund_us: Ints
    refund_cents: Ints
    last_us: int

    def as_of(self, moment_us: int) -> "History":
        """What was known at a moment: nothing later, and only the cancellations up to then."""
        seen = self.seen_us <= moment_us
        place = np.cumsum(seen) - 1
        old, back = self.order_us <= moment_us, self.refund_us <= moment_us
        cancelled = self.cancelled_us[old]
        return History(
            self.customers[seen],
            self.seen_us[seen],
            place[self.order_customer[old]],
            self.order_us[old],
            self.order_cents[old],
            np.where(cancelled <= moment_us, cancelled, NEVER_US),
            place[self.refund_customer[back]],
            self.refund_us[back],
            self.refund_cents[back],
            min(self.last_us, moment_us),
        )

    def without_cancelled(self) -> "History":
        """The same without the orders that refunds have taken back in full."""
        kept = self.cancelled_us == NEVER_US
        return replace(
            self,
            order_customer=self.order_customer[kept],
            order_us=self.order_us[kept],
            order_cents=self.order_cents[kept],
            cancelled_us=self.cancelled_us[kept],
        )

    def sum_revenue(self, after_us: int = -NEVER_US) -> Ints:
        """Cents of each customer's orders less those of refunds, counting from a moment on."""
        n = len(self.customers)
        orders, refunds = self.order_us > after_us, self.refund_us > after_us
        gross = np.bincount(self.order_customer[orders], self.order_cents[orders], minlength=n)
        back = np.bincount(self.refund_customer[refunds], self.refund_cents[refunds], minlength=n)
        return (gross - back).astype(np.int64)

    def last_order_us(self) -> Ints:
        """Each customer's last order that counts, 0 where there is none."""
        kept = self.cancelled_us == NEVER_US
        last = np.zeros(len(self.customers), dtype=np.int64)
        np.maximum.at(last, self.order_customer[kept], self.order_us[kept])
        return last

    def span_us(self) -> tuple[int, int]:
        """First order and last event.

        Raises
        ------
        NotEnoughData
            If there are no orders.
        """
        if not len(self.order_us):
            raise NotEnoughData(
                "No known customer has ordered yet. Import orders with 'lingxi import orders'."
            )
        return int(self.order_us.min()), self.last_us


def read_history(analytics: Analytics) -> History:
    """The history of all known customers who let us learn from it, from lake and tail."""
    import ibis  # half a second, paid for by those who ask

    events = keep_permitted(analytics, analytics.events, "analytics")
    own = [name.value for name in SYSTEM_EVENTS]
    shown = events.filter(
        events.line == 0, events.customer.notnull(), events.known, events.name.notin(own)
    )
    shown = shown.mutate(at_us=shown.occurred_at.delta(ibis.literal(EPOCH), unit="microsecond"))
    people = analytics.to_arrow(
        shown.group_by("customer").aggregate(first=shown.at_us.min(), last=shown.at_us.max())
    )
    wanted = [Name.ORDER_COMPLETED.value, Name.ORDER_REFUNDED.value]
    money = shown.filter(shown.name.isin(wanted)).select(
        "customer", "at_us", "position", "order_id", "event_amount_cents", "name"
    )
    return build_history(people, analytics.to_arrow(money))


def build_history(people: pa.Table, money: pa.Table) -> History:
    """Arrays from Arrow rows.

    ``people``: columns ``customer``, ``first``, ``last``. ``money``: one row per order or refund
    with ``customer``, ``at_us``, ``position``, ``order_id``, ``event_amount_cents``, ``name``.
    """
    people = people.sort_by("customer")
    customers = _ints(people, "customer")
    money = money.sort_by(
        [("customer", "ascending"), ("at_us", "ascending"), ("position", "ascending")]
    )
    place = np.searchsorted(customers, _ints(money, "customer")).astype(np.int64)
    at_us, cents = _ints(money, "at_us"), _ints(money, "event_amount_cents")
    keys = _number_orders(money, place)
    is_order = money.column("name").to_numpy(zero_copy_only=False) == Name.ORDER_COMPLETED.value
    cancelled = _find_cancelled(keys, at_us, cents, is_order)
    further = _find_further(keys, is_order)
    is_order &= ~further
    cents = np.where(further, -cents, cents)
    return History(
        customers,
        _ints(people, "first"),
        place[is_order],
        at_us[is_order],
        cents[is_order],
        cancelled[is_order],
        place[~is_order],
        at_us[~is_order],
        cents[~is_order],
        int(_ints(people, "last").max()) if len(customers) else 0,
    )


def _number_orders(money: pa.Table, place: Ints) -> Ints:
    """One number per customer and order id; -1 for rows without an order id."""
    encoded = money.column("order_id").combine_chunks().dictionary_encode()
    found = encoded.indices.to_numpy(zero_copy_only=False)
    codes = np.nan_to_num(found, nan=-1).astype(np.int64)
    return np.where(codes < 0, -1, place * max(1, len(encoded.dictionary)) + codes)


def _find_further(keys: Ints, is_order: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Parts of an order after its first: more money, as a refund is less, and no further order."""
    further = np.zeros(len(keys), dtype=np.bool_)
    parts = np.flatnonzero(is_order & (keys >= 0))
    _, first = np.unique(keys[parts], return_index=True)
    further[parts] = True
    further[parts[first]] = False
    return further


def _find_cancelled(keys: Ints, at_us: Ints, cents: Ints, is_order: NDArray[np.bool_]) -> Ints:
    """For each row the moment when refunds of its order reached what it cost."""
    cancelled = np.full(len(keys), NEVER_US)
    tied = keys >= 0
    numbers, inverse = np.unique(keys[tied], return_inverse=True)
    ordered = np.bincount(inverse, np.where(is_order, cents, 0)[tied], minlength=len(numbers))
    back = np.flatnonzero(tied & ~is_order & (cents > 0))
    if not len(back):
        return cancelled
    of = np.searchsorted(numbers, keys[back])
    order = np.lexsort((at_us[back], of))
    of, back = of[order], back[order]
    running = np.cumsum(cents[back])
    starts = np.flatnonzero(np.diff(of, prepend=-1))
    before = np.repeat(running[starts] - cents[back[starts]], np.diff(np.append(starts, len(of))))
    full = running - before >= ordered[of]
    moment = np.full(len(numbers), NEVER_US)
    np.minimum.at(moment, of[full], at_us[back[full]])
    cancelled[tied] = moment[inverse]
    return cancelled


def _ints(table: pa.Table, column: str) -> Ints:
    found: Ints = np.nan_to_num(table.column(column).to_numpy()).astype(np.int64)
    return found
