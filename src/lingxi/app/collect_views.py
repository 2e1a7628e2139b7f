"""What the product can tell about intake: sources, live events, identity, consent.

The conventions are those of ``lingxi.app.views``.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from lingxi.app.watch.journal import FileRow, FolderRow
from lingxi.i18n import Sentence
from lingxi.ingest.pulling.state import PullRow
from lingxi.ingest.turned_away import TurnedAway


class SourceRow(msgspec.Struct, frozen=True):
    """One source of events. ``stored``, ``duplicates`` and ``dropped`` are of the last 24 hours;
    ``by_hour`` is what was stored in each of them, the oldest first. ``turned_away`` are requests
    that this server answered with an error."""

    name: str
    kind: str
    write_key: str
    created_at: datetime | None
    disabled_at: datetime | None
    last_seen_at: datetime | None
    stored: int
    duplicates: int
    dropped: int
    by_hour: tuple[int, ...]
    top_reason: str | None = None
    turned_away: TurnedAway | None = None


class SourcesView(msgspec.Struct, frozen=True):
    """Every source, and why messages of the last 24 hours were set aside; ``without_key`` are the
    requests that carried no key of a source in use."""

    as_of: datetime
    sources: tuple[SourceRow, ...]
    reasons: Mapping[str, int]
    without_key: TurnedAway | None = None


class FilesView(msgspec.Struct, frozen=True):
    """Watched folders, the files that came in from them last, and sources that are pulled from."""

    as_of: datetime
    folders: tuple[FolderRow, ...]
    files: tuple[FileRow, ...]
    pulls: tuple[PullRow, ...]


class LiveRow(msgspec.Struct, frozen=True):
    """One message that came in; ``id`` is its number in this server's memory."""

    id: int
    at: datetime
    event: str
    source: str
    result: str
    reason: str | None
    customer_id: str | None
    changed_steps: int


class LiveView(msgspec.Struct, frozen=True):
    """The latest messages, newest first, as far as this server remembers them.

    ``held`` messages are remembered; ``by_result`` counts those that fit ``search`` and ``source``.
    ``found`` fit ``result`` too, ``last_minute`` of them came within the last minute, and ``rows``
    are the newest.
    """

    as_of: datetime
    rows: tuple[LiveRow, ...]
    newest: int
    held: int
    found: int
    last_minute: int
    by_result: dict[str, int]


class TraceStep(msgspec.Struct, frozen=True):
    """What one cleaning step did."""

    step: str
    reason: str
    field: str
    before: str | None
    after: str | None


class TraceView(msgspec.Struct, frozen=True):
    """The whole way of one message: bytes in, each step, stored event, whose, what it changed.

    ``raw`` is nothing where the server no longer remembers the bytes; ``event`` the stored event,
    as the log keeps it; ``identifiers`` are kinds with what may be shown of them; ``passed`` the
    cleaning steps that found nothing to change, as far as they are remembered; ``apart`` the fields
    that may tell who a person is, so that they are kept under that person's key and not in the log.
    """

    event_id: str | None
    source: str
    received_at: datetime
    result: str
    reason: str | None
    step: str | None
    raw: str | None
    raw_bytes: int
    steps: tuple[TraceStep, ...]
    event: Mapping[str, object] | None
    position: int | None
    customer_id: str | None
    identifiers: tuple[tuple[str, str], ...]
    changes: tuple[Sentence, ...]
    passed: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()


class IdentifierRow(msgspec.Struct, frozen=True):
    """One identifier of a customer: its kind and what may be shown of it."""

    kind: str
    value: str
    since: datetime | None = None


class MergeRow(msgspec.Struct, frozen=True):
    """Two people who turned out to be one, and why; undone where that was wrong."""

    id: int
    at: datetime
    sentence: Sentence
    undone_at: datetime | None


class RefusedRow(msgspec.Struct, frozen=True):
    """An identifier that was not joined to a customer, and why.

    ``kind`` and ``masked`` are what may be shown of it, ``other_id`` the customer who has it (the
    customer themselves where it is the other side that is looked at), ``n`` how often, ``event_id``
    the last message.
    """

    customer_id: str
    other_id: str | None
    rule: str
    kind: str
    masked: str
    n: int
    first_at: datetime
    last_at: datetime
    event_id: str
    sentence: Sentence


class RefusedCount(msgspec.Struct, frozen=True):
    """How often a rule kept an identifier of a kind from being joined."""

    rule: str
    kind: str
    n: int
    sentence: Sentence


class RefusedView(msgspec.Struct, frozen=True):
    """What was not joined since a moment: the counts, and where it happened most."""

    as_of: datetime
    since: datetime
    counts: tuple[RefusedCount, ...]
    rows: tuple[RefusedRow, ...]


class IdentityView(msgspec.Struct, frozen=True):
    """Who a customer is, and what was kept apart from them."""

    customer_id: str
    identifiers: tuple[IdentifierRow, ...]
    merges: tuple[MergeRow, ...]
    refused: tuple[RefusedRow, ...] = ()


class ConsentRow(msgspec.Struct, frozen=True):
    """Consent for one purpose and channel; ``at`` is nothing where it is only assumed."""

    purpose: str
    channel: str
    granted: bool
    at: datetime | None
    source: str | None
    text_version: str | None


class ConsentView(msgspec.Struct, frozen=True):
    """What one customer has agreed to."""

    customer_id: str
    rows: tuple[ConsentRow, ...]


class ConsentCount(msgspec.Struct, frozen=True):
    """How many known customers said yes, said no, and said nothing, for a purpose and channel."""

    purpose: str
    channel: str
    given: int
    withdrawn: int
    silent: int
    assumed: bool


class ConsentsView(msgspec.Struct, frozen=True):
    """Consent over all customers; ``reachable`` have an e-mail address and may be advertised to."""

    as_of: datetime
    customers: int
    counts: tuple[ConsentCount, ...]
    reachable: int = 0


class WaitingRow(msgspec.Struct, frozen=True):
    """One message in quarantine; ``text`` is what came in, as far as it can be read: all of it
    where ``whole``, else only its beginning. It came so many ``times``, byte for byte."""

    id: int
    at: datetime
    event: str
    source: str
    step: str
    reason: str
    detail: str
    text: str
    expires_at: datetime
    whole: bool = True
    times: int = 1


class WaitingView(msgspec.Struct, frozen=True):
    """A page of messages in quarantine, oldest first, and how many wait by reason."""

    rows: tuple[WaitingRow, ...]
    by_reason: Mapping[str, int]
    next_cursor: str | None


class Retaken(msgspec.Struct, frozen=True):
    """What trying quarantined messages again came to; ``reasons``: why the others still wait."""

    stored: int
    duplicates: int
    still_waiting: int
    reasons: Mapping[str, int] = {}
