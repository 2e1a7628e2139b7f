"""From when to when a coupon counts, purely."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from lingxi.coupons.offer import Validity


def find_expiry(validity: Validity, issued_at: datetime, zone: ZoneInfo) -> datetime | None:
    """The moment from which a coupon issued at ``issued_at`` counts no more; none for never.

    Days end at midnight of the shop's time zone, also where a day has 23 or 25 hours.

    >>> issued = datetime(2026, 3, 28, 12, tzinfo=UTC)
    >>> find_expiry(Validity(days=1), issued, ZoneInfo("Europe/London")).isoformat()
    '2026-03-29T23:00:00+00:00'
    """
    ends = [] if validity.ends_at is None else [validity.ends_at.astimezone(UTC)]
    if validity.days is not None:
        day = issued_at.astimezone(zone).date() + timedelta(days=validity.days + 1)
        ends.append(datetime.combine(day, time(), zone).astimezone(UTC))
    return min(ends, default=None)
