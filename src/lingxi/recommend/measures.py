"""Measured quality as it is kept and shown: plain values, without what measured them."""

from datetime import datetime

import msgspec


class Measure(msgspec.Struct, frozen=True):
    """A mean over customers with its 95 % interval; none where a single customer has a value."""

    value: float | None
    low: float | None
    high: float | None


class ModelQuality(msgspec.Struct, frozen=True):
    """One model fitted on what came before the cut-off; ``measures`` by metric (``ndcg@10``)."""

    name: str
    chosen: bool
    baseline: bool
    params: dict[str, float | int | str]
    measures: dict[str, Measure]
    fit_seconds: float
    customers_per_second: float


class ShopReport(msgspec.Struct, frozen=True):
    """Quality on a time-based split of the shop's own data.

    Models learnt from everything before ``cutoff`` and were asked what each of ``customers`` would
    buy for the first time until ``data_to``; ``repeats`` are purchases of items bought before,
    which nobody was asked about. ``over``: the paired difference of the chosen model to each
    baseline, by metric.
    """

    made_at: datetime
    data_from: datetime
    cutoff: datetime
    data_to: datetime
    customers: int
    items: int
    events: int
    wanted: int
    repeats: int
    lengths: tuple[int, ...]
    chosen: str
    models: tuple[ModelQuality, ...]
    over: dict[str, dict[str, Measure]]
