"""Makes the plan: reads what the rooms below know, asks the rules, keeps and writes the answer."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from lingxi.catalogue import get_items
from lingxi.config import Settings
from lingxi.errors import NotEnoughData, NotTrained, UserError
from lingxi.features import compute_features
from lingxi.ingest.consent import Permissions, read_permissions
from lingxi.lifecycle import load_thresholds, read_history
from lingxi.lifecycle.tables import customer_state
from lingxi.lifecycle.thresholds import Thresholds, list_order_days, usual_gaps
from lingxi.policy.candidate import Candidate, Due, ShopFacts
from lingxi.policy.export import write_plan_files
from lingxi.policy.ledger import put_plan
from lingxi.policy.offering import read_offering
from lingxi.policy.plan import make_plan
from lingxi.policy.replenish import find_due, read_due
from lingxi.recommend import Recommender
from lingxi.store import Analytics, Progress, Store, silent
from lingxi.store.tables import identity, to_micros

_FEATURES = (
    "frequency",
    "money_cents",
    "tenure_days",
    "recency_days",
    "return_rate",
    "average_order_cents",
)


_CHANNELS = ("email", "on_site")
"""Channels that the rules propose."""


@dataclass(frozen=True)
class MadePlan:
    """What planning did: lines by action, the files written, the moment it speaks of."""

    as_of: datetime
    by_action: Mapping[str, int]
    files: tuple[Path, ...]

    @property
    def summary(self) -> str:
        """The plan in one line."""
        alone = self.by_action.get("leave_alone", 0)
        customers = sum(self.by_action.values())
        return f"{customers:,} customers, {customers - alone:,} to act on, {alone:,} left alone"


def decide_plan(store: Store, settings: Settings, progress: Progress = silent) -> MadePlan:
    """Decide for every scored customer, keep the plan, and write its files.

    Raises
    ------
    NotTrained
        Before customers were scored.
    NotEnoughData
        If no customer is known.
    """
    states = _read_states(store)
    if not states:
        raise _nobody_to_plan_for(store)
    as_of: datetime = max(state["as_of"] for state in states.values())
    with store.analytics() as analytics:
        features = compute_features(analytics, as_of, names=_FEATURES)
        gaps = _read_gaps(store, analytics, as_of)
        due_rows = find_due(analytics, as_of)
    progress("Facts of customers", len(states), len(states))
    with store.read() as tx:
        open_to = read_permissions(tx, settings.consent, "personalisation")
        channels = {c: read_permissions(tx, settings.consent, "marketing", c) for c in _CHANNELS}
    personal = [customer for customer in sorted(states) if open_to.allows(customer)]
    recommended = _recommend(store, settings, personal, progress)
    with store.read() as tx:
        items = get_items(tx, sorted({str(i) for i in due_rows.column("item_id").to_pylist()}))
    due = read_due(due_rows, {item_id: item.name for item_id, item in items.items()})
    offering = read_offering(store)
    shop = _learn_shop(features, states, load_thresholds(store), settings)
    shop = replace(shop, offers=offering.offers)
    known = {row["customer"]: row for row in features.to_pylist()}
    candidates = (
        _to_candidate(customer, state, known.get(customer, {}), shop, gaps, due, recommended)
        for customer, state in states.items()
    )
    lines = make_plan((offering.add_to(_add_refusals(one, channels)) for one in candidates), shop)
    with store.write() as tx:
        put_plan(tx, lines, as_of)
    files = write_plan_files(store, settings)
    by_action: dict[str, int] = {}
    for line in lines:
        by_action[line.proposal.action] = by_action.get(line.proposal.action, 0) + 1
    progress("Plan", len(lines), len(lines))
    return MadePlan(as_of, by_action, files)


def _add_refusals(candidate: Candidate, channels: Mapping[str, Permissions]) -> Candidate:
    shut = [name for name, open_to in channels.items() if not open_to.allows(candidate.customer)]
    return replace(candidate, refuses=frozenset(shut)) if shut else candidate


def _nobody_to_plan_for(store: Store) -> UserError:
    if store.artefacts.current("lifecycle") is None:
        return NotTrained("No customer has a stage yet. Run 'lingxi train' first.")
    return NotEnoughData(
        "There is no customer to plan for: no order or sign-up names one. Import a file with a "
        "customer column (lingxi import orders FILE --map customer=COLUMN), then 'lingxi train'."
    )


def _read_states(store: Store) -> dict[int, sa.RowMapping]:
    """The scored customers; one who has become somebody else since is nobody to plan for."""
    with store.read() as tx:
        still = sa.exists().where(identity.c.customer == customer_state.c.customer)
        rows = tx.execute(sa.select(customer_state).where(still)).mappings().all()
    return {row["customer"]: row for row in rows}


def _read_gaps(store: Store, analytics: Analytics, as_of: datetime) -> dict[int, float]:
    """The usual days between orders of each customer who ordered twice, as the stages see it."""
    history = read_history(analytics).as_of(to_micros(as_of))
    days = list_order_days(history)
    usual = usual_gaps(days, load_thresholds(store))
    again = np.unique(days.customer[days.rank > 0])
    last = {int(person): place for place, person in enumerate(days.customer)}
    return {int(history.customers[p]): float(usual[last[int(p)]]) for p in again}


def _recommend(
    store: Store, settings: Settings, customers: list[int], progress: Progress
) -> dict[int, tuple[str, ...]]:
    """The items recommended to each customer, best first; none where orders name no items."""
    try:
        recommender = Recommender.load(store)
    except NotTrained:
        return {}
    table = recommender.recommend_all(
        store, customers, n=settings.learning.list_length, progress=progress
    )
    lists: dict[int, list[str]] = {}
    for row in table.select(["customer", "item_id"]).to_pylist():
        lists.setdefault(row["customer"], []).append(row["item_id"])
    return {customer: tuple(ids) for customer, ids in lists.items()}


def _learn_shop(
    features: pa.Table,
    states: Mapping[int, sa.RowMapping],
    thresholds: Thresholds,
    settings: Settings,
) -> ShopFacts:
    """The shop's yardsticks from its customers."""
    orders = [c for c in features.column("average_order_cents").to_pylist() if c is not None]
    values = [s["value_cents"] for s in states.values() if s["value_cents"] and s["r"] is not None]
    horizon = next((s["horizon_days"] for s in states.values() if s["horizon_days"]), 0)
    return ShopFacts(
        currency=settings.shop.currency,
        gap_days=thresholds.gap_days,
        horizon_days=horizon,
        order_cents=round(median(orders)) if orders else 0,
        value_median_cents=round(median(values)) if values else 0,
        delivery_cents=settings.policy.delivery_cost_cents,
    )


def _to_candidate(
    customer: int,
    state: sa.RowMapping,
    row: Mapping[str, object],
    shop: ShopFacts,
    gaps: Mapping[int, float],
    due: Mapping[int, Due],
    recommended: Mapping[int, tuple[str, ...]],
) -> Candidate:
    def number(name: str) -> float | None:
        value = row.get(name)
        return float(value) if isinstance(value, int | float) else None

    orders = round(number("frequency") or 0)
    mean = number("average_order_cents") or 0.0
    return Candidate(
        customer=customer,
        stage=state["stage"],
        segment=state["segment"],
        orders=orders,
        net_revenue_cents=round(number("money_cents") or 0),
        tenure_days=number("tenure_days") or 0.0,
        recency_days=number("recency_days"),
        gap_days=gaps.get(customer),
        return_rate=number("return_rate"),
        churn_probability=state["churn_probability"],
        churn_level=state["churn_level"],
        value_cents=state["value_cents"] or 0,
        order_cents=round((orders * mean + shop.order_cents) / (orders + 1)),
        item_ids=recommended.get(customer, ()),
        due=due.get(customer),
    )
