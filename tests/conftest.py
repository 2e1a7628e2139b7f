"""What all tests share: the real data, and one small shop that went the whole road."""

import fcntl
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from sqlalchemy import Engine, MetaData, NullPool, create_engine, inspect, make_url, text

from lingxi.clock import FixedClock

sys.path.insert(0, str(Path(__file__).parent))

from demo_shop import DEMO_END, make_shop
from postgres_server import Unavailable, run_server

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

settings.register_profile("untimed", deadline=None)  # a busy machine is no counterexample
settings.load_profile("untimed")

SHARED_DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def _migrate_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A new shop on SQLite copies a database that went through all revisions, once per process.

    Whoever tests the revisions themselves calls ``upgrade`` by its name, which stays as it is.
    """
    from lingxi.app import migrate
    from lingxi.store.engine import open_engine

    upgrade = migrate.upgrade
    made = tmp_path_factory.mktemp("migrated") / "state.sqlite"

    def copy(engine: Engine, metadatas: Sequence[MetaData]) -> str | None:
        path = engine.url.database
        if engine.dialect.name == "sqlite" and path and not inspect(engine).get_table_names():
            if not made.exists():
                source = open_engine(f"sqlite:///{made}", lock_timeout_seconds=30)
                upgrade(source, metadatas)
                source.dispose()
            with closing(sqlite3.connect(made)) as old, closing(sqlite3.connect(path)) as new:
                old.backup(new)
        return upgrade(engine, metadatas)

    migrate.upgrade = copy
    yield
    migrate.upgrade = upgrade


@pytest.fixture(scope="session")
def online_retail() -> Path:
    """The Online Retail file, dirt included."""
    path = SHARED_DATA / "online_retail" / "online_retail.parquet"
    if not path.is_file():
        pytest.skip(f"needs the Online Retail data at {path}")
    return path


@pytest.fixture(scope="session")
def raw_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the tiny simulated shop, the truth beside them."""
    from lingxi.simulation import preset, simulate, write_shop

    folder = tmp_path_factory.mktemp("raw-shop")
    settings = preset("tiny", seed=7, end=DEMO_END, timezone="Europe/London")
    write_shop(simulate(settings), folder)
    return folder


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a PostgreSQL server that lives as long as the tests of this process."""
    try:
        with run_server() as address:
            yield address
    except Unavailable as reason:
        pytest.skip(str(reason))


_numbers = count(1)


@pytest.fixture(scope="session")
def new_database(postgres_server: str) -> Callable[[], str]:
    """Makes an empty database and answers its address."""

    def make() -> str:
        name = f"shop{next(_numbers)}"
        engine = create_engine(
            postgres_server.replace("postgresql://", "postgresql+psycopg://"),
            isolation_level="AUTOCOMMIT",
        )
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return postgres_server.replace("/postgres?", f"/{name}?")

    return make


@pytest.fixture(scope="session")
def copy_database(postgres_server: str) -> Callable[[str], str]:
    """Copies a database that nobody has open, and answers the copy's address."""
    server = create_engine(
        postgres_server.replace("postgresql://", "postgresql+psycopg://"),
        isolation_level="AUTOCOMMIT",
        poolclass=NullPool,
    )

    def copy(address: str) -> str:
        pattern, name = make_url(address).database, f"copy{next(_numbers)}"
        with server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {pattern}"))
        return address.replace(f"/{pattern}?", f"/{name}?")

    return copy


@pytest.fixture(scope="session")
def fill_once(
    new_database: Callable[[], str], copy_database: Callable[[str], str]
) -> Callable[[Callable[[str], None]], tuple[str, Callable[[], str]]]:
    """Fills a database; the answer is its address, and what makes a copy of it and says where."""

    def fill(make: Callable[[str], None]) -> tuple[str, Callable[[], str]]:
        address = new_database()
        make(address)
        return address, lambda: copy_database(address)

    return fill


MakeOnce = Callable[[str, Callable[[Path], None]], Path]


@pytest.fixture(scope="session")
def make_once(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> MakeOnce:
    """Builds a folder once per run, whichever worker asks first; the others wait for it."""
    root = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        root = root.parent

    def make(name: str, build: Callable[[Path], None]) -> Path:
        made = root / name
        with (root / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (root / f"{name}.done").exists():
                build(made)
                (root / f"{name}.done").touch()
        return made

    return make


@pytest.fixture(scope="session")
def new_demo_folder(
    make_once: MakeOnce, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Callable[[], Path]:
    """Copies of a shop that is made once per run from the tiny simulation."""

    def build(folder: Path) -> None:
        make_shop(folder, request.getfixturevalue("raw_shop"))

    def copy() -> Path:
        mine = tmp_path_factory.mktemp("shops") / "demo-shop"
        shutil.copytree(make_once("demo-shop", build), mine)
        return mine

    return copy


@pytest.fixture(scope="session")
def demo_folder(new_demo_folder: Callable[[], Path]) -> Path:
    """A copy of the demo's shop that no test holds open, to be copied.

    Reading the file of an open SQLite database drops this process's locks on it (POSIX): another
    process then takes itself for the only one, deletes the log, and whoever has the database open
    meets a disk that reports an error.
    """
    return new_demo_folder()


@pytest.fixture(scope="session")
def demo_shop(new_demo_folder: Callable[[], Path]) -> Iterator["Shop"]:
    """The opened shop; its clock stands at the end of its data. Read it, do not change it."""
    from lingxi.app.shop import Shop

    shop = Shop.open(new_demo_folder(), clock=FixedClock(DEMO_END), environ={})
    yield shop
    shop.close()
