"""When it happened, by the server's clock."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from lingxi.ingest.cleaning.draft import Draft, Halt
from lingxi.ingest.reasons import DropReason, PutReason

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
LEAD = timedelta(minutes=1)
"""How far ahead of the server a moment may lie before it is called a future one."""
_NOTED = timedelta(seconds=2)
_DAY = timedelta(days=1)
_MILLIS_FROM = 10**11
_EPOCHS = (10, 13)
"""How many digits seconds and milliseconds since 1970 have, from 2001 to 2286."""


def read_moment(value: object) -> datetime | None:
    """A moment: ISO 8601, or seconds or milliseconds since 1970; one without a zone is in UTC.

    >>> read_moment("2026-11-24T00:51:23.948Z").isoformat()
    '2026-11-24T00:51:23.948000+00:00'
    >>> read_moment(1_700_000_000).isoformat(), read_moment("yesterday")
    ('2023-11-14T22:13:20+00:00', None)
    >>> read_moment("1700000000000").isoformat()
    '2023-11-14T22:13:20+00:00'
    """
    try:
        if isinstance(value, str):
            if len(value) > 40:
                return None
            if len(value) in _EPOCHS and value.isdecimal():
                return read_moment(int(value))
            moment = datetime.fromisoformat(value.strip())
            zone = moment.tzinfo
            if zone is UTC:
                return moment
            return moment.replace(tzinfo=UTC) if zone is None else moment.astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            seconds = value / 1000 if abs(value) >= _MILLIS_FROM else value
            return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def put_time(draft: Draft) -> None:
    """Set the moment as the specification says: received − (sent − original).

    What both clocks of the client agree on needs no trust in either. A moment in the future or
    before 1990 becomes the moment of arrival; from a trusted sender, whose history may be old, one
    before 1990 sets the message aside. A record, which says nothing but its moment, is set aside
    without one, and where it lies more than a day ahead.

    Source
    ------
    Segment, "Spec: Common Fields", timestamps.
    """
    body, message = draft.body, draft.message
    received = message.received_at
    said = body.get("originalTimestamp")
    if said is None:
        said = body.get("timestamp")
    original = read_moment(said)
    if original is None and message.recorded:
        lost = DropReason.TIME_MISSING if said is None else DropReason.TIME_UNREADABLE
        raise Halt(lost, "" if said is None else str(said)[:40])
    if original is None:
        draft.occurred_at = received
        if said is not None:
            draft.note("put_time", PutReason.TIME_RECEIVED, "timestamp", said, received)
        return
    sent_text = body.get("sentAt")
    sent = _read_sent(message.sent_at if sent_text is None else sent_text)
    moment = original
    if sent is not None and not message.trusted:
        try:
            moment = received - (sent - original)
        except OverflowError:
            moment = original
        if abs(moment - original) >= _NOTED:
            draft.note("put_time", PutReason.TIME_CORRECTED, "timestamp", original, moment)
    draft.occurred_at = _bound(draft, moment, received)


def _read_sent(value: object) -> datetime | None:
    return _read_again(value) if isinstance(value, str) else read_moment(value)


@lru_cache(maxsize=16)
def _read_again(value: str) -> datetime | None:
    """``read_moment`` of what all messages of a batch say alike."""
    return read_moment(value)


def _bound(draft: Draft, moment: datetime, received: datetime) -> datetime:
    if moment > received:
        if draft.message.recorded and moment > received + _DAY:
            raise Halt(DropReason.TIME_IMPOSSIBLE, moment.isoformat())
        if moment > received + LEAD:
            draft.note("put_time", PutReason.TIME_FUTURE, "timestamp", moment, received)
        return received
    if moment < EARLIEST:
        if draft.message.trusted:
            raise Halt(DropReason.TIME_IMPOSSIBLE, moment.isoformat())
        draft.note("put_time", PutReason.TIME_ANCIENT, "timestamp", moment, received)
        return received
    return moment
