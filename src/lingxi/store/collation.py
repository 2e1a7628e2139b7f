"""Text on PostgreSQL is compared by code point, as SQLite and Python do.

The database's own order may be a language's (``b1`` before ``B-2`` before ``b3``), differs from
machine to machine, and changes with an upgrade of the operating system, which breaks indices over
text. So every text column gets the collation ``C``, whatever room or migration creates it: the
same order of pages and the same ranges for a search by prefix on both engines.
"""

from collections.abc import Callable

from sqlalchemy import Column, String
from sqlalchemy.dialects.postgresql.base import PGDDLCompiler


class CodePointDDL(PGDDLCompiler):
    """Columns as ``CREATE TABLE`` and ``ADD COLUMN`` write them, text with its collation.

    >>> from sqlalchemy import Integer, MetaData, Table
    >>> from sqlalchemy.dialects import postgresql
    >>> from sqlalchemy.schema import CreateTable
    >>> dialect = postgresql.dialect()
    >>> dialect.ddl_compiler = CodePointDDL
    >>> table = Table("t", MetaData(), Column("n", Integer), Column("name", String(8)))
    >>> print(" ".join(str(CreateTable(table).compile(dialect=dialect)).split()))
    CREATE TABLE t ( n INTEGER, name VARCHAR(8) COLLATE "C" )
    """

    def get_column_specification(self, column: "Column[object]", **options: object) -> str:
        """The column's name, type and constraints."""
        inherited: Callable[..., str] = super().get_column_specification
        specification = inherited(column, **options)
        if isinstance(column.type, String) and column.type.collation is None:
            return f'{specification} COLLATE "C"'
        return specification
