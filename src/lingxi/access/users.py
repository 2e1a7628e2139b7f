"""Users of the dashboard: made, listed, changed, removed."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from lingxi.access.audit import record_audit
from lingxi.access.passwords import hash_password, random_password
from lingxi.access.roles import Role
from lingxi.access.sessions import end_all_sessions
from lingxi.access.tables import user_table
from lingxi.errors import Conflict, InvalidInput

FIRST_USER = "admin"
_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")


@dataclass(frozen=True)
class User:
    """One user, without the password."""

    user_id: int
    name: str
    role: Role
    language: str | None
    created_at: datetime


@dataclass(frozen=True)
class Credentials:
    """A name with its password in the clear: to be shown once and never stored."""

    name: str
    password: str


def ensure_administrator(tx: Connection, now: datetime) -> Credentials | None:
    """Make the first administrator of a shop without users; ``None`` where there are any."""
    if tx.execute(select(func.count()).select_from(user_table)).scalar_one():
        return None
    credentials = Credentials(FIRST_USER, random_password())
    create_user(tx, now, credentials, Role.ADMINISTRATOR, actor="system")
    return credentials


def create_user(
    tx: Connection, now: datetime, credentials: Credentials, role: Role, *, actor: str
) -> User:
    """Add a user.

    Raises
    ------
    InvalidInput
        If the name or the password will not do.
    Conflict
        If the name is taken.
    """
    name = normalise_name(credentials.name)
    if not is_name(name):
        raise InvalidInput(
            "A user's name is 1 to 64 of the characters a-z, 0-9, '.', '_', '@', '+' and '-', "
            "and begins with a letter or a digit."
        )
    row = {
        "name": name,
        "role": role.value,
        "password_hash": hash_password(credentials.password),
        "created_at": now,
        "password_at": now,
    }
    try:
        with tx.begin_nested():
            tx.execute(insert(user_table).values(row))
    except IntegrityError as error:
        raise Conflict(f"There is already a user {name!r}; choose another name.") from error
    record_audit(tx, now, actor=actor, action="user.created", target=f"{name} ({role})")
    return get_user(tx, name)


def get_user(tx: Connection, name: str) -> User:
    """The user of a name.

    Raises
    ------
    InvalidInput
        If there is none.
    """
    found = [user for user in list_users(tx) if user.name == normalise_name(name)]
    if not found:
        raise InvalidInput(f"There is no user {name!r}.")
    return found[0]


def list_users(tx: Connection) -> list[User]:
    """All users by name."""
    table = user_table.c
    query = select(
        table.user_id, table.name, table.role, table.language, table.created_at
    ).order_by(table.name)
    return [
        User(user_id, name, Role(role), language, created_at)
        for user_id, name, role, language, created_at in tx.execute(query)
    ]


def change_password(tx: Connection, now: datetime, credentials: Credentials, *, actor: str) -> None:
    """Set a user's password and end all of the user's login sessions."""
    user = get_user(tx, credentials.name)
    change = {"password_hash": hash_password(credentials.password), "password_at": now}
    tx.execute(update(user_table).where(user_table.c.user_id == user.user_id).values(change))
    end_all_sessions(tx, user.user_id)
    record_audit(tx, now, actor=actor, action="user.password_changed", target=user.name)


def change_role(tx: Connection, now: datetime, name: str, role: Role, *, actor: str) -> None:
    """Give a user another role; it counts from the next request on.

    Raises
    ------
    Conflict
        If the shop would be left without an administrator.
    """
    user = get_user(tx, name)
    if role is not Role.ADMINISTRATOR:
        _keep_an_administrator(tx, lambda other: other.user_id != user.user_id)
    own = user_table.c.user_id == user.user_id
    tx.execute(update(user_table).where(own).values(role=role.value))
    record_audit(tx, now, actor=actor, action="user.role_changed", target=f"{user.name} ({role})")


def choose_user_language(tx: Connection, user_id: int, language: str) -> None:
    """Remember the language that a user reads the dashboard in."""
    own = user_table.c.user_id == user_id
    tx.execute(update(user_table).where(own).values(language=language[:8]))


def remove_user(tx: Connection, now: datetime, name: str, *, actor: str) -> None:
    """Remove a user and end the sessions; the audit log keeps the name.

    Raises
    ------
    Conflict
        If the shop would be left without an administrator.
    """
    user = get_user(tx, name)
    _keep_an_administrator(tx, lambda other: other.user_id != user.user_id)
    end_all_sessions(tx, user.user_id)
    tx.execute(delete(user_table).where(user_table.c.user_id == user.user_id))
    record_audit(tx, now, actor=actor, action="user.removed", target=user.name)


def normalise_name(name: str) -> str:
    """Names are compared without case and outer spaces.

    >>> normalise_name(" Ada ")
    'ada'
    """
    return name.strip().lower()


def is_name(name: str) -> bool:
    """Whether a user can be called so.

    >>> is_name("Ada"), is_name("a b")
    (True, False)
    """
    return _NAME.fullmatch(normalise_name(name)) is not None


def _keep_an_administrator(tx: Connection, stays: Callable[[User], bool]) -> None:
    administrators = [user for user in list_users(tx) if user.role is Role.ADMINISTRATOR]
    if administrators and not any(stays(user) for user in administrators):
        raise Conflict("A shop needs an administrator; give another user that role first.")
