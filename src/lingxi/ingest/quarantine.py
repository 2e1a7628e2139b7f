"""Lines set aside: kept for 30 days, listed, exported, and forgotten in time."""

import csv
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.errors import InvalidInput
from lingxi.ingest.aside_keys import owner_of
from lingxi.ingest.tables import import_run, quarantine, quarantine_mended, quarantine_seen
from lingxi.store import Store
from lingxi.store.keyed import insert_or_ignore, select_by_keys, upsert

KEEP_DAYS = 30
_BATCH = 2_000
_RECORD = msgspec.json.Decoder(dict[str, str | None])


class Found(msgspec.Struct, frozen=True):
    """One line on its way into quarantine; ``person`` is the keyed hash of whom it names."""

    row: int
    step: str
    reason: str
    raw: Mapping[str, str | None]
    person: str | None = None


class Quarantined(msgspec.Struct, frozen=True):
    """One line in quarantine, as it stood in the file."""

    id: int
    import_id: str
    row: int
    step: str
    reason: str
    raw: Mapping[str, str | None]
    at: datetime


def put_quarantine(
    store: Store,
    tx: Connection,
    import_id: str,
    found: Iterable[Found],
    now: datetime,
    *,
    in_parts: bool = False,
) -> None:
    """Put lines aside; one that lies there already, or was mended, is not put twice.

    Equal lines of one import differ by how often they were seen, so that none is lost. One that
    puts its lines aside ``in_parts`` has that remembered from part to part, until
    ``close_quarantine``.
    """
    lines = iter(found)
    seen = None if in_parts else Counter[str]()
    while part := list(islice(lines, _BATCH)):
        _put_part(store, tx, import_id, part, now, seen)


def _put_part(
    store: Store,
    tx: Connection,
    import_id: str,
    found: Sequence[Found],
    now: datetime,
    before: Counter[str] | None,
) -> None:
    """Some lines; ``before`` counts those of this call, and is nothing where the database does."""
    contents = [store.keyring.blind(_spell(line)) for line in found]
    seen = _read_seen(tx, import_id, contents) if before is None else before
    marks = _fingerprint(contents, seen)
    if before is None:
        rows = [{"content": c, "import_id": import_id, "n": seen[c], "at": now} for c in seen]
        upsert(tx, quarantine_seen, rows)
    mended = _select_marks(tx, quarantine_mended, marks)
    expires_at = now + timedelta(days=KEEP_DAYS)
    owner = owner_of(expires_at)
    texts = [msgspec.json.encode(dict(line.raw)).decode() for line in found]
    sealed = store.keyring.encrypt_many([(owner, text) for text in texts])
    put = [
        {
            "fingerprint": mark,
            "import_id": import_id,
            "row": line.row,
            "step": line.step,
            "reason": line.reason,
            "raw": raw,
            "sealed": line.person,
            "at": now,
            "expires_at": expires_at,
            "owner": owner,
        }
        for line, mark, raw in zip(found, marks, sealed, strict=True)
        if mark not in mended
    ]
    if put:
        tx.execute(insert_or_ignore(tx, quarantine), put)


def close_quarantine(tx: Connection, import_id: str) -> None:
    """An import that put its lines aside in parts has come to its end."""
    tx.execute(sa.delete(quarantine_seen).where(quarantine_seen.c.import_id == import_id))


def _spell(line: Found) -> str:
    return msgspec.json.encode(sorted(line.raw.items())).decode()


def _fingerprint(contents: Sequence[str], seen: Counter[str]) -> list[str]:
    """Names for lines by their content and by how often it was ``seen``, which goes on."""
    marks = []
    for content in contents:
        seen[content] += 1
        marks.append(hashlib.sha256(f"{content}#{seen[content]}".encode()).hexdigest()[:40])
    return marks


def _read_seen(tx: Connection, import_id: str, contents: Sequence[str]) -> Counter[str]:
    """How often earlier parts of an import have seen these contents."""
    c = quarantine_seen.c
    keys = [(content,) for content in dict.fromkeys(contents)]
    rows = tx.execute(select_by_keys(tx, [c.content], keys, [c.content, c.n, c.import_id]))
    return Counter({row.content: row.n for row in rows if row.import_id == import_id})


def _select_marks(tx: Connection, table: sa.Table, marks: Sequence[str]) -> set[str]:
    query = select_by_keys(
        tx, [table.c.fingerprint], [(mark,) for mark in marks], [table.c.fingerprint]
    )
    return set(tx.execute(query).scalars())


def count_quarantine(tx: Connection, *, kind: str = "") -> dict[str, int]:
    """Lines waiting in quarantine, by reason; of imports of one kind, or all."""
    query = sa.select(quarantine.c.reason, sa.func.count()).group_by(quarantine.c.reason)
    if kind:
        own = sa.select(import_run.c.import_id).where(import_run.c.kind == kind)
        query = query.where(quarantine.c.import_id.in_(own))
    return {row[0]: row[1] for row in tx.execute(query)}


