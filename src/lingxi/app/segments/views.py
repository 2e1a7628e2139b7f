"""What the product tells of segments and of lists by hand."""

from datetime import datetime

import msgspec

from lingxi.segments.judge import Verdict
from lingxi.segments.lists import CustomerList


class SegmentRow(msgspec.Struct, frozen=True):
    """A segment; ``members`` is as far as memberships follow the log, and ``current`` says whether
    they are of its present rule."""

    name: str
    title: str
    version: int
    members: int
    current: bool
    updated_at: datetime
    evaluated_at: datetime | None


class SegmentsView(msgspec.Struct, frozen=True):
    """All segments, by name, and how many customers the shop knows."""

    segments: tuple[SegmentRow, ...]
    customers: int


class SegmentView(msgspec.Struct, frozen=True):
    """One segment with its rule, what names it, and who entered and left in the last 7 days."""

    segment: SegmentRow
    rule: dict[str, object]
    customers: int
    entered: int
    left: int
    used_by: tuple[str, ...]


class CountView(msgspec.Struct, frozen=True):
    """How many of the shop's customers fulfil a rule now; no rule makes a segment here."""

    count: int
    customers: int
    as_of: datetime


class MemberRow(msgspec.Struct, frozen=True):
    """A member, since when."""

    customer_id: str
    since: datetime


class MembersView(msgspec.Struct, frozen=True):
    """A page of members, in the order in which the shop first met them."""

    name: str
    members: tuple[MemberRow, ...]
    total: int
    next_cursor: str | None


class OverlapRow(msgspec.Struct, frozen=True):
    """How many are in both of two segments; the share is of the smaller one."""

    one: str
    other: str
    both: int
    share: float


class OverlapView(msgspec.Struct, frozen=True):
    """Some segments, and every pair of them."""

    segments: tuple[SegmentRow, ...]
    pairs: tuple[OverlapRow, ...]


class GrowthDay(msgspec.Struct, frozen=True):
    """A day of the shop's time zone: who entered and left, and how many there were at its end."""

    day: str
    entered: int
    left: int
    members: int


class GrowthView(msgspec.Struct, frozen=True):
    """The days of a segment, the oldest first; none before it was first evaluated."""

    name: str
    days: tuple[GrowthDay, ...]


class ExplainView(msgspec.Struct, frozen=True):
    """Whether a customer fulfils a segment's rule now, and each condition of it."""

    name: str
    customer_id: str
    holds: bool
    noted: bool
    verdict: Verdict


class ListsView(msgspec.Struct, frozen=True):
    """All lists by hand."""

    lists: tuple[CustomerList, ...]


class ListedView(msgspec.Struct, frozen=True):
    """A list with a page of its customers."""

    list: CustomerList
    customers: tuple[str, ...]
    next_cursor: str | None


class ListChanged(msgspec.Struct, frozen=True):
    """What adding to a list, or taking from it, came to; ``unknown`` are nobody's ids."""

    list: CustomerList
    changed: int
    unchanged: int
    unknown: tuple[str, ...]
