"""What one import did: the data-quality report that is stored and shown."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from lingxi.i18n import Sentence
from lingxi.store.tables import EPOCH


class ReasonCount(msgspec.Struct, frozen=True):
    """How many lines one cleaning step touched, for one reason of the closed set."""

    step: str
    reason: str
    lines: int
    kept: bool
    example: str | None = None


class ColumnQuality(msgspec.Struct, frozen=True):
    """One column before and after cleaning; shares are of the lines."""

    column: str
    missing_before: float
    missing_after: float
    low_before: str | None
    low_after: str | None
    high_before: str | None
    high_after: str | None


class ImportReport(msgspec.Struct, frozen=True):
    """One import: lines in = lines kept + lines set aside, by reason, exactly.

    ``refunds`` and ``refunds_tied`` count refund documents, tied meaning every unit of them;
    ``revenue_before_cents`` is quantity times price over every readable line as given, after
    cleaning the goods of orders less the goods that came back. ``notes`` state what was decided.
    """

    import_id: str
    file: str
    started_at: datetime
    seconds: float
    timezone: str
    currency: str
    date_format: str
    mapping: Mapping[str, str]
    lines_in: int
    lines_kept: int
    lines_set_aside: int
    reasons: tuple[ReasonCount, ...]
    columns: tuple[ColumnQuality, ...]
    orders: int
    refunds: int
    refunds_tied: int
    anonymous_baskets: int
    customers: int
    items: int
    events_new: int
    events_known: int
    revenue_before_cents: int
    revenue_after_cents: int
    kind: str = "orders"
    refund_lines: int = 0
    refund_lines_tied: int = 0
    cost_codes: tuple[str, ...] = ()
    notes: tuple[Sentence, ...] = ()

    @classmethod
    def empty(cls, import_id: str, file: str, kind: str) -> "ImportReport":
        """A report in which nothing has happened yet."""
        return cls(
            import_id=import_id,
            file=file,
            started_at=EPOCH,
            seconds=0.0,
            timezone="UTC",
            currency="",
            date_format="",
            mapping={},
            lines_in=0,
            lines_kept=0,
            lines_set_aside=0,
            reasons=(),
            columns=(),
            orders=0,
            refunds=0,
            refunds_tied=0,
            anonymous_baskets=0,
            customers=0,
            items=0,
            events_new=0,
            events_known=0,
            revenue_before_cents=0,
            revenue_after_cents=0,
            kind=kind,
        )
