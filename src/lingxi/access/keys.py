"""Secret API keys: ``lx_<id>_<secret>``, shown once; only the secret's hash is stored."""

import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import BigInteger, Connection, bindparam, insert, select, type_coerce, update

from lingxi.access.audit import record_audit
from lingxi.access.principal import KeyHolder
from lingxi.access.roles import Scope
from lingxi.access.tables import key_table
from lingxi.access.tokens import hash_token
from lingxi.errors import InvalidInput
from lingxi.store.prepared import Prepared
from lingxi.store.tables import from_micros

_FORM = re.compile(r"lx_([0-9a-f]{12})_([0-9a-f]{64})")
_LONGEST_NAME = 64
_LIVE_KEY = Prepared(
    select(
        key_table.c.name,
        key_table.c.secret_hash,
        key_table.c.scopes,
        type_coerce(key_table.c.used_at, BigInteger),
    ).where(key_table.c.key_id == bindparam("wanted"), key_table.c.revoked_at.is_(None)),
    "wanted",
)


@dataclass(frozen=True)
class Key:
    """One key, without its secret."""

    key_id: str
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    created_by: str
    used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True)
class FoundKey:
    """A key that a request came with, and when it was last seen in use."""

    holder: KeyHolder
    used_at: datetime | None


@dataclass(frozen=True)
class NewKey:
    """A key just made; ``secret`` is the whole ``lx_...`` text and is never seen again."""

    key: Key
    secret: str


def create_key(
    tx: Connection, now: datetime, name: str, scopes: Collection[Scope], *, actor: str
) -> NewKey:
    """Make a key for a program.

    Raises
    ------
    InvalidInput
        If the name is empty or too long, or no scope is given.
    """
    label = name.strip()
    if not label.isprintable() or not 1 <= len(label) <= _LONGEST_NAME:
        raise InvalidInput("A key's name says what it is for, in 1 to 64 printable characters.")
    if not scopes:
        raise InvalidInput(f"A key needs at least one scope of {', '.join(Scope)}.")
    key_id, secret = secrets.token_hex(6), secrets.token_hex(32)
    key = Key(key_id, label, frozenset(scopes), now, actor, None, None)
    row = {
        "key_id": key_id,
        "name": label,
        "secret_hash": hash_token(secret),
        "scopes": " ".join(sorted(key.scopes)),
        "created_at": now,
        "created_by": actor[:80],
    }
    tx.execute(insert(key_table).values(row))
    record_audit(tx, now, actor=actor, action="key.created", target=f"{key_id} {label}")
    return NewKey(key, f"lx_{key_id}_{secret}")


def find_key(tx: Connection, text: str) -> FoundKey | None:
    """Who holds the key ``text``; nothing when it is malformed, unknown, wrong or revoked."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    key_id, secret = match.groups()
    row = _LIVE_KEY.first(tx, key_id)
    name, stored, scopes, used = row if row is not None else ("", hash_token(""), "", None)
    if not hmac.compare_digest(hash_token(secret), stored) or row is None:
        return None
    used_at = None if used is None else from_micros(used)
    return FoundKey(KeyHolder(key_id, name, _read_scopes(scopes)), used_at)


def note_key_use(tx: Connection, key_id: str, now: datetime) -> None:
    """Remember when a key was last used."""
    tx.execute(update(key_table).where(key_table.c.key_id == key_id).values(used_at=now))


def revoke_key(tx: Connection, now: datetime, key_id: str, *, actor: str) -> None:
    """End a key at once; it stays in the list.

    Raises
    ------
    InvalidInput
        If there is no such key that still works.
    """
    live = (key_table.c.key_id == key_id) & key_table.c.revoked_at.is_(None)
    if tx.execute(update(key_table).where(live).values(revoked_at=now)).rowcount == 0:
        raise InvalidInput(f"There is no working key {key_id!r}; see 'lingxi key list'.")
    record_audit(tx, now, actor=actor, action="key.revoked", target=key_id)


def list_keys(tx: Connection) -> list[Key]:
    """All keys, newest first, revoked ones included."""
    table = key_table.c
    query = select(
        table.key_id,
        table.name,
        table.scopes,
        table.created_at,
        table.created_by,
        table.used_at,
        table.revoked_at,
    ).order_by(table.created_at.desc(), table.key_id)
    return [
        Key(key_id, name, _read_scopes(scopes), created_at, created_by, used_at, revoked_at)
        for key_id, name, scopes, created_at, created_by, used_at, revoked_at in tx.execute(query)
    ]


@lru_cache
def _read_scopes(text: str) -> frozenset[Scope]:
    known = {scope.value for scope in Scope}
    return frozenset(Scope(word) for word in text.split() if word in known)
