"""The plan and the next best action: rules, one file each, and what they decided."""

from lingxi.policy.candidate import Candidate, Due, Proposal, ShopFacts
from lingxi.policy.ledger import (
    PlanTotals,
    StoredAction,
    forget,
    get_action,
    get_totals,
    list_actions,
    put_plan,
)
from lingxi.policy.plan import PlannedAction, make_plan

__all__ = [
    "Candidate",
    "Due",
    "PlanTotals",
    "PlannedAction",
    "Proposal",
    "ShopFacts",
    "StoredAction",
    "forget",
    "get_action",
    "get_totals",
    "list_actions",
    "make_plan",
    "put_plan",
]
