"""The customer's life with the shop: RFM, stages, churn and value, now and as of any moment."""

from typing import TYPE_CHECKING

from lingxi.doors import open_door

if TYPE_CHECKING:
    from lingxi.lifecycle.erasure import forget
    from lingxi.lifecycle.history import read_history
    from lingxi.lifecycle.moment import data_moment, find_data_moment, load_thresholds
    from lingxi.lifecycle.rfm import SEGMENTS
    from lingxi.lifecycle.score import score_customers
    from lingxi.lifecycle.stages import STAGES, count_stages, stages_as_of
    from lingxi.lifecycle.train import train_churn, train_lifecycle
else:
    __getattr__ = open_door(__name__, __file__)

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
