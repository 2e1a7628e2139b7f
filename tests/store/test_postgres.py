"""What is PostgreSQL's own: addresses and their passwords, the order of text, the test's server."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from lingxi.app.migrate import upgrade
from lingxi.app.rooms import METADATAS
from lingxi.config import Settings, StoreSettings
from lingxi.errors import InvalidSetting, StoreUnavailable
from lingxi.store.engine import begin_read, begin_write, open_engine

SECRET = "s3cret-word"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_every_usual_address_goes_through_psycopg(scheme: str) -> None:
    engine = open_engine(f"{scheme}://u:{SECRET}@h/d", lock_timeout_seconds=1)
    assert (engine.dialect.name, engine.dialect.driver) == ("postgresql", "psycopg")
    assert SECRET not in repr(engine)


@pytest.mark.parametrize(
    "url",
    [
        f"{SECRET}",
        f"postgresql://u:{SECRET}:{SECRET}@h:port/d",
        f"postgresql://u:a@h:{SECRET}/d",
        f"mysql://u:{SECRET}@h/d",
        f"postgresql://u:{SECRET}@127.0.0.1:1/d?connect_timeout=2",
        f"postgresql://u:{SECRET}@127.0.0.1:1/d?no_such_option=2",
    ],
)
def test_no_error_shows_a_password(url: str) -> None:
    def connect() -> None:
        with begin_read(open_engine(url, lock_timeout_seconds=1)):
            raise AssertionError("there is no such database")

    with pytest.raises((InvalidSetting, StoreUnavailable)) as caught:
        connect()
    said = f"{caught.value} {caught.value!r}"
    assert SECRET not in said
    assert "store.url" in said


def test_settings_do_not_print_the_address(tmp_path: Path) -> None:
    settings = Settings(folder=tmp_path, store=StoreSettings(url=f"postgresql://u:{SECRET}@h/d"))
    assert SECRET not in repr(settings)


@pytest.mark.engine
def test_every_text_column_is_compared_by_code_point(postgres_url: str) -> None:
    engine = open_engine(postgres_url, lock_timeout_seconds=30)
    upgrade(engine, METADATAS)
    texts = {
        (t.name, c.name)
        for m in METADATAS
        for t in m.sorted_tables
        for c in t.columns
        if isinstance(c.type, sa.String)
    }
    with begin_read(engine) as connection:
        rows = connection.execute(
            sa.text(
                "SELECT table_name, column_name FROM information_schema.columns "
                "WHERE collation_name = 'C' AND table_schema = 'public'"
            )
        )
        found = {(row[0], row[1]) for row in rows}
    engine.dispose()
    assert texts - found == set()


@pytest.mark.engine
def test_an_added_column_is_compared_by_code_point_too(postgres_url: str) -> None:
    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    engine = open_engine(postgres_url, lock_timeout_seconds=30)
    with begin_write(engine) as connection:
        operations = Operations(MigrationContext.configure(connection))
        operations.create_table("t", sa.Column("id", sa.Integer, primary_key=True))
        operations.add_column(
            "t", sa.Column("name", sa.String(9), nullable=False, server_default="")
        )
        connection.execute(sa.text("INSERT INTO t VALUES (1, 'b1'), (2, 'B-2'), (3, 'a')"))
        names = connection.execute(sa.text("SELECT name FROM t ORDER BY name")).scalars().all()
        language = sa.text('SELECT name FROM t ORDER BY name COLLATE "default"')
        usual = connection.execute(language).scalars().all()
    engine.dispose()
    assert names == ["B-2", "a", "b1"]
    assert usual != names  # the server of the tests would show a query that relies on its own order


@pytest.mark.engine
@pytest.mark.usefixtures("postgres_server")
def test_the_server_of_the_tests_ends_with_its_process() -> None:
    program = (
        "import time, postgres_server as s\n"
        "with s.run_server() as address: print(address, flush=True); time.sleep(60)\n"
    )
    environ = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environ)
    assert child.stdout is not None
    home = Path(child.stdout.readline().decode().strip().partition("host=")[2])
    assert (home / "data" / "postmaster.pid").exists()
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    until = time.monotonic() + 30
    while home.exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not home.exists()
