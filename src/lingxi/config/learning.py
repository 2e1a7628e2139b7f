"""How models are fitted, and what the plan reckons with."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LearningSettings:
    """How models are fitted."""

    seed: int = 7
    """Seed of everything random in training."""
    horizon_days: int = 0
    """Churn horizon; 0 learns it from the shop's own gaps between orders."""
    list_length: int = 10
    """Recommendations made for each customer in a plan."""
    recommender_seconds: float = 300.0
    """Seconds for choosing and fitting the recommender; with fewer, fewer models are tried."""
    keep_versions: int = 5
    """Versions of each model kept for rollback."""


@dataclass(frozen=True)
class PolicySettings:
    """What the plan reckons with."""

    delivery_cost_cents: int = 395
    """What one delivery costs the shop, in minor units: the cost of free shipping."""
