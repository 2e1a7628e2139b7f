"""The steps: every line is accounted for, whatever the table holds."""

from datetime import UTC, datetime
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingxi.ingest.clean import STEPS, clean
from lingxi.ingest.costs import ItemFacts, is_cost_text, judge_costs
from lingxi.ingest.documents import build_documents
from lingxi.ingest.lines import COST, interpret
from lingxi.ingest.raw import build_table
from lingxi.ingest.reasons import DropReason, PutReason
from lingxi.ingest.rules import Cleaned, DropStep, Rules
from lingxi.ingest.text import Text
from lingxi.store.tables import to_micros

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FIELDS = ("order", "item", "name", "quantity", "price", "time", "customer", "status", "kind")


def run(rows: list[list[str]], *, date_format: str = "dmy") -> Cleaned:
    columns = [Text.of(row[i] for row in rows) for i in range(len(FIELDS))]
    raw = build_table(FIELDS, columns)
    mapping = {field: field for field in FIELDS}
    lines, _ = interpret(raw, mapping, UTC, NOW, date_format=date_format)
    rules = Rules(raw, frozenset(FIELDS), "GBP", 2, to_micros(NOW), lambda text: f"{hash(text):x}")
    return clean(lines, rules)


_CELL = st.sampled_from(
    ["", "1", "2", "-1", "0", "5", "2.5", "1,5", "C1", "C2", "A1", "a1", "POST", "Postage", "?",
     "x", "2024-01-05", "25/01/2024", "1970-01-01", "guest", "refunded", "cancelled", "return",
     "NaN", "\x00", "é", "e\u0301", "1e300", "9" * 50]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(_CELL, min_size=9, max_size=9), max_size=30))
def test_lines_in_are_lines_kept_and_lines_set_aside(rows: list[list[str]]) -> None:
    cleaned = run(rows)
    aside = [int(i) for t in cleaned.touched if not t.kept for i in t.index]
    kept = cleaned.lines.index.tolist()
    assert len(aside) == len(set(aside))
    n_lines = sum(any(cell not in ("", "NaN") for cell in row) for row in rows)
    assert sorted(aside + kept) == list(range(n_lines))
    documents = build_documents(
        cleaned.lines, np.zeros(len(kept), dtype=np.bool_), currency="GBP", digits=2
    )
    assert sorted(int(i) for d in documents for i in d.index) == sorted(kept)
    assert all(line.quantity > 0 for d in documents for line in d.lines)
    assert all((line.amount_cents or 0) >= 0 for d in documents for line in d.lines)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(_CELL, min_size=9, max_size=9), max_size=20), st.randoms())
def test_what_is_kept_does_not_depend_on_the_order_of_the_lines(
    rows: list[list[str]], random: Random
) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)

    def reasons(cleaned: Cleaned) -> dict[str, int]:
        return dict(sorted(cleaned.set_aside.items()))

    assert reasons(run(rows)) == reasons(run(shuffled))


def test_each_step_has_a_name_that_says_what_it_does() -> None:
    for step in STEPS:
        assert step.name.startswith("drop_" if isinstance(step, DropStep) else "put_")
        assert step.reason in (DropReason if isinstance(step, DropStep) else PutReason)


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("POSTAGE", True),
        ("Next Day Carriage", True),
        ("Shipping & handling", True),
        ("Discount 10%", True),
        ("Versandkosten", True),
        ("Frais de port", True),
        ("顺丰运费", True),
        ("优惠券", True),
        ("补差价专用链接", True),
        ("BLACK BAROQUE CARRIAGE CLOCK", False),
        ("FRENCH CARRIAGE LANTERN", False),
        ("COFFEE MUG", False),
        ("Manual Coffee Grinder", False),
        ("Sample Sale Dress", False),
        ("Shipping Label Roll", False),
        ("运费险收纳盒", False),
        ("", False),
    ],
)
def test_words_alone_tell_a_cost_from_a_product(text: str, cost: bool) -> None:
    assert is_cost_text(text) == cost


def test_an_odd_code_needs_a_word_or_ever_changing_prices() -> None:
    codes = [f"{10_000 + i}" for i in range(50)] + ["DOT", "ADJ", "SETA", "AMAZONFEE", "DCGS0003"]
    names = [f"THING {i}" for i in range(50)]
    names += ["DOTCOM POSTAGE", "Odd thing", "GIFT SET", "AMAZON FEE", "GLASS ASHTRAY"]
    lines = np.array([100] * 50 + [40, 30, 30, 20, 5])
    prices = np.array([3] * 50 + [40, 29, 2, 20, 3])
    cost = judge_costs(ItemFacts(codes, names, lines, prices))
    assert [code for code, is_cost in zip(codes, cost, strict=True) if is_cost] == [
        "DOT",
        "ADJ",
        "AMAZONFEE",
    ]


def test_in_a_shop_without_a_usual_shape_no_code_is_odd() -> None:
    codes = ["MUG", "RED-MUG", "A1", "blue plate", "X-99-Z", "POSTER"]
    facts = ItemFacts(codes, list(codes), np.array([9] * 6), np.array([9] * 6))
    assert not judge_costs(facts).any()


def row(**cells: str) -> list[str]:
    usual = {"order": "1", "item": "A1", "name": "Mug", "quantity": "1", "price": "5",
             "time": "25/01/2024", "customer": "c", "status": "", "kind": ""}  # fmt: skip
    return [(usual | cells)[field] for field in FIELDS]


def refunds(rows: list[list[str]]) -> list[str | None]:
    lines = run(rows).lines
    return [lines.order.get(i) for i in np.flatnonzero(lines.refund).tolist()]


def test_a_prefix_means_cancellation_only_where_the_file_bears_it_out() -> None:
    sales = [row(order=str(i), item=f"A{i}") for i in range(1, 9)]
    assert refunds([*sales, row(order="C99", quantity="-1")]) == ["C99"]
    assert refunds([*sales, row(order="C3", item="A3")]) == ["C3"]
    assert refunds([*sales, row(order="C99"), row(order="C98")]) == []


def test_a_line_of_the_type_return_is_a_refund() -> None:
    assert refunds([row(), row(order="2", kind="Return")]) == ["2"]


def test_an_unfinished_order_is_no_sale_and_a_guest_has_no_name() -> None:
    cleaned = run([row(status="Pending payment"), row(order="2", customer="-1")])
    assert cleaned.set_aside == {"order_not_completed": 1}
    assert bool(cleaned.lines.customer.missing.all())


def test_a_discount_is_a_cost_and_no_refund() -> None:
    lines = run([row(), row(item="DISC", name="Discount", price="-2")]).lines
    assert lines.part.tolist() == [0, COST]
    assert not lines.refund.any()
