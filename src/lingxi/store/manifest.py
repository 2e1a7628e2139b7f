"""What stands beside a stored model: from what it was made, how good it is, which files it has."""

from datetime import datetime

import msgspec

from lingxi.i18n import Sentence
from lingxi.schema import Scalar
from lingxi.store.tables import EPOCH


class MeasureRecord(msgspec.Struct, frozen=True):
    """A measured quality with its 95 % interval."""

    metric: str
    value: float
    low: float | None = None
    high: float | None = None


class CandidateRecord(msgspec.Struct, frozen=True):
    """One model that was tried; ``baseline`` marks the simple rules it must beat.

    ``answer_ms``: processor time of one answer, the median of some, where it was timed.
    """

    name: str
    chosen: bool = False
    baseline: bool = False
    measures: tuple[MeasureRecord, ...] = ()
    fit_seconds: float | None = None
    answer_ms: float | None = None


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Filled by whoever trains; kind, version, created_at, code_version, files and active by store.

    ``events`` is the log position that the training data reached. ``personal`` tells an erasure
    where customers are: the name of a table maps to its column of customers; the name of an array
    (one row a customer) to the name of the array that says whose row is whose. ``moved`` maps a
    file that an erasure rewrote to where it lies now.
    """

    chosen: str = ""
    why: Sentence | None = None
    data_from: datetime | None = None
    data_to: datetime | None = None
    cutoffs: tuple[datetime, ...] = ()
    events: int = 0
    candidates: tuple[CandidateRecord, ...] = ()
    extra: dict[str, Scalar] = {}
    personal: dict[str, str] = {}
    kind: str = ""
    version: str = ""
    created_at: datetime = EPOCH
    code_version: str = ""
    files: dict[str, str] = {}
    moved: dict[str, str] = {}
    active: bool = False
