"""The ledger: what is kept up event by event equals what is summed at the end."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lingxi.profiles.ledger import Ledger, sum_entries
from lingxi.schema import Event, Name

START = datetime(2026, 1, 1, tzinfo=UTC)


def event(name: Name, order: str | None, cents: int | None, day: int) -> Event:
    at = START + timedelta(days=day)
    return Event(
        event_id="e", name=name, occurred_at=at, received_at=at, order_id=order, amount_cents=cents
    )


events = st.builds(
    event,
    st.sampled_from([Name.ORDER_COMPLETED, Name.ORDER_REFUNDED, Name.PRODUCT_VIEWED]),
    st.sampled_from([None, "A", "B", "C"]),
    st.none() | st.integers(-100, 500),
    st.integers(0, 30),
)


@given(st.lists(events, max_size=30))
def test_standing_kept_up_equals_standing_summed(history: list[Event]) -> None:
    ledger = Ledger()
    for each in history:
        ledger.add(each)
        assert ledger.standing == sum_entries(ledger.entries.values())


def test_two_hundred_thousand_orders_of_one_customer_are_summed_once_a_refund() -> None:
    """The bug: every event summed and wrote the whole ledger, so an import never ended."""
    ledger = Ledger()
    for number in range(200_000):
        ledger.add(event(Name.ORDER_COMPLETED, str(number), 100, number % 300))
    assert ledger.standing.orders == 200_000
