"""Sources: who may send events. A write key stands in every page and opens nothing but the door
for events; a secret, where a source has one, signs what a shop's own server sends."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, Connection, insert, select, update

from lingxi.access.audit import record_audit
from lingxi.access.tables import source_table
from lingxi.errors import Conflict, InvalidInput
from lingxi.store import Keyring

DEFAULT_SOURCE = "web"
_OWNER = 0
"""Pseudo-customer under whose key secrets lie; no real customer has the number 0."""
_LONGEST_NAME, _LONGEST_SECRET, _MOST_ORIGINS = 64, 500, 50


class SourceKind(StrEnum):
    """What a source is; it decides how its events are authenticated."""

    WEB = "web"
    SERVER = "server"
    SNIPPET = "snippet"
    SHOPIFY = "shopify"
    WOOCOMMERCE = "woocommerce"
    FILE = "file"


SIGNED = frozenset({SourceKind.SHOPIFY, SourceKind.WOOCOMMERCE})
"""Kinds whose deliveries carry a signature made with the source's secret."""


@dataclass(frozen=True)
class Source:
    """One source, without its secret; ``allowed_origins`` empty lets pages of any site send."""

    name: str
    kind: SourceKind
    write_key: str
    allowed_origins: tuple[str, ...]
    has_secret: bool
    created_at: datetime
    disabled_at: datetime | None = None


def create_source(
    tx: Connection,
    keyring: Keyring,
    now: datetime,
    name: str,
    kind: SourceKind,
    *,
    actor: str,
    secret: str = "",
    allowed_origins: Sequence[str] = (),
) -> Source:
    """Make a source with a new write key.

    Raises
    ------
    InvalidInput
        If the name, the secret or an origin cannot be one, or a shop platform has no secret.
    Conflict
        If there is a source of this name.
    """
    label = _check_name(name)
    origins = tuple(dict.fromkeys(_check_origin(origin) for origin in allowed_origins))
    if len(origins) > _MOST_ORIGINS:
        raise InvalidInput(f"A source may name at most {_MOST_ORIGINS} origins.")
    if kind in SIGNED and not secret:
        raise InvalidInput(
            f"A source of kind {kind.value!r} needs the secret with which the platform signs."
        ).says("sources.problem.secret", kind=kind.value)
    if find_named_source(tx, label) is not None:
        raise Conflict(f"There is a source {label!r} already; choose another name.").says(
            "sources.problem.taken", name=label
        )
    source = Source(label, kind, secrets.token_hex(16), origins, bool(secret), now)
    row = {
        "name": label,
        "kind": kind.value,
        "write_key": source.write_key,
        "secret": _seal(keyring, secret),
        "allowed_origins": " ".join(origins),
        "created_at": now,
    }
    tx.execute(insert(source_table).values(row))
    record_audit(tx, now, actor=actor, action="source.created", target=label)
    return source


def ensure_source(tx: Connection, keyring: Keyring, now: datetime, *, actor: str) -> Source:
    """The source ``web``, made where there is none yet, so that a new shop has a write key."""
    known = find_named_source(tx, DEFAULT_SOURCE)
    if known is not None:
        return known
    return create_source(tx, keyring, now, DEFAULT_SOURCE, SourceKind.WEB, actor=actor)


def find_source(tx: Connection, write_key: str) -> Source | None:
    """The source that sends with this write key; nothing when it is unknown or disabled."""
    table = source_table.c
    found = _find(tx, table.write_key == write_key, table.disabled_at.is_(None))
    return found[0] if found else None


def find_named_source(tx: Connection, name: str) -> Source | None:
    """The source of this name, disabled or not."""
    found = _find(tx, source_table.c.name == name)
    return found[0] if found else None


def list_sources(tx: Connection) -> list[Source]:
    """All sources, oldest first, disabled ones included."""
    return _find(tx)


def list_signed(tx: Connection) -> frozenset[str]:
    """The names of sources whose deliveries are signed, those out of use included."""
    kinds = [str(kind) for kind in SIGNED]
    c = source_table.c
    return frozenset(tx.execute(select(c.name).where(c.kind.in_(kinds))).scalars())


