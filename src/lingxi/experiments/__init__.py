"""Experiments: who is in which arm, who is held out, and the design as it was; never an effect."""

from typing import TYPE_CHECKING

from lingxi.doors import open_door

if TYPE_CHECKING:
    from lingxi.experiments.assignment import (
        CONTROL,
        HOLDOUT,
        HOLDOUT_SHARE,
        TREATED,
        assign,
        in_holdout,
    )
    from lingxi.experiments.design import Design
    from lingxi.experiments.erasure import forget
    from lingxi.experiments.exposure import log_arm
    from lingxi.experiments.keep import find_design, list_designs, put_design
else:
    __getattr__ = open_door(__name__, __file__)

__all__ = [
    "CONTROL",
    "HOLDOUT",
    "HOLDOUT_SHARE",
    "TREATED",
    "Design",
    "assign",
    "find_design",
    "forget",
    "in_holdout",
    "list_designs",
    "log_arm",
    "put_design",
]
