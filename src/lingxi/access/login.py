"""Logging in: slow for guessers, the same for every wrong answer."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from lingxi.access.audit import record_audit
from lingxi.access.limits import add_to_window, clear_window, read_window
from lingxi.access.passwords import hash_password, needs_rehash, verify_password
from lingxi.access.principal import SessionUser
from lingxi.access.roles import Role
from lingxi.access.sessions import end_session, start_session
from lingxi.access.tables import user_table
from lingxi.access.tokens import hash_token
from lingxi.access.users import Credentials, is_name, normalise_name
from lingxi.errors import NotAuthenticated, RateLimited
from lingxi.store import Store

THROTTLE = timedelta(minutes=15)
TRIES_PER_ACCOUNT, TRIES_PER_ADDRESS = 10, 30
_ACCOUNT, _ADDRESS = "login:account:", "login:address:"


@dataclass(frozen=True)
class Login:
    """A login that succeeded; ``token`` belongs into the cookie and nowhere else."""

    user: SessionUser
    token: str


@dataclass(frozen=True)
class Account:
    """What a login needs to know of an account."""

    user_id: int
    name: str
    role: Role
    language: str | None
    password_hash: str


def log_in(
    store: Store,
    now: datetime,
    credentials: Credentials,
    *,
    address: str,
    hours: int,
    former_token: str | None = None,
) -> Login:
    """Check a name and password and open a session with a new token.

    A try is counted before the password is looked at, so that many at once gain nothing; the hash
    is computed outside any transaction, so that nobody waits for it.

    Parameters
    ----------
    address
        Where the request comes from, for the throttle and the audit log.
    hours
        How long the session lives without use.
    former_token
        The session the browser had before; it ends.

    Raises
    ------
    RateLimited
        After 10 failures of one account or 30 from one address within 15 minutes.
    NotAuthenticated
        If the name is unknown or the password wrong, in the same words and the same time.
    """
    buckets = _buckets(credentials.name, address)
    with store.write() as tx:
        refused = _take_try(tx, buckets, now)
    if refused is not None:
        raise RateLimited(
            f"Too many failed logins. Try again in {refused} seconds.",
            retry_after_seconds=refused,
        )
    account = _verify(store, credentials)
    with store.write() as tx:
        if account is None:
            record_audit(tx, now, actor="nobody", action="login.failed", address=address)
        else:
            _forgive(tx, buckets, now)
            token = _open_session(tx, account, now, hours, former_token)
            actor = f"user:{account.name}"
            record_audit(tx, now, actor=actor, action="login.succeeded", address=address)
    if account is None:
        raise NotAuthenticated("The name or the password is wrong.")
    user = SessionUser(
        account.user_id, account.name, account.role, account.language, hash_token(token)
    )
    return Login(user, token)


def log_out(tx: Connection, now: datetime, user: SessionUser, token: str) -> None:
    """End the session of a token."""
    end_session(tx, token)
    record_audit(tx, now, actor=user.actor, action="logout")


def _buckets(name: str, address: str) -> dict[str, int]:
    return {
        f"{_ACCOUNT}{hash_token(normalise_name(name))}": TRIES_PER_ACCOUNT,
        f"{_ADDRESS}{hash_token(address)}": TRIES_PER_ADDRESS,
    }


def _take_try(tx: Connection, buckets: dict[str, int], now: datetime) -> int | None:
    """Count one try in every bucket, or say for how many seconds there is none left."""
    windows = {bucket: read_window(tx, bucket, now, THROTTLE) for bucket in buckets}
    full = [w for w in windows.values() if w.count >= buckets[w.bucket]]
    if full:
        return max(window.retry_after_seconds(now) for window in full)
    for bucket in buckets:
        add_to_window(tx, bucket, now, THROTTLE)
    return None


def _forgive(tx: Connection, buckets: dict[str, int], now: datetime) -> None:
    """A login that succeeded: the account starts anew, the address has this one try back."""
    for bucket in buckets:
        if bucket.startswith(_ACCOUNT):
            clear_window(tx, bucket)
        else:
            add_to_window(tx, bucket, now, THROTTLE, by=-1)


def _verify(store: Store, credentials: Credentials) -> Account | None:
    """The account, if the password is its own; its hash is renewed when it has become weak."""
    with store.read() as tx:
        account = _find_account(tx, credentials.name)
    stored = None if account is None else account.password_hash
    if not verify_password(stored, credentials.password) or account is None:
        return None
    if needs_rehash(account.password_hash):
        renewed = hash_password(credentials.password)
        own = user_table.c.user_id == account.user_id
        with store.write() as tx:
            tx.execute(update(user_table).where(own).values(password_hash=renewed))
    return account


def _open_session(
    tx: Connection, account: Account, now: datetime, hours: int, former_token: str | None
) -> str:
    if former_token:
        end_session(tx, former_token)
    return start_session(tx, account.user_id, now, hours=hours)


def _find_account(tx: Connection, name: str) -> Account | None:
    table = user_table.c
    query = select(
        table.user_id, table.name, table.role, table.language, table.password_hash
    ).where(table.name == (normalise_name(name) if is_name(name) else ""))
    row = tx.execute(query).one_or_none()
    if row is None:
        return None
    user_id, found, role, language, password_hash = row
    return Account(user_id, found, Role(role), language, password_hash)
