"""Messages set aside: their original bytes kept for 30 days, listed, and let go."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.errors import BodyUnreadable
from lingxi.ingest.aside_keys import owner_of
from lingxi.ingest.kept import pack_message, unpack_message
from lingxi.ingest.message import Dropped, Message
from lingxi.ingest.quarantine import KEEP_DAYS
from lingxi.ingest.reasons import DropReason
from lingxi.ingest.tables import quarantine_message as table
from lingxi.ingest.tables import quarantine_person
from lingxi.ingest.text import word_set
from lingxi.ingest.wire import LARGEST_EVENT, read_raw
from lingxi.store import Keyring, Store
from lingxi.store.keyed import insert_or_ignore, select_by_keys

_PERSON = word_set(
    "userid anonymousid previousid email phone externalid customerid user_id anonymous_id "
    "distinct_id customer_id e-mail mobile"
)
_DEEPEST, _MOST_PERSONS, _LONGEST_PERSON = 5, 20, 320
_BATCH = 500


class Waiting(msgspec.Struct, frozen=True):
    """One message in quarantine; ``message`` is as it came, but for the sender's address, and
    ``times`` how often it came."""

    id: int
    fingerprint: str
    source: str
    step: str
    reason: str
    detail: str
    message: Message
    expires_at: datetime
    times: int = 1


def put_aside(store: Store, tx: Connection, dropped: Sequence[Dropped]) -> None:
    """Keep the bytes of messages that were dropped; the same bytes of one source once, and how
    often they came."""
    if not dropped:
        return
    keyring = store.keyring
    marks = [fingerprint(keyring, d.message) for d in dropped]
    times, unique = Counter(marks), dict(zip(marks, dropped, strict=True))
    known = _find_ids(tx, unique)
    again = [{"mark": mark, "more": times[mark]} for mark in known]
    if again:
        more = table.c.times + sa.bindparam("more")
        same = table.c.fingerprint == sa.bindparam("mark")
        tx.execute(sa.update(table).where(same).values(times=more), again)
    new = {mark: d for mark, d in unique.items() if mark not in known}
    if not new:
        return
    now = store.clock.now()
    ends = [max(now, d.message.received_at + timedelta(days=KEEP_DAYS)) for d in new.values()]
    texts = [pack_message(d.message) for d in new.values()]
    owners = [owner_of(end) for end in ends]
    sealed = keyring.encrypt_many(list(zip(owners, texts, strict=True)))
    rows = [
        {
            "fingerprint": mark,
            "source": d.message.source,
            "step": d.step,
            "reason": d.reason.value,
            "detail": d.detail,
            "sealed": raw,
            "received_at": d.message.received_at,
            "expires_at": end,
            "owner": owner,
            "times": times[mark],
        }
        for (mark, d), raw, end, owner in zip(new.items(), sealed, ends, owners, strict=True)
    ]
    tx.execute(insert_or_ignore(tx, table), rows)
    persons = [
        {"sealed": keyring.blind(person), "message": number}
        for mark, number in _find_ids(tx, new).items()
        for person in find_persons(new[mark].message.body)
    ]
    if persons:
        tx.execute(insert_or_ignore(tx, quarantine_person), persons)


def restate(store: Store, tx: Connection, dropped: Sequence[Dropped]) -> None:
    """Write down why messages that are in quarantine already were set aside this time."""
    rows = [
        {
            "mark": fingerprint(store.keyring, each.message),
            "step": each.step,
            "reason": each.reason.value,
            "detail": each.detail,
        }
        for each in dropped
    ]
    if rows:
        tx.execute(sa.update(table).where(table.c.fingerprint == sa.bindparam("mark")), rows)


def fingerprint(keyring: Keyring, message: Message) -> str:
    """A keyed hash of a message's source and bytes, 40 hex digits."""
    text = message.raw.decode("latin-1")
    return keyring.blind(f"{message.source}\n{text}")[:40]


def find_persons(body: Mapping[str, object]) -> set[str]:
    """The values in a body that name a person: ids, and whatever looks like an e-mail address.

    >>> sorted(find_persons({"userId": "u1", "traits": {"email": "a@b.c", "age": 3}}))
    ['a@b.c', 'u1']
    """
    found: set[str] = set()

    def look(value: object, name: str, depth: int) -> None:
        if len(found) >= _MOST_PERSONS or depth > _DEEPEST:
            return
        if isinstance(value, str | int) and not isinstance(value, bool):
            text = str(value).strip()
            if (name.lower() in _PERSON or "@" in text) and 0 < len(text) <= _LONGEST_PERSON:
                found.add(text)
        elif isinstance(value, Mapping):
            for key, inner in value.items():
                look(inner, str(key), depth + 1)
        elif isinstance(value, list):
            for inner in value[:_MOST_PERSONS]:
                look(inner, name, depth + 1)

    look(body, "", 0)
    return found


