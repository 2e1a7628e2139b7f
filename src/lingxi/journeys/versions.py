"""Journeys of a shop: drafts that are worked on, and versions that are published and stay.

A version is never changed nor taken away, since runs stay on theirs; a journey that is removed
keeps its versions, and one of the same name goes on counting after them.
"""

from datetime import datetime
from functools import lru_cache
from hashlib import blake2b

import msgspec
import sqlalchemy as sa

from lingxi.errors import Conflict, UnknownJourney, did_you_mean
from lingxi.journeys.definition_tables import journey as journeys
from lingxi.journeys.definition_tables import journey_version as versions
from lingxi.journeys.graph import Journey
from lingxi.schema import Event


class Held(msgspec.Struct, frozen=True):
    """A journey as the shop has it: its draft, the version that runs (0: none), and its state.

    ``mark`` names the state of the draft; it is another one after every change.
    """

    name: str
    draft: Journey
    published: int
    paused: bool
    changed_at: datetime
    changed_by: str
    mark: str


class Live(msgspec.Struct, frozen=True):
    """A journey that new runs begin on; ``since`` is when its first version was published."""

    name: str
    version: int
    journey: Journey
    since: datetime | None = None

    def is_news(self, event: Event) -> bool:
        """Whether an event came after the journey began: what was there before begins nothing."""
        return self.since is None or event.received_at >= self.since


class Version(msgspec.Struct, frozen=True):
    """One published state of a journey."""

    name: str
    version: int
    published_at: datetime
    published_by: str
    note: str
    journey: Journey


_decoder = msgspec.json.Decoder(Journey)


def list_journeys(tx: sa.Connection) -> list[Held]:
    """All journeys of the shop, by name."""
    return [_to_held(row) for row in tx.execute(sa.select(journeys).order_by(journeys.c.name))]


def get_journey(tx: sa.Connection, name: str) -> Held:
    """One journey.

    Raises
    ------
    UnknownJourney
        If there is none of this name.
    """
    row = tx.execute(sa.select(journeys).where(journeys.c.name == name)).first()
    if row is None:
        names = tx.execute(sa.select(journeys.c.name).order_by(journeys.c.name)).scalars().all()
        raise UnknownJourney(
            f"There is no journey {name[:64]!r}{did_you_mean(name, names)}. "
            "'lingxi journey list' names those there are."
        )
    return _to_held(row)


def seek_journey(tx: sa.Connection, name: str) -> Held | None:
    """One journey, or nothing."""
    row = tx.execute(sa.select(journeys).where(journeys.c.name == name)).first()
    return None if row is None else _to_held(row)


def list_live(tx: sa.Connection) -> tuple[Live, ...]:
    """The journeys that new runs begin on: published, not paused; by priority, then by name."""
    first = versions.alias()
    since = (
        sa.select(sa.func.min(first.c.published_at))
        .where(first.c.name == journeys.c.name)
        .scalar_subquery()
    )
    query = (
        sa.select(journeys.c.name, versions.c.version, versions.c.definition, since)
        .join(
            versions,
            (versions.c.name == journeys.c.name) & (versions.c.version == journeys.c.published),
        )
        .where(~journeys.c.paused)
        .order_by(journeys.c.name)
    )
    found = [
        Live(name, version, _read(text), begun) for name, version, text, begun in tx.execute(query)
    ]
    return tuple(sorted(found, key=lambda live: -live.journey.priority))


def list_every(tx: sa.Connection) -> list[Live]:
    """Every version that was ever published: runs may be on any of them."""
    query = sa.select(versions.c.name, versions.c.version, versions.c.definition)
    return [Live(name, version, _read(text)) for name, version, text in tx.execute(query)]


def get_version(tx: sa.Connection, name: str, version: int) -> Journey:
    """A published version of a journey, also of one that was removed.

    Raises
    ------
    UnknownJourney
        If there is no such version.
    """
    query = sa.select(versions.c.definition).where(
        versions.c.name == name, versions.c.version == version
    )
    text = tx.execute(query).scalar()
    if text is None:
        raise UnknownJourney(f"There is no version {version} of a journey {name[:64]!r}.")
    return _read(text)