def read_secret(tx: Connection, keyring: Keyring, name: str) -> str | None:
    """The secret of a source that is in use, to check a signature with; nothing where none is."""
    query = select(source_table.c.secret).where(
        source_table.c.name == name, source_table.c.disabled_at.is_(None)
    )
    sealed = tx.execute(query).scalar_one_or_none()
    return None if sealed is None else keyring.decrypt(_OWNER, sealed)


def disable_source(tx: Connection, now: datetime, name: str, *, actor: str) -> None:
    """Refuse everything from a source from now on; what it sent stays.

    Raises
    ------
    InvalidInput
        If there is no such source in use.
    """
    live = (source_table.c.name == name) & source_table.c.disabled_at.is_(None)
    if tx.execute(update(source_table).where(live).values(disabled_at=now)).rowcount == 0:
        raise InvalidInput(f"There is no source {name!r} in use; see 'lingxi source list'.")
    record_audit(tx, now, actor=actor, action="source.disabled", target=name)


def rotate_source(
    tx: Connection, keyring: Keyring, now: datetime, name: str, *, actor: str, secret: str = ""
) -> Source:
    """Give a source a new write key, and a new secret where one is given; the old end at once.

    A disabled source is in use again.

    Raises
    ------
    InvalidInput
        If there is no such source, or the secret cannot be one.
    """
    known = find_named_source(tx, name)
    if known is None:
        raise InvalidInput(f"There is no source {name!r}; see 'lingxi source list'.")
    values: dict[str, object] = {"write_key": secrets.token_hex(16), "disabled_at": None}
    if secret:
        values["secret"] = _seal(keyring, secret)
    tx.execute(update(source_table).where(source_table.c.name == name).values(values))
    record_audit(tx, now, actor=actor, action="source.rotated", target=name)
    found = find_named_source(tx, name)
    assert found is not None
    return found


def read_kind(text: str) -> SourceKind:
    """The kind of this name.

    Raises
    ------
    InvalidInput
        If there is none.
    """
    if text not in set(SourceKind):
        raise InvalidInput(
            f"There is no kind {text[:40]!r}; choose one of {', '.join(SourceKind)}."
        )
    return SourceKind(text)


def _find(tx: Connection, *conditions: ColumnElement[bool]) -> list[Source]:
    c = source_table.c
    query = (
        select(
            c.name,
            c.kind,
            c.write_key,
            c.allowed_origins,
            c.secret.is_not(None),
            c.created_at,
            c.disabled_at,
        )
        .where(*conditions)
        .order_by(c.created_at, c.name)
    )
    return [
        Source(
            name,
            SourceKind(kind),
            write_key,
            tuple(origins.split()),
            bool(has_secret),
            created_at,
            disabled_at,
        )
        for name, kind, write_key, origins, has_secret, created_at, disabled_at in tx.execute(query)
    ]


def _seal(keyring: Keyring, secret: str) -> bytes | None:
    if not secret:
        return None
    if not secret.isprintable() or len(secret) > _LONGEST_SECRET:
        raise InvalidInput("A secret has at most 500 characters, all of them printable.").says(
            "sources.problem.unprintable"
        )
    return keyring.encrypt(_OWNER, secret)


def _check_name(name: str) -> str:
    label = name.strip()
    plain = label.replace("-", "").replace("_", "").replace(".", "")
    if not (plain.isascii() and plain.isalnum() and len(label) <= _LONGEST_NAME):
        raise InvalidInput(
            "A source's name has 1 to 64 letters, digits, dots, dashes and underscores: it stands "
            "in addresses."
        ).says("sources.problem.name")
    return label


def _check_origin(text: str) -> str:
    """``https://shop.example`` as a browser sends it, without a slash at the end."""
    origin = text.strip().rstrip("/").lower()
    parts = urlsplit(origin)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path or parts.query:
        raise InvalidInput(
            f"{text[:80]!r} is no origin; write scheme and host, such as https://shop.example."
        ).says("sources.problem.origin", text=text[:80])
    return origin
