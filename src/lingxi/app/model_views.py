"""What can be told of models: every kept version, how it was chosen and what it measured."""

from datetime import datetime

import msgspec

from lingxi.i18n import Sentence
from lingxi.recommend.makeup import Makeup as Makeup


class Measure(msgspec.Struct, frozen=True):
    """One measured quality of one candidate model."""

    metric: str
    value: float
    low: float | None
    high: float | None


class CandidateView(msgspec.Struct, frozen=True):
    """One model that was tried; ``baseline`` marks the simple rules it must beat.

    ``answer_ms``: processor time of one answer, where it was timed.
    """

    name: str
    chosen: bool
    baseline: bool
    measures: tuple[Measure, ...]
    fit_seconds: float | None
    answer_ms: float | None


class Slower(msgspec.Struct, frozen=True):
    """A model that ranked higher than the chosen one, and whose answers take longer."""

    model: str
    answer_ms: float


class ModelVersionView(msgspec.Struct, frozen=True):
    """One stored version of a model, from its manifest.

    ``renewals``: how often the recipe has been fitted again on the events since it was chosen, at
    ``chosen_at``; the measures are those of the choice. ``items_changed``: items whose events were
    others at the last renewal; ``makeup``: what the recommender in use is made of, where it is made
    of several models; ``slower``: what was better and was not chosen, as it answers too late.
    """

    kind: str
    version: str
    active: bool
    created_at: datetime
    code_version: str
    data_from: datetime | None
    data_to: datetime | None
    cutoffs: tuple[datetime, ...]
    events: int
    chosen: str
    why: Sentence | None
    candidates: tuple[CandidateView, ...]
    renewals: int = 0
    chosen_at: datetime | None = None
    items_changed: int | None = None
    makeup: Makeup | None = None
    slower: Slower | None = None


class ModelsView(msgspec.Struct, frozen=True):
    """Every model, every kept version, newest first."""

    versions: tuple[ModelVersionView, ...]
