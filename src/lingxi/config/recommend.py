"""Settings of the recommender: what it may take, and when it is learnt anew."""

from dataclasses import dataclass
from pathlib import Path

from lingxi.errors import InvalidSetting


@dataclass(frozen=True)
class RecommendSettings:
    """What choosing a recommender may take, and when it is learnt anew by itself.

    Refits are started by ``lingxi work``, which ``lingxi serve`` runs beside itself.
    """

    memory_gb: float = 4.0
    """Memory that training may take; a model that would take more is left out, and named."""
    answer_ms: float = 2.0
    """Milliseconds of processor time that one list may take in a shop of more than 10,000 items or
    a million events, timed on its own histories: a slower model is measured, told of, and not
    chosen; 0: any may be chosen."""
    quick_ms: float = 0.7
    """Of the models within ``answer_ms`` one that takes longer than this must rank a tenth higher,
    or a quicker one is chosen; 0: it need not."""
    refit_after_days: float = 7.0
    """Days after which it is learnt anew, if there are new events; 0: never for its age."""
    renew_hours: float = 24.0
    """Hours after which the recommender in use takes in new events, nothing chosen; 0: never."""
    refit_on_drift: bool = True
    """Learn anew where it finds less of what customers buy now than it did, beyond chance."""
    drift_hours: float = 24.0
    """Hours between two looks at how good it is on the latest events."""


def check_recommend(settings: RecommendSettings, path: Path) -> None:
    """Refuse settings that cannot be kept.

    Raises
    ------
    InvalidSetting
        If a number is out of its range.
    """
    above = settings.memory_gb, settings.drift_hours
    least = (
        settings.answer_ms,
        settings.quick_ms,
        settings.refit_after_days,
        settings.renew_hours,
    )
    if min(above) <= 0 or min(least) < 0:
        raise InvalidSetting(
            f"{path}: recommend.memory_gb and drift_hours must be above 0, answer_ms, "
            "quick_ms, refit_after_days and renew_hours not below 0."
        )
