"""Migrations: the database's tables become what the code expects, by one process at a time.

``python -m lingxi.app.migrate MESSAGE`` writes a new revision: what the tables in the code have
that the last revision has not. ``python -m lingxi.app.migrate --baseline`` throws all away and
writes one for each room: only before a first release. Format what it wrote with ``ruff format``.
"""

import sys
import tempfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from lingxi.errors import InvalidInput, StoreUnavailable
from lingxi.store.engine import begin_read, begin_write, open_engine

FOLDER = Path(__file__).with_name("migrations")


def upgrade(engine: sa.Engine, metadatas: Sequence[sa.MetaData]) -> str | None:
    """Bring the database to the newest revision; the revision it is at.

    It holds the store's write lock, so a second process waits and then finds nothing to do. A
    database that is up to date is only read.

    Raises
    ------
    StoreUnavailable
        If the database was made by a newer version of Lingxi.
    """
    config = _configure(metadatas)
    scripts = ScriptDirectory.from_config(config)
    head = scripts.get_current_head()
    with begin_read(engine) as connection:
        if _read_revision(connection, scripts) == head:
            return head
    with begin_write(engine) as connection:
        config.attributes["connection"] = connection
        revision = _read_revision(connection, scripts)
        if revision is None and sa.inspect(connection).has_table("event"):
            _adopt(config, connection, metadatas)
        elif revision != head:
            command.upgrade(config, "head")
    return head


def _adopt(config: Config, connection: sa.Connection, metadatas: Sequence[sa.MetaData]) -> None:
    """Take over a database whose tables were made without revisions, if they are as they should."""
    if differences := _compare(connection, metadatas):
        raise StoreUnavailable(
            "The shop's database was made by an unfinished version of Lingxi and differs from this "
            f"one in {len(differences)} places; make the shop again from its files."
        )
    command.stamp(config, "head")


def list_differences(engine: sa.Engine, metadatas: Sequence[sa.MetaData]) -> list[str]:
    """Where the database differs from the tables in the code; nothing when all is well.

    ``lingxi doctor`` shows it; a test holds the revisions to it.
    """
    with begin_read(engine) as connection:
        return _compare(connection, metadatas)


def _compare(connection: sa.Connection, metadatas: Sequence[sa.MetaData]) -> list[str]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return [repr(difference) for difference in compare_metadata(context, _merge(metadatas))]


def write_revision(message: str, metadatas: Sequence[sa.MetaData]) -> Path:
    """Write the revision that leads from the newest one to these tables; its file."""
    config = _configure(metadatas)
    head = ScriptDirectory.from_config(config).get_current_head()
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{folder}/empty.sqlite", lock_timeout_seconds=30)
        with begin_write(engine) as connection:
            config.attributes["connection"] = connection
            if head is not None:
                command.upgrade(config, "head")
            number = f"{int(head or 0) + 1:04d}"
            script = command.revision(config, message, autogenerate=True, rev_id=number)
        engine.dispose()
    if script is None or isinstance(script, list):
        raise StoreUnavailable("Alembic wrote no revision.")
    path = Path(script.path)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(x for x in lines if "###" not in x), encoding="utf-8")
    return path


def write_baseline(metadatas: Sequence[sa.MetaData]) -> list[Path]:
    """Throw all revisions away and write one for each room, in the order given."""
    for old in (FOLDER / "versions").glob("*.py"):
        old.unlink()
    names = {
        id(import_module(f"lingxi.{place.parent.name}.tables").metadata): place.parent.name
        for place in FOLDER.parents[1].glob("*/tables.py")
    }
    return [write_revision(f"The tables of {names[id(m)]}", [m]) for m in metadatas if m.tables]


def _configure(metadatas: Sequence[sa.MetaData]) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["metadatas"] = list({id(m): m for m in metadatas}.values())
    return config


def _read_revision(connection: sa.Connection, scripts: ScriptDirectory) -> str | None:
    revision = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    if revision is not None and revision not in known:
        raise StoreUnavailable(
            f"The shop's database is at revision {revision}, which this version of Lingxi does not "
            "know; run the newer version that made it."
        )
    return revision


def _merge(metadatas: Sequence[sa.MetaData]) -> sa.MetaData:
    """All tables in one place, for Alembic compares one collection at a time."""
    merged = sa.MetaData()
    for metadata in {id(m): m for m in metadatas}.values():
        merged.naming_convention = metadata.naming_convention
        for table in metadata.sorted_tables:
            table.to_metadata(merged)
    return merged


def main(arguments: Sequence[str]) -> None:
    """Write a revision, or the baseline; print what was written."""
    from lingxi.app.rooms import METADATAS

    if len(arguments) != 1:
        raise InvalidInput("Say what the revision does: python -m lingxi.app.migrate MESSAGE")
    if arguments[0] == "--baseline":
        written = write_baseline(METADATAS)
    else:
        written = [write_revision(arguments[0], METADATAS)]
    print(*written, sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
