"""After the whole road the system knows what only the simulation knew."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy import stats

if TYPE_CHECKING:
    from lingxi.app.shop import Shop
    from lingxi.app.views import CustomerRow

ALPHA = 1e-6


@pytest.fixture(scope="module")
def people(raw_shop: Path) -> dict[str, dict[str, object]]:
    table = pq.read_table(raw_shop / "truth" / "customers.parquet")
    return {row["customer_id"]: row for row in table.to_pylist()}


@pytest.fixture(scope="module")
def rows(demo_shop: "Shop") -> list["CustomerRow"]:
    found: list[CustomerRow] = []
    cursor: str | None = None
    while True:
        page = demo_shop.answers.customers(n=200, cursor=cursor)
        found += page.rows
        cursor = page.next_cursor
        if cursor is None:
            return found


def test_churn_risk_tells_who_has_left_for_good(
    rows: list["CustomerRow"], people: dict[str, dict[str, object]]
) -> None:
    """Mann-Whitney between those who left and those who did not; the area is .89 by design."""
    risk: dict[bool, list[float]] = {True: [], False: []}
    for row in rows:
        if row.churn_probability is not None:
            risk[bool(people[row.customer_id]["alive"])].append(row.churn_probability)
    assert min(len(values) for values in risk.values()) > 60
    test = stats.mannwhitneyu(risk[False], risk[True], alternative="greater")
    area = test.statistic / (len(risk[False]) * len(risk[True]))
    assert area > 0.75
    assert test.pvalue < ALPHA


def test_most_of_the_lost_have_left_and_most_of_the_loyal_have_not(
    rows: list["CustomerRow"], people: dict[str, dict[str, object]]
) -> None:
    alive = Counter((row.stage, bool(people[row.customer_id]["alive"])) for row in rows)
    assert alive["lost", False] > 2 * alive["lost", True]
    assert alive["loyal", True] > 2 * alive["loyal", False]


def test_recommended_items_meet_the_customers_own_taste(
    rows: list["CustomerRow"], people: dict[str, dict[str, object]], demo_shop: "Shop"
) -> None:
    """Paired: taste for the list one is given against taste for the list of the next customer.

    Of those with few orders: in a shop of 60 items the others have their favourites already, and
    what was bought is not recommended again.
    """
    buyers = [row.customer_id for row in rows if 1 <= row.orders <= 3]
    lists = []
    for customer in buyers:
        items = demo_shop.answers.recommendations(customer, n=10).items
        lists.append([f"taste_{item.category}" for item in items if item.category])  # known ones
    own, others = [], []
    for i, customer in enumerate(buyers):
        taste = people[customer]
        own.append(np.mean([taste[name] for name in lists[i]]))
        others.append(np.mean([taste[name] for name in lists[(i + 1) % len(lists)]]))
    assert len(buyers) > 50
    test = stats.wilcoxon(own, others, alternative="greater")
    assert test.pvalue < 1e-4
