"""SQLite and PostgreSQL behind one door: connections, transactions, and what their errors mean."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    ExceptionContext,
    create_engine,
    event,
    func,
    make_url,
    select,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError
from sqlalchemy.pool import ConnectionPoolEntry

from lingxi.errors import InvalidSetting, MissingExtra, StoreBusy, StoreUnavailable
from lingxi.store.collation import CodePointDDL
from lingxi.store.eager import PATIENCE, Kept
from lingxi.store.files import explained

_WRITE = "lingxi_write"
_AFTER = "lingxi_after_commit"
_RETRY_SECONDS = 0.0003
_BESIDE_SECONDS = 30.0
_KEPT = "lingxi_kept"
_STATEMENTS = 512
"""Texts whose statements the driver keeps: those of inserts come in nine lengths."""
_LOG_LOCK = 0x6C696E67
_BUSY = ("database is locked", "lock timeout", "deadlock detected", "database table is locked")
_BROKEN = {
    "disk is full": "the disk is full; free some space and try again",
    "readonly database": "it is read-only; check the rights of the folder",
    "read-only": "it is read-only; check the rights of the folder",
    "malformed": "the file is damaged; restore the last backup with 'lingxi restore'",
    "not a database": "the file is not a database, or is damaged; restore the last backup",
    "unable to open": "the file cannot be opened; check that its folder exists and may be written",
    "disk i/o error": "the disk reports an error; check the disk and its free space",
    "no space left": "the disk is full; free some space and try again",
}


def open_engine(url: str, *, lock_timeout_seconds: float) -> Engine:
    """Connect to SQLite (``sqlite:///path``) or PostgreSQL (``postgresql://...``).

    An error never shows the password of an address.

    Raises
    ------
    InvalidSetting
        If the address is not one of these.
    MissingExtra
        If PostgreSQL is asked for and psycopg is not installed.
    """
    address = read_address(url)
    backend = address.get_backend_name()
    if backend == "sqlite":
        if address.database and not address.database.startswith("file:"):
            folder = Path(address.database).parent
            with explained(folder):
                folder.mkdir(parents=True, exist_ok=True)
        kept = Kept({_WRITE: True})
        engine = create_engine(
            address,
            execution_options={_KEPT: kept},
            connect_args={"timeout": lock_timeout_seconds, "cached_statements": _STATEMENTS},
            pool_size=16,
            max_overflow=16,
            pool_use_lifo=True,  # whoever wrote last has the pages that are written next
            hide_parameters=True,
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        event.listen(engine, "engine_disposed", lambda _: kept.close())
    elif backend == "postgresql":
        engine = _open_postgres(address.set(drivername="postgresql+psycopg"))
        event.listen(
            engine,
            "connect",
            lambda c, _e: _prepare_postgres(c, round(lock_timeout_seconds * 1000)),
        )
        event.listen(engine, "begin", _begin_postgres)
    else:
        raise InvalidSetting(
            f"store.url begins with {backend!r}; Lingxi keeps its state in sqlite or postgresql."
        )
    event.listen(engine, "handle_error", _explain)
    return engine


def open_again(engine: Engine) -> Engine:
    """Another engine on the same database, with connections of its own, for work beside."""
    url = engine.url.render_as_string(hide_password=False)
    return open_engine(url, lock_timeout_seconds=_BESIDE_SECONDS)


def read_address(url: str) -> URL:
    """The parts of ``store.url``.

    Raises
    ------
    InvalidSetting
        If it is not an address. The message leaves it out: it may hold a password.
    """
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        raise InvalidSetting(
            "store.url is not the address of a database; write "
            "postgresql://USER@HOST:5432/DATABASE, with signs such as @ : / in a password "
            "written as %40 %3A %2F, or leave it empty for SQLite."
        ) from None
    if address.drivername == "postgres":
        return address.set(drivername="postgresql")
    return address


def _open_postgres(address: URL) -> Engine:
    try:
        engine = create_engine(
            address, pool_size=16, max_overflow=16, pool_pre_ping=True, hide_parameters=True
        )
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise MissingExtra(
            "PostgreSQL needs an optional part of Lingxi: pip install 'lingxi[postgres]'."
        ) from error
    engine.dialect.ddl_compiler = CodePointDDL
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    assert isinstance(connection, sqlite3.Connection)
    connection.isolation_level = None  # transactions begin where SQLAlchemy says, not before DML
    cursor = connection.cursor()
    for setting in (
        # rows change in random places: half a page each time is half as much to write
        "PRAGMA page_size = 2048",
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",
        "PRAGMA foreign_keys = ON",
        "PRAGMA secure_delete = ON",
        "PRAGMA temp_store = MEMORY",
        "PRAGMA cache_size = -32768",
        "PRAGMA wal_autocheckpoint = 64000",
    ):
        cursor.execute(setting)
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get(_WRITE, False):
        connection.exec_driver_sql("BEGIN")
    elif PATIENCE in options:
        _begin_eagerly(connection, options[PATIENCE])
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_eagerly(connection: Connection, patience_ms: int) -> None:
    """Ask for the write lock every 0.3 ms, on a connection that does not wait by itself.

    SQLite itself asks ever more rarely, up to every 0.1 s: another writer that pauses for a few
    milliseconds only would get the lock again and again.
    """
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    end = monotonic() + patience_ms / 1_000
    while True:
        try:
            raw.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.Error as error:
            if monotonic() > end or not isinstance(_tell(error), StoreBusy):
                break
        sleep(_RETRY_SECONDS)
    connection.exec_driver_sql("BEGIN IMMEDIATE")  # fails again, in words


def _prepare_postgres(connection: DBAPIConnection, lock_timeout_ms: int) -> None:
    cursor = connection.cursor()
    cursor.execute("SELECT set_config('lock_timeout', %s, false)", (str(lock_timeout_ms),))
    cursor.execute("SET TIME ZONE 'UTC'")
    cursor.close()
    connection.commit()


def _begin_postgres(connection: Connection) -> None:
    if connection.get_execution_options().get(_WRITE, False):
        lock_log(connection)


def lock_log(connection: Connection) -> None:
    """Make this transaction the only one that may append, until it ends.

    SQLite's ``BEGIN IMMEDIATE`` has done so already. On PostgreSQL an advisory lock does: positions
    are given out and committed in the same order, so a reader by position cannot skip a row that
    commits late.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOG_LOCK)))


