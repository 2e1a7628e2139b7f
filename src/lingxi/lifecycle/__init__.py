"""The customer's life with the shop: RFM, stages, churn and value, now and as of any moment."""

import sqlalchemy as sa

from lingxi.lifecycle.history import read_history
from lingxi.lifecycle.moment import data_moment, find_data_moment, load_thresholds
from lingxi.lifecycle.rfm import SEGMENTS
from lingxi.lifecycle.score import score_customers
from lingxi.lifecycle.stages import STAGES, count_stages, stages_as_of
from lingxi.lifecycle.tables import customer_state
from lingxi.lifecycle.train import train_churn, train_lifecycle


def forget(tx: sa.Connection, customers: frozenset[int]) -> int:
    """Remove everything that the lifecycle keeps of these customers; the rows removed.

    Models hold weights and quantiles only, no row of any customer. Stage changes are events: the
    log forgets them.
    """
    query = sa.delete(customer_state).where(customer_state.c.customer.in_(sorted(customers)))
    return tx.execute(query).rowcount


__all__ = [
    "SEGMENTS",
    "STAGES",
    "count_stages",
    "data_moment",
    "find_data_moment",
    "forget",
    "load_thresholds",
    "read_history",
    "score_customers",
    "stages_as_of",
    "train_churn",
    "train_lifecycle",
]
