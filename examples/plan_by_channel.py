"""Whom the plan would reach by which channel, and what it expects of them.

lingxi plan && python examples/plan_by_channel.py plan/plan.parquet
"""

import sys

import pyarrow.parquet as pq


def main(path: str) -> None:
    plan = pq.read_table(path, columns=["channel", "action", "expected_value_cents"])
    totals = plan.group_by(["channel", "action"]).aggregate(
        [("expected_value_cents", "sum"), ("action", "count")]
    )
    order = [("channel", "ascending"), ("action_count", "descending")]
    for row in totals.sort_by(order).to_pylist():
        value = row["expected_value_cents_sum"]
        expected = "unknown" if value is None else f"{value / 100:,.2f}"
        count = row["action_count"]
        print(f"{row['channel']:<8} {row['action']:<15} {count:>6} customers, {expected}")


if __name__ == "__main__":
    main(sys.argv[1])
