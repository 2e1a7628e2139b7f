"""The scores of the rooms above that rules of segments may read."""

from lingxi.lifecycle import STAGES
from lingxi.lifecycle.tables import customer_state
from lingxi.segments import Judge
from lingxi.segments.needs import STAGE
from lingxi.segments.scores import ScoreColumn
from lingxi.store import Store

SCORES = (
    ScoreColumn(STAGE, customer_state.c.stage),
    ScoreColumn("stage_since", customer_state.c.since),
    ScoreColumn("rfm_segment", customer_state.c.segment),
    ScoreColumn("rfm_recency", customer_state.c.r),
    ScoreColumn("rfm_frequency", customer_state.c.f),
    ScoreColumn("rfm_monetary", customer_state.c.m),
    ScoreColumn("churn_probability", customer_state.c.churn_probability),
    ScoreColumn("churn_level", customer_state.c.churn_level),
    ScoreColumn("value_cents", customer_state.c.value_cents),
)
"""What the lifecycle says of each customer, as of the last scoring."""


def make_judge(store: Store) -> Judge:
    """Who answers about single customers of a store, with every score that there is."""
    return Judge(store, SCORES, tuple(str(stage) for stage in STAGES))
