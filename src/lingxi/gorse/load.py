"""Import of Gorse's data: users, items and feedback of a dump or an export, each record once."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import TypeVar

import msgspec
import sqlalchemy as sa

from lingxi.clock import Clock
from lingxi.config import Settings
from lingxi.errors import InvalidInput
from lingxi.gorse.feedback import Told, put_feedback, read_body
from lingxi.gorse.files import Record, read_records
from lingxi.gorse.items import add_missing, put_items
from lingxi.gorse.kinds import Kinds
from lingxi.gorse.moments import read_moment
from lingxi.gorse.nouns import FeedbackBody, ItemBody, UserBody, check_labels, read_identifier
from lingxi.gorse.users import put_users
from lingxi.ingest import DropReason, ImportOptions, ImportReport, ReasonCount
from lingxi.ingest.quarantine import Found, close_quarantine, put_quarantine
from lingxi.ingest.runs import next_import_id, put_run
from lingxi.store import Progress, Store, silent

STEP = "Writing users, items and feedback"
_BATCH = 1_000
T = TypeVar("T")


@dataclass
class _Tally:
    """What the batches add up to."""

    lines: int = 0
    kept: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    inserted: int = 0


@dataclass
class _Batch:
    """The records of one transaction, read and checked."""

    users: list[UserBody] = field(default_factory=list)
    items: list[ItemBody] = field(default_factory=list)
    feedback: list[Told] = field(default_factory=list)
    refused: list[Found] = field(default_factory=list)


def import_gorse(
    store: Store, settings: Settings, clock: Clock, path: Path, progress: Progress = silent
) -> ImportReport:
    """Bring in a dump of Gorse, or its users, items and feedback as JSON.

    Importing the same file again changes nothing. A record that cannot be used is set aside with
    its reason, the others are taken.

    Raises
    ------
    FileUnreadable
        If the file is absent, empty or damaged.
    """
    started, clocked = clock.now(), perf_counter()
    kinds = Kinds.of(settings.gorse)
    progress("Reading", 0, None)
    with store.write() as tx:
        import_id = next_import_id(store, tx)
    tally = _Tally()
    for records in _cut(read_records(path)):
        batch = _read_batch(store, records, kinds, started)
        with store.write() as tx:
            _write(store, tx, batch, started, tally)
            put_quarantine(store, tx, import_id, batch.refused, started, in_parts=True)
        _count(tally, records, batch)
        progress(STEP, tally.lines, None)
    report = msgspec.structs.replace(
        _report(tally, import_id, path),
        started_at=started,
        timezone="UTC",
        currency=settings.shop.currency,
        seconds=round(perf_counter() - clocked, 3),
    )
    with store.write() as tx:
        put_run(tx, report, ImportOptions())
        close_quarantine(tx, import_id)
    progress(STEP, tally.lines, tally.lines)
    return report


def _cut(records: Iterable[Record]) -> Iterator[list[Record]]:
    batch: list[Record] = []
    for record in records:
        batch.append(record)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _read_batch(store: Store, records: Sequence[Record], kinds: Kinds, started: datetime) -> _Batch:
    batch = _Batch()
    for record in records:
        try:
            match record.kind:
                case "user":
                    user = _convert(record, UserBody)
                    read_identifier("UserId", user.user_id)
                    check_labels(user.labels)
                    batch.users.append(user)
                case "item":
                    item = _convert(record, ItemBody)
                    read_identifier("ItemId", item.item_id)
                    check_labels(item.labels)
                    read_moment(item.timestamp)
                    batch.items.append(item)
                case "feedback":
                    body = _convert(record, FeedbackBody)
                    name = f"gorse-{_hash(body)}"
                    batch.feedback.append(read_body(body, kinds, started, event_id=name))
                case _:
                    raise InvalidInput("neither a user nor an item nor feedback")
        except (InvalidInput, msgspec.ValidationError) as error:
            batch.refused.append(_refuse(store, record, error))
    return batch


def _convert(record: Record, kind: type[T]) -> T:
    return msgspec.convert(record.fields, kind)


def _hash(body: FeedbackBody) -> str:
    """What makes feedback the same when it is imported again."""
    told = (body.feedback_type, body.user_id, body.item_id, body.timestamp or "", body.value or 0.0)
    return hashlib.blake2b(repr(told).encode(), digest_size=16).hexdigest()


def _refuse(store: Store, record: Record, error: Exception) -> Found:
    who = record.fields.get("UserId")
    person = store.keyring.blind(who) if isinstance(who, str) and who else None
    raw = {"record": record.text, "problem": str(error)[:200]}
    return Found(record.row, "drop_malformed", DropReason.LINE_MALFORMED.value, raw, person)


def _write(store: Store, tx: sa.Connection, batch: _Batch, now: datetime, tally: _Tally) -> None:
    put_users(store, tx, batch.users, now)
    put_items(store, tx, batch.items, now)
    add_missing(store, tx, [told.item_id for told in batch.feedback], now)
    tally.inserted += put_feedback(store, tx, batch.feedback, now)


def _count(tally: _Tally, records: Sequence[Record], batch: _Batch) -> None:
    tally.lines += len(records)
    tally.kept["user"] += len(batch.users)
    tally.kept["item"] += len(batch.items)
    tally.kept["feedback"] += len(batch.feedback)
    for found in batch.refused:
        tally.refused[found.reason] += 1
        tally.examples.setdefault(found.reason, f"row {found.row}")


def _report(tally: _Tally, import_id: str, path: Path) -> ImportReport:
    reasons = tuple(
        ReasonCount("drop_malformed", reason, lines, False, tally.examples[reason])
        for reason, lines in tally.refused.items()
    )
    return msgspec.structs.replace(
        ImportReport.empty(import_id, path.name, "gorse"),
        lines_in=tally.lines,
        lines_kept=sum(tally.kept.values()),
        lines_set_aside=sum(tally.refused.values()),
        reasons=reasons,
        customers=tally.kept["user"],
        items=tally.kept["item"],
        events_new=tally.inserted,
        events_known=tally.kept["feedback"] - tally.inserted,
    )
