"""The scores of the rooms above that rules of segments may read."""

from lingxi.lifecycle import STAGES
from lingxi.lifecycle.tables import customer_state
from lingxi.segments import Judge
from lingxi.segments.needs import STAGE
from lingxi.segments.scores import ScoreColumn
from lingxi.store import Store

SCORES = (
    ScoreColumn(STAGE, customer_state.c.stage, customer_state.c.as_of),
    ScoreColumn("stage_since", customer_state.c.since, customer_state.c.as_of),
    ScoreColumn("rfm_segment", customer_state.c.segment, customer_state.c.as_of),
    ScoreColumn("rfm_recency", customer_state.c.r, customer_state.c.as_of),
    ScoreColumn("rfm_frequency", customer_state.c.f, customer_state.c.as_of),
    ScoreColumn("rfm_monetary", customer_state.c.m, customer_state.c.as_of),
    ScoreColumn("churn_probability", customer_state.c.churn_probability, customer_state.c.as_of),
    ScoreColumn("churn_level", customer_state.c.churn_level, customer_state.c.as_of),
    ScoreColumn("value_cents", customer_state.c.value_cents, customer_state.c.as_of),
)
"""What the lifecycle says of each customer, as of the last scoring."""


def make_judge(store: Store) -> Judge:
    """Who answers about single customers of a store, with every score that there is."""
    return Judge(store, SCORES, tuple(str(stage) for stage in STAGES))
