"""The shop's templates: a draft that changes, and versions that never do."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import msgspec
import sqlalchemy as sa

from lingxi.errors import Conflict, UnknownTemplate, did_you_mean
from lingxi.messaging.tables import template as table
from lingxi.messaging.tables import template_version as versions
from lingxi.messaging.templates.template import Template, check_template
from lingxi.store.keyed import upsert
from lingxi.store.prepared import Prepared

_PUBLISHED = Prepared(
    sa.select(table.c.published).where(table.c.name == sa.bindparam("name", type_=sa.String)),
    "name",
)
_ENCODE = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True)
class Kept:
    """A template as it is kept: its draft, and the version that is sent (0: none yet)."""

    draft: Template
    published: int
    changed_at: datetime
    changed_by: str
    differs: bool
    """Whether the draft says something else than what is sent."""


@dataclass(frozen=True)
class Version:
    """What was published, when, by whom and why."""

    version: int
    published_at: datetime
    published_by: str
    note: str


def put_template(tx: sa.Connection, template: Template, now: datetime, *, actor: str) -> bool:
    """Make the draft so; False where it was so already. Nothing that is sent changes.

    Raises
    ------
    InvalidInput
        If the template cannot be used.
    """
    check_template(template)
    text = _ENCODE(template).decode()
    row = tx.execute(sa.select(table).where(table.c.name == template.name)).mappings().first()
    if row is not None and row["draft"] == text:
        return False
    published = 0 if row is None else row["published"]
    upsert(
        tx,
        table,
        [
            {
                "name": template.name,
                "draft": text,
                "published": published,
                "changed_at": now,
                "changed_by": actor[:200],
            }
        ],
    )
    return True


def publish_template(
    tx: sa.Connection, name: str, now: datetime, *, actor: str, note: str = ""
) -> int:
    """Make the draft what is sent, as a new version; its number, or the old one if it is the same.

    Raises
    ------
    UnknownTemplate
        If there is no such template.
    """
    kept = get_template(tx, name)
    if kept.published and not kept.differs:
        return kept.published
    newest = sa.select(sa.func.max(versions.c.version)).where(versions.c.name == name)
    version = int(tx.execute(newest).scalar() or 0) + 1
    tx.execute(
        sa.insert(versions).values(
            name=name,
            version=version,
            definition=_ENCODE(kept.draft).decode(),
            published_at=now,
            published_by=actor[:200],
            note=re.sub(r"\s+", " ", note)[:500],
        )
    )
    tx.execute(sa.update(table).where(table.c.name == name).values(published=version))
    return version


def remove_template(tx: sa.Connection, name: str) -> None:
    """Take a template away that was never published; what was sent stays for ever.

    Raises
    ------
    UnknownTemplate
        If there is no such template.
    Conflict
        If a version of it was published.
    """
    if get_template(tx, name).published:
        raise Conflict(
            f"The template {name!r} was published, and messages may refer to it; it stays. "
            "Journeys that should not send it any more name another."
        )
    tx.execute(sa.delete(table).where(table.c.name == name))


def restore_version(
    tx: sa.Connection, name: str, version: int, now: datetime, *, actor: str
) -> None:
    """Make the draft what a version was; publish it to send it.

    Raises
    ------
    UnknownTemplate
        If there is no such template or version.
    """
    put_template(tx, read_version(tx, name, version), now, actor=actor)


def get_template(tx: sa.Connection, name: str) -> Kept:
    """The template of a name.

    Raises
    ------
    UnknownTemplate
        If there is none.
    """
    row = tx.execute(sa.select(table).where(table.c.name == name)).mappings().first()
    if row is None:
        names = tx.execute(sa.select(table.c.name)).scalars().all()
        raise UnknownTemplate(f"There is no template {name[:80]!r}{did_you_mean(name, names)}.")
    return _read_kept(tx, row)


def list_templates(tx: sa.Connection) -> list[Kept]:
    """All templates by name."""
    rows = tx.execute(sa.select(table).order_by(table.c.name)).mappings().all()
    return [_read_kept(tx, row) for row in rows]


def list_versions(tx: sa.Connection, name: str) -> Sequence[Version]:
    """Every version of a template, newest first."""
    c = versions.c
    query = sa.select(c.version, c.published_at, c.published_by, c.note).where(c.name == name)
    return [Version(*row) for row in tx.execute(query.order_by(c.version.desc()))]


def read_version(tx: sa.Connection, name: str, version: int) -> Template:
    """What a version of a template was; it never changes, so it is remembered.

    Raises
    ------
    UnknownTemplate
        If there is no such version.
    """
    query = sa.select(versions.c.definition).where(
        versions.c.name == name, versions.c.version == version
    )
    text = tx.execute(query).scalar()
    if text is None:
        raise UnknownTemplate(f"The template {name[:80]!r} has no version {version}.")
    return _decode(text)


def find_published(tx: sa.Connection, name: str) -> int:
    """The version of a template that is sent now; 0 where there is none."""
    row = _PUBLISHED.first(tx, name)
    return int(row[0]) if row is not None else 0


@lru_cache(maxsize=500)
def _decode(text: str) -> Template:
    return msgspec.json.decode(text, type=Template)


def _read_kept(tx: sa.Connection, row: sa.RowMapping) -> Kept:
    draft = _decode(row["draft"])
    differs = True
    if row["published"]:
        differs = read_version(tx, row["name"], row["published"]) != draft
    return Kept(draft, row["published"], row["changed_at"], row["changed_by"], differs)