@contextmanager
def begin_write(engine: Engine, *, eager: bool = False) -> Iterator[Connection]:
    """A transaction that holds the write lock from its first moment; commits on a clean exit.

    ``eager`` is for the collector, whose clients wait: it asks for the lock far more often.
    """
    kept: Kept | None = engine.get_execution_options().get(_KEPT) if eager else None
    with engine.connect() if kept is None else kept.lend(engine) as connection:
        if kept is None:
            connection = connection.execution_options(**{_WRITE: True})
        calls: list[Callable[[], None]] = []
        connection.info[_AFTER] = calls
        try:
            with connection.begin():
                yield connection
        finally:
            connection.info.pop(_AFTER, None)
    for call in calls:
        call()


def after_commit(connection: Connection, call: Callable[[], None]) -> None:
    """Call this once the transaction of ``begin_write`` is on disk; never, if it fails."""
    calls: list[Callable[[], None]] | None = connection.info.get(_AFTER)
    if calls is not None:
        calls.append(call)


@contextmanager
def begin_read(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees one state of the database from its first query to its end."""
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        with connection.begin():
            yield connection


def is_writing(connection: Connection) -> bool:
    """Whether the transaction may write: what it sees may yet be taken back."""
    return bool(connection.get_execution_options().get(_WRITE, False))


def empty_wal(engine: Engine) -> bool:
    """Move SQLite's write-ahead log into the database and empty it; false if readers
    prevent it for longer than the lock timeout.
    """
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        busy = (cursor.fetchone() or (1,))[0]
    finally:
        raw.close()
    return not busy


def copy_sqlite(engine: Engine, place: Path) -> None:
    """Copy a SQLite database while it is in use.

    All pages go in one step: the copy is of one moment, and writers go on beside it.
    """
    raw = engine.raw_connection()
    target = sqlite3.connect(place)
    try:
        source = raw.driver_connection
        assert isinstance(source, sqlite3.Connection)
        source.backup(target, pages=-1)
        target.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
    finally:
        target.close()
        raw.close()


def check_transaction(raw: sqlite3.Connection, error: sqlite3.Error) -> None:
    """Refuse to go on where an error has ended the whole transaction, as that of a full disk does:
    whatever was executed next would be kept at once, without what came before it.

    Raises
    ------
    StoreBusy, StoreUnavailable
        If the transaction is no more.
    """
    if not raw.in_transaction:
        raise (
            _tell(error) or StoreUnavailable(f"The shop's database cannot be used: {error}.")
        ) from error


def _tell(error: BaseException) -> StoreBusy | StoreUnavailable | None:
    """A driver's error as a sentence, if it is one that a database may always have."""
    text = str(error).lower()
    if any(sign in text for sign in _BUSY):
        return StoreBusy(
            "Another process has been writing to the shop's database for too long; "
            "try again, or raise store.lock_timeout_seconds."
        )
    for sign, meaning in _BROKEN.items():
        if sign in text:
            return StoreUnavailable(f"The shop's database cannot be used: {meaning}.")
    return None


def _explain(context: ExceptionContext) -> None:
    """Turn a driver's error into a sentence; a broken constraint stays what it is."""
    error = context.original_exception
    if isinstance(context.sqlalchemy_exception, IntegrityError):
        return
    told = _tell(error)
    if told is not None:
        raise told from error
    if context.connection is None or context.is_disconnect:
        raise StoreUnavailable(
            f"The shop's database cannot be reached ({_without_password(context, error)}); "
            "check store.url and that the database runs."
        ) from error


def _without_password(context: ExceptionContext, error: BaseException) -> str:
    text = " ".join(str(error).split())
    password = "" if context.engine is None else context.engine.url.password
    return text.replace(str(password), "***") if password else text