def list_versions(tx: sa.Connection, name: str, *, n: int = 100) -> list[Version]:
    """The latest versions of a journey, newest first."""
    query = (
        sa.select(versions)
        .where(versions.c.name == name)
        .order_by(versions.c.version.desc())
        .limit(n)
    )
    return [
        Version(
            row.name,
            row.version,
            row.published_at,
            row.published_by,
            row.note,
            _read(row.definition),
        )
        for row in tx.execute(query)
    ]


def put_draft(
    tx: sa.Connection,
    journey: Journey,
    *,
    actor: str,
    now: datetime,
    expected: str | None = None,
) -> str:
    """Make the draft of a journey this one; its new mark. Nothing that runs is changed.

    Parameters
    ----------
    expected
        The mark of the draft that the writer has seen; empty: there was no such journey.

    Raises
    ------
    Conflict
        If the draft was changed since.
    """
    held = seek_journey(tx, journey.name)
    if expected is not None and expected != ("" if held is None else held.mark):
        who = "removed" if held is None else f"changed by {held.changed_by}"
        raise Conflict(
            f"The journey {journey.name!r} was {who} in the meantime; load it again and repeat."
        )
    row = {"draft": _write(journey), "changed_at": now, "changed_by": actor[:200]}
    if held is None:
        first = {"name": journey.name, "published": 0, "paused": False}
        tx.execute(sa.insert(journeys).values(**first, **row))
    else:
        tx.execute(sa.update(journeys).where(journeys.c.name == journey.name).values(**row))
    return mark_of(journey)


def publish(tx: sa.Connection, journey: Journey, *, actor: str, note: str, now: datetime) -> int:
    """Make the journey the draft and the version that new runs begin on; the version's number.

    The version that is published already is not published again; a paused journey stays paused.
    Whether it may be published
    (``lint``) is the caller's to ask.
    """
    put_draft(tx, journey, actor=actor, now=now)
    text = _write(journey)
    query = (
        sa.select(versions.c.version, versions.c.definition)
        .where(versions.c.name == journey.name)
        .order_by(versions.c.version.desc())
        .limit(1)
    )
    last = tx.execute(query).first()
    number = 0 if last is None else int(last.version)
    if last is None or last.definition != text:
        number += 1
        row = {"name": journey.name, "version": number, "definition": text, "note": note[:500]}
        tx.execute(sa.insert(versions).values(**row, published_at=now, published_by=actor[:200]))
    tx.execute(sa.update(journeys).where(journeys.c.name == journey.name).values(published=number))
    return number


def set_paused(tx: sa.Connection, name: str, paused: bool, *, actor: str, now: datetime) -> None:
    """Note whether new runs begin; ``control`` also halts those on their way.

    Raises
    ------
    UnknownJourney
        If there is none of this name.
    """
    get_journey(tx, name)
    row = {"paused": paused, "changed_at": now, "changed_by": actor[:200]}
    tx.execute(sa.update(journeys).where(journeys.c.name == name).values(**row))


def remove_journey(tx: sa.Connection, name: str) -> None:
    """Take a journey out of the shop: no new runs; those on their way go on, on their version.

    Raises
    ------
    UnknownJourney
        If there is none of this name.
    """
    get_journey(tx, name)
    tx.execute(sa.delete(journeys).where(journeys.c.name == name))


def mark_of(journey: Journey) -> str:
    """Names the state of a definition: 16 hexadecimal digits of its content."""
    return blake2b(_write(journey).encode(), digest_size=8).hexdigest()


def _to_held(row: "sa.Row[tuple[object, ...]]") -> Held:
    draft = _read(row.draft)
    return Held(
        row.name,
        draft,
        row.published,
        row.paused,
        row.changed_at,
        row.changed_by,
        mark_of(draft),
    )


def _write(journey: Journey) -> str:
    return msgspec.json.encode(journey).decode()


@lru_cache(maxsize=2000)
def _read(text: str) -> Journey:
    """The journey of a stored text; each text is decoded once a process."""
    return _decoder.decode(text)
