"""Days, weeks and quiet hours as a customer's own clock shows them. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from lingxi.errors import InvalidSetting

_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_MOST_DAYS = 400


@dataclass(frozen=True)
class QuietTimes:
    """Hours of every day, and whole days, in which nobody is disturbed.

    ``begin`` and ``end`` are local times; the span may pass midnight. ``days`` are full dates or,
    without a year, days of every year.
    """

    begin: time | None = None
    end: time | None = None
    days: frozenset[date] = frozenset()
    yearly: frozenset[tuple[int, int]] = frozenset()

    @classmethod
    def read(cls, hours: str, holidays: Sequence[str]) -> "QuietTimes":
        """From the settings: ``21:00-08:00`` (or nothing), and ``2026-12-25`` or ``12-25``.

        Raises
        ------
        InvalidSetting
            If one of them is neither.

        Examples
        --------
        >>> QuietTimes.read("21:00-08:00", ["12-25"]).end
        datetime.time(8, 0)
        """
        begin = end = None
        if hours:
            match = _SPAN.fullmatch(hours.strip())
            if match is None or match[1] + match[2] == match[3] + match[4]:
                raise InvalidSetting(
                    f"messaging.quiet_hours must be two times such as 21:00-08:00, not {hours!r}."
                )
            begin = time(int(match[1]), int(match[2]))
            end = time(int(match[3]), int(match[4]))
        days: set[date] = set()
        yearly: set[tuple[int, int]] = set()
        for each in holidays:
            try:
                if len(each) == 5:
                    day = date.fromisoformat(f"2000-{each}")  # a leap year: 02-29 is a day
                    yearly.add((day.month, day.day))
                else:
                    days.add(date.fromisoformat(each))
            except ValueError as error:
                raise InvalidSetting(
                    f"messaging.holidays holds days such as 2026-12-25 or 12-25, not {each!r}."
                ) from error
        return cls(begin, end, frozenset(days), frozenset(yearly))

    def is_holiday(self, day: date) -> bool:
        """Whether nobody is disturbed on this whole day."""
        return day in self.days or (day.month, day.day) in self.yearly

    def is_quiet(self, local: datetime) -> bool:
        """Whether nobody is disturbed at this local moment."""
        if self.is_holiday(local.date()):
            return True
        if self.begin is None or self.end is None:
            return False
        clock = local.time()
        if self.begin < self.end:
            return self.begin <= clock < self.end
        return clock >= self.begin or clock < self.end

    def find_end(self, now: datetime, zone: ZoneInfo) -> datetime:
        """The first moment from ``now`` on, in UTC, that is not quiet in this zone.

        Where summer time makes the clock jump over the end, quiet ends with the jump.
        """
        moment = now.astimezone(UTC)
        last = moment + timedelta(days=_MOST_DAYS)
        while moment < last:
            local = moment.astimezone(zone)
            if not self.is_quiet(local):
                return moment
            moment = min(each for each in self._list_ends(local.date(), zone) if each > moment)
        return last

    def _list_ends(self, day: date, zone: ZoneInfo) -> list[datetime]:
        """Moments of this day and the next at which quiet may end."""
        tomorrow = day + timedelta(days=1)
        clocks = [(tomorrow, time())]
        if self.end is not None:
            clocks += [(day, self.end), (tomorrow, self.end)]
        return [at(d, clock, zone) for d, clock in clocks for at in (first_at, _second_at)]


def _second_at(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """As ``first_at``; of a time that comes twice the second."""
    return datetime.combine(day, clock, tzinfo=zone).replace(fold=1).astimezone(UTC)


def first_at(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The first moment, in UTC, at which the zone's clock shows this time of this day, or later.

    A time that summer time skips is the moment of the jump; one that comes twice is the first.

    >>> first_at(date(2026, 3, 29), time(1, 30), ZoneInfo("Europe/London")).isoformat()
    '2026-03-29T01:00:00+00:00'
    """
    wanted = datetime.combine(day, clock)
    after = wanted.replace(tzinfo=zone).astimezone(UTC)
    if after.astimezone(zone).replace(tzinfo=None) == wanted:
        return after
    before = wanted.replace(tzinfo=zone, fold=1).astimezone(UTC)
    low, high = sorted((before, after))
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle <= low:
            break
        if middle.astimezone(zone).replace(tzinfo=None) >= wanted:
            high = middle
        else:
            low = middle
    return high


def day_start(now: datetime, zone: ZoneInfo) -> datetime:
    """When the local day that ``now`` lies in began, in UTC."""
    return first_at(now.astimezone(zone).date(), time(), zone)


def week_start(now: datetime, zone: ZoneInfo) -> datetime:
    """When the local week that ``now`` lies in began, a Monday, in UTC."""
    day = now.astimezone(zone).date()
    return first_at(day - timedelta(days=day.weekday()), time(), zone)