def list_quarantine(
    store: Store,
    *,
    reason: str = "",
    import_id: str = "",
    after: int = 0,
    n: int = 50,
) -> list[Quarantined]:
    """Quarantined lines in the order they came, past the id ``after``, at most ``n``."""
    query = sa.select(quarantine).where(quarantine.c.id > after)
    if reason:
        query = query.where(quarantine.c.reason == reason)
    if import_id:
        query = query.where(quarantine.c.import_id == import_id)
    with store.read() as tx:
        rows = tx.execute(query.order_by(quarantine.c.id).limit(n)).all()
    texts = store.keyring.decrypt_many([(row.owner, row.raw) for row in rows])
    return [
        Quarantined(
            id=row.id,
            import_id=row.import_id,
            row=row.row,
            step=row.step,
            reason=row.reason,
            raw=_RECORD.decode(text),
            at=row.at,
        )
        for row, text in zip(rows, texts, strict=True)
        if text is not None
    ]


def read_quarantine(
    store: Store, *, reason: str = "", import_id: str = ""
) -> Iterator[Quarantined]:
    """All quarantined lines, read page by page."""
    after = 0
    while page := list_quarantine(store, reason=reason, import_id=import_id, after=after, n=_BATCH):
        yield from page
        after = page[-1].id


OWN_COLUMNS = ("quarantine_id", "import_id", "row", "step", "reason")


def export_quarantine(store: Store, path: Path, *, reason: str = "", import_id: str = "") -> int:
    """Write quarantined lines as CSV, to be corrected and mended. Rows written.

    The first five columns say which line it is and why it was set aside; the file's own columns
    follow. A cell that a spreadsheet would run as a formula gets a leading apostrophe.

    Raises
    ------
    InvalidInput
        If the file cannot be written.
    """
    headers: dict[str, None] = {}
    lines = list(read_quarantine(store, reason=reason, import_id=import_id))
    for line in lines:
        headers.update(dict.fromkeys(line.raw))
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow([*OWN_COLUMNS, *headers])
            for line in lines:
                own = [line.id, line.import_id, line.row, line.step, line.reason]
                out.writerow([*own, *(_guard(line.raw.get(header)) for header in headers)])
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}.") from error
    return len(lines)


def _guard(cell: str | None) -> str:
    text = cell or ""
    return "'" + text if text[:1] in ("=", "@", "\t", "\r") else text


def unguard(cell: str | None) -> str | None:
    """The cell before ``export_quarantine`` guarded it."""
    if cell is not None and cell[:1] == "'" and cell[1:2] in ("=", "@", "\t", "\r"):
        return cell[1:]
    return cell


def leave_quarantine(tx: Connection, ids: Iterable[int], now: datetime) -> int:
    """Lines that were mended leave, and the same file will not bring them back. Rows removed."""
    wanted = sorted(set(ids))
    for start in range(0, len(wanted), _BATCH):
        part = quarantine.c.id.in_(wanted[start : start + _BATCH])
        marks = tx.execute(sa.select(quarantine.c.fingerprint).where(part)).scalars().all()
        rows = [{"fingerprint": mark, "at": now} for mark in marks]
        if rows:
            tx.execute(insert_or_ignore(tx, quarantine_mended), rows)
        tx.execute(sa.delete(quarantine).where(part))
    return len(wanted)


def rewrite_quarantine(store: Store, tx: Connection, failed: Sequence[tuple[int, Found]]) -> None:
    """Lines that were tried again and failed stay, as corrected, with their new reason."""
    query = select_by_keys(
        tx,
        [quarantine.c.id],
        [(number,) for number, _ in failed],
        [quarantine.c.id, quarantine.c.expires_at],
    )
    owners = {row[0]: owner_of(row[1]) for row in tx.execute(query)}
    kept = [(number, line) for number, line in failed if number in owners]
    texts = [msgspec.json.encode(dict(line.raw)).decode() for _, line in kept]
    pairs = [(owners[number], text) for (number, _), text in zip(kept, texts, strict=True)]
    sealed = store.keyring.encrypt_many(pairs)
    for (number, line), raw in zip(kept, sealed, strict=True):
        tx.execute(
            sa.update(quarantine)
            .where(quarantine.c.id == number)
            .values(
                step=line.step,
                reason=line.reason,
                raw=raw,
                sealed=line.person,
                owner=owners[number],
            )
        )


def expire_quarantine(tx: Connection, now: datetime) -> int:
    """Remove lines that have been in quarantine for 30 days. Rows removed."""
    long_ago = quarantine_seen.c.at <= now - timedelta(days=KEEP_DAYS)
    tx.execute(sa.delete(quarantine_seen).where(long_ago))  # of imports that never ended
    return tx.execute(sa.delete(quarantine).where(quarantine.c.expires_at <= now)).rowcount
