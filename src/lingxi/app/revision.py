"""Is the database at the newest revision? Found without Alembic, which takes long to load."""

import re
from pathlib import Path

import sqlalchemy as sa

from lingxi.store.engine import begin_read

REVISIONS = Path(__file__).with_name("migrations") / "versions"
_OWN = re.compile(r'^revision = "(\w+)"', re.MULTILINE)
_BELOW = re.compile(r'^down_revision = "(\w+)"', re.MULTILINE)
_VERSION = sa.table("alembic_version", sa.column("version_num", sa.String))


def find_newest() -> str:
    """The newest revision that this version of Lingxi knows: the one that no other builds on."""
    texts = [path.read_text(encoding="utf-8") for path in REVISIONS.glob("[0-9]*.py")]
    known = {match[1] for text in texts if (match := _OWN.search(text))}
    below = {match[1] for text in texts if (match := _BELOW.search(text))}
    return max(known - below)


def is_newest(engine: sa.Engine) -> bool:
    """Does the database hold the newest revision's tables?"""
    with begin_read(engine) as connection:
        if not sa.inspect(connection).has_table(_VERSION.name):
            return False
        return list(connection.execute(sa.select(_VERSION)).scalars()) == [find_newest()]
