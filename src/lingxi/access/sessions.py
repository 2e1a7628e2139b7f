"""Login sessions: a random token in a cookie, its hash in a table."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from lingxi.access.principal import SessionUser
from lingxi.access.roles import Role
from lingxi.access.tables import session_table, user_table
from lingxi.access.tokens import hash_token, new_token

SLIDE_SHARE = 0.05
LONGEST = timedelta(days=30)
"""A session ends after this long even if it is used every hour."""


_LIVE_SESSION = (
    select(
        user_table.c.user_id,
        user_table.c.name,
        user_table.c.role,
        user_table.c.language,
        session_table.c.created_at,
        session_table.c.seen_at,
        session_table.c.expires_at,
    )
    .join_from(session_table, user_table)
    .where(
        session_table.c.token_hash == bindparam("wanted"),
        session_table.c.expires_at > bindparam("now"),
    )
)


@dataclass(frozen=True)
class Session:
    """A session as found by its token; ``slide`` says that its expiry is due to be moved."""

    user: SessionUser
    expires_at: datetime
    slide: bool


def start_session(tx: Connection, user_id: int, now: datetime, *, hours: int) -> str:
    """Open a session and return its token, which is never stored."""
    tx.execute(delete(session_table).where(session_table.c.expires_at <= now))
    token = new_token()
    row = {
        "token_hash": hash_token(token),
        "user_id": user_id,
        "created_at": now,
        "seen_at": now,
        "expires_at": now + timedelta(hours=hours),
    }
    tx.execute(insert(session_table).values(row))
    return token


def find_session(tx: Connection, token: str, now: datetime) -> Session | None:
    """The session of a token, unless it has ended."""
    token_hash = hash_token(token)
    row = tx.execute(_LIVE_SESSION, {"wanted": token_hash, "now": now}).one_or_none()
    if row is None:
        return None
    user_id, name, role, language, created_at, seen_at, expires_at = row
    if created_at + LONGEST <= now:
        return None
    found = SessionUser(user_id, name, Role(role), language, token_hash)
    return Session(found, expires_at, now - seen_at > (expires_at - seen_at) * SLIDE_SHARE)


def slide_session(tx: Connection, session_id: str, now: datetime, *, hours: int) -> None:
    """Move a used session's end to ``hours`` from now."""
    same = session_table.c.token_hash == session_id
    moved = {"seen_at": now, "expires_at": now + timedelta(hours=hours)}
    tx.execute(update(session_table).where(same).values(moved))


def end_session(tx: Connection, token: str) -> None:
    """Log out: the token opens nothing any more."""
    tx.execute(delete(session_table).where(session_table.c.token_hash == hash_token(token)))


def end_all_sessions(tx: Connection, user_id: int) -> int:
    """Log a user out everywhere; how many sessions ended."""
    return tx.execute(delete(session_table).where(session_table.c.user_id == user_id)).rowcount