def list_waiting(
    store: Store,
    *,
    reason: str = "",
    source: str = "",
    ids: Collection[int] | None = None,
    after: int = 0,
    n: int = 50,
) -> list[Waiting]:
    """Messages in quarantine in the order they came, past the id ``after``, at most ``n``."""
    query = sa.select(table).where(table.c.id > after)
    if reason:
        query = query.where(table.c.reason == reason)
    if source:
        query = query.where(table.c.source == source)
    if ids is not None:
        query = query.where(table.c.id.in_(sorted(ids)))
    with store.read() as tx:
        rows = tx.execute(query.order_by(table.c.id).limit(n)).all()
    texts = store.keyring.decrypt_many([(row.owner, row.sealed) for row in rows])
    return [
        Waiting(
            id=row.id,
            fingerprint=row.fingerprint,
            source=row.source,
            step=row.step,
            reason=row.reason,
            detail=row.detail,
            message=unpack_message(text, row.source),
            expires_at=row.expires_at,
            times=row.times,
        )
        for row, text in zip(rows, texts, strict=True)
        if text is not None
    ]


def read_waiting(store: Store, *, reason: str = "", source: str = "") -> Iterator[Waiting]:
    """All messages in quarantine, read page by page."""
    after = 0
    while page := list_waiting(store, reason=reason, source=source, after=after, n=_BATCH):
        yield from page
        after = page[-1].id


def mend(waiting: Waiting, raw: bytes) -> Message:
    """A message in quarantine with its bytes corrected by hand; still the same message.

    One that names no ``messageId`` gets one from its place in quarantine, so that mending it twice
    does not count it twice.

    Raises
    ------
    BodyUnreadable
        If the corrected bytes are no JSON object, or still a webhook and no message.
    """
    body = dict(read_raw(raw))
    if waiting.message.refused is DropReason.WEBHOOK_INCOMPLETE and body.get("type") == "page":
        raise BodyUnreadable(
            "A webhook is mended by the message that it should have meant, such as "
            '{"type": "track", "event": "Order Completed", "userId": "77", "properties": {...}}.'
        )
    if not body.get("messageId"):
        body["messageId"] = f"quarantine-{waiting.fingerprint}"
        raw = msgspec.json.encode(body)
    large = len(raw) > LARGEST_EVENT and not waiting.message.trusted
    refused = DropReason.EVENT_TOO_LARGE if large else None
    return msgspec.structs.replace(waiting.message, raw=raw, body=body, refused=refused)


def count_waiting(tx: Connection, *, source: str = "") -> dict[str, int]:
    """Messages in quarantine, by reason."""
    query = sa.select(table.c.reason, sa.func.count()).group_by(table.c.reason)
    if source:
        query = query.where(table.c.source == source)
    return {row[0]: row[1] for row in tx.execute(query)}


def release(tx: Connection, ids: Iterable[int]) -> int:
    """Let messages go from quarantine. Rows removed."""
    wanted = sorted(set(ids))
    removed = 0
    for start in range(0, len(wanted), _BATCH):
        part = wanted[start : start + _BATCH]
        tx.execute(sa.delete(quarantine_person).where(quarantine_person.c.message.in_(part)))
        removed += tx.execute(sa.delete(table).where(table.c.id.in_(part))).rowcount
    return removed


def expire_waiting(tx: Connection, now: datetime) -> int:
    """Remove messages that have been in quarantine for 30 days. Rows removed."""
    old = sa.select(table.c.id).where(table.c.expires_at <= now)
    return release(tx, tx.execute(old).scalars().all())


def forget_waiting(tx: Connection, seals: Collection[str]) -> int:
    """Remove the messages that name any of these persons (keyed hashes). Rows removed."""
    found: set[int] = set()
    wanted = sorted(seals)
    for start in range(0, len(wanted), _BATCH):
        names = quarantine_person.c.sealed.in_(wanted[start : start + _BATCH])
        found.update(tx.execute(sa.select(quarantine_person.c.message).where(names)).scalars())
    return release(tx, found)


def _find_ids(tx: Connection, marks: Collection[str]) -> dict[str, int]:
    query = select_by_keys(
        tx, [table.c.fingerprint], [(mark,) for mark in marks], [table.c.fingerprint, table.c.id]
    )
    return {row[0]: row[1] for row in tx.execute(query)}
