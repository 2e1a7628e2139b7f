"""Whatever the settings, a simulated shop is whole: hypothesis looks for one that is not."""

from collections import Counter
from datetime import UTC, datetime

import pyarrow.compute as pc
from hypothesis import given, settings
from hypothesis import strategies as st

from lingxi.simulation import DirtSettings, SimulationSettings, simulate

SHARE = st.floats(0.0, 0.05)
SETTINGS = st.builds(
    SimulationSettings,
    customers=st.integers(1, 80),
    items=st.integers(12, 60),
    days=st.integers(30, 250),
    seed=st.integers(0, 10_000),
    end=st.integers(1_262_304_000, 2_051_222_400).map(lambda s: datetime.fromtimestamp(s, UTC)),
    timezone=st.sampled_from(["UTC", "Europe/London", "America/Santiago", "Pacific/Auckland"]),
    visits_per_month=st.floats(0.0, 6.0),
    lifetime_days=st.floats(5.0, 2_000.0),
    one_time_share=st.floats(0.0, 1.0),
    established_share=st.floats(0.0, 1.0),
    visitors_per_customer=st.floats(0.0, 3.0),
    tracked_share=st.floats(0.0, 1.0),
    refund_share=st.floats(0.0, 1.0),
    dirt=st.builds(
        DirtSettings, duplicate_line=SHARE, impossible_date=SHARE, keying_error=SHARE, bot=SHARE
    ),
)


@settings(max_examples=40, deadline=None)
@given(SETTINGS)
def test_any_shop_is_whole(given_settings: SimulationSettings) -> None:
    shop = simulate(given_settings)
    dirt = {row["kind"]: row["rows"] for row in shop.truth["dirt"].to_pylist()}
    lines = shop.orders.to_pylist()
    assert len(lines) - len({tuple(row.values()) for row in lines}) == dirt["duplicate_line"]
    messages = pc.count_distinct(shop.events["message_id"]).as_py()
    assert shop.events.num_rows - messages == dirt["duplicate_event"]
    orders, refunds = shop.truth["orders"].to_pylist(), shop.truth["refunds"].to_pylist()
    for row in [*orders, *refunds]:
        assert given_settings.start <= row["occurred_at"] < given_settings.end
        assert row["goods_cents"] > 0
    customers = set(shop.truth["customers"]["customer_id"].to_pylist())
    assert len(customers) == given_settings.customers
    assert {row["customer_id"] for row in orders} <= customers | {None}
    assert set(shop.events["user_id"].to_pylist()) <= customers | {None}
    invoices = Counter(row["order_id"] for row in orders)
    assert not invoices or max(invoices.values()) == 1
    assert set(invoices) <= {row["invoice"] for row in lines}
    assert {row["order_id"] for row in refunds} <= set(invoices) | {None}
