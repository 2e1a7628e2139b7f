"""Erasure: what this room keeps of a person."""

import sqlalchemy as sa


def forget(_tx: sa.Connection, _customers: frozenset[int]) -> int:
    """Nothing in the database. The store empties a person's rows in every kept artefact.

    Only user-user models hold such rows; their manifests name them (``Manifest.personal``).
    """
    return 0
