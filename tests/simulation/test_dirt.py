"""Every piece of dirt put in is found again in the raw tables, in the number recorded."""

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from lingxi.simulation import Simulated
from lingxi.simulation.event_dirt import UNKNOWN_ITEMS
from lingxi.simulation.ledger import CHARGES
from lingxi.simulation.order_dirt import IMPOSSIBLE_DATES
from lingxi.simulation.vocabulary import BOTS, CUSTOM_EVENTS

ABSURD_YEARS = (1970, 2200)


@pytest.fixture(scope="module")
def recorded(shop: Simulated) -> dict[str, int]:
    return {row["kind"]: row["rows"] for row in shop.truth["dirt"].to_pylist()}


@pytest.fixture(scope="module")
def lines(shop: Simulated) -> list[dict[str, object]]:
    return shop.orders.to_pylist()


def _order_dirt(lines: list[dict[str, object]], shop: Simulated) -> dict[str, int]:
    codes = {*shop.items["item_id"].to_pylist(), *(code for code, _ in CHARGES)}
    untied = pc.sum(pc.is_null(shop.truth["refunds"]["order_id"])).as_py()
    found = Counter[str]()
    for line in lines:
        quantity, price, code = line["quantity"], line["unit_price"], line["stock_code"]
        description = line["description"]
        assert isinstance(quantity, int)
        assert isinstance(price, float)
        found["stock_adjustment"] += quantity < 0 and price == 0
        found["zero_price"] += quantity > 0 and price == 0
        found["missing_description"] += description is None and price > 0
        found["padded_description"] += str(description).endswith(" ")
        found["mixed_case_code"] += code not in codes
        found["impossible_date"] += line["invoice_date"] in IMPOSSIBLE_DATES
        found["keying_error"] += quantity > 5_000
        found["manual_charge"] += code in ("M", "D")
        found["bank_charge"] += code == "BANK CHARGES"
        found["bad_debt"] += code == "B"
    found["duplicate_line"] = len(lines) - len({tuple(line.values()) for line in lines})
    found["untied_refund"] = untied
    return dict(found)


def test_order_dirt_is_as_recorded(
    lines: list[dict[str, object]], shop: Simulated, recorded: dict[str, int]
) -> None:
    found = _order_dirt(lines, shop)
    assert found == {kind: recorded[kind] for kind in found}
    assert all(count > 0 for count in found.values())


def test_event_dirt_is_as_recorded(shop: Simulated, recorded: dict[str, int]) -> None:
    events = shop.events
    names, times = events["event"], events["timestamp"]
    known = pa.array(shop.items["item_id"].to_pylist())
    product = pc.is_in(
        pc.utf8_lower(names), pa.array(["product viewed", "product added", "product removed"])
    )
    lost = pc.and_(pc.is_null(events["user_id"]), pc.is_null(events["anonymous_id"]))
    unknown = pc.and_(
        pc.is_valid(events["product_id"]), pc.invert(pc.is_in(events["product_id"], known))
    )
    found = {
        "missing_time": pc.is_null(times),
        "absurd_time": pc.is_in(pc.year(times), pa.array(ABSURD_YEARS)),
        "missing_product": pc.and_(product, pc.is_null(events["product_id"])),
        "unknown_product": unknown,
        "missing_identity": lost,
        "odd_name": pc.equal(names, pc.utf8_lower(names)),
        "custom_event": pc.is_in(names, pa.array(CUSTOM_EVENTS)),
        "bot": pc.is_in(events["user_agent"], pa.array(BOTS)),
    }
    counts = {kind: pc.sum(mask).as_py() for kind, mask in found.items()}
    counts["duplicate_event"] = events.num_rows - pc.count_distinct(events["message_id"]).as_py()
    assert counts == {kind: recorded[kind] for kind in counts}
    assert all(count > 0 for count in counts.values())
    assert pc.count_distinct(events["product_id"].filter(unknown)).as_py() <= UNKNOWN_ITEMS


def test_every_kind_of_dirt_is_tested(recorded: dict[str, int]) -> None:
    from dataclasses import fields

    from lingxi.simulation import DirtSettings

    kinds = {field.name for field in fields(DirtSettings)}
    assert kinds | {"bank_charge", "bad_debt"} == set(recorded)


def test_duplicate_events_are_equal_in_every_column(shop: Simulated) -> None:
    rows = Counter(row["message_id"] for row in shop.events.to_pylist())
    twice = {message for message, n in rows.items() if n > 1}
    assert all(rows[message] == 2 for message in twice)
    copies = shop.events.filter(pc.is_in(shop.events["message_id"], pa.array(sorted(twice))))
    assert copies.group_by(copies.column_names).aggregate([]).num_rows == len(twice)


def test_raw_lines_add_up_to_the_true_orders_and_refunds(
    lines: list[dict[str, object]], shop: Simulated
) -> None:
    """Products without duplicates, codes upper-cased: exactly the truth, document by document."""
    items = set(shop.items["item_id"].to_pylist())
    goods, costs = Counter[str](), Counter[str]()
    for line in {tuple(line.items()) for line in lines}:
        row = dict(line)
        code = str(row["stock_code"]).strip().upper()
        cents = round(row["quantity"] * row["unit_price"] * 100)
        (goods if code in items else costs)[str(row["invoice"])] += cents
    for name, key, sign in (("orders", "order_id", 1), ("refunds", "refund_id", -1)):
        for row in shop.truth[name].to_pylist():
            assert sign * row["goods_cents"] == goods[row[key]]
            assert sign * row["cost_cents"] == costs[row[key]]


def test_a_tied_refund_never_exceeds_its_order(shop: Simulated) -> None:
    orders = {row["order_id"]: row for row in shop.truth["orders"].to_pylist()}
    tied = [row for row in shop.truth["refunds"].to_pylist() if row["order_id"] is not None]
    assert tied
    for refund in tied:
        order = orders[refund["order_id"]]
        assert refund["goods_cents"] <= order["goods_cents"]
        assert refund["occurred_at"] > order["occurred_at"]
        assert refund["customer_id"] == order["customer_id"]
