"""The revisions lead to the tables in the code, on both engines, and one process does it.

It stands here for the PostgreSQL it needs; the code is ``lingxi.app.migrate``.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest
import sqlalchemy as sa

from lingxi.app.migrate import list_differences, upgrade
from lingxi.app.rooms import METADATAS
from lingxi.errors import StoreUnavailable
from lingxi.store.engine import begin_write, open_engine

TABLES = {name for metadata in METADATAS for name in metadata.tables}


class MigrationContract:
    """Runs on the fixture ``url``: an empty database."""

    @pytest.fixture
    def engine(self, url: str) -> Iterator[sa.Engine]:
        engine = open_engine(url, lock_timeout_seconds=30)
        yield engine
        engine.dispose()

    def test_the_revisions_lead_to_the_tables_in_the_code(self, engine: sa.Engine) -> None:
        """If this fails: python -m lingxi.app.migrate 'what changed', then ruff format."""
        assert upgrade(engine, METADATAS) is not None
        assert set(sa.inspect(engine).get_table_names()) == TABLES | {"alembic_version"}
        assert list_differences(engine, METADATAS) == []

    def test_a_database_that_is_up_to_date_waits_for_no_writer(
        self, engine: sa.Engine, url: str
    ) -> None:
        head = upgrade(engine, METADATAS)
        hasty = open_engine(url, lock_timeout_seconds=0.1)
        with begin_write(engine):
            assert upgrade(hasty, METADATAS) == head
        hasty.dispose()

    def test_two_at_once_do_it_once(self, url: str) -> None:
        done: list[str | None] = []

        def run() -> None:
            engine = open_engine(url, lock_timeout_seconds=30)
            done.append(upgrade(engine, METADATAS))
            engine.dispose()

        threads = [Thread(target=run) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(done) == 3
        assert len(set(done)) == 1

    def test_tables_made_without_revisions_are_adopted(self, engine: sa.Engine) -> None:
        with begin_write(engine) as connection:
            for metadata in METADATAS:
                metadata.create_all(connection)
        assert upgrade(engine, METADATAS) == upgrade(engine, METADATAS)
        assert list_differences(engine, METADATAS) == []

    def test_tables_that_differ_are_not_adopted(self, engine: sa.Engine) -> None:
        with begin_write(engine) as connection:
            METADATAS[0].create_all(connection)
        with pytest.raises(StoreUnavailable, match="unfinished"):
            upgrade(engine, METADATAS)

    def test_a_difference_is_found(self, engine: sa.Engine) -> None:
        upgrade(engine, METADATAS)
        more = sa.MetaData()
        sa.Table("unheard_of", more, sa.Column("x", sa.Integer, primary_key=True))
        assert "unheard_of" in " ".join(list_differences(engine, [*METADATAS, more]))

    def test_a_database_of_a_newer_version_is_refused(self, engine: sa.Engine) -> None:
        upgrade(engine, METADATAS)
        with begin_write(engine) as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(StoreUnavailable, match="9999"):
            upgrade(engine, METADATAS)


class TestSQLite(MigrationContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path / 'state.sqlite'}"


@pytest.mark.engine
class TestPostgres(MigrationContract):
    @pytest.fixture
    def url(self, new_database: Callable[[], str]) -> str:
        return new_database()
