"""The room keeps no state table: what it learns are artefacts, what it reads belongs to others."""

from sqlalchemy import MetaData

metadata = MetaData()
