"""What a journey begins with: one struct a kind, told apart by ``kind`` in the file."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from lingxi.errors import InvalidInput
from lingxi.journeys.durations import WEEKDAYS, check_durations, read_duration, read_time
from lingxi.journeys.happening import Condition, EventName, Record

RuleForm = dict[str, Any]
"""A segment rule in its JSON form; ``lingxi.segments.read_rule`` reads it."""
Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]


class Change(StrEnum):
    """Which way a segment was crossed."""

    ENTERED = "entered"
    LEFT = "left"


class Crossing(StrEnum):
    """Which way a score went over its level."""

    ABOVE = "above"
    BELOW = "below"


class Interest(StrEnum):
    """What a customer did with an item to be told about it."""

    VIEWED = "viewed"
    CARTED = "carted"
    WISHED = "wished"
    BOUGHT = "bought"


class DateOf(StrEnum):
    """Dates that journeys count from."""

    BIRTHDAY = "birthday"
    """The trait ``birthday``; its month and day, every year."""
    NEXT_ORDER = "expected_next_order"
    """When the customer's own gap says that the next order is due."""
    COUPON_EXPIRY = "coupon_expiry"
    """When a code that was issued and not used runs out."""
    TRAIT = "trait"
    """A date in the trait that is named."""


class EventTrigger(Record, frozen=True, kw_only=True, tag_field="kind", tag="event"):
    """An event, or one of several. ``key``: the property that a run is of (``cart_id``,
    ``order_id``, ``item_id``); empty: the customer, one run at a time."""

    events: Annotated[tuple[EventName, ...], msgspec.Meta(min_length=1, max_length=20)]
    key: str = ""
    where: tuple[Condition, ...] = ()


class SegmentTrigger(Record, frozen=True, kw_only=True, tag_field="kind", tag="segment"):
    """A segment was entered or left."""

    segment: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    change: Change = Change.ENTERED


class StageTrigger(Record, frozen=True, kw_only=True, tag_field="kind", tag="stage"):
    """The customer's stage changed to one of ``to``; where ``before`` is named, from one of it."""

    to: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=8)]
    before: tuple[str, ...] = ()


class ChurnTrigger(Record, frozen=True, kw_only=True, tag_field="kind", tag="churn_alert"):
    """The churn risk rose to ``least_risk`` (0 to 1) or above it."""

    least_risk: Share = 0.6


class ScoreTrigger(Record, frozen=True, kw_only=True, tag_field="kind", tag="score"):
    """A score crossed a level."""

    score: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    level: float
    crosses: Crossing = Crossing.ABOVE


class DateTrigger(Record, frozen=True, kw_only=True, tag_field="kind", tag="date"):
    """So long before (``-3d``) or after (``1d``) a date, at a time of the customer's own day."""

    of: DateOf
    trait: str = ""
    offset: str = "0d"
    at: str = "09:00"

    def __post_init__(self) -> None:
        if (self.of is DateOf.TRAIT) != bool(self.trait):
            raise InvalidInput("'trait' names the date's trait where 'of' is 'trait', only there.")
        read_duration(self.offset)
        read_time(self.at)


class PriceDropTrigger(Record, frozen=True, kw_only=True, tag_field="kind", tag="price_drop"):
    """An item that the customer met became cheaper by at least ``least_share`` of its price."""

    least_share: Share = 0.1
    met: tuple[Interest, ...] = (Interest.VIEWED, Interest.CARTED, Interest.WISHED)
    within: str = "30d"

    def __post_init__(self) -> None:
        check_durations(self.within)


class BackInStockTrigger(Record, frozen=True, kw_only=True, tag_field="kind", tag="back_in_stock"):
    """An item that the customer met can be had again."""

    met: tuple[Interest, ...] = (Interest.VIEWED, Interest.CARTED, Interest.WISHED)
    within: str = "60d"

    def __post_init__(self) -> None:
        check_durations(self.within)


class ScheduleTrigger(Record, frozen=True, kw_only=True, tag_field="kind", tag="schedule"):
    """Everyone in the audience, once at a moment, or every day, on weekdays, or days of the month.

    ``at``: a moment with its offset, for once. Otherwise ``time`` of the day, with ``weekdays``
    (mon, tue, ...) or ``days`` of the month (1 to 31; a day past the month's end is its last).
    ``local``: the time is the customer's own; otherwise the shop's. No ``audience`` is everyone.
    """

    audience: RuleForm | None = None
    at: datetime | None = None
    time: str = ""
    weekdays: tuple[str, ...] = ()
    days: tuple[Annotated[int, msgspec.Meta(ge=1, le=31)], ...] = ()
    local: bool = False

    def __post_init__(self) -> None:
        if (self.at is None) != bool(self.time):
            raise InvalidInput("A schedule needs either 'at', a moment, or 'time', a time of day.")
        if self.at is not None and (self.weekdays or self.days):
            raise InvalidInput("'weekdays' and 'days' belong to 'time', not to 'at'.")
        if self.at is not None and self.at.tzinfo is None:
            raise InvalidInput(f"Write a moment with its offset: {self.at.isoformat()}Z.")
        if self.time:
            read_time(self.time)
        if self.weekdays and self.days:
            raise InvalidInput("Give 'weekdays' or 'days' of the month, not both.")
        check_weekdays(self.weekdays)


class ApiTrigger(Record, frozen=True, kw_only=True, tag_field="kind", tag="api"):
    """The shop's own systems start it, customer by customer."""


Trigger = (
    EventTrigger
    | SegmentTrigger
    | StageTrigger
    | ChurnTrigger
    | ScoreTrigger
    | DateTrigger
    | PriceDropTrigger
    | BackInStockTrigger
    | ScheduleTrigger
    | ApiTrigger
)


def check_weekdays(names: tuple[str, ...]) -> None:
    """Refuse what is no day of the week.

    Raises
    ------
    InvalidInput
        Naming the days.
    """
    wrong = [name for name in names if name not in WEEKDAYS]
    if wrong:
        raise InvalidInput(f"{wrong[0]!r} is no weekday; they are {', '.join(WEEKDAYS)}.")
